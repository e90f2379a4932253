"""The power is cut: only what was synced is on the disk, and whatever else got there by chance. What was acknowledged is
there all the same, once and unbent."""

import hashlib
import random
import threading
import time

import pytest

import logbooks
import powercut
from serving import FULL, martlet, wait_for
from test_kill import Writer, compare

SEED = 7_2024
ROUNDS = 24 if FULL else 5


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    return powercut.build(tmp_path_factory.mktemp("powercut"))


class Uploader(threading.Thread):
    """Stores small files, and remembers those that were acknowledged."""

    def __init__(self, server, run, number):
        super().__init__(daemon=True)
        self.server, self.run_id, self.number = server, run, number
        self.ended = threading.Event()
        self.acknowledged = {}

    def run(self):
        count = 0
        while not self.ended.is_set():
            body = f"{self.number}-{count}-".encode() * 300
            try:
                path = f"a{self.number}/{count}.txt"
                if self.server.ask("PUT", f"/api/v1/runs/{self.run_id}/artifacts/{path}", body).status == 201:
                    self.acknowledged[path] = body
            except OSError:
                time.sleep(0.05)
            count += 1


@pytest.mark.parametrize("kind", ["exactly what was synced", "sectors by chance"])
def test_what_was_acknowledged_is_there_after_a_power_cut(start_server, library, tmp_path, totals, kind):
    chance = random.Random(SEED)
    seeds = start_server()
    run = seeds.run("cut")
    folder = seeds.folder
    assert seeds.stop() == 0
    points, files, lines = {}, {}, []
    book_run, sequence = "c" * 32, 0
    lucky = 0
    for number in range(ROUNDS):
        disk = powercut.Disk(library, folder, tmp_path / f"disk-{number}")
        server = start_server(folder=folder, environment=disk.environment)
        writers = [Writer(server, run, f"loss{number}-{each}", SEED + each) for each in range(2)]
        uploader = Uploader(server, run, number)
        # Enough in one go for checkpoints and the compactor to be in the middle of something.
        bulk = {step: step / 3 for step in range(15_000)}
        server.post(f"/api/v1/runs/{run}/metrics", [
            {"metrics": {f"bulk{number}": value}, "step": step} for step, value in bulk.items()]).expect(200)
        points[f"bulk{number}"] = bulk
        for thread in [*writers, uploader]:
            thread.start()
        # Lines by request count once they are answered.
        new = [logbooks.line("w-cut", sequence + 1, book_run, "run", experiment="logbook")] if not sequence else []
        new += [logbooks.line("w-cut", sequence + len(new) + each, book_run, "metrics", step=sequence + each,
                              m={"loss": (sequence + each) / 7}) for each in range(1, 40)]
        server.post("/api/v1/logbook", "".join(each + "\n" for each in new),
                    {"Content-Type": "application/x-ndjson"}).expect(200)
        lines += new
        sequence += len(new)
        time.sleep(chance.uniform(0.3, 1.5))
        server.kill()
        for thread in [*writers, uploader]:
            thread.ended.set()
        # A request in flight is not acknowledged, so it may not be waited for at a server that never comes back.
        for writer in writers:
            points[writer.metric] = dict(writer.acknowledged)
        files.update(uploader.acknowledged)
        folder = tmp_path / f"after-{number}"
        lucky += disk.cut(folder, chance if kind == "sectors by chance" else None)
        check = martlet("fsck", "--read", uri=folder, home=tmp_path)
        faults = [line for line in check.stdout.splitlines() if "No row knows" not in line]
        assert faults == [], check.stdout + check.stderr
    server = start_server(folder=folder)
    lost = doubled = bent = acknowledged = 0
    for metric, expected in points.items():
        result = compare(server.points(run, metric), expected)
        lost, doubled, bent = lost + result[0], doubled + result[1], bent + result[2]
        acknowledged += len(expected)
    found = server.points(book_run, "loss")
    assert len(found) == len(lines) - 1 and all(value == step / 7 for step, value in found)
    for path, body in files.items():
        answer = server.get(f"/api/v1/runs/{run}/artifacts/{path}").expect(200)
        assert hashlib.sha256(answer.body).digest() == hashlib.sha256(body).digest(), path
    totals(
        f"power cut, {kind}: seed {SEED}, {ROUNDS} cuts, {acknowledged:,} points and {len(files)} files acknowledged; "
        f"{lost} lost, {doubled} doubled, {bent} bent; {lucky} files with unsynced sectors")
    assert (lost, doubled, bent) == (0, 0, 0)
    assert files and acknowledged > 15_000 * ROUNDS


def test_without_a_sync_a_power_cut_is_seen_by_these_tests(start_server, library, tmp_path):
    """`--synchronous normal` says that a power cut may take what was acknowledged last: so it does here."""
    folder = tmp_path / "store"
    disk = powercut.Disk(library, folder, tmp_path / "disk")
    server = start_server("--synchronous", "normal", folder=folder, environment=disk.environment)
    run = server.run("fast")
    for step in range(20):
        server.post(f"/api/v1/runs/{run}/metrics", {"metrics": {"loss": step}, "step": step}).expect(200)
    server.kill()
    disk.cut(tmp_path / "after")
    again = start_server(folder=tmp_path / "after")
    answer = again.get(f"/api/v1/runs/{run}")
    found = again.points(run, "loss") if answer.status == 200 else []
    assert len(found) < 20, "the cut lost nothing, so it cannot prove anything"
    assert martlet("fsck", uri=again.folder, home=tmp_path).returncode == 0


def test_a_logbook_that_was_put_away_just_before_a_power_cut_counts_once(start_server, library, tmp_path):
    folder = tmp_path / "store"
    disk = powercut.Disk(library, folder, tmp_path / "disk")
    server = start_server(folder=folder, environment=disk.environment)
    run, lines = "d" * 32, logbooks.script("w-gone", "d" * 32, 200)
    book = logbooks.Book(folder, "w-gone")
    book.add(*lines)
    book.close()
    # The writer's own file was never synced; its removal was not either, so a cut may bring any part of it back.
    text = (folder / "logbooks" / "live" / "w-gone.jsonl").read_bytes()
    wait_for("the file's putting away", lambda: list((folder / "logbooks" / "done").glob("*/*.gz")), 20)
    wait_for("its end", lambda: not (folder / "logbooks" / "live" / "w-gone.jsonl").exists(), 20)
    server.kill()
    disk.cut(tmp_path / "after")
    live = tmp_path / "after" / "logbooks" / "live"
    live.mkdir(parents=True, exist_ok=True)
    (live / "w-gone.jsonl").write_bytes(text[: len(text) * 2 // 3])
    again = start_server(folder=tmp_path / "after")
    wait_for("the file's putting away", lambda: not (live / "w-gone.jsonl").exists(), 20)
    steps = [step for step, _ in again.points(run, "loss")]
    assert steps == [step for step in range(3, 201) if step % 37 and step % 100]
    assert list((tmp_path / "after" / "logbooks" / "done").glob("*/*.gz"))
