#!/usr/bin/env python3
"""Records what a real client of MLflow's and a Martlet server say to each other.

    .venv-mlflow/bin/python Tests/CompatibilityTests/record.py      the newest client
    .venv-mlflow2/bin/python Tests/CompatibilityTests/record.py     the last one of MLflow 2

The client runs the programs below against a fresh server, through a relay that writes down each exchange. The files are
what test_transcripts.py plays back to every build, without a client: made again only when a client changes, and looked
through before they are committed, since they say what is promised to that client.
"""

import base64
import http.client
import http.server
import json
import os
import sys
import tempfile
import threading
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "EndToEndTests"))

import serving  # noqa: E402

KEPT_HEADERS = ("content-type", "x-mlflow-experiment-id")


def fluent(mlflow):
    """What most programs do."""
    mlflow.set_experiment("digits")
    with mlflow.start_run(run_name="first", tags={"team": "vision"}) as run:
        mlflow.log_params({"lr": 0.1, "depth": 6})
        for step in range(3):
            mlflow.log_metric("loss", 1 / (step + 1), step=step)
        mlflow.log_metrics({"acc": 0.5, "odd": float("nan")}, step=2)
        mlflow.set_tag("stage", "ü")
        mlflow.log_text("hello", "notes/a.txt")
        mlflow.log_dict({"a": 1}, "conf.json")
        with mlflow.start_run(run_name="child", nested=True):
            mlflow.log_metric("acc", 0.25)
    mlflow.artifacts.list_artifacts(run_id=run.info.run_id)
    assert mlflow.artifacts.load_text(f"runs:/{run.info.run_id}/notes/a.txt") == "hello"
    return run.info.run_id


def client(mlflow, run):
    """The client's own calls: batches, histories, searches, faults."""
    from mlflow import MlflowClient
    from mlflow.entities import Metric, Param, RunTag, ViewType
    from mlflow.exceptions import MlflowException

    api = MlflowClient()
    home = api.create_experiment("sweep", tags={"kind": "grid"})
    for number in range(3):
        made = api.create_run(home, run_name=f"run {number}", start_time=1_700_000_000_000 + number)
        api.log_batch(
            made.info.run_id, metrics=[Metric("m", number / 3, 1_700_000_000_000, step) for step in range(3)],
            params=[Param("n", str(number))], tags=[RunTag("even", str(number % 2 == 0))])
        api.set_terminated(made.info.run_id, "FINISHED", end_time=1_700_000_001_000)
    api.search_runs([home], "metrics.m > 0.1 and tags.even = 'True'", order_by=["metrics.m DESC"])
    api.search_runs([home], "params.n = '1'", run_view_type=ViewType.ALL, max_results=1)
    api.get_metric_history(run, "loss")
    api.search_experiments(filter_string="name LIKE 'sw%'")
    api.get_experiment_by_name("sweep")
    api.rename_experiment(home, "swept")
    api.delete_run(made.info.run_id)
    api.restore_run(made.info.run_id)
    api.delete_tag(made.info.run_id, "even")
    for wrong in (
        lambda: api.log_param(run, "lr", 0.2), lambda: api.get_run("0" * 32), lambda: api.create_experiment("swept"),
        lambda: api.search_runs([home], "metrics.m >"), lambda: api.get_experiment("999"),
    ):
        try:
            wrong()
        except MlflowException:
            continue
        raise AssertionError("a fault was not told")


def registry(mlflow, run):
    """Names, versions, aliases and stages."""
    from mlflow import MlflowClient

    api = MlflowClient()
    api.create_registered_model("reader", tags={"owner": "ada"}, description="reads digits")
    api.create_model_version("reader", f"runs:/{run}/notes", run)
    api.create_model_version("reader", f"runs:/{run}/notes", run, tags={"k": "v"})
    api.set_registered_model_alias("reader", "champion", 2)
    api.get_model_version_by_alias("reader", "champion")
    api.update_model_version("reader", "1", "the first")
    api.search_model_versions("name='reader'")
    api.search_registered_models("name LIKE 'rea%'")
    api.get_model_version_download_uri("reader", "1")
    api.delete_model_version("reader", "1")
    api.rename_registered_model("reader", "scribe")


class Relay(http.server.BaseHTTPRequestHandler):
    """Hands each request on and writes down what was said."""

    protocol_version = "HTTP/1.1"
    server_port = 0
    written = []

    def carry(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        to = http.client.HTTPConnection("127.0.0.1", Relay.server_port)
        to.request(self.command, self.path, body, {
            name: value for name, value in self.headers.items() if name.lower() not in ("host", "accept-encoding")})
        answer = to.getresponse()
        said = answer.read()
        to.close()
        Relay.written.append({
            "method": self.command, "target": self.path,
            "headers": {name.lower(): value for name, value in self.headers.items() if name.lower() in KEPT_HEADERS},
            "body": spelled(body, is_request=True), "status": answer.status, "answer": spelled(said)})
        self.send_response(answer.status)
        for name in ("Content-Type", "ETag", "Content-Disposition"):
            if answer.headers.get(name):
                self.send_header(name, answer.headers[name])
        self.send_header("Content-Length", str(len(said)))
        self.end_headers()
        self.wfile.write(said)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = carry

    def log_message(self, *arguments):
        pass


def spelled(data, is_request=False):
    """An answer's JSON as itself, text as text, anything else in base 64. A request stays as it was, byte by byte."""
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(data).decode()}
    if is_request:
        return {"text": text}
    try:
        return {"json": json.loads(text)}
    except ValueError:
        return {"text": text}


def main():
    import mlflow

    with tempfile.TemporaryDirectory() as folder:
        server = serving.Server(Path(folder) / "store", logs=folder).start()
        Relay.server_port = server.port
        relay = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Relay)
        threading.Thread(target=relay.serve_forever, daemon=True).start()
        os.chdir(folder)
        os.environ.update(
            MLFLOW_DISABLE_TELEMETRY="true", GIT_PYTHON_REFRESH="quiet", MLFLOW_ENABLE_ASYNC_LOGGING="false",
            LOGNAME="someone", USER="someone")
        sys.argv = ["train.py"]
        mlflow.set_tracking_uri(f"http://127.0.0.1:{relay.server_port}")
        run = fluent(mlflow)
        client(mlflow, run)
        registry(mlflow, run)
        relay.shutdown()
        assert server.stop() == 0
    path = HERE / "transcripts" / f"mlflow-{mlflow.__version__}.jsonl"
    with path.open("w") as file:
        for entry in Relay.written:
            # What the machine was called says nothing about the protocol.
            line = json.dumps(entry, ensure_ascii=False, separators=(",", ":"))
            file.write(line.replace(folder, "/home/someone") + "\n")
    print(f"{path}: {len(Relay.written)} exchanges, {path.stat().st_size} bytes")


if __name__ == "__main__":
    main()
