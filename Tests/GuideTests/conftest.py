"""The calls of other trackers' guides, against real stores: each test has a folder, a store and an increment of its own.

`MARTLET_BINARY` names another binary than the one that was built. Another `martlet` package goes before the checkout's
when it stands on PYTHONPATH.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = [ROOT / "python", ROOT / "python" / "compat"]
BINARY = Path(os.environ.get("MARTLET_BINARY", ROOT / ".build" / "release" / "martlet")).absolute()
INCREMENT = "0042-recommendation-model"

sys.path.extend(str(package) for package in PACKAGES)
os.environ["MARTLET_BINARY"] = str(BINARY)
# A test fits hundreds of tiny models: threads would only get in one another's way.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import martlet_compat  # noqa: E402

martlet_compat.install()

FOREIGN = ("DATABASE_URL", "WANDB_MODE", "WANDB_PROJECT", "WANDB_DIR", "MLFLOW_TRACKING_URI", "MLFLOW_RUN_ID",
           "MARTLET_TRACKING_URI", "MARTLET_INCREMENT", "MARTLET_QUIET", "MARTLET_PROJECT", "MARTLET_EXPERIMENT")


@pytest.fixture(autouse=True)
def place(tmp_path, monkeypatch):
    """An empty folder to work in, with nothing of the caller's that changes where runs go."""
    from martlet_compat import _hooks, _increments, _store

    home = tmp_path / "work"
    home.mkdir()
    (home / ".martlet").mkdir()
    monkeypatch.chdir(home)
    for name in FOREIGN:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("MARTLET_CAPTURE", "none")
    _increments._told.clear()
    yield home
    for store in list(_store._stores.values()):
        store.close()
    _store._stores.clear()
    _hooks._completions.clear()
    _hooks._promotions.clear()
    for single in (_hooks.experiment_tracker, _hooks.model_registry):
        object.__setattr__(single, "_made", None)
    import martlet

    while martlet.active_run():
        martlet.finish()


@pytest.fixture
def increment(place):
    """The folder of an increment's experiments."""
    folder = place / ".specweave" / "increments" / INCREMENT
    folder.mkdir(parents=True)
    return folder / "experiments"


@pytest.fixture
def store(place):
    """What the store of this test says."""
    from martlet_compat import _store

    class Asked:
        def run(self, id):
            _store.at().catch_up()
            return _store.at().ask("GET", "runs", id)

        def get(self, *parts, **query):
            _store.at().catch_up()
            return _store.at().ask("GET", *parts, query=query)

        def children(self, id):
            return self.get("runs", id, "children", limit=1000)["runs"]

        def facts(self, id, kind):
            return self.get("runs", id, "facts", kind)["data"]

        def notes(self, id):
            return [note["text"] for note in self.get("runs", id, "notes")["notes"]]

    return Asked()


def run_program(folder, text, *arguments, path=(), environment=None, name="program.py"):
    """Runs a program in a process of its own, as its user does, and gives what it said."""
    program = Path(folder) / name
    program.parent.mkdir(parents=True, exist_ok=True)
    program.write_text(text, encoding="utf-8")
    given = os.environ.get("PYTHONPATH")
    paths = [*map(str, path), *([given] if given else []), *map(str, PACKAGES)]
    return subprocess.run(
        [sys.executable, "-m", "martlet_compat", "run", str(program), *arguments], cwd=folder, capture_output=True,
        text=True, timeout=600, env={**os.environ, "PYTHONPATH": os.pathsep.join(paths), **(environment or {})})


def hide(monkeypatch, *names):
    """As if these libraries were not installed."""
    for name in names:
        for known in list(sys.modules):
            if known == name or known.startswith(name + "."):
                monkeypatch.delitem(sys.modules, known)
        monkeypatch.setitem(sys.modules, name, None)
