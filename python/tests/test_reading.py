"""Reading back: from a server, from a folder by the binary, and from a folder's logbooks alone."""

import math
import sys
import time

import martlet
import pytest
import serving


def written(uri):
    ids = []
    for number in range(3):
        with martlet.start_run("read", name=f"r{number}", uri=uri, params={"lr": number / 10, "same": 1}) as run:
            for step in range(50):
                run.log({"acc": number + step / 100, "loss": 1.0 - step / 100})
            run.log({"odd": math.nan}, step=50)
        ids.append(run.id)
    return ids


@pytest.fixture(params=["server", "folder", "logbooks"])
def client(request, store, monkeypatch):
    """A client on three runs, in each of the ways there are."""
    monkeypatch.setenv("MARTLET_BINARY", str(serving.BINARY) if request.param == "folder" else "")
    if request.param == "server":
        remote = request.getfixturevalue("remote")
        uri = remote.server.address
    else:
        uri = str(store)
    ids = written(uri)
    if request.param == "server":
        for run in ids:
            remote.run(run)
    client = martlet.Client(uri)
    assert (client._folder is not None) == (request.param == "logbooks")
    client.ids = ids
    yield client
    client.close()


def test_runs_are_found_compared_and_ranked(client):
    run = client.get_run(client.ids[1])
    assert run.name == "r1" and run.params["lr"] == 0.1 and run.status == "finished"
    assert client.get_run("r2", experiment="read").id == client.ids[2]
    found = client.search_runs(experiment="read")
    assert {each.id for each in found} == set(client.ids)
    assert client.best_run("read", "acc").id == client.ids[2]
    compared = client.compare_runs([client.ids[0], client.ids[2]])
    assert compared["params"]["lr"] == [0.0, 0.2] and compared["differ"] == ["lr"]
    assert found.rows()[0]["params.same"] == 1
    with pytest.raises(martlet.RunNotFound):
        client.get_run("abc-123-def")


def test_every_point_comes_back(client):
    found = client.history(run_ids=client.ids[:2], metrics=["a*", "odd"], tidy=False)
    assert len(found) == 102
    assert found.of("acc", client.ids[1]) == (list(range(50)), [1 + step / 100 for step in range(50)])
    assert math.isnan(found.of("odd", client.ids[0])[1][0])
    rows = list(client.get_run(client.ids[0]).history(["loss"])) if not _has_pandas() else None
    assert rows is None or len(rows) == 50


def test_points_become_a_table(client):
    pandas = pytest.importorskip("pandas")
    table = client.history(experiment="read", metrics=["acc", "loss"])
    assert isinstance(table, pandas.DataFrame) and len(table) == 300
    assert list(table.columns) == ["run_id", "metric", "step", "timestamp", "value"]
    mine = table[(table.run_id == client.ids[2]) & (table.metric == "acc")].sort_values("step")
    assert list(mine.value) == [2 + step / 100 for step in range(50)]
    assert abs(mine.timestamp.iloc[0].timestamp() - time.time()) < 3600
    runs = client.runs(experiment="read").to_pandas()
    assert set(runs["params.lr"]) == {0.0, 0.1, 0.2}


def _has_pandas():
    try:
        import pandas  # noqa: F401
        return True
    except ImportError:
        return False


def test_filters_are_the_servers(remote):
    ids = written(remote.server.address)
    client = martlet.Client(remote.server.address)
    for run in ids:
        remote.run(run)
    assert [run.id for run in client.search_runs("params.lr > 0.05", order_by="metrics.acc DESC")] == ids[:0:-1]
    assert len(client.history("params.lr > 0.15", metrics="acc", tidy=False)) == 50
    assert client.search_runs(limit=2).total == 3 and len(client.search_runs(limit=2)) == 2
    with pytest.raises(martlet.MartletError, match="column"):
        client.search_runs("params.lr >")


SLOW_SERVER = """#!{python}
import fcntl, os, socket, sys, time
live = os.path.join(sys.argv[sys.argv.index("--data") + 1], "logbooks", "live")
files = [open(os.path.join(live, name)) for name in os.listdir(live)]
for file in files:
    fcntl.flock(file, fcntl.LOCK_EX)
listener = socket.create_server(("127.0.0.1", int(sys.argv[sys.argv.index("--port") + 1])))
listener.accept()
time.sleep(1)
for file in files:
    os.rename(file.name, os.path.join(live, "..", os.path.basename(file.name)))
while True:
    listener.accept()
"""


def test_a_logbook_that_the_server_is_just_taking_in_is_waited_for(store, tmp_path, monkeypatch):
    """While it does so it holds the lock that a living writer would hold."""
    from martlet import _local

    written(str(store))
    slow = tmp_path / "slow"
    slow.write_text(SLOW_SERVER.format(python=sys.executable))
    slow.chmod(0o755)
    monkeypatch.setenv("MARTLET_BINARY", str(slow))
    assert list((store / "logbooks" / "live").iterdir())
    process, _ = _local.serve(str(store))
    try:
        assert process and not list((store / "logbooks" / "live").iterdir())
    finally:
        process.kill()
        process.wait()
