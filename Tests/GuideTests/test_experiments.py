"""Experiments of an increment: the store, the folder, and what is said after the block has closed."""

import csv
import json
import pickle
import re

import pytest
from conftest import INCREMENT, hide, run_program
from specweave import (
    ExperimentMetadata, ExperimentPipeline, ExperimentSeries, archive_experiments, restore_experiments, search_experiments,
    track_artifacts, track_experiment)


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_folder_holds_exactly_what_was_logged_and_saved(increment, store):
    with track_experiment("xgboost-v1") as exp:
        exp.log_param("n_estimators", 100)
        exp.log_metric("auc", 0.87)
        exp.save_model({"a": "model"}, "model.pkl")
    folder = increment / "xgboost-v1"
    assert names(folder) == ["metadata.yaml", "metrics.json", "model.pkl", "params.json"]
    assert json.loads((folder / "params.json").read_text()) == {"n_estimators": 100}
    assert json.loads((folder / "metrics.json").read_text()) == {"auc": 0.87}
    assert pickle.loads((folder / "model.pkl").read_bytes()) == {"a": "model"}
    about = pytest.importorskip("yaml").safe_load((folder / "metadata.yaml").read_text())
    assert about["name"] == "xgboost-v1" and about["status"] == "finished" and about["alias"] == "exp-001-xgboost-v1"

    record = store.run(exp.run_id)
    assert record["experiment_name"] == INCREMENT and record["run_name"] == "xgboost-v1"
    assert record["params"] == {"n_estimators": 100} and record["metrics"] == {"auc": 0.87}
    assert [(each["path"], each["type"]) for each in record["artifacts"]] == [("model.pkl", "model")]


def test_json_and_yaml_stay_readable_whatever_is_logged(increment):
    yaml = pytest.importorskip("yaml")
    odd = ["yes", "3", "1e-5", "a: b", "", " x", "- x", "#", "line\nline\n", "tab\t", "é“", "null", "@", "2024-01-01", "0x1f"]
    with track_experiment(ExperimentMetadata(name="odd", description="a: b\n# c", tags=odd)) as exp:
        exp.log_metrics({"nan": float("nan"), "inf": float("inf"), "one": 1})
        for text in odd:
            exp.log_note(text)
        assert json.loads((increment / "odd" / "metrics.json").read_text()) == {}  # written now and then, and at the end
    about = yaml.safe_load((increment / "odd" / "metadata.yaml").read_text())
    assert about["notes"] == odd and about["tags"] == odd and about["description"] == "a: b\n# c"
    strict = json.loads((increment / "odd" / "metrics.json").read_text(), parse_constant=lambda word: pytest.fail(word))
    assert strict == {"nan": "NaN", "inf": "Infinity", "one": 1}


def test_a_number_is_given_to_each_and_stands_for_it(increment):
    from martlet_compat._increments import Increment

    for name in ("a", "xgboost", "a"):
        with track_experiment(name):
            pass
    found = Increment(INCREMENT)
    assert [(entry["number"], entry["name"], len(entry["runs"])) for entry in found.index()] == [(1, "a", 2), (2, "xgboost", 1)]
    for word in ("xgboost", "exp-002", "exp-002-xgboost"):
        assert found.find(word)["name"] == "xgboost"
    with pytest.raises(Exception, match="no experiment “exp-009”.*It has: a, xgboost"):
        found.find("exp-009")


def test_a_second_try_takes_the_folder_over_and_the_store_keeps_both(increment, store):
    with track_experiment("again") as first:
        first.log_metric("a", 1)
        first.save_artifact("old.txt", "old")
    with track_experiment("again") as second:
        second.log_metric("b", 2)
    assert names(increment / "again") == ["metadata.yaml", "metrics.json", "params.json"]
    assert json.loads((increment / "again" / "metrics.json").read_text()) == {"b": 2}
    assert store.run(first.run_id)["artifacts"][0]["path"] == "old.txt"


