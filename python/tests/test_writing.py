"""A run from its start to its end, into a folder and to a server."""

import math
import random
import threading
import time

import martlet
import pytest
from martlet import _logbooks, _steps
from martlet._line import Lines


def place(kind, store, request):
    if kind == "folder":
        return str(store), lambda: request.getfixturevalue("adopted")(store)
    remote = request.getfixturevalue("remote")
    return remote.server.address, lambda: remote


@pytest.mark.parametrize("kind", ["folder", "server"])
def test_a_run_is_there_with_all_that_was_said(kind, store, request):
    uri, opened = place(kind, store, request)
    with martlet.start_run("digits", name="first", params={"lr": 0.1, "opt": {"name": "sgd"}}, tags={"team": "vision"},
                           uri=uri, strict=True) as run:
        for step in range(1000):
            run.log({"loss": 1 / (step + 1), "acc": step / 1000})
        run.log({"loss": math.nan, "inner": {"a": 1, "b": math.inf}})
        run.log_metric("final", 0.25)
        run.note("went *well*")
        run.log_fact("dataset", {"name": "mnist", "size": 60000})
        run.define_metric("loss", goal="min")
        run.set_summary({"best": 0.125})
        run.log_text("hello", "notes/hello.txt")
        run.alert("look", "here", level="warn")
    store = opened()
    shown = store.run(run.id)
    assert shown["run_name"] == "first" and shown["params"] == {"lr": 0.1, "opt.name": "sgd"}
    assert shown["tags"] == {"team": "vision"}
    assert shown["metrics"]["final"] == 0.25 and shown["metrics"]["best"] == 0.125
    loss = store.points(run.id, "loss")
    assert loss[:1000] == [(step, 1 / (step + 1)) for step in range(1000)]
    assert loss[1000][0] == 1000 and math.isnan(loss[1000][1])
    assert store.points(run.id, "inner/b") == [(1000, math.inf)]
    assert [note["text"] for note in store.get(f"runs/{run.id}/notes")["notes"]] == ["went *well*"]
    assert store.get(f"runs/{run.id}/facts/dataset")["data"]["name"] == "mnist"
    assert store.server.get(f"/api/v1/runs/{run.id}/artifacts/notes/hello.txt").expect(200).text == "hello"
    assert store.get(f"runs/{run.id}/problems")["problems"] == []
    artifacts = store.get(f"runs/{run.id}/artifacts")["artifacts"]
    assert [artifact["path"] for artifact in artifacts] == ["notes/hello.txt"]


def test_steps_may_repeat_and_go_back_and_the_count_goes_on_from_the_greatest(store, adopted):
    with martlet.start_run("steps", uri=store, strict=True) as run:
        run.log({"a": 0.0})
        run.log({"a": 10.0}, step=10)
        run.log({"a": 3.0}, step=3)
        run.log({"a": 3.5}, step=3)
        run.log({"a": 11.0})
        assert run.last_step == 11
    opened = adopted(store)
    opened.run(run.id)
    assert opened.points(run.id, "a") == [(0, 0.0), (3, 3.0), (3, 3.5), (10, 10.0), (11, 11.0)]


def test_threads_that_log_without_a_step_get_a_step_each(store, adopted):
    with martlet.start_run("threads", uri=store, strict=True) as run:
        threads = [threading.Thread(target=lambda: [run.log({"a": 1.0}) for _ in range(2000)]) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    opened = adopted(store)
    opened.run(run.id)
    assert [step for step, _ in opened.points(run.id, "a")] == list(range(8000))


def test_a_log_call_waits_for_no_lock(store):
    run = martlet.start_run("free", uri=store, strict=True)
    run.log({"a": 0.0})
    free, held = threading.Event(), threading.Event()

    def hold():
        with run._lock:
            held.set()
            free.wait(30)

    holder = threading.Thread(target=hold)
    holder.start()
    assert held.wait(30)
    logging = threading.Thread(target=lambda: [run.log({"a": 1.0}), run.log({"a": 2.0}, step=7)], daemon=True)
    logging.start()
    logging.join(30)
    try:
        assert not logging.is_alive() and run.last_step == 7
    finally:
        free.set()
        holder.join()
    run.log({"a": 3.0})
    assert run.last_step == 8


@pytest.mark.parametrize("kind", [_steps.counter, _steps.Counter])
def test_no_two_threads_get_the_same_step(kind):
    steps, found = kind(5), []
    threads = [threading.Thread(target=lambda: found.append([next(steps) for _ in range(2000)])) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(step for each in found for step in each) == list(range(5, 8005))


def test_lines_give_back_what_went_in_whatever_the_keys():
    chance = random.Random(11)
    rows, expected = [], {}
    for index in range(3000):
        keys = chance.sample(["a", "b", "c", "d"], chance.randint(1, 4)) if chance.random() < 0.1 else ["a", "b"]
        step = None if chance.random() < 0.01 else chance.choice([index, index, chance.randint(-5, 1 << 40)])
        values = {key: chance.choice([chance.random(), index, True, -0.0]) for key in keys}
        when = 1_700_000_000 + index * chance.choice([0.001, 0.002])
        rows.append((values, step, when))
        for key, value in values.items():
            expected.setdefault((key, step is None), []).append((step, int(when * 1000), float(value)))
    raw, others = Lines("w", "0" * 32).points(rows)
    assert others == [] and len(raw) < 1500
    import json

    found = {}
    for line in map(json.loads, raw):
        for name, steps, times, values in _logbooks.points(line):
            series = found.setdefault((name, steps is None), [])
            series += zip(steps or [None] * len(values), times, map(float, values))
    assert found == expected


def test_a_value_that_is_no_number_is_left_out_and_the_others_stay(store, adopted, capfd, monkeypatch):
    with martlet.start_run("odd", uri=store) as run:
        for step in range(10):
            run.log({"good": step, "odd": object() if step == 3 else step})
        run.log("not a dict")
    assert "“odd” is object" in capfd.readouterr().err
    opened = adopted(store)
    opened.run(run.id)
    assert len(opened.points(run.id, "good")) == 10 and len(opened.points(run.id, "odd")) == 9


def test_strict_raises_where_others_are_told(store):
    with martlet.start_run("strict", uri=store, strict=True, params={"lr": 1}) as run:
        with pytest.raises(TypeError):
            run.log("not a dict")
        with pytest.raises(martlet.MartletError, match="stays so"):
            run.log_param("lr", 2)


def test_after_its_end_a_run_takes_nothing_and_says_so(store, capfd):
    run = martlet.start_run("over", uri=store)
    run.finish()
    run.log({"a": 1})
    run.log({"a": 1})
    assert capfd.readouterr().err.count("has ended") == 1


def test_no_point_waits_longer_than_a_moment(store):
    run = martlet.start_run("moment", uri=store)
    run.log({"a": 1.0})
    deadline = time.monotonic() + 2
    while time.monotonic() < deadline:
        if any(line["op"] == "metrics" for path in _logbooks.files(str(store)) for line in _logbooks.lines(path)):
            return
        time.sleep(0.02)
    raise AssertionError("the point was not with the kernel within two seconds")
