"""What a run says of itself from its first line on: its commit, its name; and what is said at all."""

import subprocess

import martlet
import pytest
import serving
from martlet import _git, _names


@pytest.fixture
def repository(tmp_path):
    folder = tmp_path / "repo"
    folder.mkdir()

    def git(*arguments):
        return subprocess.run(
            ["git", "-C", str(folder), "-c", "user.name=t", "-c", "user.email=t@example.org", *arguments],
            check=True, capture_output=True, text=True).stdout.strip()

    git("init", "-b", "trunk")
    (folder / "train.py").write_text("a = 1\n")
    git("add", ".")
    git("commit", "-m", "one")
    git.folder = folder
    return git


def test_the_commit_is_read_from_gits_files(repository, tmp_path):
    folder, head = repository.folder, repository("rev-parse", "HEAD")
    (folder / "deep" / "er").mkdir(parents=True)
    assert _git.commit(str(folder / "deep" / "er")) == head
    repository("worktree", "add", str(tmp_path / "beside"), "-b", "other")
    assert _git.commit(str(tmp_path / "beside")) == head
    repository("pack-refs", "--all")
    assert not (folder / ".git" / "refs" / "heads" / "trunk").exists() and _git.commit(str(folder)) == head
    assert _git.commit(str(tmp_path / "beside")) == head
    repository("checkout", "--detach")
    assert _git.commit(str(folder)) == head
    assert _git.commit("/") is None


PROGRAM = """
    import sys, martlet
    from martlet import _beginning
    _beginning.SECONDS_FOR_GIT = 30
    with martlet.start_run("code", uri=sys.argv[1], id=sys.argv[2], strict=True, capture="git") as run:
        run.log({"a": 1})
"""


@pytest.mark.parametrize("kind", ["folder", "server"])
def test_a_run_knows_its_commit_and_whether_the_code_was_changed(kind, store, repository, program, request):
    uri = store if kind == "folder" else request.getfixturevalue("remote").server.address
    clean, dirty = "1" * 32, "2" * 32
    program(PROGRAM, uri, clean, cwd=repository.folder)
    (repository.folder / "train.py").write_text("a = 2\n")
    program(PROGRAM, uri, dirty, cwd=repository.folder)
    opened = request.getfixturevalue("adopted")(store) if kind == "folder" else request.getfixturevalue("remote")
    head = repository("rev-parse", "HEAD")
    assert [opened.run(run)["git_commit"] for run in (clean, dirty)] == [head, head]
    assert opened.run(clean)["code_version"] == head[:7] and opened.run(dirty)["code_version"] == head[:7] + "-dirty"


def test_without_git_or_without_its_capture_there_is_no_commit(store, repository, program, adopted, tmp_path):
    program(PROGRAM, store, "3" * 32)
    program(PROGRAM.replace('"git"', '"none"'), store, "4" * 32, cwd=repository.folder)
    opened = adopted(store)
    assert opened.run("3" * 32)["git_commit"] is None and opened.run("4" * 32)["git_commit"] is None


@pytest.mark.parametrize("kind", ["folder", "server"])
def test_a_run_is_named_by_what_differs(kind, store, request):
    uri = store if kind == "folder" else request.getfixturevalue("remote").server.address
    tried = [{"lr": 0.1, "depth": 4, "opt": {"name": "sgd"}}, {"lr": 0.2, "depth": 4, "opt": {"name": "sgd"}},
             {"lr": 0.1, "depth": 6, "opt": {"name": "sgd"}}, {"lr": 0.1, "depth": 6, "opt": {"name": "sgd"}, "seed": 7}]
    runs = []
    for params in tried:
        with martlet.start_run("tuning", uri=uri, params=params, strict=True) as run:
            run.log({"a": 1})
        runs.append(run)
    with martlet.start_run("tuning", uri=uri, params=tried[0], name="mine") as named:
        pass
    with martlet.start_run("elsewhere", uri=uri, params={"lr": 5}) as other:
        pass
    assert [run.name for run in runs] == [None, "lr=0.2", "lr=0.1 depth=6", "lr=0.1 depth=6 seed=7"]
    assert named.name == "mine" and other.name is None
    opened = request.getfixturevalue("adopted")(store) if kind == "folder" else request.getfixturevalue("remote")
    assert [opened.run(run.id)["run_name"] for run in runs[1:]] == [run.name for run in runs[1:]]