def test_an_increment_is_found_by_its_beginning(increment, place, monkeypatch):
    (place / ".specweave/increments/0043-other").mkdir()
    (place / ".specweave/increments/0043-more").mkdir()
    for word in ("0042", "0042...", "0042-rec", INCREMENT):
        with track_experiment("by-" + word.strip("."), increment=word) as exp:
            assert exp.increment == INCREMENT
    with pytest.raises(Exception, match="“0043” fits several increments: 0043-more, 0043-other"):
        track_experiment("x", increment="0043").begin()
    with track_experiment("x", increment="0050-new") as exp:
        assert exp.increment == "0050-new"
    with pytest.raises(Exception, match="is no name of an increment"):
        track_experiment("x", increment="../up").begin()
    monkeypatch.setenv("MARTLET_INCREMENT", "0042")
    with track_experiment("by-environment") as exp:
        assert exp.increment == INCREMENT


def test_without_a_word_the_highest_number_is_taken_and_said_once(increment, place, capsys):
    (place / ".specweave/increments/0007-older").mkdir()
    for name in ("one", "two"):
        with track_experiment(name) as exp:
            assert exp.increment == INCREMENT
    assert len(re.findall("no increment was named.*" + INCREMENT, capsys.readouterr().err)) == 1


def test_without_increments_the_store_has_it_alone(place, store):
    with track_experiment("somewhere") as exp:
        exp.log_metric("auc", 0.5)
        exp.save_artifact("notes.txt", "text")
    assert exp.folder is None and not (place / ".specweave").exists()
    record = store.run(exp.run_id)
    assert record["metrics"] == {"auc": 0.5} and record["artifacts"][0]["path"] == "notes.txt"


def test_everything_may_be_said_after_the_block(increment, store):
    with pytest.raises(MemoryError):
        with track_experiment("neural-net") as exp:
            exp.log_metric("loss", 2.0, step=0)
            raise MemoryError("4 GiB")
    assert exp.status == "oom"
    exp.log_note("FAILED: out of memory")
    exp.log_note("Reason: batch too large")
    exp.set_status("failed")
    exp.add_tag("production")
    exp.log_metric("late", 1.0)
    exp.save_artifact("why.txt", "too large")
    record = store.run(exp.run_id)
    assert record["status"] == "failed" and record["attempt"] == 1
    assert record["metrics"] == {"loss": 2.0, "late": 1.0} and record["tags"]["production"] is None
    assert [each["path"] for each in record["artifacts"]] == ["why.txt"]
    assert store.notes(exp.run_id) == ["FAILED: out of memory", "Reason: batch too large"]
    assert "MemoryError" in record["properties"]["error"]
    folder = increment / "neural-net"
    assert json.loads((folder / "metrics.json").read_text()) == {"loss": 2.0, "late": 1.0}
    text = (folder / "metadata.yaml").read_text()
    assert "status: failed" in text and text.index("FAILED: out of memory") < text.index("Reason: batch")


def test_the_same_holds_where_a_server_keeps_the_runs(increment, store, monkeypatch, place):
    from martlet_compat import _store

    address = _store.Store(str(place / ".martlet"))
    monkeypatch.setenv("MARTLET_TRACKING_URI", address.address)
    monkeypatch.setenv("MARTLET_SPOOL", str(place / "spool"))
    try:
        with track_experiment("afar") as exp:
            exp.log_param("depth", 3)
            exp.log_metric("loss", 2.0, step=0)
            exp.save_artifact("notes.txt", "text")
        exp.log_note("one")
        exp.log_note("two")
        exp.set_status("failed")
        exp.set_status("cancelled")
        record = store.run(exp.run_id)
        assert record["status"] == "cancelled" and record["params"] == {"depth": 3} and record["metrics"] == {"loss": 2.0}
        assert store.notes(exp.run_id) == ["one", "two"] and record["artifacts"][0]["path"] == "notes.txt"
        assert "status: cancelled" in (increment / "afar" / "metadata.yaml").read_text()
    finally:
        address.close()


