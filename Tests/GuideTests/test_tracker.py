"""The tracker: one object to which everything is said."""

import math
import subprocess
import threading
import time

import pytest
from conftest import hide, run_program
from src.database.connection import get_db_connection
from src.ds.experiment_tracker import ExperimentTracker, ParamChanged, RunNotFound
from src.ds.storage import FileSystemStorage, StorageBackend


@pytest.fixture
def tracker(place):
    return ExperimentTracker(storage_backend=FileSystemStorage(base_path="kept/files"), db_connection=get_db_connection())


def file(path, data=b"bytes"):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return str(path)


def test_a_run_comes_back_as_it_was_logged(tracker):
    run = tracker.start_run(experiment_name="risk", run_name="forest", tags={"data": "v1.2"})
    tracker.log_params({"trees": 100, "rate": 0.01, "kind": "forest", "balanced": True})
    for step, accuracy in enumerate((0.7, 0.8, 0.9)):
        tracker.log_metrics({"accuracy": accuracy}, step=step)
    tracker.end_run(status="FINISHED")

    found = tracker.get_run(run_id=run.run_id)
    assert found.run_name == "forest" and found.status == "FINISHED"
    assert found.params == {"trees": 100, "rate": 0.01, "kind": "forest", "balanced": True}
    assert [type(value) for value in found.params.values()] == [int, float, str, bool]
    assert found.metrics == {"accuracy": 0.9}
    assert found.tags["data"] == "v1.2"
    assert found.parameters == found.params and found.id == found.run_id and found.name == found.run_name
    assert found.experiment_id == run.experiment_id


def test_a_run_is_seen_as_running_within_a_second(tracker, store):
    store.get("experiments")  # the server of this store is there
    run = tracker.start_run(experiment_name="risk")
    start = time.monotonic()
    from martlet_compat import _store

    while True:
        try:
            assert _store.at().ask("GET", "runs", run.run_id)["state"] == "running"
            break
        except RunNotFound:
            assert time.monotonic() - start < 2  # one look of the server at its folder, on a busy machine
            time.sleep(0.05)
    assert run.status == "RUNNING"
    tracker.end_run()
    assert run.status == "FINISHED"


