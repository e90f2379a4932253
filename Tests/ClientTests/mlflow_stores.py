"""Stores as MLflow itself writes them, and all that its client can tell of one: what an import must bring."""

import mlflow
import numpy as np
import pandas as pd
from mlflow import MlflowClient
from mlflow.entities import AssessmentSource, SpanEvent, ViewType

LARGEST = 1.7976931348623157e308


class Same(mlflow.pyfunc.PythonModel):
    def predict(self, context, model_input, params=None):
        return model_input


def fill(uri):
    """A bit of everything: odd names and numbers, nested, failed, deleted and living runs, models, traces."""
    mlflow.set_tracking_uri(uri)
    client = MlflowClient(uri)
    home = mlflow.set_experiment("digits").experiment_id
    client.set_experiment_tag(home, "team", "vision")
    client.set_experiment_tag(home, "mlflow.note.content", "What **works**")
    with mlflow.start_run(run_name="parent: one") as parent:
        mlflow.log_params({"lr": 0.1, "opt/name": "adam", "long": "x" * 5000, "text": " padded \nline"})
        for step in range(100):
            mlflow.log_metric("train/loss", 1 / (step + 1), step=step)
        mlflow.log_metric("odd", float("nan"), step=-3)
        mlflow.log_metric("odd", float("inf"), step=2)
        mlflow.log_metric("odd", -0.0, step=2)
        mlflow.log_metric("nostep", 4.25)
        mlflow.set_tag("stage", "ü: yes: 'q' \"d\"")
        mlflow.log_text("hello", "notes/a b.txt")
        mlflow.log_dict({"a": 1}, "conf.json")
        mlflow.log_input(mlflow.data.from_pandas(pd.DataFrame({"x": [1, 2, 3]}), name="tiny"), context="training")
        mlflow.log_table({"q": ["a"], "r": [1]}, "t.json")
        mlflow.log_image(np.zeros((8, 8, 3), dtype=np.uint8), key="im", step=1)
        with mlflow.start_run(nested=True, run_name="child"):
            mlflow.log_metric("acc", 0.5, step=1)
        model = mlflow.pyfunc.log_model(name="m", python_model=Same(), registered_model_name="reg one")
    client.set_registered_model_alias("reg one", "champion", 1)
    client.set_registered_model_tag("reg one", "k", "v")
    client.set_model_version_tag("reg one", "1", "vk", "vv")
    client.update_registered_model("reg one", "the description")
    client.update_model_version("reg one", "1", "v1 text")
    client.transition_model_version_stage("reg one", "1", "Staging")
    client.create_model_version("reg one", f"runs:/{parent.info.run_id}/notes", parent.info.run_id)
    client.create_model_version("reg one", model.model_uri, model_id=model.model_id)
    client.delete_model_version("reg one", "2")
    with mlflow.start_run(run_name="failing") as run:
        mlflow.log_metric("a", 1)
    client.set_terminated(run.info.run_id, "FAILED")
    with mlflow.start_run(run_name="gone") as run:
        mlflow.log_metric("a", 1)
        mlflow.log_text("x", "x.txt")
    client.delete_run(run.info.run_id)
    living = client.create_run(home, run_name="living").info.run_id
    client.log_metric(living, "z", 1.5, step=1)
    thrown = client.create_experiment("thrown")
    with mlflow.start_run(experiment_id=thrown, run_name="in thrown"):
        mlflow.log_metric("q", 2)
    client.delete_experiment(thrown)
    trace(uri)
    return {"parent": parent.info.run_id, "living": living, "experiment": home}


def trace(uri):
    @mlflow.trace
    def outer(x):
        span = mlflow.get_current_active_span()
        span.add_event(SpanEvent("seen", attributes={"a": 1, "b": [1, 2]}))
        span.set_attribute("deep", {"k": [1, None, 2.5, True]})
        return inner(x) + 1

    @mlflow.trace
    def inner(x):
        return x * 2

    outer(3)
    mlflow.flush_trace_async_logging()
    source = AssessmentSource(source_type="HUMAN", source_id="me")
    last = mlflow.get_last_active_trace_id()
    mlflow.log_feedback(trace_id=last, name="good", value=0.5, rationale="why", source=source)
    mlflow.log_expectation(trace_id=last, name="expected", value={"a": 1}, source=source)


def told(uri):
    """All that the client tells of a store, by what it is about."""
    mlflow.set_tracking_uri(uri)
    client = MlflowClient(uri)
    told = {}
    for experiment in client.search_experiments(view_type=ViewType.ALL):
        home = experiment.experiment_id
        told["experiment", home] = (experiment.name, experiment.lifecycle_stage, dict(experiment.tags))
        for run in client.search_runs([home], run_view_type=ViewType.ALL):
            tell_run(client, run, told)
        if experiment.lifecycle_stage == "active":
            for model in client.search_logged_models([home]):
                told["logged model", model.model_id] = (
                    model.name, str(model.status), model.creation_timestamp, model.source_run_id, model.params,
                    model.tags)
            for trace in client.search_traces([home]):
                told["trace", trace.info.trace_id] = tell_trace(trace)
    for model in client.search_registered_models():
        told["model", model.name] = (
            model.description, model.creation_timestamp, model.tags,
            {alias: str(version) for alias, version in model.aliases.items()})
        for found in client.search_model_versions(f"name='{model.name}'"):
            version = client.get_model_version(model.name, found.version)
            told["version", model.name, str(version.version)] = (
                version.current_stage, version.description or "", version.creation_timestamp, version.run_id,
                version.status, version.tags, sorted(version.aliases))
    return told


def tell_run(client, run, told):
    info = run.info
    told["run", info.run_id] = (
        info.run_name, info.experiment_id, info.status, info.start_time, info.end_time, info.lifecycle_stage,
        info.user_id, run.data.params, run.data.tags,
        [(one.dataset.name, one.dataset.digest, one.dataset.schema, [(tag.key, tag.value) for tag in one.tags])
         for one in run.inputs.dataset_inputs],
        sorted(one.model_id for one in run.inputs.model_inputs),
        sorted((one.model_id, one.step) for one in run.outputs.model_outputs))
    for key in run.data.metrics:
        # MLflow's client knows no infinity: its server tells the largest number in its place.
        told["metric", info.run_id, key] = sorted(
            {(repr(max(-LARGEST, min(LARGEST, point.value)) if point.value == point.value else point.value),
              point.timestamp, point.step)
             for point in client.get_metric_history(info.run_id, key)})
    if info.lifecycle_stage == "active":
        told["files", info.run_id] = sorted(files(client, info.run_id))


def files(client, run, path=None):
    for file in client.list_artifacts(run, path):
        if file.is_dir:
            yield from files(client, run, file.path)
        else:
            yield file.path, file.file_size


def tell_trace(trace):
    info = trace.info
    return (
        info.state.value, info.request_time, info.execution_duration, info.request_preview, info.response_preview,
        {key: value for key, value in info.tags.items() if "Location" not in key},
        {key: value for key, value in info.trace_metadata.items() if "infoFinalized" not in key},
        sorted((one.name, one.assessment_id, one.rationale or "", str(one.source)) for one in info.assessments),
        [(span.span_id, span.parent_id, span.name, span.start_time_ns, span.end_time_ns, span.status.status_code.value,
          span.inputs, span.outputs, span.span_type, dict(span.attributes),
          [(event.name, event.timestamp, dict(event.attributes)) for event in span.events])
         for span in trace.data.spans])


def differences(there, here):
    """What is there and is not the same here."""
    return {name: (there[name], here.get(name)) for name in there if there[name] != here.get(name)}
