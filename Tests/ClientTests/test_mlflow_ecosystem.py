"""What MLflow's users bring along: autologging, models from the registry, evaluation, serving, Optuna, the command."""

import contextlib
import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest
from mlflow import MlflowClient

import serving

pytestmark = pytest.mark.newest


def iris():
    from sklearn.datasets import load_iris
    from sklearn.model_selection import train_test_split

    return train_test_split(*load_iris(return_X_y=True, as_frame=True), random_state=0)


def tool(*arguments, server, home, timeout=180):
    """The command `mlflow` of the environment that the tests run in."""
    program = Path(sys.executable).parent / "mlflow"
    return subprocess.run(
        [str(program), *arguments], cwd=home, capture_output=True, text=True, timeout=timeout,
        env={**serving.environment(home), "MLFLOW_TRACKING_URI": server.address, "GIT_PYTHON_REFRESH": "quiet",
             "PATH": f"{program.parent}:{os.environ['PATH']}"})


def trained(client, name="irises"):
    from sklearn.linear_model import LogisticRegression

    train_x, _, train_y, _ = iris()
    client.set_experiment("models")
    with client.start_run() as run:
        model = LogisticRegression(max_iter=500).fit(train_x, train_y)
        client.sklearn.log_model(model, name="model", registered_model_name=name, input_example=train_x.head(2))
    return run.info.run_id, model


def test_sklearn_logs_itself(client, server):
    from sklearn.ensemble import RandomForestClassifier

    train_x, test_x, train_y, test_y = iris()
    client.set_experiment("autolog")
    client.sklearn.autolog(log_input_examples=True)
    try:
        with client.start_run() as run:
            RandomForestClassifier(n_estimators=7, random_state=0).fit(train_x, train_y).score(test_x, test_y)
    finally:
        client.sklearn.autolog(disable=True)
    seen = client.get_run(run.info.run_id)
    assert seen.data.params["n_estimators"] == "7" and seen.data.metrics["training_score"] > 0.9
    assert seen.inputs.dataset_inputs, "the data that was trained on is named"
    assert seen.outputs.model_outputs, "the model that was made is named"
    own = server.get(f"/api/v1/runs/{run.info.run_id}").expect(200).json
    assert own["params"]["n_estimators"] == 7
    assert any(artifact["path"].endswith("training_confusion_matrix.png") for artifact in own["artifacts"])


def test_xgboost_and_lightgbm_log_themselves(client):
    import lightgbm
    import xgboost

    train_x, _, train_y, _ = iris()
    client.set_experiment("boosting")
    client.xgboost.autolog()
    client.lightgbm.autolog()
    try:
        with client.start_run() as one:
            xgboost.train(
                {"objective": "multi:softprob", "num_class": 3, "max_depth": 2}, xgboost.DMatrix(train_x, train_y),
                num_boost_round=4, evals=[(xgboost.DMatrix(train_x, train_y), "train")])
        with client.start_run() as two:
            data = lightgbm.Dataset(train_x, train_y)
            lightgbm.train(
                {"objective": "multiclass", "num_class": 3, "verbose": -1}, data, num_boost_round=4, valid_sets=[data])
    finally:
        client.xgboost.autolog(disable=True)
        client.lightgbm.autolog(disable=True)
    api = MlflowClient()
    assert len(api.get_metric_history(one.info.run_id, "train-mlogloss")) == 4
    history = client.get_run(two.info.run_id).data.metrics
    assert any("multi_logloss" in name for name in history)


def test_files_figures_tables_and_images_come_back_as_they_were(client, server, tmp_path):
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt
    import numpy

    client.set_experiment("files")
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "a b.txt").write_text("hello")
    (tmp_path / "data" / "empty.bin").write_bytes(b"")
    figure, axes = plt.subplots()
    axes.plot([1, 2, 3])
    with client.start_run() as run:
        client.log_artifacts(str(tmp_path / "data"), "in/side")
        client.log_text("# report", "report.md")
        client.log_dict({"a": [1, 2]}, "conf.json")
        client.log_figure(figure, "plots/curve.png")
        client.log_table({"q": ["x", "y"], "n": [1, 2]}, "table.json")
        client.log_image(numpy.zeros((4, 4, 3), dtype=numpy.uint8), key="eye", step=2)
    api = MlflowClient()
    listed = {item.path: item for item in api.list_artifacts(run.info.run_id)}
    assert {"in", "report.md", "conf.json", "plots", "table.json", "images"} <= set(listed)
    assert listed["in"].is_dir and not listed["report.md"].is_dir and listed["report.md"].file_size == 8
    back = client.artifacts.download_artifacts(run_id=run.info.run_id, artifact_path="in/side", dst_path=str(tmp_path / "out"))
    assert (Path(back) / "a b.txt").read_text() == "hello" and (Path(back) / "empty.bin").read_bytes() == b""
    assert client.artifacts.load_dict(f"runs:/{run.info.run_id}/conf.json") == {"a": [1, 2]}
    own = server.get(f"/api/v1/runs/{run.info.run_id}/artifacts/in/side/a%20b.txt").expect(200)
    assert own.body == b"hello"
    image = server.get(f"/api/v1/runs/{run.info.run_id}/rich/eye").expect(200).json
    assert [point["step"] for point in image["points"]] == [2]


