"""Three processes on one folder, one of which is killed again and again: what the others and itself acknowledged is there."""

import json
import math
import random
import signal
import subprocess
import sys
import threading
import time
import uuid
from pathlib import Path

import logbooks
import serving
from serving import FULL, martlet, wait_for
from test_kill import Writer, compare

SEED = 31415
ROUNDS = 30 if FULL else 6


class Logger(threading.Thread):
    """Starts `martlet log metric` on the folder, again and again; what ended with 0 is acknowledged. May be asked to
    kill the one that runs."""

    def __init__(self, folder, run, metric, home):
        super().__init__(daemon=True)
        self.folder, self.run_id, self.metric, self.home = folder, run, metric, home
        self.ended = threading.Event()
        self.acknowledged = {}
        self.killed = 0
        self.faults = []
        self.process = None

    def run(self):
        step = 0
        while not self.ended.is_set():
            value = math.cos(step) * 1e3
            self.process = subprocess.Popen(
                [str(serving.BINARY), "--uri", str(self.folder), "log", "metric", self.run_id,
                 f"{self.metric}={value!r}", "--step", str(step)],
                env=serving.environment(self.home), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            _, words = self.process.communicate(timeout=60)
            code = self.process.returncode
            if code == 0:
                self.acknowledged[step] = value
            elif code == -signal.SIGKILL:
                self.killed += 1
            else:
                self.faults.append((code, words))
            step += 1

    def kill(self):
        if self.process and self.process.poll() is None:
            self.process.kill()


class Books:
    """Writers of logbooks in processes of their own, one after another: each dies and the next has a new file."""

    def __init__(self, folder):
        self.folder, self.written, self.process = folder, [], None

    def begin(self):
        writer, run = f"w-{len(self.written)}", uuid.uuid4().hex
        self.path = self.folder / "logbooks" / "live" / f"{writer}.jsonl"
        self.process = subprocess.Popen(
            [sys.executable, str(Path(logbooks.__file__)), str(self.folder), writer, run, "4000", "0.001"],
            stdout=subprocess.DEVNULL)
        # The file is kept open: its lines can be counted when it was put away long since.
        wait_for("the writer's file", self.path.exists)
        self.written.append((run, open(self.path, "rb")))

    def kill(self):
        self.process.kill()
        self.process.wait(20)

    def expected(self):
        """For each run the steps that stand in whole lines, with their values."""
        for run, file in self.written:
            file.seek(0)
            bodies = [json.loads(line) for line in file.read().split(b"\n")[:-1]]
            yield run, {body["step"]: body["m"]["loss"] for body in bodies if body["op"] == "metrics"}
            file.close()


def test_a_server_a_command_and_a_writer_of_logbooks_outlive_each_other(server, tmp_path, totals):
    chance = random.Random(SEED)
    run = server.run("shared")
    server.experiment("logbook")
    over_http = Writer(server, run, "http", SEED)
    by_command = Logger(server.folder, run, "cli", tmp_path)
    books = Books(server.folder)
    books.begin()
    over_http.start()
    by_command.start()
    kills = {"server": 0, "command": 0, "writer": 0}
    for number in range(ROUNDS):
        victim = list(kills)[number % 3]
        time.sleep(chance.uniform(0.3, 1.0))
        if victim == "server":
            server.kill()
            time.sleep(chance.uniform(0, 0.4))  # the other two are alone on the folder
            server.start()
        elif victim == "command":
            by_command.kill()
        else:
            books.kill()
            books.begin()
        kills[victim] += 1
    time.sleep(0.5)
    books.kill()
    for thread in (over_http, by_command):
        thread.ended.set()
    for thread in (over_http, by_command):
        thread.join(90)
        assert not thread.is_alive()
    assert over_http.fault is None and by_command.faults == [], (over_http.fault, by_command.faults)
    live = server.folder / "logbooks" / "live"
    wait_for("the adoption of all files", lambda: not list(live.glob("*.jsonl")), 60)

    lost = doubled = bent = acknowledged = 0
    parts = [(run, "http", over_http.acknowledged), (run, "cli", by_command.acknowledged)]
    parts += [(each, "loss", expected) for each, expected in books.expected()]
    for each, metric, expected in parts:
        assert expected, metric
        result = compare(server.points(each, metric), expected)
        lost, doubled, bent = lost + result[0], doubled + result[1], bent + result[2]
        acknowledged += len(expected)
    totals(f"three processes: seed {SEED}, killed {kills}, {acknowledged:,} points acknowledged, of them "
           f"{len(by_command.acknowledged)} by commands; {lost} lost, {doubled} doubled, {bent} bent")
    assert (lost, doubled, bent) == (0, 0, 0)
    check = martlet("fsck", uri=server.folder, home=tmp_path)
    assert check.returncode == 0, check.stdout + check.stderr


def test_three_commands_write_one_folder_while_one_of_them_is_killed(tmp_path, totals):
    folder = tmp_path / "store"
    made = martlet("log", "run", "digits", "--json", uri=folder, home=tmp_path)
    assert made.returncode == 0, made.stderr
    listed = martlet("runs", "list", "digits", "--json", uri=folder, home=tmp_path)
    run = json.loads(listed.stdout)["runs"][0]["id"]
    chance = random.Random(SEED)
    loggers = [Logger(folder, run, f"m{number}", tmp_path) for number in range(3)]
    for logger in loggers:
        logger.start()
    for _ in range(ROUNDS * 3):
        time.sleep(chance.uniform(0.02, 0.25))
        loggers[chance.randrange(3)].kill()
    for logger in loggers:
        logger.ended.set()
    for logger in loggers:
        logger.join(90)
        assert not logger.is_alive() and logger.faults == [], logger.faults
    # Without a server ever having been there.
    shown = martlet("export", "digits", "--format", "jsonl", "--history", uri=folder, home=tmp_path)
    assert shown.returncode == 0, shown.stderr
    history = json.loads(shown.stdout)["history"]
    lost = doubled = bent = acknowledged = 0
    for logger in loggers:
        result = compare([tuple(point) for point in history.get(logger.metric, [])], logger.acknowledged)
        lost, doubled, bent = lost + result[0], doubled + result[1], bent + result[2]
        acknowledged += len(logger.acknowledged)
    totals(f"three commands: {sum(logger.killed for logger in loggers)} killed, {acknowledged} points acknowledged; "
           f"{lost} lost, {doubled} doubled, {bent} bent")
    assert (lost, doubled, bent) == (0, 0, 0) and acknowledged
    assert sum(logger.killed for logger in loggers) > 0
    check = martlet("fsck", uri=folder, home=tmp_path)
    assert check.returncode == 0, check.stdout + check.stderr
