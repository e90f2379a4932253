"""What a client may do wrong, byte by byte: each fault has one clear answer, and the server goes on."""

import hashlib
import os
import random
import signal
import socket
import threading
import time

import pytest

from asking import Wire
from serving import wait_for

HEAD = "GET /api/v1/experiments HTTP/1.1\r\nHost: localhost\r\n"


def put(run, path, length):
    """The head of an upload."""
    return f"PUT /api/v1/runs/{run}/artifacts/{path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {length}\r\n\r\n"


def one(server, text, timeout=20, patience=2):
    """Sends bytes; gives the answer (None when the connection just ends) and whether the connection is then over."""
    with Wire(server.port, timeout) as wire:
        try:
            wire.send(text)
        except OSError:
            pass  # refused before everything was sent
        answer = wire.answer()
        return answer, wire.is_closed(patience)


@pytest.fixture(autouse=True)
def still_answers(request, shared_server):
    yield
    if "server" not in request.fixturenames and "start_server" not in request.fixturenames:
        shared_server.get("/health", timeout=10).expect(200)


# MARK: Heads

@pytest.mark.parametrize("bomb", [
    "X-Bomb: " + "a" * 60_000 + "\r\n",
    "".join(f"X-{number}: a\r\n" for number in range(1000)),
    "".join(f"X-{number}: {'a' * 200}\r\n" for number in range(150)),
    "Cookie: " + "; ".join(f"a{number}=b" for number in range(20_000)) + "\r\n",
], ids=["one long", "a thousand", "many and long", "cookies"])
def test_headers_that_are_too_much_are_refused(shared_server, bomb):
    answer, closed = one(shared_server, HEAD + bomb + "\r\n")
    assert answer is not None and answer.status == 431, answer
    assert closed


def test_an_address_that_is_too_long_is_refused(shared_server):
    answer, closed = one(shared_server, f"GET /{'a' * 70_000} HTTP/1.1\r\nHost: localhost\r\n\r\n")
    assert answer is not None and answer.status in (414, 431), answer
    assert closed


@pytest.mark.parametrize("head", [
    "POST /api/v1/experiments HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n"
    "0\r\n\r\nGET /health HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "POST /api/v1/experiments HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\nContent-Length: 40\r\n\r\n"
    "GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "POST /api/v1/experiments HTTP/1.1\r\nHost: localhost\r\nContent-Length: +3\r\n\r\nabc",
    "POST /api/v1/experiments HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999999999999999999\r\n\r\n",
    "POST /api/v1/experiments HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n",
    "GET /health HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n\r\n",
    "GET /health HTTP/1.1\r\n\r\n",
    "GET /health HTTP/1.1\r\nHost : localhost\r\n\r\n",
    "GET /health HTTP/1.1\r\nHost: localhost\r\nX-\x01: a\r\n\r\n",
], ids=["length and encoding", "two lengths", "signed length", "huge length", "unknown encoding", "two hosts",
        "no host", "space before colon", "control character"])
def test_a_head_that_two_parsers_would_read_differently_is_refused_and_the_connection_ended(shared_server, head):
    answer, closed = one(shared_server, head)
    # Some of it already fails in the parser below ours, which may hang up without a word.
    # A length beyond all numbers may also be called too long.
    assert answer is None or answer.status in (400, 413), answer
    assert closed, "what follows on this connection might be another request's"


