"""The first five minutes: what the guides print, typed as it stands there, works."""

import json
import os
import re
import signal
import subprocess

import pytest

import serving
from serving import ROOT, wait_for


def shell(command, cwd="/", timeout=60, expect=0):
    """Runs lines as a person would type them."""
    result = subprocess.run(
        ["bash", "-euc", command], cwd=cwd, env=serving.environment(cwd), capture_output=True, text=True,
        timeout=timeout)
    assert result.returncode == expect, f"{command}\n{result.stdout}\n{result.stderr}"
    return result.stdout


def curl(command, port):
    """A guide's curl, word for word but for the port; gives the status and the JSON that came."""
    command = re.sub(r"localhost:\d+", f"localhost:{port}", command).replace(
        "curl ", "curl -sS -w '\\n%{http_code}' ", 1)
    body, _, status = shell(command).rpartition("\n")
    return int(status), json.loads(body)


@pytest.fixture(scope="module")
def both_ports(tmp_path_factory):
    """A server that answers on its own port and on one of COMPAT_PORTS."""
    compat = serving.free_port()
    folder = tmp_path_factory.mktemp("compat")
    server = serving.Server(folder / "store", environment_={"COMPAT_PORTS": str(compat)}, logs=folder).start()
    yield server, compat
    assert server.stop() == 0, server.log


@pytest.mark.parametrize("which", ["own port", "compat port"])
def test_the_curls_of_the_first_guide_work_as_they_stand(both_ports, which):
    server, compat = both_ports
    port = server.port if which == "own port" else compat

    # S1-31
    status, experiment = curl("""curl -X POST http://localhost:8000/api/v1/experiments \\
  -H "Content-Type: application/json" \\
  -d '{
    "experiment_name": "risk_prediction",
    "description": "Suicide risk prediction models",
    "tags": {"project": "mental_health"}
  }'""", port)
    assert status in (200, 201)
    assert experiment["created"] is (status == 201)
    assert experiment["name"] == experiment["experiment_name"] == "risk_prediction"
    assert experiment["id"] == experiment["experiment_id"]
    assert experiment["tags"] == {"project": "mental_health"} and experiment["tag_list"] == ["project"]

    # S1-32
    status, run = curl("""curl -X POST http://localhost:8000/api/v1/experiments/{experiment_id}/runs \\
  -H "Content-Type: application/json" \\
  -d '{
    "run_name": "baseline_v1",
    "tags": {"model": "random_forest"}
  }'""".replace("{experiment_id}", str(experiment["id"])), port)
    assert status == 201
    assert run["name"] == run["run_name"] == "baseline_v1" and run["id"] == run["run_id"]
    assert run["tags"] == {"model": "random_forest"}

    # S1-33
    status, _ = curl("""curl -X POST http://localhost:8000/api/v1/runs/{run_id}/metrics \\
  -H "Content-Type: application/json" \\
  -d '{
    "metric_name": "accuracy",
    "metric_value": 0.92,
    "step": 10
  }'""".replace("{run_id}", run["id"]), port)
    assert status in (200, 201)

    # S1-34, with the raw `>` in the address
    status, found = curl("""curl -X GET "http://localhost:8000/api/v1/runs/search?experiment_name=risk_prediction"""
                         """&filter=metrics.accuracy>0.9\"""", port)
    assert status == 200
    assert run["id"] in [each["id"] for each in found["runs"]]
    assert all(each["metrics"]["accuracy"] > 0.9 for each in found["runs"])
    status, none = curl("""curl -X GET "http://localhost:8000/api/v1/runs/search?experiment_name=risk_prediction"""
                        """&filter=metrics.accuracy>0.95\"""", port)
    assert (status, none["runs"]) == (200, [])


def json_curl(method, path, body=None):
    data = f""" -H "Content-Type: application/json" -d '{body}'""" if body else ""
    return f"""curl -X {method} "http://localhost:8003{path}"{data}"""


