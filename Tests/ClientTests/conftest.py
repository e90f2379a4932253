"""Real clients against a real server. They run in an environment of their own, beside nothing of ours but the helpers
that start and stop servers for the end-to-end tests."""

import json
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "EndToEndTests"))

import serving  # noqa: E402


def pytest_addoption(parser):
    parser.addoption("--token", action="store_true", help="ask for a token on every server, and let the clients have one")


def pytest_configure(config):
    config.addinivalue_line("markers", "newest: needs the newest client and what its users bring along")
    config.addinivalue_line("markers", "lightning: needs Lightning and torch, an environment of its own")
    config.addinivalue_line("markers", "own_access: brings its own users and tokens")


class GuardedServer(serving.Server):
    """One that asks for a token, and has given one to whoever asks through this object."""

    secret = None

    def start(self):
        super().start()
        if self.secret is None:
            made = serving.martlet("users", "add", "ada", "--role", "admin", uri=self.folder, home=self.home)
            assert made.returncode == 0, made.stderr
            token = serving.martlet("tokens", "create", "ada", "--json", uri=self.folder, home=self.home)
            self.secret = json.loads(token.stdout)["secret"]
        return self

    @property
    def key(self):
        """The header that opens it."""
        return {"Authorization": f"Bearer {self.secret}"} if self.secret else {}

    def ask(self, method, target, body=None, headers=None, timeout=30):
        return super().ask(method, target, body, {**self.key, **(headers or {})}, timeout)


@pytest.fixture
def start_server(request, tmp_path, monkeypatch):
    made = []
    # The tests that are about access speak for themselves.
    guards = request.config.getoption("--token") and not request.node.get_closest_marker("own_access")

    def start(*arguments, **options):
        home = tmp_path / f"server-{len(made) + 1}"
        home.mkdir()
        kind, more = (GuardedServer, ("--auth-mode", "tokens")) if guards else (serving.Server, ())
        server = kind(home / "store", *arguments, *more, logs=home, host="127.0.0.1", port=None,
                      environment_=options.get("environment"))
        made.append(server)
        server.start()
        if guards:
            plain = serving.environment
            keys = {"MLFLOW_TRACKING_TOKEN": server.secret, "MARTLET_TOKEN": server.secret}
            monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", server.secret)
            monkeypatch.setattr(serving, "environment", lambda where, extra=None: plain(where, {**keys, **(extra or {})}))
        return server

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
