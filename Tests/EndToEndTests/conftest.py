"""Fixtures: servers that are ended and looked at whatever happens, and a place for totals."""

import itertools
import os

import pytest

import serving

TOTALS = pytest.StashKey[list]()


def pytest_configure(config):
    config.addinivalue_line("markers", "slow: runs only with MARTLET_TEST_FULL=1")
    config.stash[TOTALS] = []


def pytest_collection_modifyitems(items):
    if serving.FULL:
        return
    for item in items:
        if item.get_closest_marker("slow"):
            item.add_marker(pytest.mark.skip(reason="only with MARTLET_TEST_FULL=1"))


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    report = (yield).get_result()
    if report.failed:
        for server in getattr(item, "servers", []):
            report.sections.append((f"log of the server on port {server.port}", server.log[-2500:]))


def pytest_terminal_summary(terminalreporter, config):
    for line in config.stash[TOTALS]:
        terminalreporter.write_line(line)


@pytest.fixture
def totals(request):
    """Says a line at the end of the whole run, however the test ends."""
    return request.config.stash[TOTALS].append


class Servers:
    """Makes servers and ends them: each one that still runs must go when asked, with exit code 0."""

    def __init__(self, folder):
        self.folder = folder
        self.made = []
        self.numbers = itertools.count(1)

    def __call__(self, *arguments, folder=None, start=True, host="127.0.0.1", port=None, environment=None):
        home = self.folder / f"server-{next(self.numbers)}"
        home.mkdir()
        server = serving.Server(
            folder or home / "store", *arguments, host=host, port=port, environment_=environment, logs=home)
        self.made.append(server)
        return server.start() if start else server

    def end(self):
        faults = []
        for server in self.made:
            if server.is_running:
                try:
                    code = server.stop()
                except AssertionError as error:
                    faults.append(str(error))
                else:
                    if code != 0:
                        faults.append(f"the server on port {server.port} ended with {code}:\n{server.log[-3000:]}")
        assert not faults, "\n".join(faults)


def needs_binary():
    if not os.access(serving.BINARY, os.X_OK):
        pytest.fail(f"There is no {serving.BINARY}. Run `make build`, or name one with MARTLET_BINARY.", pytrace=False)


@pytest.fixture
def start_server(request, tmp_path):
    """Starts servers with arguments, environment and folders as wanted."""
    needs_binary()
    servers = Servers(tmp_path)
    request.node.servers = servers.made
    yield servers
    servers.end()


@pytest.fixture
def server(start_server):
    """A server on a new store that nobody else uses."""
    return start_server()


@pytest.fixture(scope="session")
def session_server(tmp_path_factory):
    needs_binary()
    servers = Servers(tmp_path_factory.mktemp("shared"))
    yield servers()
    servers.end()


@pytest.fixture
def shared_server(request, session_server):
    """A server that many tests use: name things of your own, expect things of others."""
    request.node.servers = [session_server]
    assert session_server.is_running, "an earlier test ended the shared server"
    return session_server
