"""The logbook: what a writer has put into its file counts exactly once, whoever dies and whichever way it comes."""

import json
import random
import subprocess
import sys
import threading
import time
import uuid
from pathlib import Path

import pytest

import logbooks
import serving
from serving import martlet, wait_for

NDJSON = {"Content-Type": "application/x-ndjson"}


def new_run():
    return uuid.uuid4().hex


def hand_in(server, lines, timeout=30):
    return server.post("/api/v1/logbook", "".join(each + "\n" for each in lines), NDJSON, timeout)


def expected_of(lines):
    """What a run must look like after these lines: steps, notes and tags."""
    metrics, notes, tags = [], [], set()
    for text in lines:
        body = json.loads(text)
        if body["op"] == "metrics":
            metrics.append((body["step"], body["m"]["loss"]))
        elif body["op"] == "note":
            notes.append(body["text"])
        elif body["op"] == "tags":
            tags |= set(body["tags"])
    return metrics, notes, tags


def adopted(server, run, count, seconds=20):
    """Waits until so many points of `loss` are in."""
    def is_in():
        answer = server.get(f"/api/v1/runs/{run}/metrics")
        if answer.status != 200:
            return False
        return any(metric["metric"] == "loss" and metric["count"] >= count for metric in answer.json["metrics"])
    wait_for(f"{count} points from the logbook", is_in, seconds)


def check_whole(server, run, lines):
    metrics, notes, tags = expected_of(lines)
    assert server.points(run, "loss") == metrics
    listed = server.get(f"/api/v1/runs/{run}/notes?limit=10000").expect(200).json["notes"]
    assert sorted(note["text"] for note in listed) == sorted(notes)
    shown = server.get(f"/api/v1/runs/{run}").expect(200).json
    assert set(shown["tags"]) == tags
    assert shown["params"] == {"lr": 0.1, "depth": 6}
    return shown


def test_a_growing_file_and_the_same_lines_by_request_count_once_whoever_is_killed(server, tmp_path, totals):
    chance = random.Random(7)
    run, writer, count = new_run(), "w-both-ways", 1500
    server.experiment("logbook")
    process = subprocess.Popen(
        [sys.executable, str(Path(logbooks.__file__)), str(server.folder), writer, run, str(count), "0.002"],
        stdout=subprocess.PIPE, text=True)
    path = server.folder / "logbooks" / "live" / f"{writer}.jsonl"
    wait_for("the writer's file", path.exists)
    ended = threading.Event()
    refusals = []

    def also_by_request():
        """Reads the file as an SDK reads its own memory, and hands the same lines in, some of them twice."""
        place = 0
        while not ended.is_set():
            try:
                lines = path.read_text().split("\n")[:-1]
            except OSError:
                return  # put away: everything is in
            part = lines[max(0, place - 5):place + 40]
            if len(lines) > place and part:
                try:
                    answer = hand_in(server, part, 10)
                    if answer.status == 409:
                        place = answer.json["expected"] - 1
                    elif answer.status == 200:
                        place = answer.json["acked"][writer]
                    else:
                        refusals.append(answer.text)
                except OSError:
                    pass  # killed just now
            time.sleep(0.01)

    thread = threading.Thread(target=also_by_request, daemon=True)
    thread.start()
    for _ in range(4):
        time.sleep(chance.uniform(0.3, 1.2))
        server.kill()
        server.start()
    # Not at its end: the last line may be torn.
    process.kill()
    process.communicate()
    lines = [text for text in path.read_text().split("\n")[:-1]]
    assert 100 < len(lines) <= count
    ended.set()
    thread.join(20)
    assert refusals == []
    adopted(server, run, len(expected_of(lines)[0]))
    wait_for("the file's putting away", lambda: not path.exists(), 20)
    shown = check_whole(server, run, lines)
    assert shown["state"] == "lost", "a run whose writer died without a word is lost"
    # The second copy, compressed.
    assert list((server.folder / "logbooks" / "done").glob(f"*/{writer}.jsonl.gz"))
    check_whole(server.restart(), run, lines)
    totals(f"logbook: {len(lines)} lines by file and by request, 4 kills of the server and 1 of the writer, all once")


def test_commands_on_a_folder_take_in_its_logbooks_without_a_server(start_server, tmp_path):
    server = start_server(start=False)
    run = new_run()
    lines = logbooks.script("w-alone", run, 50)
    book = logbooks.Book(server.folder, "w-alone")
    book.add(*lines)
    book.close()
    listed = martlet("runs", "list", "logbook", uri=server.folder, home=tmp_path)
    assert listed.returncode == 0, listed.stderr
    assert "by w-alone" in listed.stdout
    check_whole(server.start(), run, lines)


