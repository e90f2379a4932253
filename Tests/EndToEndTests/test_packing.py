"""Packed bodies on the way in and out: what curl, browsers and exporters do, and what an attacker would."""

import gzip
import hashlib
import http.client
import json
import random
import subprocess
import zlib

import pytest

from logbooks import script

GZIP = {"Content-Encoding": "gzip"}


def deflated(data, bare=False):
    packer = zlib.compressobj(6, zlib.DEFLATED, -15 if bare else 15)
    return packer.compress(data) + packer.flush()


def test_metrics_and_logbook_lines_may_come_packed(shared_server):
    run = shared_server.run("packed", experiment="packing")
    body = json.dumps({"metrics": {f"m{index}": index / 7 for index in range(500)}, "step": 1}).encode()
    for packed, coding in [(gzip.compress(body), "gzip"), (deflated(body), "deflate"), (deflated(body, True), "deflate")]:
        shared_server.post(
            f"/api/v1/runs/{run}/metrics", packed,
            {"Content-Encoding": coding, "Content-Type": "application/json"}).expect(200, 201)
    assert shared_server.points(run, "m499") == [(1, 499 / 7)] * 3
    other = "a" * 32
    lines = "".join(line + "\n" for line in script("packed-writer", other, 300)).encode()
    answer = shared_server.post(
        "/api/v1/logbook", gzip.compress(lines), {**GZIP, "Content-Type": "application/x-ndjson"}).expect(200)
    assert answer.json["acked"] == {"packed-writer": 300}


def test_an_upload_that_comes_packed_is_stored_as_it_was(shared_server):
    run = shared_server.run("packed upload", experiment="packing")
    data = b"".join(b"%d,%d\n" % (index, index * index) for index in range(200_000))
    digest = hashlib.sha256(data).hexdigest()
    answer = shared_server.ask(
        "PUT", f"/api/v1/runs/{run}/artifacts/table.csv", gzip.compress(data), {**GZIP, "X-Content-SHA256": digest})
    artifact = answer.expect(201).json
    assert artifact["sha256"] == digest and artifact["size_bytes"] == len(data)
    target = f"/api/v1/runs/{run}/artifacts/table.csv"
    plain = shared_server.get(target).expect(200)
    assert plain.body == data and plain.headers["etag"] == f'"{digest}"' and "content-encoding" not in plain.headers
    packed = shared_server.get(target, {"Accept-Encoding": "gzip"}).expect(200)
    assert gzip.decompress(packed.body) == data and packed.headers["etag"] == f'W/"{digest}"'
    assert packed.headers["vary"] == plain.headers["vary"] == "Accept-Encoding"
    part = shared_server.get(target, {"Accept-Encoding": "gzip", "Range": "bytes=100-199"}).expect(206)
    assert part.body == data[100:200] and "content-encoding" not in part.headers
    shared_server.get(target, {"Accept-Encoding": "gzip", "If-None-Match": f'W/"{digest}"'}).expect(304)


def test_a_large_packed_upload_takes_no_memory(server):
    run = server.run("large")
    server.get("/api/v1/runs")
    noise = random.Random(5).randbytes(1 << 20).hex().encode()  # hex digits: half their size when packed
    before = server.memory()
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    packer = zlib.compressobj(1, zlib.DEFLATED, 31)
    hash_ = hashlib.sha256()

    def pieces():
        for _ in range(100):
            hash_.update(noise)
            yield packer.compress(noise)
        yield packer.flush()

    connection.request(
        "PUT", f"/api/v1/runs/{run}/artifacts/noise.txt", (piece for piece in pieces() if piece), GZIP,
        encode_chunked=True)
    answer = connection.getresponse()
    assert answer.status == 201 and json.load(answer)["sha256"] == hash_.hexdigest()
    assert server.memory("VmHWM") - before < 60 << 20


@pytest.mark.parametrize("target,method", [
    ("/api/v1/runs/{run}/artifacts/bomb.txt", "PUT"), ("/api/v1/runs/{run}/metrics", "POST"), ("/api/v1/logbook", "POST")])
def test_a_bomb_is_refused_before_it_unfolds(server, target, method):
    run = server.run("bomb")
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    bomb = b"".join(packer.compress(bytes(1 << 20)) for _ in range(500)) + packer.flush()
    before = server.memory()
    server.ask(method, target.format(run=run), bomb, GZIP).refused(413)
    assert server.memory("VmHWM") - before < 100 << 20
    assert server.unfinished_uploads() == []


@pytest.mark.parametrize("body,headers,status", [
    (b"not gzip", GZIP, 400), (gzip.compress(b'{"metrics":{"a":1}}')[:-4], GZIP, 400),
    (gzip.compress(b"{}") + b"more", GZIP, 400), (b"{}", {"Content-Encoding": "br"}, 415),
    (gzip.compress(gzip.compress(b"{}")), {"Content-Encoding": "gzip, gzip"}, 415)])
def test_what_cannot_be_unpacked_is_said(shared_server, body, headers, status):
    run = shared_server.run("unpackable", experiment="packing")
    for method, target in [("POST", f"/api/v1/runs/{run}/metrics"), ("PUT", f"/api/v1/runs/{run}/artifacts/x.txt")]:
        answer = shared_server.ask(method, target, body, headers).refused(status)
        if status == 415:
            assert answer.headers["accept-encoding"] == "zstd, gzip, deflate"


def test_curl_takes_every_answer_packed(shared_server):
    for index in range(30):
        shared_server.run(f"listed {index}", experiment="packing")
    address = f"{shared_server.address}/api/v1/experiments/packing/runs"
    plain = shared_server.get("/api/v1/experiments/packing/runs").expect(200)
    for coding, flag in [("zstd", "Accept-Encoding: zstd, gzip;q=0.5"), ("gzip", "Accept-Encoding: gzip")]:
        done = subprocess.run(
            ["curl", "--silent", "--compressed", "--include", "--header", flag, address], capture_output=True, timeout=30)
        head, _, body = done.stdout.partition(b"\r\n\r\n")
        assert f"content-encoding: {coding}".encode() in head.lower(), head
        assert json.loads(body)["runs"] == plain.json["runs"]
    small = shared_server.get("/health", {"Accept-Encoding": "gzip"}).expect(200)
    assert "content-encoding" not in small.headers
    page = shared_server.get("/docs", {"Accept-Encoding": "gzip, deflate, br, zstd"}).expect(200)
    assert page.headers["content-encoding"] == "zstd" and len(page.body) < 100_000
