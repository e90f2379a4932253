"""kill -9, again and again: what was acknowledged is there, exactly once, with exactly the value it had."""

import http.client
import json
import math
import random
import struct
import threading
import time

import asking
from serving import FULL, martlet

SEED = 20240115
ROUNDS = 60 if FULL else 8
ODD = [math.nan, math.inf, -math.inf, -0.0, 5e-324, 1.7976931348623157e308, 0.1 + 0.2, 2.0 ** 53]


def bits(value):
    """A value so that NaN equals NaN and 0 does not equal -0."""
    return "NaN" if math.isnan(value) else struct.pack("<d", value)


def shown(value):
    return {"NaN": "NaN", "inf": "Infinity", "-inf": "-Infinity"}.get(
        "NaN" if math.isnan(value) else str(value), value)


class Writer(threading.Thread):
    """Logs over HTTP. Each request has a key of its own and is sent again until it is answered, as a client does that
    wants each point exactly once."""

    def __init__(self, server, run, name, seed):
        super().__init__(daemon=True)
        self.server, self.run_id, self.metric = server, run, name
        self.random = random.Random(seed)
        self.ended = threading.Event()
        self.acknowledged = {}  # step -> value
        self.again = 0
        self.fault = None

    def run(self):
        try:
            step = 0
            while not self.ended.is_set():
                count = self.random.choice((1, 1, 1, 5, 40))
                points = {step + i: self.value() for i in range(count)}
                body = json.dumps([
                    {"metrics": {self.metric: shown(value)}, "step": step} for step, value in points.items()])
                if not self.send(body, f"{self.metric}-{step}"):
                    return
                self.acknowledged.update(points)
                step += count
        except Exception as error:  # told by the test, which has a thread that can fail
            self.fault = repr(error)

    def value(self):
        return self.random.choice(ODD) if self.random.random() < 0.1 else self.random.uniform(-1, 1) * 10 ** (
            self.random.randint(-30, 30))

    def send(self, body, key):
        connection = None
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            try:
                connection = connection or http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=20)
                answer = asking.ask_on(
                    connection, "POST", f"/api/v1/runs/{self.run_id}/metrics", body,
                    {"Content-Type": "application/json", "Idempotency-Key": key})
                if answer.status == 200:
                    connection.close()
                    return True
                if answer.status not in (409, 429, 503):
                    raise AssertionError(f"{answer.status}: {answer.text}")
            except (OSError, http.client.HTTPException):
                connection = None
            self.again += 1
            time.sleep(0.05)
        raise AssertionError("no answer for a minute")


class Command(threading.Thread):
    """A second process on the same folder, again and again: `martlet log metric`."""

    def __init__(self, server, run, home):
        super().__init__(daemon=True)
        self.server, self.run_id, self.home = server, run, home
        self.ended = threading.Event()
        self.acknowledged = {}
        self.faults = []

    def run(self):
        step = 0
        while not self.ended.is_set():
            value = math.sin(step) * 1e-5
            result = martlet(
                "log", "metric", self.run_id, f"cli={value!r}", "--step", step, uri=self.server.folder, home=self.home)
            if result.returncode == 0:
                self.acknowledged[step] = value
            else:
                self.faults.append((result.returncode, result.stderr))
            step += 1


def compare(found, acknowledged):
    """How many acknowledged points are missing, how many are there twice, how many have another value."""
    places = {}
    for step, value in found:
        places.setdefault(step, []).append(bits(value))
    lost = sum(step not in places for step in acknowledged)
    doubled = sum(len(values) - 1 for values in places.values())
    bent = sum(bits(value) not in places.get(step, [bits(value)]) for step, value in acknowledged.items())
    return lost, doubled, bent


def test_no_acknowledged_point_is_lost_doubled_or_bent_when_the_server_is_killed(server, tmp_path, totals):
    chance = random.Random(SEED)
    runs = [server.run(f"run {number}") for number in range(3)]
    # Enough for the compactor to have something to do while it is killed.
    for run in runs:
        body = [{"metrics": {"before": step * 0.25, "flat": 1}, "step": step} for step in range(20_000)]
        server.post(f"/api/v1/runs/{run}/metrics", body).expect(200)
    writers = [Writer(server, run, f"loss{number}", SEED + number) for number, run in enumerate(runs)]
    command = Command(server, runs[0], tmp_path)
    for thread in [*writers, command]:
        thread.start()
    for _ in range(ROUNDS):
        time.sleep(chance.uniform(0.2, 2.2))
        server.kill()
        server.start()
    time.sleep(0.5)
    for thread in [*writers, command]:
        thread.ended.set()
    for thread in [*writers, command]:
        thread.join(90)
        assert not thread.is_alive()
    server.restart()

    lost = doubled = bent = acknowledged = 0
    for run, writer in zip(runs, writers):
        assert writer.fault is None, writer.fault
        parts = [(writer.metric, writer.acknowledged), ("before", {step: step * 0.25 for step in range(20_000)}),
                 ("flat", {step: 1.0 for step in range(20_000)})]
        if run == command.run_id:
            parts.append(("cli", command.acknowledged))
        for metric, expected in parts:
            result = compare(server.points(run, metric), expected)
            lost, doubled, bent = lost + result[0], doubled + result[1], bent + result[2]
            acknowledged += len(expected)
    totals(
        f"kill -9: seed {SEED}, {ROUNDS} kills, {acknowledged:,} points acknowledged ({len(command.acknowledged)} by a "
        f"second process), {sum(writer.again for writer in writers)} requests sent again; {lost} lost, {doubled} "
        f"doubled, {bent} bent")
    assert (lost, doubled, bent) == (0, 0, 0)
    assert command.faults == [] and command.acknowledged
    assert all(writer.acknowledged for writer in writers)
    check = martlet("fsck", uri=server.folder, home=tmp_path)
    assert check.returncode == 0, check.stdout + check.stderr
    assert server.stop() == 0
    check = martlet("fsck", uri=server.folder, home=tmp_path)
    assert check.returncode == 0, check.stdout + check.stderr


def test_a_request_sent_again_with_its_key_counts_once_even_over_a_kill(server):
    run = server.run("twice")
    body = {"metrics": {"loss": 0.5}, "step": 3}
    key = {"Idempotency-Key": "a-key-of-mine"}
    server.post(f"/api/v1/runs/{run}/metrics", body, key).expect(200)
    server.kill()
    server.start()
    again = server.post(f"/api/v1/runs/{run}/metrics", body, key).expect(200)
    assert again.headers.get("idempotent-replay") == "true"
    assert server.points(run, "loss") == [(3, 0.5)]
    other = {"metrics": {"loss": 0.75}, "step": 3}
    server.post(f"/api/v1/runs/{run}/metrics", other, key).refused(409)
    assert server.points(run, "loss") == [(3, 0.5)]


def test_two_values_at_one_step_are_both_kept(server):
    run = server.run("same step")
    for value in (0.5, 0.25, 0.5):
        server.post(f"/api/v1/runs/{run}/metrics", {"metrics": {"loss": value}, "step": 3}).expect(200)
    server.kill()
    server.start()
    assert server.points(run, "loss") == [(3, 0.5), (3, 0.25), (3, 0.5)]
