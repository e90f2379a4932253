"""What every test of the Python package stands on: a store or a server of its own, and programs that are run apart."""

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "python"))
sys.path.insert(0, str(ROOT / "Tests" / "EndToEndTests"))

import serving  # noqa: E402
from conftest_servers import *  # noqa: E402,F401,F403

os.environ["MARTLET_QUIET"] = "1"
os.environ["MARTLET_CAPTURE"] = "none"
for name in [name for name in os.environ if name.startswith(("SLURM_", "TORCHELASTIC", "OMPI_")) or name in (
        "RANK", "WORLD_SIZE", "MARTLET_TRACKING_URI", "MARTLET_TOKEN")]:
    del os.environ[name]


@pytest.fixture(autouse=True)
def spool(tmp_path, monkeypatch):
    """Lines that wait for a server wait in the test's own folder."""
    folder = tmp_path / "spool"
    monkeypatch.setenv("MARTLET_SPOOL", str(folder))
    yield folder
    from martlet import _active, _say

    for run in _active.all_of_this_process():
        run.finish(seconds=2)
    _say._last.clear()


@pytest.fixture
def store(tmp_path):
    return tmp_path / "store"


@pytest.fixture
def program(tmp_path):
    """Runs a program in a process of its own."""

    def run(source, *arguments, environment=None, check=True, wait=True, timeout=60, cwd=None):
        path = tmp_path / "program.py"
        # In one step: another one that was just started may be reading it.
        path.with_suffix(".new").write_text(textwrap.dedent(source))
        path.with_suffix(".new").replace(path)
        command = [sys.executable, str(path), *map(str, arguments)]
        settings = {**os.environ, "PYTHONPATH": str(ROOT / "python"), **{
            name: str(value) for name, value in (environment or {}).items()}}
        if not wait:
            return subprocess.Popen(
                command, env=settings, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=cwd or tmp_path)
        done = subprocess.run(
            command, env=settings, capture_output=True, text=True, timeout=timeout, cwd=cwd or tmp_path,
            stdin=subprocess.DEVNULL)
        if check:
            assert done.returncode == 0, done.stdout + done.stderr
        return done

    return run


class Store:
    """A store's folder with a server on it, when its logbooks are in."""

    def __init__(self, server):
        self.server = server

    def get(self, target):
        return self.server.get("/api/v1/" + target).expect(200).json

    def run(self, run, state="finished", seconds=20):
        """The run, once it is in this state."""
        def there():
            answer = self.server.get("/api/v1/runs/" + run)
            return answer.status == 200 and answer.json["state"] == state and answer.json
        return serving.wait_for("run %s in state %s" % (run, state), there, seconds)

    def points(self, run, metric):
        return self.server.points(run, metric)


@pytest.fixture
def adopted(start_server):
    """Opens a store's folder with a server that takes its logbooks in."""
    return lambda folder: Store(start_server(folder=folder))


@pytest.fixture
def remote(start_server):
    """A server that runs are written to over the network."""
    return Store(start_server())
