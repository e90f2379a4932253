"""Streams: what is logged is told as it happens, in the frame that the guide fixes, and a follower that was away misses
nothing."""

import contextlib
import json
import threading
import time
from urllib.parse import quote

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from asking import Wire
from serving import wait_for

# What a frame has beside the guide's keys: where it belongs, the step once more, how many values, the cursor.
BESIDE = {"step", "experiment_id", "n", "seq"}


def socket(server, path, since=None):
    query = f"?since={quote(since)}" if since else ""
    return connect(f"ws://127.0.0.1:{server.port}{path}{query}", open_timeout=10, close_timeout=5, proxy=None)


def frame(stream, seconds=10):
    return json.loads(stream.recv(timeout=seconds))


def frames_until(stream, step, seconds=15):
    """Frames until one of this step has come."""
    found = []
    deadline = time.monotonic() + seconds
    while not found or found[-1].get("step") != step:
        found.append(frame(stream, max(0.1, deadline - time.monotonic())))
    return found


def log(server, run, step, **metrics):
    server.post(f"/api/v1/runs/{run}/metrics", {"metrics": metrics, "step": step}).expect(200)


def check_frame(given, run, metrics):
    """Key for key what the second guide shows: {run_id, metrics: {step, …}, timestamp}."""
    assert {key: value for key, value in given.items() if key not in BESIDE | {"timestamp"}} == {
        "run_id": run, "metrics": metrics}
    assert set(given) <= {"run_id", "metrics", "timestamp"} | BESIDE
    assert given["step"] == metrics["step"] and given["seq"]


def test_the_live_stream_of_an_experiment_has_the_guides_frame_key_for_key(server):
    run = server.run("run-001")
    with socket(server, "/api/v1/experiments/digits/metrics/live") as stream:
        time.sleep(0.2)
        server.post(f"/api/v1/runs/{run}/metrics", {
            "metrics": {"accuracy": 0.954, "loss": 0.218}, "step": 150, "timestamp": "2024-01-15T10:35:00Z",
        }).expect(200)
        given = frame(stream)
        check_frame(given, run, {"step": 150, "accuracy": 0.954, "loss": 0.218})
        assert given["timestamp"].startswith("2024-01-15T10:35:00") and given["timestamp"].endswith("Z")
        # Runs that begin later belong to it too; other experiments do not.
        other = server.run("elsewhere", experiment="other")
        log(server, other, 1, loss=1)
        second = server.run("run-002")
        log(server, second, 1, loss=0.5)
        check_frame(frame(stream), second, {"step": 1, "loss": 0.5})


def test_a_runs_stream_tells_and_takes_points(server):
    run = server.run("two-way")
    path = f"/api/v1/runs/{run}/metrics/stream"
    with socket(server, path) as watcher, socket(server, path) as pusher:
        time.sleep(0.2)
        pusher.send(json.dumps({
            "metrics": {"step": 7, "loss": 0.5, "accuracy": 0.9}, "timestamp": "2024-01-15T10:35:00Z"}))
        check_frame(frame(watcher), run, {"step": 7, "loss": 0.5, "accuracy": 0.9})
        answers = [frame(pusher), frame(pusher)]
        assert {"ack": 2} in answers, answers
        # A slip costs an answer, not the stream.
        for slip in ("no json", '{"metrics":{"loss":"high"}}', "[1]", "{}"):
            pusher.send(slip)
            assert frame(pusher)["error"]["message"]
        pusher.send(json.dumps([{"metric_name": "loss", "metric_value": "NaN", "step": 8}]))
        assert frame(watcher)["metrics"] == {"step": 8, "loss": "NaN"}
    assert server.points(run, "loss")[0] == (7, 0.5)
    assert server.points(run, "accuracy") == [(7, 0.9)]


def test_a_follower_resumes_where_it_was_and_misses_nothing_over_a_restart(server):
    run = server.run("resumed")
    path = f"/api/v1/runs/{run}/metrics/stream"
    with socket(server, path) as stream:
        time.sleep(0.2)
        for step in range(5):
            log(server, run, step, loss=step / 8)
        seen = frames_until(stream, 4)
    since = seen[-1]["seq"]
    for step in range(5, 10):
        log(server, run, step, loss=step / 8)
    server.restart()
    for step in range(10, 15):
        log(server, run, step, loss=step / 8)
    server.kill()
    server.start()
    with socket(server, path, since) as stream:
        seen = frames_until(stream, 14)
        assert not any("reset" in each for each in seen)
        assert [each["metrics"] for each in seen if each["step"] >= 5] == [
            {"step": step, "loss": step / 8} for step in range(5, 15)]
        # From here it goes on live.
        log(server, run, 15, loss=2)
        assert frame(stream)["metrics"] == {"step": 15, "loss": 2}