@pytest.mark.parametrize("which", ["own port", "compat port"])
def test_the_requests_of_the_second_guide_work_as_they_stand(both_ports, which):
    server, compat = both_ports
    port = server.port if which == "own port" else compat
    word = which.split()[0]  # the two take turns on one store

    # S2-27
    status, project = curl(json_curl("POST", "/api/v1/projects", """{
    "name": "healthcare-ai-experiments%s",
    "description": "Healthcare AI model development",
    "team": "ml-team",
    "tags": ["healthcare", "classification"]
}""" % word), port)
    assert status == 201 and project["id"]
    assert project["tag_list"] == ["healthcare", "classification"]

    # S2-28: both filters must hold
    status, listed = curl(json_curl("GET", "/api/v1/projects?team=ml-team&tag=healthcare"), port)
    assert status == 200 and project["id"] in [each["id"] for each in listed["projects"]]
    for other in ("team=other-team&tag=healthcare", "team=ml-team&tag=other"):
        status, listed = curl(json_curl("GET", f"/api/v1/projects?{other}"), port)
        assert (status, listed["projects"]) == (200, [])

    # S2-30, S2-31
    status, experiment = curl(json_curl("POST", "/api/v1/experiments", """{
    "project_id": "%s",
    "name": "baseline-model-v1",
    "description": "Initial healthcare classification model",
    "hypothesis": "TF-IDF + MultinomialNB will achieve >95%% accuracy",
    "tags": ["baseline", "sklearn"]
}""" % project["id"]), port)
    assert status == 201
    assert experiment["tags"] == {"baseline": None, "sklearn": None}
    assert experiment["hypothesis"] == "TF-IDF + MultinomialNB will achieve >95% accuracy"

    # S2-32
    status, run = curl(json_curl("POST", f"/api/v1/experiments/{experiment['id']}/runs", """{
    "name": "run-001",
    "parameters": {
        "algorithm": "MultinomialNB",
        "alpha": 0.1,
        "max_features": 10000
    },
    "environment": {
        "python_version": "3.9.6",
        "sklearn_version": "1.3.0"
    }
}"""), port)
    assert status == 201
    assert run["params"] == run["parameters"] == {"algorithm": "MultinomialNB", "alpha": 0.1, "max_features": 10000}
    assert run["environment"] == {"python_version": "3.9.6", "sklearn_version": "1.3.0"}

    # S2-33: the timestamp is honoured
    status, _ = curl(json_curl("POST", f"/api/v1/runs/{run['id']}/metrics", """{
    "metrics": {
        "accuracy": 0.952,
        "f1_score": 0.934,
        "precision": 0.945,
        "recall": 0.924,
        "training_loss": 0.234
    },
    "step": 100,
    "timestamp": "2024-01-15T10:30:00Z"
}"""), port)
    assert status in (200, 201)
    _, history = curl(json_curl("GET", f"/api/v1/runs/{run['id']}/history?metric=f1_score"), port)
    point = history["series"][0]["points"][0]
    assert (point["step"], point["value"]) == (100, 0.934)
    assert point["timestamp"].startswith("2024-01-15T10:30:00")

    # S2-34: by reference, no byte moves
    status, artifact = curl(json_curl("POST", f"/api/v1/runs/{run['id']}/artifacts", """{
    "name": "model.pkl",
    "path": "s3://experiments/run-001/model.pkl",
    "type": "model",
    "size_bytes": 1024000,
    "metadata": {
        "framework": "sklearn",
        "model_type": "MultinomialNB"
    }
}"""), port)
    assert status == 201
    assert artifact["uri"] == "s3://experiments/run-001/model.pkl" and artifact["size_bytes"] == 1024000
    _, shown = curl(json_curl("GET", f"/api/v1/runs/{run['id']}"), port)
    assert shown["metrics"]["training_loss"] == 0.234
    assert [each["name"] for each in shown["artifacts"]] == ["model.pkl"]

    # S2-29: by id and by slug, with counts and last activity
    for name in (project["id"], project["slug"]):
        status, details = curl(json_curl("GET", f"/api/v1/projects/{name}"), port)
        assert status == 200 and details["id"] == project["id"]
        assert (details["experiment_count"], details["run_count"]) == (1, 1)
        assert details["last_activity"]

    # S2-36
    status, board = curl(json_curl("GET", f"/api/v1/experiments/{experiment['id']}/dashboard"), port)
    assert status == 200 and board["run_count"] == 1


def test_the_dashboard_is_a_page_for_browsers(shared_server):
    experiment = shared_server.experiment("dashboard page")
    page = shared_server.get(f"/api/v1/experiments/{experiment}/dashboard", {"Accept": "text/html,*/*;q=0.8"})
    assert page.expect(200).headers["content-type"].startswith("text/html")
    assert "dashboard page" in page.text


