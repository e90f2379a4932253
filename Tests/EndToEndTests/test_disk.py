"""Disks that are full, read-only or damaged, and clocks that go back: a sentence each time, and nothing lost."""

import contextlib
import os
import shutil
import sqlite3
import subprocess
import time

import pytest

import logbooks
from serving import martlet, wait_for

# A clock that tests can set, for programs that ask the C library: the date is moved by so many seconds as a file says,
# the monotonic clock stays what it is, as on a machine whose date somebody sets.
CLOCK = r"""
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static long offset(void) {
    char text[32] = {0};
    int file = open(getenv("TEST_CLOCK"), O_RDONLY | O_CLOEXEC);
    if (file < 0) return 0;
    if (read(file, text, sizeof text - 1) < 0) text[0] = 0;
    close(file);
    return atol(text);
}

int clock_gettime(clockid_t clock, struct timespec *now) {
    int code = syscall(SYS_clock_gettime, clock, now);
    if (code == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) now->tv_sec += offset();
    return code;
}

int gettimeofday(struct timeval *now, void *zone) {
    struct timespec exact;
    (void)zone;
    clock_gettime(CLOCK_REALTIME, &exact);
    now->tv_sec = exact.tv_sec;
    now->tv_usec = exact.tv_nsec / 1000;
    return 0;
}

time_t time(time_t *out) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (out) *out = now.tv_sec;
    return now.tv_sec;
}
"""
COMPILER = shutil.which("cc") or shutil.which("clang")


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 32 MiB of its own; mounting is root's, or a container's, to allow."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=32m,mode=0777", "tmpfs", str(folder)], capture_output=True, text=True)
    if mounted.returncode != 0:
        pytest.skip(f"mounting is not possible here: {mounted.stderr.strip()}")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def remount(folder, mode):
    subprocess.run(["mount", "-o", f"remount,{mode}", str(folder)], check=True)


class Filler:
    """Takes the space that is left, but for a little, and gives it back."""

    def __init__(self, folder):
        self.path = folder / "filler"

    def fill(self, leaving=0):
        facts = os.statvfs(self.path.parent)
        left = facts.f_bavail * facts.f_frsize - leaving
        with open(self.path, "ab") as file, contextlib.suppress(OSError):
            while left > 0:
                piece = min(left, 65536)
                file.write(b"x" * piece)
                file.flush()
                left -= piece

    def empty(self):
        self.path.unlink()


def test_a_full_disk_is_said_loses_nothing_and_works_again_when_there_is_space(start_server, small_disk, totals):
    server = start_server(folder=small_disk / "store")
    run = server.run("full")
    server.post(f"/api/v1/runs/{run}/metrics", {"metrics": {"loss": -1}, "step": -1}).expect(200)
    filler = Filler(small_disk)
    filler.fill(leaving=600_000)
    acknowledged, refused = [-1], []
    for step in range(3000):
        body = [{"metrics": {"loss": step, f"metric{step}": step / 7}, "step": step}]
        answer = server.post(f"/api/v1/runs/{run}/metrics", body)
        if answer.status == 200:
            acknowledged.append(step)
        else:
            answer.refused(507, "space")
            refused.append(step)
            if len(refused) >= 5:
                break
    assert refused, "the disk did not fill"
    # Reading works, and an upload is refused in the same words and leaves nothing.
    assert [step for step, _ in server.points(run, "loss")] == acknowledged
    server.get("/health").expect(200)
    upload = server.ask("PUT", f"/api/v1/runs/{run}/artifacts/big.bin", b"x" * 2_000_000)
    upload.refused(507)
    assert not server.unfinished_uploads()
    # A command on the folder says it too.
    command = martlet("log", "metric", run, "cli=1", "--step", 1, uri=server.folder, home=small_disk.parent)
    if command.returncode != 0:
        assert command.returncode == 4 and "space" in command.stderr, command.stderr

    filler.empty()

    def works_again():
        answer = server.post(f"/api/v1/runs/{run}/metrics", {"metrics": {"after": 1}, "step": 1})
        assert answer.status in (200, 507, 503), answer
        return answer.status == 200
    wait_for("writing after space is back", works_again, 10)
    server.ask("PUT", f"/api/v1/runs/{run}/artifacts/big.bin", b"x" * 2_000_000).expect(201)
    server.restart()
    found = [step for step, _ in server.points(run, "loss")]
    assert [step for step in found if step in set(acknowledged)] == acknowledged
    assert len(found) == len(set(found))
    assert server.stop() == 0
    check = martlet("fsck", "--read", uri=server.folder, home=small_disk.parent)
    assert check.returncode == 0, check.stdout + check.stderr
    totals(f"full disk: {len(acknowledged)} points acknowledged before and while it filled, 0 lost")