def test_a_follower_that_is_cut_off_at_any_moment_misses_nothing(server, totals):
    """Logs all the while, drops the connection again and again, goes on from the last `seq`: every step is seen."""
    run = server.run("cut off")
    path = f"/api/v1/runs/{run}/metrics/stream"
    ended = threading.Event()
    logged = []

    def keep_logging():
        for step in range(400):
            log(server, run, step, loss=step)
            logged.append(step)
            if ended.wait(0.005):
                return

    with socket(server, path) as stream:
        thread = threading.Thread(target=keep_logging, daemon=True)
        thread.start()
        first = frame(stream)
    seen, since, cuts, again = [first["step"]], first["seq"], 0, 0
    deadline = time.monotonic() + 30
    while seen[-1] != 399 and time.monotonic() < deadline:
        with socket(server, path, since) as stream:
            for _ in range(29):
                given = frame(stream)
                assert "reset" not in given, given
                again += given["step"] in seen[-100:]
                seen.append(given["step"])
                since = given["seq"]
                if seen[-1] == 399:
                    break
            cuts += 1
    ended.set()
    thread.join(10)
    assert sorted(set(seen)) == list(range(400))
    totals(f"streams: 400 frames over {cuts} connections, 0 missed, {again} told again")


def read_events(wire, seconds, wanted):
    """Server-sent events until enough of them have come: (id, data)."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        events = []
        for block in wire.buffer.decode(errors="replace").replace("\r", "").split("\n\n")[:-1]:
            fields = {}
            for line in block.split("\n"):
                name, _, value = line.partition(":")
                if name in ("id", "data", "event"):
                    fields[name] = fields.get(name, "") + value.strip()
            if "data" in fields:
                events.append((fields.get("id"), json.loads(fields["data"])))
        if len(events) >= wanted:
            return events
        wire.socket.settimeout(max(0.05, deadline - time.monotonic()))
        try:
            if not wire.more():
                break
        except TimeoutError:
            break
    raise AssertionError(f"only {wire.buffer!r}")


def events(server, path, last=None, host="localhost"):
    wire = Wire(server.port)
    after = f"Last-Event-ID: {last}\r\n" if last else ""
    # HTTP/1.0 keeps chunk sizes out of the bytes.
    wire.send(f"GET {path} HTTP/1.0\r\nHost: {host}\r\nAccept: text/event-stream\r\n{after}\r\n")
    wait_for("the head of the events", lambda: b"\r\n\r\n" in wire.buffer or (wire.more() and False))
    head, _, wire.buffer = wire.buffer.partition(b"\r\n\r\n")
    assert b" 200 " in head.split(b"\r\n")[0] and b"text/event-stream" in head.lower(), head
    return wire


@pytest.mark.parametrize("path", ["/api/v1/runs/{run}/metrics/stream", "/api/v1/experiments/digits/metrics/live"])
def test_the_same_frames_come_as_events_and_a_browser_resumes_by_itself(server, path):
    run = server.run("events")
    path = path.format(run=run)
    with events(server, path) as wire:
        time.sleep(0.2)
        log(server, run, 1, loss=0.5)
        (last, given), = read_events(wire, 10, 1)
        check_frame(given, run, {"step": 1, "loss": 0.5})
        assert last == given["seq"]
    log(server, run, 2, loss=0.25)
    server.restart()
    log(server, run, 3, loss=0.125)
    with events(server, path, last) as wire:
        found = [given["metrics"] for _, given in read_events(wire, 10, 2) if given["step"] >= 2]
        assert found == [{"step": 2, "loss": 0.25}, {"step": 3, "loss": 0.125}]


def test_a_long_poll_waits_for_what_happens_and_not_longer(server):
    run = server.run("polled")
    start = server.get("/api/v1/changes").expect(200).json
    begin = time.monotonic()
    idle = server.get(f"/api/v1/changes?since={quote(start['cursor'])}&wait=1").expect(200).json
    assert idle["changes"] == [] and 0.8 < time.monotonic() - begin < 5
    answers = []
    thread = threading.Thread(target=lambda: answers.append(
        server.get(f"/api/v1/changes?since={quote(idle['cursor'])}&wait=30", timeout=60).expect(200).json))
    thread.start()
    time.sleep(0.5)
    begin = time.monotonic()
    log(server, run, 1, loss=0.5)
    thread.join(20)
    assert time.monotonic() - begin < 3
    changes = answers[0]["changes"]
    assert any(each.get("metrics") == {"step": 1, "loss": 0.5} for each in changes), changes
    # Nothing falls between two polls.
    cursor, seen = answers[0]["cursor"], []
    for step in range(2, 30):
        log(server, run, step, loss=step)
        if step % 7 == 0:
            page = server.get(f"/api/v1/changes?since={quote(cursor)}").json
            cursor = page["cursor"]
            seen += [each["step"] for each in page["changes"] if "metrics" in each]
    page = server.get(f"/api/v1/changes?since={quote(cursor)}").json
    seen += [each["step"] for each in page["changes"] if "metrics" in each]
    assert sorted(set(seen)) == list(range(2, 30))
    assert server.get(f"/api/v1/changes?since={quote(page['cursor'])}&experiment=digits&wait=0").json["changes"] == []
    server.get("/api/v1/changes?since=nonsense").refused(400)
    server.get("/api/v1/changes?wait=10000").refused(422)


def test_two_browsers_full_of_subscribers_all_hear_everything_and_hold_up_nobody(server):
    runs = [server.run(f"run {number}") for number in range(4)]
    paths = ["/api/v1/experiments/digits/metrics/live"] * 12 + [f"/api/v1/runs/{run}/metrics/stream" for run in runs]
    with contextlib.ExitStack() as open_ones:
        streams = [open_ones.enter_context(socket(server, path)) for path in paths]
        wires = [open_ones.enter_context(events(server, "/api/v1/changes")) for _ in range(12)]
        time.sleep(0.3)
        slowest = 0
        for step in range(25):
            for run in runs:
                begin = time.monotonic()
                log(server, run, step, loss=step / 4)
                slowest = max(slowest, time.monotonic() - begin)
        assert slowest < 2
        for stream in streams[:12]:
            found = set()
            while len(found) < 100:
                given = frame(stream)
                assert "reset" not in given
                found.add((given["run_id"], given["step"]))
            assert found == {(run, step) for run in runs for step in range(25)}
        for stream, run in zip(streams[12:], runs):
            assert {each["step"] for each in frames_until(stream, 24)} == set(range(25))
        for wire in wires:
            def heard(wire=wire):
                return {(each.get("run_id"), each.get("step")) for _, each in read_events(wire, 10, 100)}
            assert {(run, 0) for run in runs} <= heard()
        # Half of the browsers leave without a word.
        for wire in wires[:6]:
            wire.vanish()
        log(server, runs[0], 99, loss=1)
        assert frame(streams[0])["step"] == 99
    wait_for("nobody following", lambda: "martlet_followers 0" in server.get("/metrics").text, 20)


def test_a_subscriber_that_does_not_read_is_told_to_start_over_and_costs_no_memory(server):
    run = server.run("deaf")
    lazy = Wire(server.port)
    lazy.send(f"GET /api/v1/runs/{run}/metrics/stream HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n\r\n")
    time.sleep(0.3)
    server.post(f"/api/v1/runs/{run}/metrics", {"metrics": {"warm": 1}, "step": 0}).expect(200)
    before = server.memory()
    for start in range(0, 100_000, 10_000):
        server.post(f"/api/v1/runs/{run}/metrics", {"series": [{
            "metric": "loss", "steps": list(range(start, start + 10_000)), "values": [0.5] * 10_000}]}).expect(200)
    time.sleep(1)
    assert server.memory() - before < 150 << 20
    server.get("/api/v1/experiments").expect(200)
    lazy.vanish()


def test_streams_of_what_is_not_there_are_refused(server):
    for path in ("/api/v1/runs/none/metrics/stream", "/api/v1/experiments/none/metrics/live"):
        try:
            with socket(server, path) as stream:
                # Where the refusal comes after the handshake, it is a frame and a close of 4404.
                assert frame(stream)["error"]["code"] == "not_found"
                with pytest.raises(ConnectionClosed) as closing:
                    stream.recv(timeout=5)
                assert closing.value.rcvd.code == 4404
        except InvalidStatus as refusal:
            assert refusal.response.status_code == 404
    run = server.run("plain")
    server.get(f"/api/v1/runs/{run}/metrics/stream").refused(426)


def test_a_stream_ends_with_the_server_and_says_so(server):
    run = server.run("ending")
    with socket(server, f"/api/v1/runs/{run}/metrics/stream") as stream:
        begin = time.monotonic()
        assert server.stop() == 0
        with pytest.raises(ConnectionClosed) as closing:
            stream.recv(timeout=5)
        assert closing.value.rcvd is not None and closing.value.rcvd.code == 1001
        assert time.monotonic() - begin < 8


@pytest.mark.parametrize("piece", [
    b"\x81\x05hello", b"\xff\xff\xff\xff", b"\x81\xff\x7f\xff\xff\xff\xff\xff\xff\xff\x00\x00\x00\x00some",
    b"\x88\x81\x00\x00\x00\x00a",
    b"\x01\x81\x00\x00\x00\x00a\x81\x81\x00\x00\x00\x00b", b"\x81\x82\x00\x00\x00\x00\xc3\x28"],
    ids=["unmasked", "noise", "huge", "short close", "interleaved", "no UTF-8"])
def test_broken_frames_end_their_own_connection_only(shared_server, piece):
    run = shared_server.run("broken frames")
    with Wire(shared_server.port) as wire:
        wire.send(
            f"GET /api/v1/runs/{run}/metrics/stream HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\n"
            "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
        assert wire.answer().status == 101
        wire.send(piece)
        assert wire.is_closed(10)
    shared_server.get("/health").expect(200)