def test_a_torn_last_line_waits_and_counts_when_it_is_whole(server):
    run = new_run()
    lines = logbooks.script("w-torn", run, 20)
    book = logbooks.Book(server.folder, "w-torn")
    book.add(*lines[:19])
    book.write(lines[19][:30])
    adopted(server, run, 17)
    time.sleep(0.5)
    assert server.points(run, "loss")[-1][0] == 19
    book.write(lines[19][30:] + "\n")
    adopted(server, run, 18)
    book.close()
    check_whole(server, run, lines)


def test_a_torn_last_line_of_a_dead_writer_is_dropped_and_all_before_it_counts(server):
    run = new_run()
    lines = logbooks.script("w-dead", run, 20)
    book = logbooks.Book(server.folder, "w-dead")
    book.add(*lines[:19])
    book.write(lines[19][:30])
    book.close()
    adopted(server, run, 17)
    wait_for("the file's putting away", lambda: not Path(book.path).exists(), 20)
    check_whole(server, run, lines[:19])


@pytest.mark.parametrize("damage", ["a flipped bit", "noise", "two lines glued"])
def test_a_damaged_line_is_kept_as_a_problem_and_stops_nothing(server, damage):
    run = new_run()
    writer = f"w-{damage.split()[1] if ' ' in damage else damage}"
    lines = logbooks.script(writer, run, 40)
    damaged = list(lines)
    if damage == "a flipped bit":
        damaged[20] = lines[20].replace('"loss":3.0', '"loss":4.0')
        assert damaged[20] != lines[20]
    elif damage == "noise":
        damaged[20] = "\x01\x02{{{ what is this"
    else:
        damaged[20] = lines[20][:25] + lines[20]
    book = logbooks.Book(server.folder, writer)
    book.add(*damaged)
    book.close()
    expected = lines[:20] + lines[21:]
    adopted(server, run, len(expected_of(expected)[0]))
    shown = check_whole(server, run, expected)
    assert shown["problems"] >= 1, "the damaged line is told of"
    problems = server.get(f"/api/v1/runs/{run}/problems").expect(200).json["problems"]
    assert problems and problems[0]["problem"]


def test_a_refused_or_unknown_line_is_a_problem_and_the_rest_counts(server):
    run, writer = new_run(), "w-refused"
    lines = [
        logbooks.line(writer, 1, run, "run", experiment="logbook", name="refused"),
        logbooks.line(writer, 2, run, "params", p={"lr": 0.1, "depth": 6}),
        logbooks.line(writer, 3, run, "params", p={"lr": 0.2}),
        logbooks.line(writer, 4, run, "teleport", to="the moon"),
        logbooks.line(writer, 5, "not-a-run", "metrics", step=1, m={"loss": 1}),
        logbooks.line(writer, 6, run, "metrics", step=6, m={"loss": 6 / 7}),
    ]
    answer = hand_in(server, lines).expect(200).json
    assert (answer["accepted"], answer["acked"]) == (6, {writer: 6})
    shown = check_whole(server, run, lines[:2] + lines[5:])
    assert shown["problems"] == 2


def test_lines_that_skip_a_number_are_refused_with_the_one_expected(server):
    run, writer = new_run(), "w-gap"
    lines = logbooks.script(writer, run, 10)
    assert hand_in(server, lines[:3]).expect(200).json["acked"] == {writer: 3}
    answer = hand_in(server, lines[5:]).expect(409).json
    assert answer["expected"] == 4
    assert hand_in(server, lines[2:]).expect(200).json["acked"] == {writer: 10}
    check_whole(server, run, lines)


def test_an_answer_to_lines_means_that_they_are_on_disk(server):
    run, writer = new_run(), "w-durable"
    lines = logbooks.script(writer, run, 300)
    hand_in(server, lines).expect(200)
    server.kill()
    server.start()
    check_whole(server, run, lines)
    assert hand_in(server, lines).expect(200).json["acked"] == {writer: 300}
    check_whole(server, run, lines)


def test_two_processes_adopt_one_growing_file_and_all_counts_once(start_server):
    first = start_server()
    second = start_server(folder=first.folder)
    run, writer = new_run(), "w-two"
    lines = logbooks.script(writer, run, 1000)
    book = logbooks.Book(first.folder, writer)
    for start in range(0, 1000, 50):
        book.add(*lines[start:start + 50])
        time.sleep(0.05)
    second.kill()
    book.close()
    adopted(first, run, len(expected_of(lines)[0]))
    check_whole(first, run, lines)


