"""Two processes on one folder: a server and commands write at once, and each sees what the other did."""

import json
import threading

import asking
from serving import martlet, wait_for


def test_a_server_and_commands_write_at_once_and_nothing_is_lost(server, tmp_path):
    run = server.run("shared")
    done = []
    codes = []

    def over_http():
        for step in range(200):
            server.post(f"/api/v1/runs/{run}/metrics", {"metrics": {"http": step / 7}, "step": step}).expect(200)
            done.append(step)

    def by_command(name, uri):
        for step in range(8):
            result = martlet("log", "metric", run, f"{name}={step / 3!r}", "--step", step, uri=uri, home=tmp_path)
            codes.append((result.returncode, result.stderr))

    threads = [
        threading.Thread(target=over_http),
        threading.Thread(target=by_command, args=("folder", server.folder)),
        threading.Thread(target=by_command, args=("address", server.address)),
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert len(done) == 200 and len(codes) == 16
    assert {code for code, _ in codes} == {0}, codes
    # The server sees all …
    assert server.points(run, "http") == [(step, step / 7) for step in range(200)]
    for name in ("folder", "address"):
        assert server.points(run, name) == [(step, step / 3) for step in range(8)]
    # … and so does a command that reads the folder beside it.
    shown = martlet("runs", "list", "digits", "--json", uri=server.folder, home=tmp_path)
    assert shown.returncode == 0, shown.stderr
    metrics = json.loads(shown.stdout)["runs"][0]["metrics"]
    assert metrics == {"http": 199 / 7, "folder": 7 / 3, "address": 7 / 3}


def test_what_a_command_did_is_seen_by_the_server_at_once_and_the_other_way_round(server, tmp_path):
    made = martlet(
        "log", "run", "digits", "--param", "lr=0.1", "--metric", "acc=0.9", "--name", "by hand", uri=server.folder,
        home=tmp_path)
    assert made.returncode == 0, made.stderr
    found = server.get("/api/v1/runs/search?experiment_name=digits").expect(200).json["runs"]
    assert [(run["name"], run["params"], run["metrics"]) for run in found] == [("by hand", {"lr": 0.1}, {"acc": 0.9})]
    server.run("by request")
    listed = martlet("runs", "list", "digits", uri=server.folder, home=tmp_path)
    assert "by hand" in listed.stdout and "by request" in listed.stdout, listed.stdout + listed.stderr
    # Another change after the server has looked, so that nothing it remembers can stand for the folder.
    assert martlet("log", "metric", found[0]["id"], "acc=0.95", uri=server.folder, home=tmp_path).returncode == 0
    wait_for("the new value at the server", lambda: server.get(
        f"/api/v1/runs/{found[0]['id']}").json["metrics"]["acc"] == 0.95, 5)
    query = "/api/v1/runs/search?experiment_name=digits&filter=metrics.acc%20%3E%200.92"
    assert len(server.get(query).json["runs"]) == 1


def test_a_stream_of_the_server_tells_of_what_another_process_logged(server, tmp_path):
    run = server.run("followed")
    with asking.Wire(server.port) as wire:
        wire.send(
            f"GET /api/v1/runs/{run}/metrics/stream HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n\r\n")
        wait_for("the stream's first words", lambda: wire.more() and b"following" in wire.buffer)
        logged = martlet("log", "metric", run, "loss=0.125", "--step", 5, uri=server.folder, home=tmp_path)
        assert logged.returncode == 0, logged.stderr
        wait_for("the frame", lambda: b'"loss":0.125' in wire.buffer or (wire.more() and False), 10)


def test_two_servers_on_one_folder_see_each_other(start_server):
    first = start_server()
    second = start_server(folder=first.folder)
    run = first.run("by the first")
    second.post(f"/api/v1/runs/{run}/metrics", {"metrics": {"loss": 1}, "step": 0}).expect(200)
    first.post(f"/api/v1/runs/{run}/metrics", {"metrics": {"loss": 2}, "step": 1}).expect(200)
    assert first.points(run, "loss") == second.points(run, "loss") == [(0, 1), (1, 2)]


def test_a_store_that_is_not_there_is_said_in_a_sentence(tmp_path):
    result = martlet("runs", "list", uri=tmp_path / "nothing", home=tmp_path)
    assert result.returncode == 3
    assert "nothing" in result.stderr and "Traceback" not in result.stderr and "Fatal" not in result.stderr
    result = martlet("runs", "list", uri="http://127.0.0.1:9", home=tmp_path)
    assert result.returncode == 4, result.stderr
    assert "127.0.0.1:9" in result.stderr