def test_the_readmes_own_commands_work(start_server, tmp_path):
    work = tmp_path / "checkout"
    (work / ".build" / "release").mkdir(parents=True)
    (work / ".build" / "release" / "martlet").symlink_to(serving.BINARY)
    server = start_server(folder=work / ".martlet")
    blocks = re.findall(r"```sh\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    commands = "".join(block for block in blocks if "/api/v1" in block or "runs list" in block)
    commands = commands.replace("http://localhost:8003", server.address).replace("curl ", "curl -sS --fail-with-body ")
    assert commands.count("curl ") >= 6 and "runs list" in commands, "the README shows no first run any more"
    output = shell(commands, cwd=work)
    assert '"accuracy":0.91' in output.replace(" ", ""), output
    assert "first" in output, output
    run = server.get("/api/v1/runs/first").expect(200).json
    assert (run["state"], run["params"]) == ("finished", {"lr": 0.1, "depth": 6})


def test_make_serve_starts_the_server_where_its_arguments_say(tmp_path):
    port = serving.free_port()
    # The build is a test of its own: here the binary that is there counts as built.
    process = subprocess.Popen(
        ["make", "--no-print-directory", "-o", "build", "serve", f"BINARY={serving.BINARY}",
         f"ARGS=--port {port} --data {tmp_path}/store"],
        cwd=ROOT, env=serving.environment(tmp_path), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        start_new_session=True)
    try:
        def answers():
            try:
                return serving.asking.ask(port, "GET", "/health", timeout=5).status == 200
            except OSError:
                assert process.poll() is None, process.stdout.read()
                return False
        wait_for("an answer of `make serve`", answers, 20)
    finally:
        # `make` passes a Ctrl-C on to what it runs, as the terminal does for the whole group.
        os.killpg(process.pid, signal.SIGINT)
        process.communicate(timeout=20)


def test_the_port_is_8003_unless_one_is_named():
    help_text = serving.martlet("serve", "--help").stdout
    assert "8003" in help_text, help_text
    assert max(len(line) for line in help_text.splitlines()) <= 100


def test_the_documentation_has_a_page_and_a_document(shared_server):
    page = shared_server.get("/docs").expect(200)
    assert page.headers["content-type"].startswith("text/html")
    document = shared_server.get("/openapi.json").expect(200).json
    assert document["openapi"].startswith("3.1")
    assert "/api/v1/runs/{run}/metrics" in document["paths"]


def test_a_run_that_is_not_there_is_a_clear_error_with_the_nearest_ones(shared_server):
    run = shared_server.run("nearest-of-all", experiment="nearness")
    error = shared_server.get("/api/v1/runs/nearest-of-al1").refused(404, "nearest-of-al1").error
    assert "nearest-of-all" in json.dumps(error, ensure_ascii=False), error
    wrong = run[:-1] + ("0" if run[-1] != "0" else "1")
    shared_server.get(f"/api/v1/runs/{wrong}").refused(404, wrong)
    shared_server.get("/api/v1/runs/correct-uuid-here").refused(404)
    shared_server.get("/api/v1/experiments/nearnes").refused(404)


def test_search_is_never_taken_for_a_run(shared_server):
    shared_server.run("search", experiment="reserved")
    found = shared_server.get("/api/v1/runs/search?experiment_name=reserved").expect(200).json
    assert [each["name"] for each in found["runs"]] == ["search"]


def test_metrics_are_seen_live_and_are_durable_when_the_run_has_ended(server):
    run = server.run("live")
    server.post(f"/api/v1/runs/{run}/metrics", {"metrics": {"loss": 0.5}, "step": 1}).expect(200)
    assert server.get(f"/api/v1/runs/{run}").json["metrics"] == {"loss": 0.5}
    server.post(f"/api/v1/runs/{run}/metrics", {"metrics": {"loss": 0.25}, "step": 2}).expect(200)
    server.post(f"/api/v1/runs/{run}/end", {}).expect(200)
    server.kill()
    server.start()
    shown = server.get(f"/api/v1/runs/{run}").json
    assert (shown["state"], shown["metrics"]) == ("finished", {"loss": 0.25})
    assert server.points(run, "loss") == [(1, 0.5), (2, 0.25)]


def test_levels_and_addresses_of_the_environment_count(start_server, tmp_path):
    # S2-62: HOST, PORT, LOG_LEVEL and DEBUG, each seen in what it changes.
    port = serving.free_port()
    loud = start_server(environment={"LOG_LEVEL": "DEBUG"})
    quiet = start_server(environment={"LOG_LEVEL": "ERROR"})
    debug = start_server(environment={"DEBUG": "true"})
    for server in (loud, quiet, debug):
        server.get("/api/v1/experiments").expect(200)
        assert server.stop() == 0
    assert len(quiet.log) < len(loud.log)
    assert "Stopped" in loud.log and "Stopped" in debug.log and "Stopped" not in quiet.log
    process = subprocess.Popen(
        [str(serving.BINARY), "serve", "--data", str(tmp_path / "by-environment")],
        env=serving.environment(tmp_path, {"HOST": "127.0.0.2", "PORT": str(port)}), stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True)
    try:
        def answers():
            try:
                with serving.asking.Wire(port, host="127.0.0.2") as wire:
                    return wire.send("GET /health HTTP/1.1\r\nHost: 127.0.0.2\r\n\r\n").answer().status == 200
            except OSError:
                assert process.poll() is None, process.stdout.read()
                return False
        wait_for("an answer at HOST and PORT", answers, 20)
        with pytest.raises(OSError):
            serving.asking.ask(port, "GET", "/health", timeout=2)
    finally:
        process.terminate()
        assert process.wait(20) == 0
        process.stdout.close()
