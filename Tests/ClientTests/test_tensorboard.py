"""Event files that a real writer makes, followed by `martlet watch` while they grow."""

import random
import signal
import subprocess
import sys
import time

import pytest

import serving

pytestmark = pytest.mark.newest


@pytest.fixture
def writer(tmp_path):
    from tensorboardX import SummaryWriter

    # Its flush does not wait for what its thread has not written yet; this one is written within a second.
    return lambda name: SummaryWriter(str(tmp_path / "logs" / name), flush_secs=1)


def watch(folder, store, *more, code=0):
    done = serving.martlet("watch", str(folder), "--once", *more, uri=store, timeout=120)
    assert done.returncode == code, done.stdout + done.stderr
    return done


def following(folder, store):
    return subprocess.Popen(
        [str(serving.BINARY), "watch", str(folder), "--every", "1", "--uri", store],
        env=serving.environment(folder.parent), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def runs(server, experiment="logs"):
    found = server.get(f"/api/v1/experiments/{experiment}/runs?limit=100").expect(200).json["runs"]
    return {run["name"]: run for run in found}


def points(server, run, metric):
    return server.points(run["id"], metric)


def rich(server, run, key):
    return server.get(f"/api/v1/runs/{run['id']}/rich/{key}").expect(200).json["points"]


def test_what_a_writer_wrote_is_here_exactly_and_once(server, tmp_path, writer):
    import numpy

    log = writer("first/train")
    for step in range(1000):
        log.add_scalar("loss/train", 1 / (step + 1), step)
    log.add_scalar("odd", float("nan"), 1)
    log.add_scalar("odd", float("-inf"), 2)
    log.add_text("note", "hello **md**", 3)
    log.add_histogram("weights", numpy.arange(1000.0), 4)
    picture = numpy.random.default_rng(1).integers(0, 255, (3, 16, 24), dtype=numpy.uint8)
    log.add_image("picture", picture, 5)
    log.add_hparams({"lr": 0.1, "optimizer": "adam", "deep": True}, {"final": 0.5}, name="trial")
    log.close()
    for _ in range(2):
        watch(tmp_path / "logs", server.address)
        found = runs(server)
        assert set(found) == {"first/train", "first/train/trial"}
        run = found["first/train"]
        assert run["state"] == "finished" and run["source"] == "tensorboard"
        # Four bytes keep some seven digits, and are shown as those and not as what a double makes of them.
        curve = points(server, run, "loss/train")
        assert [step for step, _ in curve] == list(range(1000))
        assert all(abs(value * (step + 1) - 1) < 1e-6 for step, value in curve) and curve[9] == (9, 0.1)
        assert str(points(server, run, "odd")) == "[(1, nan), (2, -inf)]"
        assert [point["value"]["text"] for point in rich(server, run, "note")] == ["hello **md**"]
        spread = rich(server, run, "weights")[0]["value"]
        assert sum(spread["counts"]) == 1000 and len(spread["edges"]) == len(spread["counts"]) + 1
        [shown] = rich(server, run, "picture")
        assert (shown["step"], shown["value"]["width"], shown["value"]["height"]) == (5, 24, 16)
        data = server.get(f"/api/v1/runs/{run['id']}/artifacts/{shown['files'][0]['path']}").expect(200).body
        assert data[:4] == b"\x89PNG"
        trial = server.get(f"/api/v1/runs/{found['first/train/trial']['id']}").expect(200).json
        assert trial["parameters"] == {"lr": 0.1, "optimizer": "adam", "deep": True}
        assert points(server, found["first/train/trial"], "final")[-1][1] == 0.5


def test_a_curve_is_followed_while_it_grows(server, tmp_path, writer):
    log = writer("grows")
    log.add_scalar("loss", 3.0, 0)
    process = following(tmp_path / "logs", server.address)
    try:
        serving.wait_for("the first point", lambda: latest(server, "grows", "loss") == 0, 30)
        for step in range(1, 50):
            log.add_scalar("loss", 3.0 - step / 100, step)
        serving.wait_for("the rest", lambda: latest(server, "grows", "loss") == 49, 30)
        assert [step for step, _ in points(server, runs(server)["grows"], "loss")] == list(range(50))
        assert runs(server)["grows"]["state"] == "running"
    finally:
        process.send_signal(signal.SIGINT)
        said, _ = process.communicate(timeout=30)
    assert process.returncode == 0, said
    assert runs(server)["grows"]["state"] == "finished"
    log.add_scalar("loss", 1.0, 50)
    log.close()
    watch(tmp_path / "logs", server.address)
    assert [step for step, _ in points(server, runs(server)["grows"], "loss")] == list(range(51))


def latest(server, name, metric):
    """The last step that has come; None before the first."""
    answer = server.get("/api/v1/experiments/logs/runs")
    for run in answer.json["runs"] if answer.status == 200 else []:
        history = server.get(f"/api/v1/runs/{run['id']}/history?metric={metric}")
        if run["name"] == name and history.status == 200:
            return max(point["step"] for series in history.json["series"] for point in series["points"])
    return None


def test_a_follower_that_is_killed_goes_on_where_the_store_is(server, tmp_path, writer):
    script = tmp_path / "train.py"
    script.write_text("""
import sys, time
from tensorboardX import SummaryWriter
log = SummaryWriter(sys.argv[1], flush_secs=1)
for step in range(3000):
    log.add_scalar("loss", step / 10, step)
    log.add_text("words", f"step {step}", step) if step % 100 == 0 else None
    time.sleep(0.002)
log.close()
""")
    trainer = subprocess.Popen([sys.executable, str(script), str(tmp_path / "logs" / "killed")])
    rng, kills = random.Random(5), 0
    while trainer.poll() is None:
        process = following(tmp_path / "logs", server.address) if (tmp_path / "logs").exists() else None
        time.sleep(rng.uniform(0.3, 1.2))
        if process:
            process.kill()
            process.communicate()
            kills += 1
    assert trainer.returncode == 0 and kills >= 3
    watch(tmp_path / "logs", server.address)
    run = runs(server)["killed"]
    assert points(server, run, "loss") == [(step, step / 10) for step in range(3000)]
    assert [point["step"] for point in rich(server, run, "words")] == list(range(0, 3000, 100))


def test_damage_is_told_and_costs_one_record(server, tmp_path, writer):
    log = writer("hurt")
    for step in range(100):
        log.add_scalar("loss", float(step), step)
    log.close()
    [path] = (tmp_path / "logs" / "hurt").iterdir()
    data = bytearray(path.read_bytes())
    size = (len(data) - data.index(b"loss")) // 100
    data[data.index(b"loss") + 50 * size] ^= 0xFF
    # The last record is half there, as while it is being written.
    path.write_bytes(data[:-3])
    done = watch(tmp_path / "logs", server.address, code=1)
    assert "1 damaged records were passed over" in done.stderr and path.name in done.stderr
    assert len(points(server, runs(server)["hurt"], "loss")) == 98


def test_an_empty_folder_says_what_is_missing(server, tmp_path):
    (tmp_path / "logs").mkdir()
    done = serving.martlet("watch", str(tmp_path / "logs"), "--once", uri=server.address)
    assert done.returncode != 0 and "no event files" in done.stderr