def test_a_full_disk_while_logbook_lines_come_in_acknowledges_nothing_it_has_not(start_server, small_disk):
    server = start_server(folder=small_disk / "store")
    filler = Filler(small_disk)
    run = "f" * 32
    lines = logbooks.script("w-full", run, 6000)
    headers = {"Content-Type": "application/x-ndjson"}
    server.post("/api/v1/logbook", "\n".join(lines[:10]) + "\n", headers).expect(200)
    filler.fill(leaving=300_000)
    place = 10
    while place < len(lines):
        answer = server.post("/api/v1/logbook", "\n".join(lines[place:place + 200]) + "\n", headers)
        if answer.status != 200:
            answer.refused(507)
            break
        place = answer.json["acked"]["w-full"]
    filler.empty()
    wait_for("space", lambda: server.post(
        "/api/v1/logbook", "\n".join(lines[place:]) + "\n", headers).status == 200, 10)
    expected = [number for number in range(3, 6001) if number % 100 and number % 37]
    assert [step for step, _ in server.points(run, "loss")] == expected


def test_a_read_only_store_can_be_read_and_refuses_writing_in_a_sentence(start_server, small_disk, tmp_path):
    server = start_server(folder=small_disk / "store")
    run = server.run("kept", params={"lr": 0.5})
    server.post(f"/api/v1/runs/{run}/metrics", {"metrics": {"loss": 0.5}, "step": 1}).expect(200)
    server.ask("PUT", f"/api/v1/runs/{run}/artifacts/a.txt", b"bytes").expect(201)
    assert server.stop() == 0
    remount(small_disk, "ro")
    try:
        listed = martlet("runs", "list", "digits", uri=server.folder, home=tmp_path)
        assert listed.returncode == 0 and "kept" in listed.stdout, listed.stdout + listed.stderr
        fetched = martlet("artifacts", "get", run, "a.txt", "-o", tmp_path / "a.txt", uri=server.folder, home=tmp_path)
        assert fetched.returncode == 0, fetched.stderr
        assert (tmp_path / "a.txt").read_bytes() == b"bytes"
        logged = martlet("log", "metric", run, "loss=1", "--step", 2, uri=server.folder, home=tmp_path)
        assert logged.returncode == 4, (logged.returncode, logged.stderr)
        assert "read" in logged.stderr.lower() and str(server.folder) in logged.stderr, logged.stderr

        server.start()
        assert server.points(run, "loss") == [(1, 0.5)]
        assert server.get(f"/api/v1/runs/{run}/artifacts/a.txt").expect(200).body == b"bytes"
        assert len(server.get("/api/v1/runs/search?filter=params.lr%20=%200.5").expect(200).json["runs"]) == 1
        answer = server.post(f"/api/v1/runs/{run}/metrics", {"metrics": {"loss": 1}, "step": 2})
        answer.refused(403)
        assert "read" in answer.error["message"].lower(), answer.text
        upload = server.ask("PUT", f"/api/v1/runs/{run}/artifacts/b.txt", b"more")
        upload.refused(403)
        assert server.stop() == 0
    finally:
        remount(small_disk, "rw")
    server.start()
    server.post(f"/api/v1/runs/{run}/metrics", {"metrics": {"loss": 1}, "step": 2}).expect(200)


def refuses_to_start(server, *words, code=4):
    """That the server ends with a sentence that has these words, and with the exit code for a refusal."""
    server.launch()
    assert server.process.wait(20) == code, server.last_log
    said = server.last_log.strip()
    for word in words:
        assert word in said, said
    assert "Fatal error" not in said and "Traceback" not in said
    assert len(said.splitlines()) <= 4, said