def test_a_model_is_registered_named_loaded_and_compared(client, server):
    run_id, model = trained(client)
    _, test_x, _, _ = iris()
    api = MlflowClient()
    api.set_registered_model_alias("irises", "champion", "1")
    version = api.get_model_version_by_alias("irises", "champion")
    assert version.run_id == run_id and version.status == "READY"
    loaded = client.pyfunc.load_model("models:/irises@champion")
    assert (loaded.predict(test_x) == model.predict(test_x)).all()
    again = client.sklearn.load_model(f"runs:/{run_id}/model")
    assert (again.predict(test_x) == model.predict(test_x)).all()
    own = server.get("/api/v1/models/irises/versions/champion").expect(200).json
    assert own["version"] == 1 and own["run_id"] == run_id
    found = api.search_model_versions("name = 'irises'")
    assert [one.version for one in found] == ["1"] or [one.version for one in found] == [1]
    assert client.search_logged_models(experiment_ids=[client.get_run(run_id).info.experiment_id], output_format="list")


def test_a_model_is_evaluated(client):
    run_id, _ = trained(client, "evaluated")
    _, test_x, _, test_y = iris()
    data = test_x.assign(target=test_y)
    with client.start_run() as run:
        result = client.models.evaluate(
            "models:/evaluated/1", data, targets="target", model_type="classifier", evaluator_config={"log_explainer": False})
    assert result.metrics["accuracy_score"] > 0.8
    assert client.get_run(run.info.run_id).data.metrics["accuracy_score"] == result.metrics["accuracy_score"]


def test_a_registered_model_is_served(client, server, tmp_path):
    _, model = trained(client, "served")
    MlflowClient().set_registered_model_alias("served", "live", "1")
    _, test_x, _, _ = iris()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    program = Path(sys.executable).parent / "mlflow"
    log = open(tmp_path / "serve.log", "wb")
    process = subprocess.Popen(
        [str(program), "models", "serve", "-m", "models:/served@live", "--env-manager", "local", "-h", "127.0.0.1",
         "-p", str(port), "-w", "1"], stdout=log, stderr=subprocess.STDOUT, start_new_session=True,
        env={**serving.environment(tmp_path), "MLFLOW_TRACKING_URI": server.address, "GIT_PYTHON_REFRESH": "quiet",
             "PATH": f"{program.parent}:{os.environ['PATH']}"})
    try:
        deadline = time.monotonic() + 120
        while True:
            assert process.poll() is None and time.monotonic() < deadline, (tmp_path / "serve.log").read_text()[-3000:]
            with contextlib.suppress(OSError):
                urllib.request.urlopen(f"http://127.0.0.1:{port}/ping", timeout=2)
                break
            time.sleep(0.2)
        body = json.dumps({"dataframe_split": test_x.head(3).to_dict(orient="split")}).encode()
        answer = urllib.request.urlopen(urllib.request.Request(
            f"http://127.0.0.1:{port}/invocations", body, {"Content-Type": "application/json"}), timeout=30)
        assert json.loads(answer.read())["predictions"] == model.predict(test_x.head(3)).tolist()
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, 15)
        process.wait(20)


def test_optuna_logs_its_trials(client, server):
    import optuna
    from optuna_integration import MLflowCallback

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    study = optuna.create_study(study_name="tuned", direction="minimize")
    study.optimize(
        lambda trial: (trial.suggest_float("x", -1, 1) - 0.5) ** 2, n_trials=5,
        callbacks=[MLflowCallback(tracking_uri=server.address, metric_name="loss")])
    runs = server.get("/api/v1/runs/search?experiment_name=tuned&order_by=metrics.loss").expect(200).json["runs"]
    assert len(runs) == 5 and runs[0]["metrics"]["loss"] == study.best_value


def test_the_calls_of_lightning_s_logger(client):
    """The calls that Lightning's MLFlowLogger makes, in its order."""
    from mlflow.entities import Metric, Param

    api = MlflowClient(client.get_tracking_uri())
    experiment = api.create_experiment(name="lightning", artifact_location=None)
    assert api.get_experiment_by_name("lightning").experiment_id == experiment
    run = api.create_run(experiment_id=experiment, tags={"mlflow.runName": "trainer"})
    params = [Param(key=f"p{number}", value=str(number)) for number in range(150)]
    for start in range(0, len(params), 100):
        api.log_batch(run_id=run.info.run_id, params=params[start:start + 100])
    for step in range(3):
        api.log_batch(
            run_id=run.info.run_id,
            metrics=[Metric(key="train_loss", value=1 / (step + 1), timestamp=int(time.time() * 1000), step=step)])
    api.set_terminated(run.info.run_id, "FINISHED")
    seen = api.get_run(run.info.run_id)
    assert len(seen.data.params) == 150 and seen.info.status == "FINISHED" and seen.info.run_name == "trainer"


def test_the_command_mlflow(client, server, tmp_path):
    made = tool("experiments", "create", "-n", "typed", server=server, home=tmp_path)
    assert made.returncode == 0, made.stderr
    client.set_experiment("typed")
    with client.start_run(run_name="listed") as run:
        client.log_metric("m", 1)
    listed = tool("runs", "list", "--experiment-id", run.info.experiment_id, server=server, home=tmp_path)
    assert run.info.run_id in listed.stdout, listed.stderr
    table = tool("experiments", "csv", "-x", run.info.experiment_id, server=server, home=tmp_path)
    assert "metrics.m" in table.stdout, table.stderr


def test_traces_are_kept_and_found(client):
    client.set_experiment("traced")

    @client.trace
    def double(number):
        return 2 * number

    assert double(21) == 42
    client.flush_trace_async_logging() if hasattr(client, "flush_trace_async_logging") else None
    experiment = client.get_experiment_by_name("traced").experiment_id
    found = serving.wait_for(
        "the trace", lambda: client.search_traces(locations=[experiment], return_type="list"), seconds=20)
    assert len(found) == 1 and found[0].info.state.value == "OK"