def test_names_stay_short_and_say_nothing_of_what_is_the_same():
    others = [{"lr": 0.1, "a": 1, "path": "x" * 100, "on": "true", "one": 1.0}]
    assert _names.differing({"lr": 0.1, "a": 1, "on": True, "one": 1}, others) is None
    assert _names.differing({"path": "y" * 100, "lr": 1e-5, "on": False}, others) == "lr=1e-05 on=false"
    assert _names.differing({letter: 2 for letter in "abcdefg"}, others) == "a=2 b=2 c=2 d=2"
    assert _names.differing({"lr": 0.2}, []) is None


def test_a_quiet_run_tells_of_troubles_alone(store, monkeypatch, capfd):
    monkeypatch.delenv("MARTLET_QUIET")
    with martlet.start_run("quiet", uri=store, quiet=True) as run:
        run.log({"a": object()})
    told = capfd.readouterr().err
    assert told.count("\n") == 1 and "“a” is object" in told
    with martlet.start_run("loud", uri=store):
        pass
    assert capfd.readouterr().err.count("\n") == 2


@pytest.mark.parametrize("kind", ["folder", "logbooks", "server"])
def test_a_run_that_has_ended_is_added_to(kind, store, request, monkeypatch, tmp_path):
    monkeypatch.setenv("MARTLET_BINARY", "" if kind == "logbooks" else str(serving.BINARY))
    remote = request.getfixturevalue("remote") if kind == "server" else None
    uri = remote.server.address if remote else str(store)
    with martlet.start_run("late", name="first", uri=uri, params={"lr": 1}, strict=True) as run:
        run.log({"loss": 1.0})
    before = remote.run(run.id) if remote else None
    (tmp_path / "report.txt").write_text("good")
    for number, which in enumerate((run, run.id, "first")):
        with martlet.add_to(which, experiment="late" if which == "first" else None, uri=uri, strict=True) as late:
            assert late.id == run.id and martlet.active_run() is None and late.last_step == number
            late.log({"loss": 0.5})
            late.log_metric("test/accuracy", 0.75)
            late.log_params({"found.late": number}, allow_val_change=True)
            late.set_tag("checked", "yes")
            late.note("looked at again")
            late.log_artifact(tmp_path / "report.txt")
    with martlet.Client(uri) as client:
        with martlet.add_to(client.get_run(run.id)) as late:
            late.log_metric("test/f1", 0.5)
    opened = remote or request.getfixturevalue("adopted")(store)
    serving.wait_for("what was added last", lambda: "test/f1" in opened.run(run.id)["metrics"])
    shown = opened.run(run.id)
    assert shown["attempt"] == 1 and shown["state"] == "finished" and shown["run_name"] == "first"
    assert shown["params"]["found.late"] == 2 and shown["tags"] == {"checked": "yes"}
    assert opened.points(run.id, "loss") == [(0, 1.0), (1, 0.5), (2, 0.5), (3, 0.5)]
    assert shown["metrics"]["test/accuracy"] == 0.75
    assert len(opened.get(f"runs/{run.id}/notes")["notes"]) == 3
    assert [each["path"] for each in opened.get(f"runs/{run.id}/artifacts")["artifacts"]] == ["report.txt"]
    assert before is None or shown["end_time"] == before["end_time"]
    assert opened.get(f"runs/{run.id}/problems")["problems"] == []


def test_what_is_not_there_cannot_be_added_to(store, remote, tmp_path):
    with pytest.raises(martlet.RunNotFound):
        martlet.add_to("abc-123-def", uri=remote.server.address)
    with pytest.raises(martlet.MartletError, match="no store"):
        martlet.add_to("first", uri=tmp_path / "nowhere")
    with pytest.raises(martlet.MartletError, match="does not answer"):
        martlet.add_to("first", uri="http://127.0.0.1:9")
    with martlet.start_run("open", uri=store) as run:
        with pytest.raises(martlet.MartletError, match="has not ended"):
            martlet.add_to(run)


def test_a_name_that_no_store_takes_is_refused_at_once_and_others_are_mended(store, adopted):
    with pytest.raises(martlet.MartletError, match="word of the API"):
        martlet.start_run("Search", uri=store)
    with martlet.start_run("  lines\nof\ttext ", name="n" * 4000, uri=store, strict=True) as run:
        pass
    with martlet.start_run("  ", name="\n", uri=store, strict=True) as blank:
        pass
    opened = adopted(store)
    shown = opened.run(run.id)
    assert shown["experiment_name"] == "lines of text" and shown["run_name"].startswith("nnnn")
    assert opened.run(blank.id)["experiment_name"] == "Default"
