"""Models with the run that they came from, and what happens when runs end."""

import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from conftest import run_program
from martlet_compat import experiment, experiment_tracker, model_registry
from src.database.connection import get_db_connection
from src.ds.experiment_tracker import ExperimentTracker
from src.ml.model_registry import ModelRegistry


def trained(tracker, place, accuracy=0.93, name=None):
    (place / "model.pkl").write_bytes(b"%f" % accuracy)
    run = tracker.start_run(experiment_name="production", run_name=name)
    tracker.log_params({"trees": 150})
    tracker.log_metrics({"accuracy": accuracy})
    tracker.log_artifact("model.pkl", artifact_type="model")
    tracker.end_run()
    return run


def test_a_version_leads_to_its_run_and_the_run_to_its_version(place, store):
    connection = get_db_connection()
    run = trained(ExperimentTracker(db_connection=connection), place)
    version = ModelRegistry(db_connection=connection).register_model(
        model_name="predictor", model_path="model.pkl",
        metadata={"experiment_id": run.experiment_id, "run_id": run.run_id, "accuracy": 0.93})
    assert (version.name, version.version, version.run_id, version.artifact_path) == ("predictor", 1, run.run_id, "model.pkl")
    assert version.metadata["accuracy"] == 0.93
    shown = store.run(run.run_id)["model_versions"]
    assert [(each["name"], each["version"]) for each in shown] == [("predictor", 1)]


def test_the_other_spelling_registers_as_well(place):
    tracker = ExperimentTracker()
    run = trained(tracker, place)
    best = tracker.get_best_run(experiment_id=run.experiment_id, metric="accuracy", mode="max")
    registry = ModelRegistry()
    version = registry.register_model(
        name="classifier", run_id=best.id, artifacts=best.artifacts, metrics=best.metrics, parameters=best.parameters)
    assert version.run_id == run.run_id and version.artifact_path == "model.pkl"
    assert registry.get_model("classifier").version == 1
    assert [each["name"] for each in registry.list_models()] == ["classifier"]
    assert registry.set_stage("classifier", 1, "production").stage == "Production"


def test_a_file_that_the_run_did_not_keep_is_added_and_one_that_is_nowhere_is_refused(place):
    tracker, registry = ExperimentTracker(), ModelRegistry()
    with tracker.run("production") as run:
        pass
    (place / "late.pkl").write_bytes(b"late")
    assert registry.register_model("late", "late.pkl", {"run_id": run.run_id}).artifact_path == "late.pkl"
    assert tracker.load_artifact(run.run_id, "late.pkl") == b"late"
    with pytest.raises(FileNotFoundError, match="has no file gone.pkl"):
        registry.register_model("late", "gone.pkl", {"run_id": run.run_id})
    with pytest.raises(Exception, match="No name was given"):
        registry.register_model(run_id=run.run_id)
    with pytest.raises(Exception, match="Nothing says where “x” comes from"):
        registry.register_model("x")


def test_a_completion_is_told_once_and_a_failing_function_harms_nobody(place, capsys):
    told = []

    @experiment.on_completion
    def fails(experiment_id):
        raise RuntimeError("no registry today")

    @experiment.on_completion
    def listens(experiment_id):
        told.append(experiment_id)

    first = experiment_tracker.start_run("production")
    second = experiment_tracker.start_run("production")
    experiment_tracker.end_run()
    assert told == []  # the other run is open
    experiment_tracker.end_run()
    assert told == [first.experiment_id] == [second.experiment_id]
    assert "fails failed for experiment production: RuntimeError: no registry today" in capsys.readouterr().err


def test_a_completion_that_a_crash_cut_off_is_made_up_for_once(place):
    program = """
        import os, sys
        from martlet_compat import experiment, experiment_tracker
        import martlet_compat._hooks as hooks

        if sys.argv[1] == "crash":
            hooks._call = lambda *_: os._exit(9)

        @experiment.on_completion
        def listens(experiment_id):
            print("told", experiment_id)

        if sys.argv[1] == "crash":
            experiment_tracker.start_run("production")
            experiment_tracker.end_run()
    """
    import textwrap

    program = textwrap.dedent(program)
    assert run_program(place, program, "crash").returncode == 9
    assert "told" in run_program(place, program, "again").stdout
    assert "told" not in run_program(place, program, "again").stdout


def test_the_single_objects_are_a_tracker_and_a_registry(place):
    run = trained(experiment_tracker, place)
    assert experiment_tracker.get_best_run(experiment_id="production", metric="accuracy").id == run.run_id
    assert model_registry.register_model(name="m", run_id=run.run_id).version == 1


def test_each_run_that_qualifies_is_promoted_once(place):
    tracker = ExperimentTracker()
    already = trained(tracker, place, 0.97, "before-the-hook")
    promotion = tracker.register_model_promotion_hook(experiment_id="production", criteria={"accuracy": ">= 0.95"})
    trained(tracker, place, 0.90, "too-weak")
    later = trained(tracker, place, 0.99, "after-the-hook")
    promotion.look_at_all()
    versions = ModelRegistry().list_versions("production")
    assert {version.run_id for version in versions} == {already.run_id, later.run_id} and len(versions) == 2
    assert ModelRegistry().get_model("production", 2).stage == "Production"
    with pytest.raises(Exception, match="criterion “about 0.9” for “accuracy” cannot be read"):
        tracker.register_model_promotion_hook("production", {"accuracy": "about 0.9"})


def test_another_registry_is_told_where_the_run_is(place):
    asked = []

    class Registry(BaseHTTPRequestHandler):
        def do_POST(self):
            asked.append((self.path, json.loads(self.rfile.read(int(self.headers["Content-Length"])))))
            answer = json.dumps({"name": "production", "version": 7, "run_id": None}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_):
            pass

    server = HTTPServer(("127.0.0.1", 0), Registry)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        tracker = ExperimentTracker()
        tracker.register_model_promotion_hook(
            experiment_id="production", criteria={"accuracy": 0.95},
            registry_url="http://127.0.0.1:%d" % server.server_address[1])
        run = trained(tracker, place, 0.99)
    finally:
        server.shutdown()
    path, body = asked[0]
    assert path == "/api/v1/models/production/versions"
    assert body["metadata"]["source_run_id"] == run.run_id and body["metadata"]["metrics"] == {"accuracy": 0.99}
    assert asked[1][0].endswith("/versions/7/stage")
    assert tracker.get_run(run.run_id).tags["promoted"] == "production/7"
