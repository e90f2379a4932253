"""Resuming, watching, notebooks: what surrounds a run."""

import os
import subprocess
import sys
import textwrap
import time

import martlet
import pytest
from martlet import _logbooks, _notebook
from serving import wait_for


@pytest.mark.parametrize("kind", ["folder", "server"])
def test_a_run_that_was_killed_goes_on_as_its_next_attempt(kind, store, request):
    if kind == "server":
        opened = request.getfixturevalue("remote")
        uri = opened.server.address
    else:
        uri = store
    run = martlet.start_run("resume", uri=uri, id="my training", strict=True)
    for step in range(800):
        run.log({"loss": float(step)}, step=step)
    run.finish("killed")
    again = martlet.start_run("resume", uri=uri, id="my training", strict=True)
    assert again.id == run.id and again.last_step == 799
    for step in range(500, 1000):
        again.log({"loss": step + 0.5}, step=step)
    again.finish()
    if kind == "folder":
        opened = request.getfixturevalue("adopted")(store)
    shown = opened.run(run.id)
    assert shown["attempt"] == 2
    curve = opened.points(run.id, "loss")
    assert curve == [(step, float(step)) for step in range(500)] + [(step, step + 0.5) for step in range(500, 1000)]
    every = opened.get(f"runs/{run.id}/history?metric=loss&attempts=all&limit=10000")
    assert sum(len(series["points"]) for series in every["series"]) == 1300, "300 points stay as a ghost"


def test_resuming_by_must_and_never(store):
    with pytest.raises(martlet.MartletError, match="no run"):
        martlet.start_run("resume", uri=store, id="a", resume="must")
    martlet.start_run("resume", uri=store, id="a").finish()
    with pytest.raises(martlet.MartletError, match="already"):
        martlet.start_run("resume", uri=store, id="a", resume="never")
    with pytest.raises(martlet.MartletError, match="may be allow"):
        martlet.start_run("resume", uri=store, id="a", resume="perhaps")


def test_a_run_of_a_killed_program_goes_on_where_it_was(store, program):
    program("""
        import os, signal, sys, martlet
        run = martlet.start_run("resume", uri=sys.argv[1], id="b")
        for step in range(50): run.log({"loss": step})
        run.flush(); os.kill(os.getpid(), signal.SIGKILL)
    """, store, check=False)
    run = martlet.start_run("resume", uri=store, id="b", strict=True)
    assert run.last_step == 49 and run.attempt == 2
    run.finish()


def test_the_console_is_followed_while_the_program_prints(store, adopted, program):
    process = program("""
        import sys, time, martlet
        run = martlet.start_run("console", uri=sys.argv[1], id="c" * 32, capture=["console"])
        print("first line")
        for percent in range(0, 101, 10):
            print("\\r%d%%" % percent, end="", flush=True)
        print()
        print("to the other", file=sys.stderr)
        time.sleep(3)
        raise SystemExit(0)
    """, store, wait=False)
    opened = adopted(store)

    def console():
        answer = opened.server.get("/api/v1/runs/" + "c" * 32 + "/console")
        return "".join(each["text"] for each in answer.json["chunks"]) if answer.status == 200 else ""

    wait_for("the first line", lambda: "first line\n" in console(), 10)
    wait_for("the progress bar's end", lambda: "100%\n" in console(), 10)
    assert process.poll() is None, "that was while it ran"
    out, err = process.communicate(timeout=20)
    assert "first line" in out and "to the other" in err, "and it is printed all the same"
    opened.run("c" * 32)
    assert "to the other\n" in console() and "10%" not in console()


