"""What MLflow's users write every day, unmodified, by the last client of MLflow 2 and by the newest one."""

import json
import math
import subprocess
import sys

import pytest
from mlflow import MlflowClient
from mlflow.entities import Metric, Param, RunTag, ViewType
from mlflow.exceptions import MlflowException

import serving


def logged(client, experiment="digits", **params):
    client.set_experiment(experiment)
    with client.start_run(run_name="first") as run:
        client.log_params({"lr": 0.1, "depth": 6, **params})
        for step in range(5):
            client.log_metrics({"loss": 1 / (step + 1), "acc": step / 10}, step=step)
        client.set_tags({"team": "vision"})
    return run.info.run_id


def test_a_run_is_the_same_run_for_the_client_and_for_the_product(client, server):
    run_id = logged(client)
    run = client.get_run(run_id)
    assert run.info.status == "FINISHED" and run.info.run_name == "first"
    assert run.data.params == {"lr": "0.1", "depth": "6"}
    assert run.data.metrics == {"loss": 0.2, "acc": 0.4}
    assert run.data.tags["team"] == "vision" and run.data.tags["mlflow.runName"] == "first"
    own = server.get(f"/api/v1/runs/{run_id}").expect(200).json
    assert own["params"] == {"lr": 0.1, "depth": 6} and own["metrics"]["loss"] == 0.2
    assert own["state"] == "finished" and own["short_id"] == "run_01"
    assert server.points(run_id, "acc") == [(step, step / 10) for step in range(5)]
    found = server.get("/api/v1/runs/search?experiment_name=digits&filter=metrics.acc>0.3").json
    assert [row["id"] for row in found["runs"]] == [run_id]


def test_what_the_product_logged_is_there_for_the_client(client, server):
    run = server.run("native", experiment="digits", parameters={"lr": 0.5}, tags={"a": "b"})
    server.post(f"/api/v1/runs/{run}/metrics", {"metrics": {"loss": 0.25}, "step": 3}).expect(200)
    seen = client.get_run(run)
    assert seen.data.params == {"lr": "0.5"} and seen.data.metrics == {"loss": 0.25}
    assert seen.info.run_name == "native" and seen.data.tags["a"] == "b"


def test_histories_keep_every_point_and_nan(client):
    client.set_experiment("curves")
    with client.start_run() as run:
        for step in range(300):
            client.log_metric("m", float(step), step=step)
        client.log_metric("bad", float("nan"), step=1)
    api = MlflowClient()
    history = api.get_metric_history(run.info.run_id, "m")
    assert [(point.step, point.value) for point in history] == [(step, float(step)) for step in range(300)]
    assert math.isnan(client.get_run(run.info.run_id).data.metrics["bad"])


def test_nested_runs_name_their_parent(client, server):
    client.set_experiment("sweep")
    with client.start_run(run_name="parent") as parent:
        for number in range(3):
            with client.start_run(run_name=f"child {number}", nested=True):
                client.log_metric("score", number)
    children = MlflowClient().search_runs(
        [parent.info.experiment_id], f"tags.mlflow.parentRunId = '{parent.info.run_id}'", order_by=["metrics.score DESC"])
    assert [child.info.run_name for child in children] == ["child 2", "child 1", "child 0"]
    own = server.get(f"/api/v1/runs/{parent.info.run_id}/children").expect(200).json["runs"]
    assert len(own) == 3


def test_searches_page_by_page(client):
    client.set_experiment("many")
    api = MlflowClient()
    experiment = client.get_experiment_by_name("many").experiment_id
    for number in range(25):
        run = api.create_run(experiment, run_name=f"r{number:02}")
        api.log_batch(
            run.info.run_id, metrics=[Metric("m", number, 1, 0)], params=[Param("even", str(number % 2 == 0))],
            tags=[RunTag("k", "v")])
    seen, token = [], None
    while True:
        page = api.search_runs([experiment], "params.even = 'True'", order_by=["metrics.m ASC"], max_results=5, page_token=token)
        seen += [run.info.run_name for run in page]
        token = page.token
        if not token:
            break
    assert seen == [f"r{number:02}" for number in range(0, 25, 2)]


def test_the_words_of_a_refusal_are_those_of_mlflow(client):
    run_id = logged(client)
    api = MlflowClient()
    with pytest.raises(MlflowException, match="Changing param values is not allowed"):
        api.log_param(run_id, "lr", 0.2)
    with pytest.raises(MlflowException, match="not found|No Experiment with id"):
        api.get_experiment("999999")
    with pytest.raises(MlflowException, match="Invalid clause"):
        api.search_runs(["0"], "metrics.a = 1 OR metrics.b = 2")
    api.delete_run(run_id)
    with pytest.raises(MlflowException, match="must be in the 'active' state"):
        api.log_metric(run_id, "m", 1)
    assert api.search_runs([api.get_run(run_id).info.experiment_id], run_view_type=ViewType.DELETED_ONLY)
    api.restore_run(run_id)
    api.log_metric(run_id, "m", 1)


def test_a_late_asynchronous_log_arrives(client):
    client.set_experiment("async")
    with client.start_run() as run:
        futures = [client.log_metric("m", step, step=step, synchronous=False) for step in range(100)]
        for future in futures:
            future.wait()
    assert len(MlflowClient().get_metric_history(run.info.run_id, "m")) == 100


def test_the_experiment_may_be_named_by_the_environment(server, tmp_path):
    script = "import mlflow\nwith mlflow.start_run(run_name='env'):\n    mlflow.log_param('a', 1)\n"
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, timeout=120,
        env={**serving.environment(tmp_path), "MLFLOW_TRACKING_URI": server.address, "MLFLOW_EXPERIMENT_NAME": "named",
             "GIT_PYTHON_REFRESH": "quiet"})
    assert done.returncode == 0, done.stderr
    found = server.get("/api/v1/runs/search?experiment_name=named").expect(200).json["runs"]
    assert [run["name"] for run in found] == ["env"]


@pytest.mark.own_access
@pytest.mark.parametrize("way", ["token", "password"])
def test_a_token_opens_the_door_and_nothing_else_does(start_server, tmp_path, monkeypatch, way):
    import mlflow

    server = start_server("--auth-mode", "tokens")
    made = serving.martlet("users", "add", "ada", "--role", "write", uri=server.folder, home=tmp_path)
    assert made.returncode == 0, made.stderr
    secret = json.loads(serving.martlet(
        "tokens", "create", "ada", "--json", uri=server.folder, home=tmp_path).stdout)["secret"]
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")
    monkeypatch.setenv("GIT_PYTHON_REFRESH", "quiet")
    mlflow.set_tracking_uri(server.address)
    with pytest.raises(MlflowException, match="401|UNAUTHENTICATED|token"):
        mlflow.set_experiment("closed")
    if way == "token":
        monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", secret)
    else:
        monkeypatch.setenv("MLFLOW_TRACKING_USERNAME", "ada")
        monkeypatch.setenv("MLFLOW_TRACKING_PASSWORD", secret)
    run_id = logged(mlflow)
    assert mlflow.get_run(run_id).data.params["depth"] == "6"
    mlflow.set_tracking_uri(None)