def test_runs_of_one_name_share_an_experiment_also_from_two_processes(place, tracker):
    program = (
        "from src.ds.experiment_tracker import ExperimentTracker\n"
        "tracker = ExperimentTracker()\n"
        "run = tracker.start_run(experiment_name='shared')\n"
        "print(run.experiment_id)\n"
        "tracker.end_run()\n")
    done = []
    threads = [threading.Thread(target=lambda name=name: done.append(run_program(place, program, name=name)))
               for name in ("one.py", "two.py")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [each.returncode for each in done] == [0, 0], done
    ids = {each.stdout.strip() for each in done} | {tracker.start_run(experiment_name="shared").experiment_id}
    assert len(ids) == 1
    assert len(tracker.search_runs(experiment_name="shared")) == 3


def test_a_second_run_leaves_the_first_one_open(tracker):
    first = tracker.start_run(experiment_name="risk")
    second = tracker.start_run(experiment_name="risk")
    tracker.log_metrics({"to": 2}, step=0)
    first.log_metrics({"to": 1}, step=0)
    tracker.end_run()
    assert (first.status, second.status) == ("RUNNING", "FINISHED")
    tracker.log_params({"late": True})  # the first is the latest again
    tracker.end_run()
    assert tracker.get_run(first.run_id).params == {"late": True}
    assert tracker.get_run(first.run_id).metrics == {"to": 1}
    assert tracker.get_run(second.run_id).metrics == {"to": 2}


def test_a_param_keeps_its_value_and_the_refusal_names_both(tracker):
    tracker.start_run(experiment_name="risk")
    tracker.log_params({"depth": 8})
    tracker.log_params({"depth": 8})
    with pytest.raises(ParamChanged, match="“depth” is 8 .* cannot become 9"):
        tracker.log_params({"depth": 9})


def test_points_come_back_by_step_and_values_without_one_are_a_summary(tracker, store):
    run = tracker.start_run(experiment_name="risk")
    for step in (2, 0, 1):
        tracker.log_metrics({"loss": float(step), "both": 1.0}, step=step)
    tracker.log_metrics({"final": 0.91})
    tracker.end_run()
    assert tracker.get_metric_history(run.run_id, "loss") == [(0, 0.0), (1, 1.0), (2, 2.0)]
    assert store.run(run.run_id)["summary_metrics"] == ["final"]


def test_keys_logged_at_some_steps_only_get_no_points_at_the_others(tracker):
    run = tracker.start_run(experiment_name="risk")
    for epoch in range(6):
        tracker.log_metrics({"train": float(epoch)}, step=epoch)
        if epoch % 5 == 0:
            tracker.log_metrics({"val": float(epoch)}, step=epoch)
    tracker.end_run()
    assert len(tracker.get_metric_history(run.run_id, "train")) == 6
    assert tracker.get_metric_history(run.run_id, "val") == [(0, 0.0), (5, 5.0)]


def test_artifacts_have_the_type_that_was_said_or_that_their_name_says(tracker, place):
    run = tracker.start_run(experiment_name="risk")
    for path, kind in (("models/m.pkl", "model"), ("plots/roc.png", "plot"), ("data/p.csv", "data"), ("r/card.html", "report")):
        tracker.log_artifact(file(place / path), artifact_type=kind)
    tracker.log_artifact(file(place / "other.pkl"))
    tracker.log_artifact(file(place / "odd.bin"), artifact_type="model")
    tracker.end_run()
    types = {each["path"]: each["type"] for each in tracker.get_run(run.run_id).artifacts}
    assert types == {"m.pkl": "model", "roc.png": "plot", "p.csv": "data", "card.html": "report", "other.pkl": "model",
                     "odd.bin": "model"}
    with pytest.raises(FileNotFoundError, match="nowhere.pkl"):
        tracker.start_run(experiment_name="risk") and tracker.log_artifact("nowhere.pkl")


def test_a_storage_folder_is_made_and_has_the_bytes_under_the_run(tracker, place):
    assert (place / "kept" / "files").is_dir()
    run = tracker.start_run(experiment_name="risk")
    tracker.log_artifact(file(place / "model.pkl", b"the model"), artifact_type="model")
    tracker.end_run()
    assert (place / "kept" / "files" / run.run_id / "model.pkl").read_bytes() == b"the model"
    assert tracker.load_artifact(run.run_id, "model.pkl") == b"the model"
    backend = FileSystemStorage(base_path="kept/files")
    assert backend.load_artifact(backend.save_artifact(b"x", "deep/er/x.bin")) == b"x"
    assert backend.list_artifacts("deep") == ["deep/er/x.bin"]
    with pytest.raises(ValueError, match="leads out"):
        backend.save_artifact(b"x", "../outside")


def test_a_users_storage_is_used_both_ways_and_its_address_is_kept(place):
    class Bucket(StorageBackend):
        objects = {}

        def save_artifact(self, artifact: bytes, path: str) -> str:
            self.objects[path] = artifact
            return "s3://%s/%s" % (self.bucket, path)

        def load_artifact(self, uri: str) -> bytes:
            return self.objects[uri.split("/", 3)[3]]

    tracker = ExperimentTracker(storage_backend=Bucket(bucket="mine"), db_connection=get_db_connection())
    run = tracker.start_run(experiment_name="risk")
    tracker.log_artifact(file(place / "model.pkl", b"far away"), artifact_type="model")
    tracker.end_run()
    kept = tracker.get_run(run.run_id).artifacts[0]
    assert kept["uri"] == "s3://mine/%s/model.pkl" % run.run_id and kept["type"] == "model"
    assert tracker.load_artifact(run.run_id, "model.pkl") == b"far away"
    with pytest.raises(NotImplementedError, match="StorageBackend does not say"):
        StorageBackend(anything=1).save_artifact(b"", "x")


def test_ending_is_finished_unless_said_otherwise_and_may_be_said_twice(tracker):
    run = tracker.start_run(experiment_name="risk")
    tracker.end_run()
    tracker.end_run()
    tracker.end_run(status="FAILED")
    assert tracker.get_run(run.run_id).status == "FINISHED"


def test_a_start_that_failed_does_not_end_another_run_or_hide_its_error(tracker):
    earlier = tracker.start_run(experiment_name="risk")
    with pytest.raises(Exception, match="experiment_name is 7"):
        try:
            tracker.start_run(experiment_name=7)
        except Exception:
            tracker.end_run(status="FAILED")
            raise
    assert earlier.status == "RUNNING"
    with pytest.raises(ZeroDivisionError):
        try:
            1 / 0
        except ZeroDivisionError:
            tracker.end_run(status="FAILED")
            raise
    assert "ZeroDivisionError" in tracker.get_run(earlier.run_id)._record["properties"]["error"]
    assert tracker.get_run(earlier.run_id).status == "FAILED"


def test_an_exception_in_a_block_fails_the_run_and_keeps_its_traceback(tracker, store):
    with pytest.raises(ValueError):
        with tracker.run("risk", run_name="block") as run:
            run.log_metrics({"a": 1}, step=0)
            raise ValueError("too deep")
    record = store.run(run.run_id)
    assert record["status"] == "FAILED" and record["state"] == "failed"
    assert "ValueError: too deep" in record["properties"]["error"]
    with tracker.run("risk") as run:
        pass
    assert run.status == "FINISHED"


def test_made_up_ids_are_told_as_such(tracker):
    tracker.start_run(experiment_name="risk")
    for call in (lambda: tracker.get_run(run_id="abc-123-def"), lambda: tracker.compare_runs(run_ids=["one", "two"])):
        with pytest.raises(RunNotFound, match="There is no run"):
            call()
    assert issubclass(RunNotFound, LookupError)


def fill(tracker):
    for name, kind, accuracy, f1 in (
        ("a", "xgboost", 0.80, 0.70), ("b", "xgboost", 0.95, 0.90), ("c", "forest", 0.97, 0.91),
        ("d", "xgboost", math.nan, 0.5), ("e", "xgboost", 0.95, 0.93),
    ):
        with tracker.run("risk", run_name=name, params={"kind": kind, "depth": len(name) + 3}) as run:
            run.log_metrics({"accuracy": accuracy, "f1": f1})
    with tracker.run("risk", run_name="none"):
        pass


def test_runs_are_searched_filtered_and_ordered(tracker):
    fill(tracker)
    names = lambda runs: [run.run_name for run in runs]  # noqa: E731
    assert len(tracker.search_runs(experiment_name="risk")) == 6
    assert sorted(names(tracker.search_runs("risk", "metrics.accuracy > 0.9"))) == ["b", "c", "e"]
    assert names(tracker.search_runs("risk", order_by=["metrics.accuracy DESC"])) == ["c", "e", "b", "a", "d", "none"]
    assert names(tracker.search_runs("risk", order_by=["metrics.accuracy ASC"]))[-2:] == ["d", "none"]
    assert names(tracker.search_runs(
        "risk", filter_string="params.kind = 'xgboost' AND metrics.accuracy > 0.85",
        order_by=["metrics.f1 DESC", "start_time DESC"])) == ["e", "b"]
    assert names(tracker.search_runs("risk", "NOT (params.kind = 'xgboost' OR params.kind IS NULL)")) == ["c"]
    assert names(tracker.search_runs("risk", "params.depth >= 4", order_by="metrics.f1 DESC", max_results=2)) == ["e", "c"]
    found = tracker.search_runs("risk", order_by=["metrics.f1 DESC"])
    assert found[0].run_name == "e" and names(found[1:3]) == ["c", "b"] and bool(found)
    with pytest.raises(Exception, match="accurcy|column|filter"):
        tracker.search_runs("risk", "metrics.accuracy >")
    with pytest.raises(Exception, match="nowhere"):
        tracker.search_runs(experiment_name="nowhere")


def test_a_search_goes_through_its_pages(tracker, monkeypatch):
    from martlet_compat import _tracker

    monkeypatch.setattr(_tracker, "_PAGE", 2)
    fill(tracker)
    assert sorted(run.run_name for run in tracker.search_runs("risk")) == ["a", "b", "c", "d", "e", "none"]


def test_runs_are_compared_in_a_frame_and_without_pandas_in_a_table_that_prints_the_same(tracker, monkeypatch):
    pandas = pytest.importorskip("pandas")
    fill(tracker)
    frame = tracker.compare_runs(run_ids=["a", "b"], metric_names=["accuracy", "f1", "auc"])
    assert isinstance(frame, pandas.DataFrame) and list(frame.columns) == ["accuracy", "f1", "auc"]
    assert frame["accuracy"].tolist() == [0.80, 0.95] and frame["auc"].isna().all()
    printed = str(tracker.compare_runs(run_ids=["a", "b"], metric_names=["accuracy", "f1"]))
    hide(monkeypatch, "pandas")
    table = tracker.compare_runs(run_ids=["a", "b"], metric_names=["accuracy", "f1"])
    assert str(table) == printed
    assert table["f1"] == [0.70, 0.90] and table.shape == (2, 2)


def test_the_best_run_is_the_first_of_those_that_ended_well(tracker):
    fill(tracker)
    assert tracker.get_best_run(experiment_id="risk", metric="accuracy", mode="max").name == "c"
    best = tracker.get_best_run(experiment_id="risk", metric="f1", mode="min")
    assert best.name == "d" and best.parameters["kind"] == "xgboost" and best.metrics["f1"] == 0.5
    assert tracker.get_best_run("risk", "accuracy", "min").name == "a"  # NaN is no number to be best by


def test_the_commit_is_known_and_a_changed_tree_says_so(place, tracker, monkeypatch, store):
    assert tracker.start_run("risk").git_commit is None

    def git(*words):
        subprocess.run(["git", "-c", "user.name=n", "-c", "user.email=e", *words], check=True, capture_output=True)

    git("init", "-q")
    (place / "train.py").write_text("a = 1\n")
    git("add", "train.py")
    git("commit", "-qm", "first")
    head = subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True).stdout.strip()
    clean = tracker.start_run("risk")
    assert clean.git_commit == head and clean.code_version == head[:7]
    (place / "train.py").write_text("a = 2\n")
    monkeypatch.setenv("MARTLET_CAPTURE", "git")
    dirty = tracker.start_run("risk")
    assert dirty.git_commit == head and dirty.code_version == head[:7] + "-dirty"
    end = time.monotonic() + 10
    while not any(each["path"] == "code/changes.patch" for each in dirty.artifacts):
        assert time.monotonic() < end
        time.sleep(0.1)
    tracker.end_run()
    assert tracker.get_run(dirty.run_id).code_version == head[:7] + "-dirty"