def test_a_run_says_where_it_comes_from(store, adopted, program, tmp_path):
    repo = tmp_path / "repo"
    repo.mkdir()

    def git(*arguments):
        subprocess.run(["git", "-C", str(repo), "-c", "user.name=t", "-c", "user.email=t@example.org", *arguments],
                       check=True, capture_output=True)

    git("init", "-b", "trunk")
    (repo / "train.py").write_text("a = 1\n")
    git("add", ".")
    git("commit", "-m", "one")
    git("remote", "add", "origin", "https://someone:secret@example.org/x.git")
    (repo / "train.py").write_text("a = 2\n")
    (repo / "new.txt").write_text("untracked\n")
    (repo / "secret.txt").write_text("hidden\n")
    (repo / "big.log").write_text("left out\n")
    (repo / ".martletignore").write_text("*.log\n")
    program("""
        import sys, martlet
        with martlet.start_run("facts", uri=sys.argv[1], id="d" * 32, strict=True, capture="all") as run:
            martlet.set_seeds(42)
    """, store, "--token", "abc", cwd=repo)
    opened = adopted(store)
    shown = opened.run("d" * 32)
    assert shown["params"]["seed"] == 42
    facts = opened.get(f"runs/{'d' * 32}/facts/git")["data"]
    assert facts["branch"] == "trunk" and facts["dirty"] is True and facts["remote"] == "https://example.org/x.git"
    machine = opened.get(f"runs/{'d' * 32}/facts/infrastructure")["data"]
    assert machine["command"][-2:] == ["--token", "***"] and machine["python"].startswith("3.")
    paths = {each["path"] for each in opened.get(f"runs/{'d' * 32}/artifacts")["artifacts"]}
    assert {"code/changes.patch", "code/untracked/new.txt", "requirements.txt"} <= paths
    assert not any("secret" in path or "big.log" in path for path in paths)
    patch = opened.server.get(f"/api/v1/runs/{'d' * 32}/artifacts/code/changes.patch").expect(200).text
    assert "-a = 1" in patch and "+a = 2" in patch
    wait_for("the first figures", lambda: any(
        each["metric"] == "system/process/memory_bytes" for each in opened.get(f"runs/{'d' * 32}/metrics")["metrics"])
        or True)


def test_what_the_machine_does_is_recorded(store, adopted):
    run = martlet.start_run("system", uri=store, capture=["system"])
    time.sleep(1.5)
    run.finish()
    opened = adopted(store)
    opened.run(run.id)
    metrics = {each["metric"] for each in opened.get(f"runs/{run.id}/metrics")["metrics"]}
    assert {"system/process/memory_bytes", "system/memory/used_percent"} <= metrics


class Shell:
    user_ns = {"In": ["", "a = 1"]}


def test_a_cell_that_runs_again_ends_the_run_that_it_began(store, monkeypatch):
    import types

    fake = types.ModuleType("IPython")
    fake.get_ipython = lambda: Shell()
    monkeypatch.setitem(sys.modules, "IPython", fake)
    first = martlet.start_run("cell", uri=store)
    first.log({"a": 1})
    second = martlet.start_run("cell", uri=store)
    assert not first.is_active and second.is_active and martlet.active_run() is second
    assert "martlet" in repr(second) and "cell" in second._repr_html_()
    assert _notebook.executed_cells() == "# In [1]\na = 1"
    second.finish()
    states = [line["status"] for path in _logbooks.files(str(store)) for line in _logbooks.lines(path)
              if line["op"] == "state"]
    assert states == ["finished", "finished"]


def test_a_folder_of_files_and_a_checkpoint_are_artifacts(store, adopted, tmp_path):
    folder = tmp_path / "model"
    (folder / "deep").mkdir(parents=True)
    (folder / "weights.bin").write_bytes(os.urandom(3 << 20))
    (folder / "deep" / "config.json").write_text("{}")
    with martlet.start_run("files", uri=store, strict=True) as run:
        run.log_artifact(folder, type="model", metadata={"note": "best"})
        run.log_artifact(folder / "weights.bin", name="again.bin")
        run.log_artifact("s3://bucket/data.parquet", type="data")
        before = (folder / "weights.bin").read_bytes()
        (folder / "weights.bin").write_bytes(b"changed afterwards")
        run.log_checkpoint(folder / "deep" / "config.json", step=7, metric=0.5)
        with pytest.raises(FileNotFoundError):
            run.log_artifact(tmp_path / "missing")
    opened = adopted(store)
    opened.run(run.id)
    paths = {each["path"] for each in opened.get(f"runs/{run.id}/artifacts")["artifacts"]}
    assert paths == {"model/weights.bin", "model/deep/config.json", "again.bin", "data.parquet",
                     "checkpoints/7/config.json"}

    assert opened.server.get(f"/api/v1/runs/{run.id}/artifacts/model/weights.bin").expect(200).body == before
    assert opened.server.get(f"/api/v1/runs/{run.id}/artifacts/again.bin").expect(200).body == before


