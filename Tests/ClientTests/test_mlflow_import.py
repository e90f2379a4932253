"""What users of MLflow bring along: their folder, their database, their server. All of it comes over, and goes back."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest

import serving

pytestmark = pytest.mark.newest


@pytest.fixture
def stores(tmp_path, monkeypatch):
    """MLflow's side, with the folder of files that its newest version wants to be asked for."""
    import mlflow
    import mlflow_stores

    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    monkeypatch.setenv("GIT_PYTHON_REFRESH", "quiet")
    yield mlflow_stores
    while mlflow.active_run():
        mlflow.end_run()
    mlflow.set_tracking_uri(None)


def bring(source, store, *more, code=0, extra=None):
    done = serving.martlet("import", "mlflow", str(source), "--json", *more, uri=store, extra=extra, timeout=300)
    assert done.returncode == code, done.stdout + done.stderr
    return json.loads(done.stdout)


def whole(report, **counts):
    assert report["whole"] and not report["problems"], report
    for name, count in report.items():
        if isinstance(count, dict):
            assert count["there"] == count["here"], (name, count)
    for name, count in counts.items():
        assert report[name] == {"there": count, "here": count}, (name, report[name])


def seen_through(start, folder, stores):
    """What the client tells of an imported store, through a server."""
    home = folder.parent / f"look-{folder.name}"
    home.mkdir(exist_ok=True)
    server = serving.Server(folder, logs=home).start()
    try:
        return stores.told(server.address)
    finally:
        assert server.stop() == 0


def same(there, here):
    # The default experiment is made with its store.
    assert there.keys() <= here.keys(), there.keys() - here.keys()
    return {name for name in there if there[name] != here[name] and name != ("experiment", "0")}


EVERYTHING = {"experiments": 3, "runs": 6, "logged_models": 1, "models": 1, "versions": 2, "traces": 1}


@pytest.mark.parametrize("kind", ["folder", "database"])
def test_everything_comes_over_with_its_ids_and_times(kind, stores, tmp_path, start_server):
    place = tmp_path / ("mlruns" if kind == "folder" else "mlflow.db")
    uri = f"file://{place}" if kind == "folder" else f"sqlite:///{place}"
    stores.fill(uri)
    there = stores.told(uri)
    whole(bring(place, tmp_path / "store"), points=109, **EVERYTHING)
    here = seen_through(start_server, tmp_path / "store", stores)
    assert same(there, here) == set(), stores.differences(there, here)

    # Again: nothing comes twice, and it says the same.
    report = bring(place, tmp_path / "store")
    whole(report, points=109, **EVERYTHING)
    assert report["bytes_copied"] == 0
    again = seen_through(start_server, tmp_path / "store", stores)
    assert again == here


def test_a_server_is_asked_for_everything(stores, tmp_path, start_server):
    (tmp_path / "theirs").mkdir()
    port = serving.free_port()
    theirs = subprocess.Popen(
        [sys.executable, "-m", "mlflow", "server", "--backend-store-uri", f"sqlite:///{tmp_path}/theirs/mlflow.db",
         "--artifacts-destination", str(tmp_path / "theirs" / "files"), "--host", "127.0.0.1", "--port", str(port),
         "--workers", "1"], cwd=tmp_path / "theirs", stdout=(tmp_path / "mlflow.log").open("w"),
        stderr=subprocess.STDOUT, start_new_session=True)
    try:
        address = f"http://127.0.0.1:{port}"
        wait_for(address)
        stores.fill(address)
        there = stores.told(address)
        server = start_server()
        whole(bring(address, server.address), points=109, **EVERYTHING)
        here = stores.told(server.address)
        assert same(there, here) == set(), stores.differences(there, here)
        # What was logged there since comes with the next one, and nothing else does.
        import mlflow
        mlflow.set_tracking_uri(address)
        mlflow.set_experiment("later")
        with mlflow.start_run():
            mlflow.log_metric("late", 1, step=1)
        report = bring(address, server.address)
        whole(report, experiments=4, runs=7, points=110)
        assert report["bytes_copied"] == 0
    finally:
        os.killpg(theirs.pid, signal.SIGTERM)
        theirs.wait(20)


def wait_for(address):
    import urllib.request

    for _ in range(600):
        try:
            urllib.request.urlopen(f"{address}/health", timeout=2).read()
            return
        except OSError:
            time.sleep(0.1)
    raise AssertionError(f"{address} does not answer")


def test_it_goes_back_to_a_folder_that_mlflow_reads(stores, tmp_path):
    stores.fill(f"file://{tmp_path}/mlruns")
    there = stores.told(f"file://{tmp_path}/mlruns")
    whole(bring(tmp_path / "mlruns", tmp_path / "store"))
    done = serving.martlet("export", "mlflow", str(tmp_path / "out"), "--json", uri=tmp_path / "store")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["points"] == 109
    back = stores.told(f"file://{tmp_path}/out")
    # Traces are not written.
    kept = {name: value for name, value in there.items() if name[0] != "trace"}
    assert same(kept, back) == set(), stores.differences(kept, back)
    assert "inf" in (tmp_path / "out").rglob("metrics/odd").__next__().read_text()
    refused = serving.martlet("export", "mlflow", str(tmp_path / "out"), uri=tmp_path / "store")
    assert refused.returncode == 4 and "is not empty" in refused.stderr


