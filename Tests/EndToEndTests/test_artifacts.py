"""Files: up and down in constant memory, checked by content, stored once, and gone when they are deleted."""

import csv
import hashlib
import http.client
import io
import json
import os
import threading
import time

import pytest

from serving import martlet, wait_for

MIB = 1 << 20
BLOCK = hashlib.sha256(b"seed").digest() * (MIB // 32)


def blocks(count):
    """So many MiB, no two alike, without keeping them."""
    for number in range(count):
        yield number.to_bytes(8, "little") + BLOCK[8:]


def digest_of(count):
    digest = hashlib.sha256()
    for block in blocks(count):
        digest.update(block)
    return digest.hexdigest()


class MemoryWatch(threading.Thread):
    """The most memory that a server takes while it is watched."""

    def __init__(self, server):
        super().__init__(daemon=True)
        self.server, self.most, self.ended = server, 0, threading.Event()
        self.before = server.memory()

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.ended.set()
        self.join()

    def run(self):
        while not self.ended.is_set():
            self.most = max(self.most, self.server.memory())
            time.sleep(0.02)

    @property
    def growth(self):
        return self.most - self.before


def up_and_down(server, mib, totals):
    run = server.run("large")
    target = f"/api/v1/runs/{run}/artifacts/models/large.bin"
    digest = digest_of(mib)
    begin = time.monotonic()
    with MemoryWatch(server) as watch:
        answer = server.ask("PUT", target, blocks(mib), {
            "Content-Length": str(mib * MIB), "X-Content-SHA256": digest}, timeout=600).expect(201)
    up = time.monotonic() - begin
    assert answer.json["sha256"] == digest and answer.json["size_bytes"] == mib * MIB
    grown_up = watch.growth
    begin = time.monotonic()
    found = hashlib.sha256()
    with MemoryWatch(server) as watch:
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=600)
        connection.request("GET", target)
        response = connection.getresponse()
        assert response.status == 200
        while piece := response.read(MIB):
            found.update(piece)
        connection.close()
    assert found.hexdigest() == digest
    totals(f"artifact of {mib} MiB: up {mib / up:,.0f} MiB/s, down {mib / (time.monotonic() - begin):,.0f} MiB/s, the "
           f"server grew by {grown_up >> 20} and {watch.growth >> 20} MiB")
    assert grown_up < 64 * MIB and watch.growth < 64 * MIB
    return target


def test_two_hundred_megabytes_go_up_and_down_in_flat_memory(server, totals):
    up_and_down(server, 200, totals)


@pytest.mark.slow
def test_ten_gigabytes_go_up_and_down_in_flat_memory(server, totals):
    target = up_and_down(server, 10 * 1024, totals)
    answer = server.get(target, {"Range": f"bytes={9 * 1024 * MIB}-{9 * 1024 * MIB + 7}"}).expect(206)
    assert answer.body == (9 * 1024).to_bytes(8, "little")


def test_an_upload_with_a_wrong_checksum_is_refused_and_leaves_nothing(server):
    run = server.run("wrong")
    target = f"/api/v1/runs/{run}/artifacts/a.bin"
    right = hashlib.sha256(b"bytes").hexdigest()
    wrong = hashlib.sha256(b"other").hexdigest()
    server.ask("PUT", target, b"bytes", {"X-Content-SHA256": wrong}).refused(422, right)
    server.ask("PUT", target, b"bytes", {"X-Content-SHA256": "no digest"}).refused(422)
    server.get(target).refused(404)
    assert not server.unfinished_uploads()
    server.ask("PUT", target, b"bytes", {"X-Content-SHA256": right}).expect(201)
    server.ask("PUT", target, b"bytes", {"X-Content-SHA256": right.upper()}).expect(201)


def form(*parts):
    """A form as browsers and curl send it."""
    boundary = "----e2e"
    body = b""
    for name, value, filename in parts:
        disposition = f'form-data; name="{name}"' + (f'; filename="{filename}"' if filename else "")
        body += f"--{boundary}\r\nContent-Disposition: {disposition}\r\n\r\n".encode() + value + b"\r\n"
    return body + f"--{boundary}--\r\n".encode(), {"Content-Type": f"multipart/form-data; boundary={boundary}"}