def test_metadata_says_what_is_known_before_it_begins(increment, store, place, capsys):
    import subprocess

    for words in (("init", "-q"), ("commit", "-q", "--allow-empty", "-m", "first")):
        subprocess.run(["git", "-c", "user.name=n", "-c", "user.email=e", *words], check=True)
    metadata = ExperimentMetadata(
        name="xgboost-v3", description="with features v2", tags=["candidate"], git_commit="a3b8c9d", data_version="v2024-01",
        author="a person")
    with track_experiment(metadata) as exp:
        pass
    record = store.run(exp.run_id)
    assert record["tags"]["candidate"] is None and record["tags"]["author"] == "a person"
    assert record["tags"]["git.commit.given"] == "a3b8c9d" and "a3b8c9d given" in record["tags"]["git.mismatch"]
    assert store.facts(exp.run_id, "dataset")["version"] == "v2024-01"
    about = pytest.importorskip("yaml").safe_load((increment / "xgboost-v3" / "metadata.yaml").read_text())
    assert about["git_commit"] == "a3b8c9d" and len(about["git_head"]) == 40
    assert "names commit a3b8c9d" in capsys.readouterr().err
    with pytest.raises(Exception, match="takes a name or ExperimentMetadata, not int"):
        track_experiment(3)


def test_names_with_dots_and_dashes_are_folders_and_others_are_refused(increment):
    with track_experiment("xgboost-tuned-depth6-lr0.1"):
        pass
    assert (increment / "xgboost-tuned-depth6-lr0.1").is_dir()
    for name in ("../up", "a/b", "", ".", ".hidden"):
        with pytest.raises(Exception, match="cannot name an experiment's folder"):
            track_experiment(name).begin()


def test_a_generic_name_is_told(increment, capsys):
    with track_experiment("exp1") as exp:
        exp.log_params({"depth": 6})
    assert "“exp1” will not tell what was tried; “depth6” would" in capsys.readouterr().err


def test_what_nobody_ended_is_whole_when_the_program_ends(increment, place, store):
    text = "from specweave import track_experiment\nexp = track_experiment('open')\nexp.log_metric('a', 1)\nexp.log_metric('b', 2)\n"
    assert run_program(place, text).returncode == 0
    assert json.loads((increment / "open" / "metrics.json").read_text()) == {"a": 1, "b": 2}
    assert run_program(place, text + "raise ValueError\n").returncode == 1
    assert [run["state"] for run in store.get("runs", "search", experiment_name=INCREMENT)["runs"]] == ["failed", "finished"]
    assert "status: failed" in (increment / "open" / "metadata.yaml").read_text()


def test_data_is_linked_by_its_revision_and_address(increment, store):
    with track_experiment("xgboost-v1") as exp:
        exp.log_param("data_commit", "dvc:a3b8c9d")
        exp.log_param("data_url", "s3://bucket/data/v2024-01")
    fact = store.facts(exp.run_id, "dataset")
    assert fact["dvc"] == "a3b8c9d" and fact["uri"] == "s3://bucket/data/v2024-01"


def test_a_decision_is_kept_with_its_reason_and_evidence(increment, store):
    with track_experiment("choice") as exp:
        exp.log_decision(chosen="xgboost", rejected=["lightgbm"], reason="5% better precision", evidence=[exp])
    assert store.facts(exp.run_id, "decision") == {
        "chosen": "xgboost", "rejected": ["lightgbm"], "reason": "5% better precision", "evidence": [exp.run_id]}
    assert store.notes(exp.run_id) == ["Decision: xgboost rather than lightgbm, because 5% better precision"]