def test_an_import_that_was_killed_goes_on(stores, tmp_path):
    import mlflow
    from mlflow.entities import Metric

    place = tmp_path / "mlruns"
    mlflow.set_tracking_uri(f"file://{place}")
    client = mlflow.MlflowClient()
    home = client.create_experiment("many")
    for number in range(60):
        run = client.create_run(home, run_name=f"r{number}").info.run_id
        (place / home / run / "metrics").mkdir(exist_ok=True)
        (place / home / run / "metrics" / "loss").write_text(
            "".join(f"{1700000000000 + step} {step / 7} {step}\n" for step in range(4000)))
        client.log_batch(run, metrics=[Metric("acc", 1.0, 1700000000000, 1)])
        client.set_terminated(run)
    killed = 0
    for attempt in range(6):
        process = subprocess.Popen(
            [str(serving.BINARY), "import", "mlflow", str(place), "--uri", str(tmp_path / "store")],
            env=serving.environment(tmp_path), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            process.wait(0.1 + 0.12 * attempt)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            killed += 1
    assert killed > 0
    whole(bring(place, tmp_path / "store"), runs=60, points=60 * 4001)


def test_a_folder_is_followed_while_it_is_written(stores, tmp_path):
    import mlflow

    place = tmp_path / "mlruns"
    mlflow.set_tracking_uri(f"file://{place}")
    mlflow.set_experiment("live")
    with mlflow.start_run() as run:
        mlflow.log_metric("loss", 1.0, step=0)
        watch = subprocess.Popen(
            [str(serving.BINARY), "watch", str(place), "--every", "1", "--uri", str(tmp_path / "store")],
            env=serving.environment(tmp_path), stderr=subprocess.PIPE, text=True)
        try:
            for step in range(1, 25):
                mlflow.log_metric("loss", 1 / (step + 1), step=step)
                time.sleep(0.1)
            mlflow.log_param("lr", 0.1)
            mlflow.log_text("done", "end.txt")
            assert until(lambda: shown(tmp_path, run)["state"] == "running")
            mlflow.end_run()
            assert until(lambda: shown(tmp_path, run)["state"] == "finished")
        finally:
            watch.terminate()
            watch.wait(10)
    done = serving.martlet("watch", str(place), "--once", uri=tmp_path / "store")
    assert done.returncode == 0, done.stderr
    found = shown(tmp_path, run)
    assert found["params"] == {"lr": 0.1} and found["metrics"]["loss"] == 1 / 25
    history = serving.martlet(
        "export", "live", "--history", "--format", "csv", uri=tmp_path / "store").stdout.splitlines()
    assert sum(",loss," in line for line in history) == 25


def shown(tmp_path, run):
    done = serving.martlet("runs", "show", run.info.run_id, "--json", uri=tmp_path / "store")
    return json.loads(done.stdout) if done.returncode == 0 else {"state": "absent"}


def until(holds, seconds=20):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if holds():
            return True
        time.sleep(0.3)
    return False


def test_artifacts_may_stay_where_they_are(stores, tmp_path):
    import mlflow

    place = tmp_path / "mlruns"
    mlflow.set_tracking_uri(f"file://{place}")
    mlflow.create_experiment("far", artifact_location="s3://bucket/far")
    run = mlflow.MlflowClient().create_run(mlflow.get_experiment_by_name("far").experiment_id)
    mlflow.set_experiment("near")
    with mlflow.start_run() as near:
        mlflow.log_text("x", "x.txt")
    report = bring(place, tmp_path / "store", "--keep-references")
    whole(report, runs=2)
    assert report["references"] == 1 and report["bytes_copied"] == 0
    assert any("s3://bucket" in note for note in report["notes"])
    listed = serving.martlet("artifacts", "list", near.info.run_id, "--json", uri=tmp_path / "store").stdout
    assert f"file://{place}" in listed
    copied = bring(place, tmp_path / "copies", "--copy-artifacts", code=1)
    assert copied["files"] == {"there": 1, "here": 1} and not copied["whole"]
    assert any("s3://bucket/far" in problem for problem in copied["problems"])
    home = serving.martlet("runs", "show", run.info.run_id, "--json", uri=tmp_path / "copies").stdout
    assert json.loads(home)["experiment_name"] == "far"


def test_what_cannot_be_read_is_said_and_the_rest_comes(stores, tmp_path):
    import mlflow

    place = tmp_path / "mlruns"
    mlflow.set_tracking_uri(f"file://{place}")
    home = mlflow.set_experiment("hurt").experiment_id
    ids = []
    for number in range(2):
        with mlflow.start_run() as run:
            mlflow.log_metric("a", number, step=1)
            ids.append(run.info.run_id)
    with (place / home / ids[0] / "metrics" / "a").open("a") as metric:
        metric.write("no point at all\n1700000000000 0.5 2\n1700000000000 0.25")
    (place / home / ids[1] / "meta.yaml").write_text("status: [3\n")
    report = bring(place, tmp_path / "store", code=1)
    assert report["runs"] == {"there": 2, "here": 1} and report["points"] == {"there": 2, "here": 2}
    assert any("line 2 of the metric" in problem for problem in report["problems"])
    assert any("has no end" in problem for problem in report["problems"])
    assert any("meta.yaml is not YAML" in problem for problem in report["problems"])
    for wrong in (tmp_path / "nowhere", tmp_path / "store", "postgresql://h/d"):
        done = serving.martlet("import", "mlflow", str(wrong), uri=tmp_path / "other")
        assert done.returncode in (2, 3) and "error:" in done.stderr, done.stderr
