"""Real clients against a real server. They run in an environment of their own, beside nothing of ours but the helpers
that start and stop servers for the end-to-end tests."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "EndToEndTests"))

import serving  # noqa: E402


def pytest_configure(config):
    config.addinivalue_line("markers", "newest: needs the newest client and what its users bring along")


@pytest.fixture
def start_server(tmp_path):
    made = []

    def start(*arguments, **options):
        home = tmp_path / f"server-{len(made) + 1}"
        home.mkdir()
        server = serving.Server(home / "store", *arguments, logs=home, host="127.0.0.1", port=None,
                                environment_=options.get("environment"))
        made.append(server)
        return server.start()

    yield start
    for server in made:
        if server.is_running:
            assert server.stop() == 0, server.log[-3000:]
        assert "Fatal error" not in server.log, server.log[-3000:]


@pytest.fixture
def server(start_server):
    return start_server()


@pytest.fixture
def client(server, tmp_path, monkeypatch):
    """The fluent module, pointed at a server as its users do it, in a folder of its own."""
    import mlflow

    monkeypatch.chdir(tmp_path)
    for name in ("MLFLOW_RUN_ID", "MLFLOW_EXPERIMENT_NAME", "MLFLOW_EXPERIMENT_ID"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")
    monkeypatch.setenv("GIT_PYTHON_REFRESH", "quiet")
    mlflow.set_tracking_uri(server.address)
    yield mlflow
    while mlflow.active_run():
        mlflow.end_run()
    mlflow.set_tracking_uri(None)