def test_the_suffix_decides_how_an_object_is_saved(increment):
    figure = pytest.importorskip("matplotlib.figure").Figure()
    figure.add_subplot().plot([1, 2])
    pandas = pytest.importorskip("pandas")
    numpy = pytest.importorskip("numpy")
    yaml = pytest.importorskip("yaml")
    with track_experiment("files") as exp:
        exp.save_artifact("figure.png", figure)
        exp.save_artifact("axes.svg", figure.axes[0])
        exp.save_artifact("frame.csv", pandas.DataFrame({"feature": ["a"], "importance": [0.5]}))
        exp.save_artifact("rows.csv", [{"a": 1, "b": 2}])
        exp.save_artifact("columns.csv", {"a": [1, 2], "b": [3, 4]})
        exp.save_artifact("requirements.txt", "numpy==2\n")
        exp.save_artifact("lines.txt", ["a", "b"])
        exp.save_artifact("conda_env.yaml", {"name": "x", "dependencies": ["python=3.11", {"pip": ["a"]}]})
        exp.save_artifact("data.json", {"a": numpy.float64(1.5), "b": numpy.arange(2)})
        exp.save_artifact("array.npy", numpy.arange(3))
        exp.save_artifact("object.pkl", {"any": "thing"})
        exp.save_artifact("raw.bin", b"\x00\x01")
        exp.save_artifact({"swapped": 1}, "swapped.json")
        exp.save_model("model.pkl", {"swapped": 2})
        exp.save_artifact("plots/inner.txt", "below")
        track_artifacts(exp, {"more.txt": "more"})
        for name, value in (("x.png", {"a": 1}), ("x.csv", 3), ("x.yaml", object()), ("x.bin", object()), ("x.json", exp)):
            if name == "x.json":
                continue
            with pytest.raises(TypeError, match=re.escape("“%s”" % name)):
                exp.save_artifact(name, value)
        for name in ("metrics.json", "../x.txt", "/x.txt"):
            with pytest.raises(Exception, match="another name|leads out"):
                exp.save_artifact(name, "text")
    folder = increment / "files"
    assert (folder / "figure.png").read_bytes().startswith(b"\x89PNG") and b"<svg" in (folder / "axes.svg").read_bytes()
    assert list(csv.reader((folder / "frame.csv").open())) == [["feature", "importance"], ["a", "0.5"]]
    assert list(csv.reader((folder / "rows.csv").open())) == [["a", "b"], ["1", "2"]]
    assert list(csv.reader((folder / "columns.csv").open())) == [["a", "b"], ["1", "3"], ["2", "4"]]
    assert (folder / "lines.txt").read_text() == "a\nb\n"
    assert yaml.safe_load((folder / "conda_env.yaml").read_text())["dependencies"] == ["python=3.11", {"pip": ["a"]}]
    assert json.loads((folder / "data.json").read_text()) == {"a": 1.5, "b": [0, 1]}
    assert json.loads((folder / "swapped.json").read_text()) == {"swapped": 1}
    assert pickle.loads((folder / "model.pkl").read_bytes()) == {"swapped": 2}
    assert (folder / "plots" / "inner.txt").read_text() == "below"
    assert not [path for path in folder.rglob(".*")]


def test_it_works_where_none_of_the_libraries_is_installed(increment, monkeypatch):
    hide(monkeypatch, "pandas", "numpy", "matplotlib", "sklearn", "yaml", "cloudpickle", "PIL")
    with track_experiment("bare") as exp:
        exp.log_metric("a", 1)
        exp.save_model([1, 2], "model.pkl")
        exp.save_artifact("x.csv", [[1, 2]])
        with pytest.raises(Exception, match="cannot be pickled.*cloudpickle"):
            exp.save_model(lambda: 1, "f.pkl")
    assert names(increment / "bare") == ["metadata.yaml", "metrics.json", "model.pkl", "params.json", "x.csv"]


def test_files_are_whole_and_soon_there_while_a_loop_logs(increment, monkeypatch):
    from martlet_compat import _folder

    with track_experiment("loop") as exp:
        monkeypatch.setattr(_folder, "SECONDS_BETWEEN", 0.0)
        exp.log_metric("loss", 3.0, step=0)
        assert json.loads((increment / "loop" / "metrics.json").read_text()) == {"loss": 3.0}
        monkeypatch.setattr(_folder, "SECONDS_BETWEEN", 3600.0)
        written = []
        monkeypatch.setattr(exp._folder, "write", lambda: written.append(1))
        for step in range(1000):
            exp.log_metric("loss", 1.0, step=step)
        assert not written
        monkeypatch.undo()