def test_a_slow_head_and_a_slow_body_are_ended_in_their_time_and_hold_up_nobody(shared_server):
    # Together, since each takes as long as its limit: 15 s for a head, 1 KiB/s for a body after a grace of 15 s.
    ends = {}

    def trickle(name, start, every):
        begin = time.monotonic()
        with Wire(shared_server.port, 60) as wire:
            wire.send(start)
            wire.socket.settimeout(every)
            while time.monotonic() - begin < 50:
                try:
                    if not wire.more():
                        break
                except TimeoutError:
                    pass
                try:
                    wire.send("a")
                except OSError:
                    break
            ends[name] = time.monotonic() - begin

    run = shared_server.run("slow")
    threads = [
        threading.Thread(target=trickle, args=("head", HEAD + "X-Slow: ", 0.5)),
        threading.Thread(target=trickle, args=("silent", "", 100)),
        threading.Thread(target=trickle, args=(
            "body", f"PUT /api/v1/runs/{run}/artifacts/slow.bin HTTP/1.1\r\nHost: localhost\r\n"
            "Content-Length: 100000\r\n\r\n", 0.5)),
    ]
    # `silent` says nothing at all: its first read ends when the server hangs up.
    for thread in threads:
        thread.start()
    slowest = 0
    while any(thread.is_alive() for thread in threads[:1]):
        begin = time.monotonic()
        shared_server.get("/api/v1/experiments").expect(200)
        slowest = max(slowest, time.monotonic() - begin)
        time.sleep(0.2)
    for thread in threads:
        thread.join(60)
    assert 10 < ends["head"] < 20, ends
    assert ends["silent"] < 20, ends
    assert ends["body"] < 35, ends
    assert slowest < 2, slowest


# MARK: Bodies

@pytest.mark.parametrize("path", ["experiments", "runs/{run}/metrics", "runs/{run}/params", "runs/{run}/tags",
                                  "experiments/deep/runs"])
def test_json_a_hundred_thousand_levels_deep_is_400(shared_server, path):
    run = shared_server.run("deep", experiment="deep")
    for opening, closing in (("[", "]"), ('{"a":', "}")):
        body = opening * 100_000 + "1" + closing * 100_000
        answer = shared_server.post(
            f"/api/v1/{path.format(run=run)}", body, {"Content-Type": "application/json"})
        answer.refused(400)
        body = '{"name":"x","other":' + opening * 100_000
        shared_server.post(f"/api/v1/{path.format(run=run)}", body, {"Content-Type": "application/json"}).refused(400)