def test_files_come_as_a_form_or_as_the_plain_body(server):
    run = server.run("forms")
    base = f"/api/v1/runs/{run}/artifacts"
    answer = server.post(base, *form(("file", b"one", "one.txt"))).expect(201).json
    assert answer["path"] == "one.txt"
    answer = server.post(base, *form(
        ("path", b"models/best.bin", ""), ("type", b"model", ""), ("file", b"\r\n--two\r\n", "x.bin"))).expect(201).json
    assert (answer["path"], answer["type"]) == ("models/best.bin", "model")
    answer = server.post(base, *form(
        ("path", b"both", ""), ("file", b"a", "a.txt"), ("file", b"b", "b.txt"))).expect(201).json
    assert [each["path"] for each in answer["artifacts"]] == ["both/a.txt", "both/b.txt"]
    server.ask("PUT", f"{base}/raw%20name.txt?type=report", b"raw").expect(201)
    server.ask("PUT", f"{base}/empty", b"").expect(201)
    listed = server.get(base).expect(200).json["artifacts"]
    assert {each["path"]: each["size_bytes"] for each in listed} == {
        "one.txt": 3, "models/best.bin": 9, "both/a.txt": 1, "both/b.txt": 1, "raw name.txt": 3, "empty": 0}
    assert server.get(f"{base}/models/best.bin").body == b"\r\n--two\r\n"
    assert server.get(f"{base}/raw%20name.txt").body == b"raw"
    assert server.get(f"{base}/empty").expect(200).body == b""
    server.post(base, *form(("path", b"x", ""))).refused(422)
    body, headers = form(("file", b"cut", "cut.txt"))
    server.post(base, body[:-12], headers).refused(400)
    assert not server.unfinished_uploads()


def test_the_command_line_puts_and_gets_files(server, tmp_path):
    run = server.run("cli files")
    folder = tmp_path / "out"
    (folder / "deep").mkdir(parents=True)
    (folder / "a.bin").write_bytes(bytes(range(256)) * 1000)
    (folder / "deep" / "b.txt").write_text("b")
    for uri in (server.address, server.folder):
        put = martlet(
            "log", "artifact", run, folder / "a.bin", "--as", "m/a.bin", "--type", "model", uri=uri, home=tmp_path)
        assert put.returncode == 0, put.stderr
        got = tmp_path / "got.bin"
        get = martlet("artifacts", "get", run, "m/a.bin", "-o", got, uri=uri, home=tmp_path)
        assert get.returncode == 0, get.stderr
        assert got.read_bytes() == bytes(range(256)) * 1000
        got.unlink()
    whole = martlet("log", "artifact", run, folder, uri=server.folder, home=tmp_path)
    assert whole.returncode == 0, whole.stderr
    paths = [each["path"] for each in server.get(f"/api/v1/runs/{run}/artifacts").json["artifacts"]]
    assert any(path.endswith("deep/b.txt") for path in paths), paths
    missing = martlet("artifacts", "get", run, "m/b.bin", uri=server.folder, home=tmp_path)
    assert missing.returncode == 3 and "m/a.bin" in missing.stderr, missing.stderr


def stored_files(server):
    folder = server.folder / "artifacts"
    return [path for path in folder.rglob("*") if path.is_file() and "trash" not in path.parts]


def test_the_same_bytes_are_stored_once_and_are_there_until_their_last_use_is_deleted(server):
    runs = [server.run(f"twin {number}") for number in range(2)]
    for run in runs:
        for name in ("a.bin", "b.bin"):
            server.ask("PUT", f"/api/v1/runs/{run}/artifacts/{name}", b"twins" * 1000).expect(201)
    assert len(stored_files(server)) == 1
    gone = server.ask("DELETE", f"/api/v1/runs/{runs[0]}/artifacts/a.bin").expect(200).json
    assert gone["deleted"] == 1
    server.get(f"/api/v1/runs/{runs[0]}/artifacts/a.bin").refused(404)
    assert server.get(f"/api/v1/runs/{runs[1]}/artifacts/a.bin").expect(200).body == b"twins" * 1000
    server.ask("DELETE", f"/api/v1/runs/{runs[0]}/artifacts/a.bin").refused(404)


def test_bytes_that_nothing_refers_to_go_in_time_and_the_log_says_how_many(server):
    run = server.run("short-lived")
    server.ask("PUT", f"/api/v1/runs/{run}/artifacts/kept.bin", b"kept").expect(201)
    server.ask("PUT", f"/api/v1/runs/{run}/artifacts/gone.bin", b"gone").expect(201)
    server.ask("DELETE", f"/api/v1/runs/{run}").expect(204)
    server.post(f"/api/v1/runs/{run}/restore", {}).expect(200)
    server.ask("DELETE", f"/api/v1/runs/{run}/artifacts/gone.bin").expect(200)
    assert len(stored_files(server)) == 2, "bytes are not taken away under anybody's hands"
    assert server.stop() == 0
    # Two days later: the file's age is told by its own time.
    for path in stored_files(server):
        os.utime(path, (time.time() - 3 * 86_400,) * 2)
    server.start()
    assert server.get(f"/api/v1/runs/{run}/artifacts/kept.bin").expect(200).body == b"kept"
    check = martlet("fsck", "--read", uri=server.folder, home=server.home)
    assert check.returncode == 0, check.stdout