def test_stages_are_child_runs_that_know_what_they_build_on(increment, store):
    pipeline = ExperimentPipeline("whole-pipeline")
    with pipeline.stage("clean") as stage:
        stage.log_metric("rows_before", 10)
        stage.log_metric("rows_after", 8)
    with pipeline.stage("features") as features:
        features.log_param("kind", "lags")
    with pipeline.stage("audit", after=["clean"]):
        pass
    with pytest.raises(Exception, match="to come after “none”.*There are: clean"):
        pipeline.stage("x", after="none")
    pipeline.finish()
    children = {child["run_name"]: child for child in store.children(pipeline.run_id)}
    assert list(sorted(children)) == ["audit", "clean", "features"]
    assert children["clean"]["metrics"]["rows_after"] == 8 and children["clean"]["metrics"]["duration_seconds"] > 0
    fact = store.facts(children["features"]["run_id"], "stage")
    assert fact["depends_on"] == ["clean"] and fact["runs"] == [children["clean"]["run_id"]]
    assert store.facts(children["audit"]["run_id"], "stage")["depends_on"] == ["clean"]
    metrics = json.loads((increment / "whole-pipeline" / "metrics.json").read_text())
    assert metrics["clean/rows_before"] == 10 and metrics["clean/rows_after"] == 8
    about = pytest.importorskip("yaml").safe_load((increment / "whole-pipeline" / "metadata.yaml").read_text())
    assert [(each["name"], each["depends_on"]) for each in about["stages"]] == [
        ("clean", []), ("features", ["clean"]), ("audit", ["clean"])]


def test_a_stage_that_fails_fails_the_pipeline_at_the_programs_end(increment, place, store):
    done = run_program(place, (
        "from specweave import ExperimentPipeline\n"
        "pipeline = ExperimentPipeline('breaks')\n"
        "with pipeline.stage('one'):\n    pass\n"
        "with pipeline.stage('two'):\n    raise KeyError('rows')\n"))
    assert done.returncode == 1 and "KeyError" in done.stderr
    found = {run["run_name"]: run["state"] for run in store.get("runs", "search", experiment_name=INCREMENT)["runs"]}
    assert found == {"breaks": "failed", "one": "finished", "two": "failed"}
    assert "status: failed" in (increment / "breaks" / "metadata.yaml").read_text()


def test_history_is_searched_across_increments(increment, place):
    for word, accuracy in (("0042", 0.8), ("0041-older", 0.9), ("0040-oldest", 0.7)):
        with track_experiment("model", increment=word) as exp:
            exp.log_metric("accuracy", accuracy)
    found = search_experiments("metrics.accuracy > 0.75", order_by="metrics.accuracy DESC")
    assert [run.experiment_name for run in found] == ["0041-older", INCREMENT]
    assert [run.experiment_name for run in search_experiments(increments=["0042"])] == [INCREMENT]


def test_a_series_shows_how_far_each_member_came(increment):
    for name, accuracy in (("base", 0.5), ("v1", 0.75), ("v2", 0.625)):
        with track_experiment(name) as exp:
            exp.log_metric("accuracy", accuracy)
    series = ExperimentSeries(["base", "v1", "v2", "v3"])
    assert series.progression() == [
        {"name": "base", "value": 0.5, "delta": None, "best": False},
        {"name": "v1", "value": 0.75, "delta": 0.25, "best": True},
        {"name": "v2", "value": 0.625, "delta": -0.125, "best": False}]
    assert "| v1         | 0.75  | +0.25  | yes  |" in str(series)
    with open(series.save_chart(), "rb") as chart:
        assert chart.read(4) in (b"\x89PNG", b"<svg")


def test_old_experiments_are_put_away_and_come_back(increment, store):
    from src.ml.model_registry import ModelRegistry

    runs = {}
    for name in ("old", "in-production", "registered"):
        with track_experiment(name) as exp:
            exp.log_metric("a", 1)
            if name == "in-production":
                exp.add_tag("production")
        runs[name] = exp.run_id
    ModelRegistry().register_model("m", metadata={"run_id": runs["registered"]})
    assert archive_experiments("0042", months=6) == []
    future = __import__("time").time() + 200 * 86_400
    assert archive_experiments("0042", months=6, now=future) == ["old"]
    assert (increment / "old").is_dir()  # that was only a look
    assert archive_experiments("0042", months=6, now=future, dry_run=False) == ["old"]
    assert not (increment / "old").exists() and (increment / "archive" / "old" / "metrics.json").exists()
    found = {run["run_name"] for run in store.get("runs", "search", experiment_name=INCREMENT)["runs"]}
    assert found == {"in-production", "registered"}
    assert restore_experiments("old", increment="0042") == ["old"]
    assert (increment / "old" / "metrics.json").exists() and store.run(runs["old"])["metrics"] == {"a": 1}