def test_a_body_of_nine_megabytes_is_413_however_its_length_is_told(shared_server):
    body = b'{"name":"' + b"a" * 9_000_000 + b'"}'
    try:
        shared_server.post("/api/v1/experiments", body, {"Content-Type": "application/json"}).refused(413)
    except (BrokenPipeError, ConnectionResetError):
        pytest.fail("a client that sends on must be able to read the refusal")
    with Wire(shared_server.port) as wire:
        wire.send("POST /api/v1/experiments HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                  "Transfer-Encoding: chunked\r\n\r\n")
        piece = b"a" * 65536
        try:
            for _ in range(9_000_000 // 65536 + 1):
                wire.send(b"10000\r\n" + piece + b"\r\n")
            wire.send("0\r\n\r\n")
        except OSError:
            pass
        answer = wire.answer()
        assert answer is not None and answer.status == 413, answer
    with Wire(shared_server.port) as wire:
        wire.send("POST /api/v1/experiments HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                  "Content-Length: 9000000\r\nExpect: 100-continue\r\n\r\n")
        answer = wire.answer()
        assert answer is not None and answer.status == 413, "refused before a byte of it was sent"


@pytest.mark.parametrize("body", [
    b"", b"\xff\xfe\x00", b'{"name": "a', b'{"name": "\xc3\x28"}', b'"text"', b"nul", b'{"name": "a"} b',
    b'{"name": "\\ud800"}', b'{"name": 1e999}', b'{"name": ["a"]}', b"[]", b'{"name": "a\x00b"}'])
def test_a_body_that_is_wrong_is_refused_and_never_a_failure_of_the_server(shared_server, body):
    for path in ("experiments", "projects", "runs/search", "runs/none/metrics", "logbook"):
        answer = shared_server.post(f"/api/v1/{path}", body, {"Content-Type": "application/json"})
        assert answer.status < 500, answer
        if answer.status >= 400:
            answer.refused(answer.status)


def test_a_body_of_another_type_is_415(shared_server):
    shared_server.post("/api/v1/experiments", b"<name>a</name>", {"Content-Type": "application/xml"}).refused(415)


@pytest.mark.parametrize("chunks", [
    "zz\r\nabc\r\n0\r\n\r\n", "-1\r\nabc\r\n0\r\n\r\n", "ffffffffffffffffff\r\nabc", "3\r\nabcdef\r\n0\r\n\r\n"])
def test_broken_chunks_are_refused(shared_server, chunks):
    answer, closed = one(
        shared_server, "POST /api/v1/experiments HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        "Transfer-Encoding: chunked\r\n\r\n" + chunks)
    assert answer is None or answer.status in (400, 413), answer
    assert closed


def test_noise_is_no_reason_to_fall(shared_server):
    seed = 11
    chance = random.Random(seed)
    words = [b"GET ", b"POST ", b"/api/v1/runs", b" HTTP/1.1\r\n", b"Host: localhost\r\n", b"\r\n",
             b"Content-Length: 5\r\n", b"Transfer-Encoding: chunked\r\n", b"%00", b"\x00", b"\xff",
             b"Upgrade: websocket\r\nConnection: Upgrade\r\n",
             b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"\x16\x03\x01\x02\x00\x01"]
    for round_ in range(200):
        noise = b"".join(
            chance.choice(words) if chance.random() < 0.7 else chance.randbytes(chance.randint(1, 60))
            for _ in range(chance.randint(1, 12)))
        try:
            with Wire(shared_server.port, 0.05) as wire:
                wire.send(noise)
                while wire.more():
                    pass
        except (OSError, TimeoutError):
            pass
        assert shared_server.is_running, f"seed {seed}, round {round_}: {noise!r}\n{shared_server.log[-3000:]}"


# MARK: Clients that come and go

def test_a_client_that_vanishes_in_the_middle_of_an_upload_leaves_no_file(server):
    run = server.run("vanishing")
    for leave in ("vanish", "close", "vanish", *["close"] * 9):
        wire = Wire(server.port)
        wire.send(put(run, "big.bin", 50_000_000))
        for _ in range(50):
            wire.send(b"x" * 65536)
        wait_for("a file that grows", server.unfinished_uploads, 10)
        getattr(wire, leave)()
        wait_for(f"no file after {leave}", lambda: not server.unfinished_uploads(), 10)
    assert server.get(f"/api/v1/runs/{run}/artifacts").json["artifacts"] == []


def test_what_an_upload_leaves_when_the_server_is_killed_is_cleared_away_in_time(server):
    run = server.run("killed")
    with Wire(server.port) as wire:
        wire.send(put(run, "big.bin", 50_000_000))
        for _ in range(50):
            wire.send(b"x" * 65536)
        wait_for("a file that grows", server.unfinished_uploads, 10)
        server.kill()
    left = server.unfinished_uploads()
    assert left
    for path in left:
        os.utime(path, (time.time() - 3 * 86_400,) * 2)
    server.start()
    wait_for("an empty folder of unfinished uploads", lambda: not server.unfinished_uploads(), 10)


def test_five_hundred_idle_connections_hold_up_nobody(server):
    before = server.memory()
    wires = [Wire(server.port) for _ in range(500)]
    try:
        # Half of them have asked something and are kept, half have said nothing yet.
        for wire in wires[:250]:
            wire.send("GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n")
        for wire in wires[:250]:
            assert wire.answer().status == 200
        begin = time.monotonic()
        for _ in range(20):
            server.get("/api/v1/experiments").expect(200)
        assert time.monotonic() - begin < 5
        assert server.memory() - before < 100 << 20
        begin = time.monotonic()
        assert server.stop() == 0
        assert time.monotonic() - begin < 5, "idle connections wait for nothing"
    finally:
        for wire in wires:
            wire.close()


def test_sigterm_lets_requests_in_flight_finish_and_ends_with_0(server):
    run = server.run("in flight")
    upload = Wire(server.port)
    upload.send(put(run, "half.bin", 131_072))
    upload.send(b"x" * 65536)
    body = b'{"metrics":{"loss":0.5},"step":1}'
    metrics = Wire(server.port)
    metrics.send(f"POST /api/v1/runs/{run}/metrics HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                 f"Content-Length: {len(body)}\r\n\r\n")
    metrics.send(body[:10])
    poll = Wire(server.port)
    poll.send("GET /api/v1/changes?wait=50 HTTP/1.1\r\nHost: localhost\r\n\r\n")
    events = Wire(server.port)
    events.send("GET /api/v1/changes HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n\r\n")
    time.sleep(0.5)
    begin = time.monotonic()
    server.process.send_signal(signal.SIGTERM)
    time.sleep(0.3)
    with pytest.raises(OSError):
        # Nobody new is let in.
        fresh = Wire(server.port, 2)
        fresh.send("GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n")
        if fresh.answer() is None:
            raise ConnectionResetError
    upload.send(b"x" * 65536)
    metrics.send(body[10:])
    assert upload.answer().status == 201
    assert metrics.answer().status == 200
    answer = poll.answer()
    assert answer is None or answer.status in (200, 503), answer
    assert events.answer().status == 200
    assert server.process.wait(20) == 0
    assert time.monotonic() - begin < 15
    for wire in (upload, metrics, poll, events):
        wire.close()
    server.start()
    assert server.points(run, "loss") == [(1, 0.5)]
    assert server.get(f"/api/v1/runs/{run}/artifacts/half.bin").body == b"x" * 131072


def test_sigterm_while_it_works_hard_loses_nothing_that_was_answered(server):
    run = server.run("hard")
    answered = []
    ended = threading.Event()

    def log(name):
        for step in range(100_000):
            if ended.is_set():
                return
            try:
                if server.post(f"/api/v1/runs/{run}/metrics", {"metrics": {name: step}, "step": step}).status == 200:
                    answered.append((name, step))
            except OSError:
                return

    threads = [threading.Thread(target=log, args=(f"m{number}",)) for number in range(8)]
    for thread in threads:
        thread.start()
    time.sleep(1)
    code = server.stop()
    ended.set()
    for thread in threads:
        thread.join(30)
    assert code == 0, server.log[-3000:]
    server.start()
    for number in range(8):
        steps = {step for step, _ in server.points(run, f"m{number}")}
        assert {step for name, step in answered if name == f"m{number}"} <= steps
    assert len(answered) > 50


# MARK: Host and Origin

@pytest.mark.parametrize("host, allowed", [
    ("localhost", True), ("127.0.0.1", True), ("[::1]", True), ("LOCALHOST:9", True), (socket.gethostname(), True),
    ("evil.example", False), ("localhost.evil.example", False), ("127.0.0.1.evil.example", False), ("", False)])
def test_only_names_of_this_machine_are_answered(shared_server, host, allowed):
    answer, _ = one(shared_server, f"GET /api/v1/experiments HTTP/1.1\r\nHost: {host}\r\n\r\n", patience=0)
    if allowed:
        assert answer.status == 200, answer
    else:
        assert answer.status in (400, 403), answer
        if answer.status == 403:
            answer.refused(403, "--allowed-hosts")
    # A probe may use any name.
    if host:
        answer, _ = one(shared_server, f"GET /health HTTP/1.1\r\nHost: {host}\r\n\r\n", patience=0)
        assert answer.status == 200


def test_allowed_hosts_are_answered(start_server):
    server = start_server("--allowed-hosts", "lab.example.org,*.inner.example")
    for host, status in (("lab.example.org", 200), ("a.inner.example:80", 200), ("evil.example", 403)):
        answer, _ = one(server, f"GET /api/v1/experiments HTTP/1.1\r\nHost: {host}\r\n\r\n", patience=0)
        assert answer.status == status, host


def test_a_foreign_page_may_change_nothing(shared_server):
    own = f"http://localhost:{shared_server.port}"
    body = {"name": "by a page"}

    def post(headers):
        return shared_server.post(
            "/api/v1/experiments", body, {"Host": f"localhost:{shared_server.port}", **headers}).status

    assert post({"Origin": own}) in (200, 201)
    assert post({"Origin": "http://evil.example"}) == 403
    assert post({"Origin": "null"}) == 403
    assert post({"Origin": "http://localhost:1"}) == 403
    assert post({"Sec-Fetch-Site": "cross-site"}) == 403
    assert post({"Sec-Fetch-Site": "same-origin", "Origin": own}) in (200, 201)
    shared_server.post("/api/v1/experiments", body, {"Origin": "http://evil.example"}).refused(403, "--cors-origin")
    answer = shared_server.get("/api/v1/experiments", {"Origin": "http://evil.example"}).expect(200)
    assert not [name for name in answer.headers if name.startswith("access-control")]
    run = shared_server.run("by a page")
    answer, _ = one(
        shared_server, f"GET /api/v1/runs/{run}/metrics/stream HTTP/1.1\r\nHost: localhost\r\n"
        "Origin: http://evil.example\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
    assert answer.status == 403


def test_an_origin_that_the_operator_named_is_let_in(start_server):
    server = start_server("--cors-origin", "https://board.example")
    answer = server.post("/api/v1/experiments", {"name": "a"}, {"Origin": "https://board.example"})
    assert answer.expect(201).headers["access-control-allow-origin"] == "https://board.example"
    server.post("/api/v1/experiments", {"name": "a"}, {"Origin": "https://other.example"}).expect(403)
    preflight = server.ask("OPTIONS", "/api/v1/experiments", headers={
        "Origin": "https://board.example", "Access-Control-Request-Method": "POST"})
    assert preflight.expect(204).headers["access-control-allow-origin"] == "https://board.example"


# MARK: Methods, ranges, paths

@pytest.fixture(scope="module")
def stored(session_server):
    run = session_server.run("stored", experiment="ranges")
    body = bytes(range(256)) * 40
    put = session_server.ask("PUT", f"/api/v1/runs/{run}/artifacts/data/numbers.bin", body).expect(201)
    return run, f"/api/v1/runs/{run}/artifacts/data/numbers.bin", body, put


def test_head_is_get_without_the_body(shared_server, stored):
    for target in (stored[1], "/api/v1/experiments", "/health", "/docs", "/openapi.json", "/metrics"):
        get = shared_server.get(target).expect(200)
        with Wire(shared_server.port) as wire:
            for request in (f"HEAD {target}", "GET /version"):
                wire.send(f"{request} HTTP/1.1\r\nHost: localhost\r\n\r\n")
            while b"\r\n\r\n" not in wire.buffer:
                assert wire.more()
            head, _, wire.buffer = wire.buffer.partition(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 200"), target
            lines = {line.split(b":")[0].lower() for line in head.split(b"\r\n")[1:]}
            assert {b"content-type"} <= lines
            # Nothing of a body stands between this answer and the next one.
            assert wire.answer().json["name"] == "martlet", target
        assert shared_server.ask("HEAD", target).headers["content-type"] == get.headers["content-type"]
    assert shared_server.ask("HEAD", stored[1]).headers["content-length"] == str(len(stored[2]))
    assert shared_server.ask("HEAD", "/api/v1/runs/none").status == 404


@pytest.mark.parametrize("wanted, status, piece", [
    ("bytes=0-9", 206, slice(0, 10)), ("bytes=100-", 206, slice(100, None)), ("bytes=-5", 206, slice(-5, None)),
    ("bytes=10239-", 206, slice(10239, None)), ("bytes=0-99999", 206, slice(None)), ("bytes=10240-", 416, None),
    ("bytes=5-1", 200, slice(None)), ("lines=0-1", 200, slice(None)), ("bytes=a-b", 200, slice(None))])
def test_ranges_give_exactly_their_bytes(shared_server, stored, wanted, status, piece):
    answer = shared_server.get(stored[1], {"Range": wanted}).expect(status)
    if piece is None:
        assert answer.headers["content-range"] == "bytes */10240"
    else:
        assert answer.body == stored[2][piece]
    if status == 206:
        assert answer.headers["content-range"].endswith("/10240")


def test_an_etag_is_the_sha_256_and_saves_the_second_transfer(shared_server, stored):
    answer = shared_server.get(stored[1]).expect(200)
    tag = answer.headers["etag"]
    assert tag == f'"{hashlib.sha256(stored[2]).hexdigest()}"'
    assert shared_server.get(stored[1], {"If-None-Match": tag}).expect(304).body == b""
    assert shared_server.get(stored[1], {"If-None-Match": '"other"'}).expect(200).body == stored[2]
    assert shared_server.get(stored[1], {"If-Range": tag, "Range": "bytes=0-1"}).expect(206).body == stored[2][:2]
    assert shared_server.get(stored[1], {"If-Range": '"other"', "Range": "bytes=0-1"}).expect(200).body == stored[2]


def test_stored_bytes_cannot_run_in_a_browser(shared_server):
    run = shared_server.run("page", experiment="ranges")
    target = f"/api/v1/runs/{run}/artifacts/page.html"
    shared_server.ask("PUT", target, b"<script>alert(1)</script>").expect(201)
    answer = shared_server.get(target).expect(200)
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "sandbox" in answer.headers["content-security-policy"]
    assert answer.headers["content-disposition"].startswith("attachment")
    target = f"/api/v1/runs/{run}/artifacts/odd%22%0d%0aX-Evil:%201.txt"
    answer = shared_server.ask("PUT", target, b"odd")
    assert answer.status < 500
    if answer.status == 201:
        assert "x-evil" not in shared_server.get(target).headers


@pytest.mark.parametrize("path", [
    "..%2f..%2f..%2fetc%2fpasswd", "..%2fmartlet.db", "a%2f..%2f..%2fb", "%2e%2e/%2e%2e/martlet.db", "../../martlet.db",
    "..%5c..%5cmartlet.db", "%2fetc%2fpasswd", "a%00b", ".", "..", "a/./b", "a//b", "%252e%252e%252fb", "a%ff"])
def test_a_path_never_leads_out_of_its_run(server, path):
    run = server.run("paths")
    before = {each for each in server.folder.parent.rglob("*") if "artifacts" not in each.parts}
    target = f"/api/v1/runs/{run}/artifacts/{path}"
    with Wire(server.port) as wire:
        wire.send(f"GET {target} HTTP/1.1\r\nHost: localhost\r\n\r\n")
        answer = wire.answer()
    assert 400 <= answer.status < 500, answer
    assert b"root:" not in answer.body and b"SQLite format" not in answer.body
    with Wire(server.port) as wire:
        wire.send(f"PUT {target} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\n\r\nevil")
        answer = wire.answer()
    assert answer.status in (201, 400, 404, 405, 422), answer
    if answer.status == 201:
        stored = answer.json["path"]
        assert ".." not in stored.split("/") and not stored.startswith("/"), stored
    after = {each for each in server.folder.parent.rglob("*") if "artifacts" not in each.parts}
    assert {each.name for each in after - before} <= {"martlet.db-wal", "martlet.db-shm", "write.lock"}


@pytest.mark.parametrize("method", ["TRACE", "CONNECT", "PROPFIND", "FOO", "get", "G" * 5000])
def test_a_method_that_is_not_there_is_refused(shared_server, method):
    answer, _ = one(shared_server, f"{method} /api/v1/experiments HTTP/1.1\r\nHost: localhost\r\n\r\n")
    assert answer is None or answer.status in (400, 405, 414, 431, 501), answer


def test_a_wrong_method_names_the_right_ones(shared_server):
    answer = shared_server.ask("DELETE", "/api/v1/experiments").refused(405)
    assert {"GET", "POST"} <= set(answer.headers["allow"].replace(" ", "").split(","))


def test_every_answer_has_an_id_that_the_log_has_too(server):
    answer = server.get("/api/v1/runs/none").refused(404)
    id_ = answer.headers["x-request-id"]
    assert answer.error["request_id"] == id_
    wait_for("the line in the log", lambda: id_ in server.log, 5)
    with Wire(server.port) as wire:
        wire.send("GET /api/v1/runs/none%0afaked%1b[31m HTTP/1.1\r\nHost: localhost\r\nX-Request-ID: mine\r\n\r\n")
        wire.answer()
    time.sleep(0.3)
    assert "\nfaked" not in server.log and "\x1b[31m" not in server.log