def test_a_reference_is_recorded_and_never_opened(server):
    run = server.run("references")
    base = f"/api/v1/runs/{run}/artifacts"
    for location in ("file:///etc/passwd", "/etc/passwd", "http://169.254.169.254/latest", "s3://bucket/model.pkl"):
        name = "ref" + str(abs(hash(location)))
        server.post(base, {"name": name, "path": location}).expect(201)
        answer = server.get(f"{base}/{name}")
        answer.refused(409, location)
        assert "root:" not in answer.text


def test_a_second_upload_to_a_path_is_what_is_read(server):
    run = server.run("versions")
    target = f"/api/v1/runs/{run}/artifacts/model.bin"
    first = server.ask("PUT", target, b"first").expect(201)
    second = server.ask("PUT", target, b"second").expect(201)
    assert first.json["sha256"] != second.json["sha256"]
    assert server.get(target).body == b"second"
    assert len(server.get(f"/api/v1/runs/{run}/artifacts").json["artifacts"]) == 1


def test_many_uploads_at_once_are_all_whole(server):
    run = server.run("at once")
    faults = []

    def put(number):
        body = bytes([number]) * (MIB + number)
        try:
            answer = server.ask("PUT", f"/api/v1/runs/{run}/artifacts/{number}.bin", body)
            assert answer.status == 201, answer
            assert server.get(f"/api/v1/runs/{run}/artifacts/{number}.bin").body == body
        except Exception as error:
            faults.append(repr(error))

    threads = [threading.Thread(target=put, args=(number,)) for number in range(24)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert faults == []
    assert len(server.get(f"/api/v1/runs/{run}/artifacts").json["artifacts"]) == 24
    wait_for("an empty folder of unfinished uploads", lambda: not server.unfinished_uploads(), 5)


def test_the_command_line_shows_who_made_and_used_a_named_artifact(server, tmp_path):
    maker, user = server.run("maker"), server.run("user")
    versions = "/api/v1/projects/default/artifacts/spam-model/versions"
    for weights in (b"weights", b"better weights"):
        server.ask("PUT", f"/api/v1/runs/{maker}/artifacts/model.bin", weights).expect(201)
        server.post(versions, {"run": maker, "path": "model.bin", "aliases": ["production"]}).expect(200, 201)
    server.post(f"/api/v1/runs/{user}/inputs", {"artifact": "spam-model:1"}).expect(201)

    def lineage(what, *options, code=0, uri=server.address):
        done = martlet("artifacts", "lineage", what, *options, uri=uri, home=tmp_path)
        assert done.returncode == code, done.stderr
        return done

    def rows(done):
        return list(csv.DictReader(io.StringIO(done.stdout)))

    # By server and, beside it, by folder: the same words.
    for uri in (server.address, server.folder):
        used = rows(lineage("spam-model:1", "--csv", uri=uri))
        assert [(row["Run"], row["Role"], row["Name"]) for row in used] == [
            ("run_01", "output", "maker"), ("run_02", "input", "user")]
        assert all(row["Experiment"] == "digits" for row in used)
        # By alias, and the newest.
        for what in ("spam-model:production", "spam-model:"):
            newest = rows(lineage(what, "--csv", uri=uri))
            assert [(row["Run"], row["Role"]) for row in newest] == [("run_01", "output")]
        made = rows(lineage("run_01", "--experiment", "digits", "--csv", uri=uri))
        assert [(row["Role"], row["Artifact"], row["Version"]) for row in made] == [
            ("output", "spam-model", "1"), ("output", "spam-model", "2")]
        of_user = json.loads(lineage(user, "--json", uri=uri).stdout)
        assert of_user["outputs"] == [] and of_user["inputs"][0]["artifact"]["version"] == 1
        table = lineage("spam-model:1", uri=uri).stdout
        assert "run_02" in table and "input" in table
        assert "spam-model" in lineage("spam-modle:1", code=3, uri=uri).stderr, "it says which name there is"
        lineage("spam-model:9", code=3, uri=uri)
    server.run("idle")
    assert "no named artifact" in lineage("run_03", "-e", "digits").stderr