def test_a_name_that_says_nothing_is_told_and_a_better_one_proposed(tracker, capsys):
    for depth in (6, 8):
        tracker.start_run("risk", run_name="run%d" % depth)
        tracker.log_params({"rate": 0.1, "depth": depth})
        tracker.end_run()
    told = capsys.readouterr().err
    assert "“run8” will not tell what was tried; “depth8” would" in told
    tracker.start_run("risk", run_name="lstm_128_units_dropout_0.3")
    tracker.end_run()
    assert "lstm" not in [line for line in capsys.readouterr().err.splitlines() if "will not tell" in line]


def test_a_server_and_a_database_address_name_the_store(place, tracker, monkeypatch):
    run = tracker.start_run("risk", run_name="in-the-folder")
    tracker.end_run()
    assert tracker.get_run(run.run_id).status == "FINISHED"
    address = tracker._store.address
    other = ExperimentTracker(db_connection=get_db_connection(address))
    assert other.get_run(run.run_id).run_name == "in-the-folder"
    other.start_run("risk", run_name="by-address")
    other.log_metrics({"a": 1.0}, step=0)
    other.end_run()
    assert other.get_run("by-address").metrics == {"a": 1.0}
    monkeypatch.setenv("DATABASE_URL", "sqlite:///%s/runs.db" % place)
    with get_db_connection() as connection:
        assert connection.uri == str(place / "runs.martlet")
    monkeypatch.setenv("DATABASE_URL", "postgresql://db/runs")
    with pytest.raises(Exception, match="postgresql address, which only a server opens"):
        get_db_connection()


def test_without_a_binary_everything_is_recorded_and_reading_says_what_is_missing(tracker, monkeypatch):
    monkeypatch.setenv("MARTLET_BINARY", "/nowhere/martlet")
    run = tracker.start_run("risk")
    tracker.log_metrics({"a": 1}, step=0)
    assert run.experiment_id == "risk"
    tracker.end_run()
    with pytest.raises(Exception, match="/nowhere/martlet did not start"):
        tracker.get_run(run.run_id)


def test_no_server_outlives_the_program(place):
    done = run_program(place, (
        "import os\n"
        "from src.ds.experiment_tracker import ExperimentTracker\n"
        "tracker = ExperimentTracker()\n"
        "tracker.start_run('risk').experiment_id\n"
        "print(tracker._store._server.pid, flush=True)\n"
        "os.kill(os.getpid(), 9)\n"))
    pid = int(done.stdout)
    end = time.monotonic() + 15
    while True:
        try:
            with open("/proc/%d/stat" % pid) as stat:
                if stat.read().split(")")[1].split()[0] == "Z":
                    break
        except FileNotFoundError:
            break
        assert time.monotonic() < end, "the server %d is still there" % pid
        time.sleep(0.1)