@pytest.fixture
def filled(start_server):
    """A stopped server on a store with a few runs."""
    server = start_server()
    for number in range(20):
        run = server.run(f"run {number}", params={"lr": number})
        server.post(f"/api/v1/runs/{run}/metrics", [
            {"metrics": {f"m{metric}": step * metric for metric in range(10)}, "step": step}
            for step in range(100)]).expect(200)
    assert server.stop() == 0
    return server


def test_a_file_that_is_no_database_is_refused_in_a_sentence(filled, tmp_path):
    (filled.folder / "martlet.db").write_bytes(b"this is a letter to my aunt\n" * 1000)
    for each in filled.folder.glob("martlet.db-*"):
        each.unlink()
    refuses_to_start(filled, "martlet.db")
    listed = martlet("runs", "list", uri=filled.folder, home=tmp_path)
    assert listed.returncode == 4 and "martlet.db" in listed.stderr, listed.stderr
    assert (filled.folder / "martlet.db").read_bytes().startswith(b"this is a letter"), "it is nobody's to overwrite"


def test_a_damaged_database_is_named_and_never_makes_wrong_answers(filled, tmp_path):
    path = filled.folder / "martlet.db"
    whole = path.read_bytes()
    pages = len(whole) // 4096
    refusals = 0
    for first in (1, 3, pages // 3, pages // 2, pages - 4):
        damaged = bytearray(whole)
        damaged[first * 4096:(first + 2) * 4096] = os.urandom(8192)
        path.write_bytes(damaged)
        for each in filled.folder.glob("martlet.db-*"):
            each.unlink()
        check = martlet("fsck", uri=filled.folder, home=tmp_path)
        assert check.returncode in (1, 4), f"page {first}: {check.stdout}{check.stderr}"
        assert "Fatal" not in check.stderr
        filled.launch()
        try:
            filled.wait_until_it_answers()
        except AssertionError:
            assert filled.process.returncode == 4, filled.log
            refusals += 1
            continue
        for target in ("runs/search?limit=100", "experiments", "projects"):
            answer = filled.get(f"/api/v1/{target}")
            assert answer.status == 200 or "damaged" in answer.text or "fsck" in answer.text, answer
        assert filled.stop() == 0, filled.log[-2000:]
    path.write_bytes(whole)
    filled.start()
    assert len(filled.get("/api/v1/runs/search?limit=100").json["runs"]) == 20


def test_a_store_of_a_newer_format_is_refused_and_left_as_it_is(filled, tmp_path):
    path = filled.folder / "martlet.db"
    with contextlib.closing(sqlite3.connect(path)) as database:
        database.execute("UPDATE meta SET v = 99 WHERE k = 'format'")
        database.commit()
    before = path.read_bytes()
    refuses_to_start(filled, "99", "later")
    listed = martlet("runs", "list", uri=filled.folder, home=tmp_path)
    assert listed.returncode == 4 and "99" in listed.stderr, listed.stderr
    assert path.read_bytes() == before


def test_a_damaged_artifact_is_named_by_fsck_and_the_rest_is_readable(server, tmp_path):
    run = server.run("blobs")
    for name in ("good", "bad", "gone"):
        server.ask("PUT", f"/api/v1/runs/{run}/artifacts/{name}.bin", name.encode() * 1000).expect(201)
    digests = {each["name"]: each["sha256"] for each in server.get(f"/api/v1/runs/{run}/artifacts").json["artifacts"]}
    files = {path.name: path for path in (server.folder / "artifacts").rglob("*") if path.is_file()}

    def stored(name):
        return next(path for file, path in files.items() if digests[name] in file or digests[name].endswith(file))

    whole = martlet("fsck", "--read", uri=server.folder, home=tmp_path)
    assert whole.returncode == 0, whole.stdout + whole.stderr
    bad = stored("bad.bin")
    bad.chmod(0o644)
    body = bytearray(bad.read_bytes())
    body[7] ^= 1
    bad.write_bytes(body)
    stored("gone.bin").unlink()
    check = martlet("fsck", "--read", uri=server.folder, home=tmp_path)
    assert check.returncode == 1
    assert digests["bad.bin"] in check.stdout and digests["gone.bin"] in check.stdout, check.stdout
    assert digests["good.bin"] not in check.stdout
    assert server.get(f"/api/v1/runs/{run}/artifacts/good.bin").expect(200).body == b"good" * 1000
    gone = server.get(f"/api/v1/runs/{run}/artifacts/gone.bin")
    assert gone.status in (404, 410, 500, 503) and "fsck" in gone.text, gone
    server.get(f"/api/v1/runs/{run}").expect(200)
    # The same bytes again, in another run: both are whole.
    assert "bad.bin" in check.stdout and "upload the same file again" in check.stderr, check.stdout + check.stderr
    other = server.run("healer")
    for name in ("bad", "gone"):
        server.ask("PUT", f"/api/v1/runs/{other}/artifacts/healed-{name}", name.encode() * 1000).expect(201)
        assert server.get(f"/api/v1/runs/{run}/artifacts/{name}.bin").expect(200).body == name.encode() * 1000
    healed = martlet("fsck", "--read", uri=server.folder, home=tmp_path)
    assert healed.returncode == 0, healed.stdout + healed.stderr


def test_a_port_that_is_taken_and_a_folder_that_is_a_file_are_said_in_a_sentence(start_server, tmp_path):
    first = start_server()
    second = start_server(start=False, port=first.port)
    refuses_to_start(second, str(first.port))
    second.process = None
    (tmp_path / "file").write_text("not a folder")
    third = start_server(folder=tmp_path / "file", start=False)
    third.launch()
    assert third.process.wait(20) in (3, 4)
    assert "file" in third.log and len(third.log.strip().splitlines()) <= 4


@pytest.mark.skipif(COMPILER is None, reason="no C compiler here to make a clock with")
def test_a_clock_that_goes_back_a_year_breaks_nothing(start_server, tmp_path):
    library, control = tmp_path / "clock.so", tmp_path / "clock"
    subprocess.run([COMPILER, "-shared", "-fPIC", "-o", library, "-x", "c", "-"], input=CLOCK, text=True, check=True)
    control.write_text("0")
    server = start_server(environment={"LD_PRELOAD": library, "TEST_CLOCK": control})
    run = server.run("clock")
    server.post(f"/api/v1/runs/{run}/metrics", {"metrics": {"loss": 1}, "step": 1}).expect(200)
    cursor = server.get("/api/v1/changes").json["cursor"]
    control.write_text(str(-365 * 86_400))
    time.sleep(1.5)
    begin = time.monotonic()
    server.post(f"/api/v1/runs/{run}/metrics", {"metrics": {"loss": 2}, "step": 2}).expect(200)
    other = server.run("after the jump")
    # A follower is told, an idle poll ends in its time, a command on the folder is not kept out.
    changes = server.get(f"/api/v1/changes?since={cursor}&wait=5").expect(200).json
    assert changes["changes"]
    for _ in range(10):  # The file is put away and its points are compacted, which are changes too.
        begin_poll = time.monotonic()
        changes = server.get(f"/api/v1/changes?since={changes['cursor']}&wait=2", timeout=20).expect(200).json
        if not changes["changes"]:
            break
    assert not changes["changes"] and 1 < time.monotonic() - begin_poll < 6
    logged = martlet("log", "metric", run, "loss=3", "--step", 3, uri=server.folder, home=tmp_path)
    assert logged.returncode == 0, logged.stderr
    # What works in the background goes on: a writer's file is still looked at.
    written = "c" * 32
    book = logbooks.Book(server.folder, "w-clock")
    book.add(*logbooks.script("w-clock", written, 10))
    wait_for("the logbook's adoption", lambda: server.get(f"/api/v1/runs/{written}").status == 200, 10)
    book.close()
    assert server.points(run, "loss") == [(1, 1), (2, 2), (3, 3)]
    assert server.get(f"/api/v1/runs/{run}").json["state"] == "running", "a run is not lost by a clock"
    server.post(f"/api/v1/runs/{run}/end", {}).expect(200)
    shown = server.get(f"/api/v1/runs/{run}").json
    assert shown["end_time"] >= shown["start_time"], "no run ends before it begins"
    assert server.get(f"/api/v1/runs/{other}").json["start_time"] < shown["start_time"]
    assert time.monotonic() - begin < 20
    begin = time.monotonic()
    assert server.stop() == 0
    assert time.monotonic() - begin < 5
    control.write_text("0")
    server.start()
    assert server.points(run, "loss") == [(1, 1), (2, 2), (3, 3)]