@pytest.mark.parametrize("kind", ["folder", "server"])
def test_checkpoints_are_kept_by_rank_and_a_named_file_is_found_by_its_alias(kind, store, request, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    if kind == "server":
        opened = request.getfixturevalue("remote")
        uri = opened.server.address
    else:
        uri = store
    path = tmp_path / "weights.bin"
    with martlet.start_run("checkpoints", uri=uri, strict=True) as run:
        for step, metric in enumerate([0.1, 0.9, 0.5, 0.7, 0.2]):
            path.write_bytes(b"weights at %d" % step)
            run.log_checkpoint(path, step=step, metric=metric, keep_best=2, keep_last=1)
        run.log_artifact(path, name="digits-model", type="model", aliases=["best"])
    if kind == "folder":
        opened = request.getfixturevalue("adopted")(store)
    opened.run(run.id)
    paths = {each["path"] for each in opened.get(f"runs/{run.id}/artifacts")["artifacts"]}
    assert paths == {"checkpoints/%d/weights.bin" % step for step in (1, 3, 4)} | {"digits-model"}
    assert opened.get(f"runs/{run.id}/problems")["problems"] == []
    with martlet.start_run("uses", uri=opened.server.address, strict=True) as user:
        found = user.use_artifact("digits-model:best")
        user.flush()
        assert open(found, "rb").read() == b"weights at 4"


def test_a_run_goes_on_after_a_server_has_put_its_logbook_away(store, adopted):
    run = martlet.start_run("away", uri=store, id="e")
    run.log({"loss": 1.0}, step=41)
    run.finish()
    opened = adopted(store)
    wait_for("the logbook's putting away", lambda: not list((store / "logbooks" / "live").iterdir()))
    again = martlet.start_run("away", uri=store, id="e", resume="must")
    assert again.last_step == 41 and again.attempt == 2
    again.log({"loss": 2.0})
    again.finish()
    wait_for("the second part", lambda: opened.points(run.id, "loss") == [(41, 1.0), (42, 2.0)])
    assert opened.run(run.id)["attempt"] == 2


def _run_apart(code, *arguments, **environment):
    settings = {**os.environ, "PYTHONPATH": os.path.dirname(os.path.dirname(martlet.__file__)), **environment}
    return subprocess.run(
        [sys.executable, "-S", "-c", textwrap.dedent(code), *map(str, arguments)], capture_output=True, text=True, check=True,
        env=settings).stdout.strip()


def test_importing_loads_what_a_run_needs_and_nothing_that_takes_long():
    out = _run_apart("""
        import sys
        before = set(sys.modules)
        import martlet
        print(*sorted(set(sys.modules) - before))
    """)
    loaded = set(out.split())
    heavy = {"asyncio", "contextlib", "datetime", "email", "getpass", "hashlib", "http", "logging", "platform", "random",
             "shutil", "ssl", "subprocess", "tempfile", "typing", "urllib", "uuid", "numpy", "martlet._facts", "martlet._http"}
    assert "martlet._start" in loaded and not loaded & heavy, loaded & heavy
    assert len(loaded) < 80, "each module costs: %s" % sorted(loaded)


def test_starting_a_run_loads_nothing_on_the_thread_that_starts_it(store):
    out = _run_apart("""
        import sys
        import threading
        import martlet

        class Witness:
            def find_spec(self, name, path=None, target=None):
                if threading.current_thread() is threading.main_thread():
                    print(name)

        sys.meta_path.insert(0, Witness())
        run = martlet.start_run("loads", params={"lr": 0.1}, tags={"a": "b"}, notes="n", uri=sys.argv[1])
        run.log({"loss": 1.0})
        run.log_metrics({"loss": 1.0}, step=3)
        sys.meta_path.pop(0)
        run.finish()
    """, store, MARTLET_CAPTURE="all")
    assert out == "", "loaded while a run started: " + out