def test_a_follower_sees_both_streams_of_the_console_whole_and_once(server, tmp_path):
    run, writer = new_run(), "w-console"
    hand_in(server, [logbooks.line(writer, 1, run, "run", experiment="logbook", name="printing")]).expect(200)
    sequence, printed = 2, []

    def print_some(count):
        nonlocal sequence
        lines = []
        for _ in range(count):
            # The streams are of very different length, so that a mixed count would show.
            stream = "stderr" if sequence % 7 == 0 else "stdout"
            printed.append(f"{stream} line {sequence}")
            lines.append(logbooks.line(writer, sequence, run, "console", stream=stream, text=printed[-1] + "\n"))
            sequence += 1
        hand_in(server, lines).expect(200)

    print_some(1500)
    follower = subprocess.Popen(
        [str(serving.BINARY), "--uri", server.address, "tail", run], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        text=True, env=serving.environment(tmp_path), cwd=tmp_path)
    try:
        for count in (1, 30, 1, 1, 1200, 6):
            time.sleep(0.2)
            print_some(count)
        hand_in(server, [logbooks.line(writer, sequence, run, "state", status="FINISHED")]).expect(200)
        output, errors = follower.communicate(timeout=30)
    finally:
        follower.kill()
    assert follower.returncode == 0, errors
    assert [text.removeprefix("| ") for text in output.splitlines() if text.startswith("| ")] == printed


def test_a_console_beyond_its_limit_is_cut_counted_and_said_once(start_server):
    server = start_server("--limit-console-bytes", "1000")
    run, writer = new_run(), "w-chatty"
    lines = [logbooks.line(writer, 1, run, "run", experiment="logbook", name="chatty")]
    lines += [logbooks.line(writer, 2 + index, run, "console", stream="stdout", text="x" * 99 + "\n")
              for index in range(15)]
    answer = hand_in(server, lines).expect(200).json
    assert answer["acked"] == {writer: 16}
    shown = server.get(f"/api/v1/runs/{run}/console").expect(200).json
    assert len(shown["chunks"]) == 10 and shown["dropped_bytes"] == 500
    problems = server.get(f"/api/v1/runs/{run}/problems").expect(200).json["problems"]
    assert len(problems) == 1 and "--limit-console-bytes" in problems[0]["problem"], problems


def test_an_adopted_file_goes_when_its_days_are_over_and_a_backup_came_after(start_server, tmp_path):
    server = start_server("--keep-logbooks", 0)
    server.experiment("logbook")
    run, writer = new_run(), "w-kept"
    lines = logbooks.script(writer, run, 150)
    book = logbooks.Book(server.folder, writer)
    book.add(*lines)
    adopted(server, run, len(expected_of(lines)[0]))
    done = server.folder / "logbooks" / "done"
    assert not list(done.glob("*/*.gz")), "its writer lives"
    book.close()
    [archive] = wait_for("the file's putting away", lambda: list(done.glob("*/*.gz")), 20)

    def kept():
        said = martlet("du", "--json", uri=server.folder, home=tmp_path)
        return json.loads(said.stdout)["adopted"]["waiting"]

    # Of no days, but nothing has proved the store whole: a restart sweeps, and it stays.
    server.restart()
    time.sleep(1)
    assert archive.exists() and kept()["proof"] == 1
    assert "until a backup" in martlet("doctor", uri=server.folder, home=tmp_path).stdout
    assert martlet("backup", tmp_path / "saved", uri=server.folder, home=tmp_path).returncode == 0
    assert kept()["proof"] == 0
    server.restart()
    wait_for("the archive's end", lambda: not archive.exists(), 20)
    wait_for("the line that tells of it", lambda: "Deleted 1 adopted logbook" in server.last_log, 20)
    check_whole(server, run, lines)
    # The backup has its own copy, and what becomes of it is whole.
    done = martlet("restore", tmp_path / "saved", tmp_path / "again", home=tmp_path)
    assert done.returncode == 0, done.stderr
    assert list((tmp_path / "again" / "logbooks" / "done").glob("*/*.gz"))
    check_whole(start_server(folder=tmp_path / "again"), run, lines)


def test_what_was_adopted_while_a_backup_ran_is_in_the_store_that_it_becomes(server, start_server, tmp_path):
    server.experiment("logbook")
    run, writer = new_run(), "w-late"
    lines = logbooks.script(writer, run, 120)
    assert martlet("backup", tmp_path / "saved", uri=server.folder, home=tmp_path).returncode == 0
    early = (tmp_path / "saved" / "martlet.db").read_bytes()
    book = logbooks.Book(server.folder, writer)
    book.add(*lines)
    book.close()
    wait_for("the file's putting away", lambda: list((server.folder / "logbooks" / "done").glob("*/*.gz")), 20)
    assert martlet("backup", tmp_path / "saved", uri=server.folder, home=tmp_path).returncode == 0
    # As if the copy of the database had been made before the file came, and that of the files after.
    (tmp_path / "saved" / "martlet.db").write_bytes(early)
    done = martlet("restore", tmp_path / "saved", tmp_path / "again", home=tmp_path)
    assert done.returncode == 0, done.stderr
    check_whole(start_server(folder=tmp_path / "again"), run, lines)
