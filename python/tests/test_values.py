"""What may be logged, from where, and as what it is kept."""

import argparse
import dataclasses
import enum
import json
import struct
import sys
import time
import types
import zlib
from decimal import Decimal

import martlet
import pytest
from martlet import _logbooks, _masks, _params, _ranks
from serving import wait_for


def lines(store, op=None):
    return [line for path in _logbooks.files(str(store)) for line in _logbooks.lines(path) if op in (None, line["op"])]


def points(store, name):
    return [pair for line in lines(store) if line["op"] in ("metrics", "points")
            for key, steps, _, values in _logbooks.points(line) if key == name for pair in zip(steps, values)]


def test_numbers_of_every_kind_are_numbers(store):
    class Level(enum.IntEnum):
        HIGH = 3

    with martlet.start_run("numbers", uri=store, strict=True) as run:
        run.log({"int": 2 ** 70, "bool": True, "decimal": Decimal("0.5"), "enum": Level.HIGH, "deep": {"a": {"b": 1}}})
        changed = {"a": 1.0}
        run.log(changed)
        changed["a"] = 2.0
    assert points(store, "int") == [(0, 2.0 ** 70)] and points(store, "bool") == [(0, 1.0)]
    assert points(store, "decimal") == [(0, 0.5)] and points(store, "enum") == [(0, 3.0)]
    assert points(store, "deep/a/b") == [(0, 1.0)] and points(store, "a") == [(1, 1.0)]


def test_numpy_values_are_taken_as_they_are_now(store):
    numpy = pytest.importorskip("numpy")
    with martlet.start_run("numpy", uri=store, strict=True) as run:
        cell = numpy.array(1.0)
        run.log({"cell": cell, "single": numpy.float32(0.5), "whole": numpy.int64(7), "one": numpy.array([3.0])})
        cell[...] = 9.0
    assert points(store, "cell") == [(0, 1.0)] and points(store, "single") == [(0, 0.5)]
    assert points(store, "whole") == [(0, 7.0)] and points(store, "one") == [(0, 3.0)]


def test_rich_values_are_kept_with_their_files(store, adopted):
    with martlet.start_run("rich", uri=store, strict=True) as run:
        run.log({
            "picture": martlet.Image([[0, 128], [255, 64]], caption="two by two"), "words": "hello",
            "spread": martlet.Histogram([1, 2, 2, 3, float("nan")], bins=2),
            "rows": martlet.Table([[1, "a"], [2, "b"]], columns=["n", "name"]),
            "sound": martlet.Audio([0.0, 0.5, -0.5], sample_rate=8000), "page": martlet.Html("<b>hi</b>"),
            "cloud": martlet.Object3D([[0, 0, 0], [1, 1, 1]])}, step=4)
    opened = adopted(store)
    opened.run(run.id)

    def point(key):
        return opened.get(f"runs/{run.id}/rich/{key}")["points"][0]

    picture = point("picture")
    assert picture["step"] == 4 and picture["kind"] == "image" and picture["value"]["caption"] == "two by two"
    data = opened.server.get(f"/api/v1/runs/{run.id}/artifacts/{picture['files'][0]['path']}").expect(200).body
    assert data.startswith(b"\x89PNG")
    at = data.index(b"IDAT")
    size = struct.unpack(">I", data[at - 4:at])[0]
    assert zlib.decompress(data[at + 4:at + 4 + size]) == bytes([0, 0, 128, 0, 255, 64])
    assert point("spread")["value"] == {"edges": [1.0, 2.0, 3.0], "counts": [1, 3], "not_finite": 1}
    assert point("words")["value"]["text"] == "hello" and point("rows")["value"]["columns"] == ["n", "name"]
    assert {point(key)["kind"] for key in ("sound", "page", "cloud")} == {"audio", "html", "object3d"}
    assert opened.get(f"runs/{run.id}/problems")["problems"] == []


def test_a_thing_that_nobody_can_show_is_said_once(store, capfd):
    with martlet.start_run("odd", uri=store) as run:
        for _ in range(3):
            run.log({"thing": object(), "list": [1, 2, 3]})
    assert capfd.readouterr().err.count("“thing” is object") == 1


@dataclasses.dataclass
class Optimizer:
    name: str = "sgd"
    lr: float = 0.1


class Size(enum.Enum):
    BIG = "big"


class Model:
    def model_dump(self):
        return {"layers": [1, 2], "inner": {"dropout": 0.5}}


@pytest.mark.parametrize(("config", "expected"), [
    ({"a": 1, "b": {"c": "x", "d": {"e": None}}}, {"a": 1, "b.c": "x", "b.d.e": None}),
    (argparse.Namespace(lr=0.1, name="x"), {"lr": 0.1, "name": "x"}),
    (Optimizer(), {"name": "sgd", "lr": 0.1}), ({"opt": Optimizer()}, {"opt.name": "sgd", "opt.lr": 0.1}),
    (Model(), {"layers": [1, 2], "inner.dropout": 0.5}), ({"size": Size.BIG}, {"size": "big"}),
    ([("a", 1)], {"a": 1}), ({"empty": {}}, {"empty": {}}),
])
def test_params_come_out_of_every_config(config, expected):
    assert _params.flat(config) == expected


def test_params_come_out_of_files(tmp_path):
    (tmp_path / "c.json").write_text(json.dumps({"a": {"b": 1}}))
    assert _params.flat(tmp_path / "c.json") == {"a.b": 1}
    if sys.version_info >= (3, 11):
        (tmp_path / "c.toml").write_text("[a]\nb = 1\n")
        assert _params.flat(str(tmp_path / "c.toml")) == {"a.b": 1}
    pytest.importorskip("yaml")
    (tmp_path / "c.yaml").write_text("a:\n  b: 1\n")
    assert _params.flat(tmp_path / "c.yaml") == {"a.b": 1}


def test_a_param_changes_only_when_that_is_said_and_a_very_long_one_is_a_file(store, adopted):
    with martlet.start_run("params", uri=store, params={"lr": 0.1}) as run:
        run.log_param("lr", 0.1)
        run.log_params({"lr": 0.2, "other": 1})
        run.config.depth = 3
        assert run.config.lr == 0.1 and run.config["depth"] == 3
        run.config.update({"lr": 0.5}, allow_val_change=True)
        run.log_param("long", "x" * 100_000)
    opened = adopted(store)
    shown = opened.run(run.id)["params"]
    assert shown["lr"] == 0.5 and shown["depth"] == 3 and shown["other"] == 1 and len(shown["long"]) < 2000
    assert opened.server.get(f"/api/v1/runs/{run.id}/artifacts/params/long.txt").expect(200).text == "x" * 100_000


def test_secrets_are_masked():
    assert _masks.arguments(["train", "--api-key", "abc", "--token=abc", "--lr", "0.1", "-v"]) == [
        "train", "--api-key", "***", "--token=***", "--lr", "0.1", "-v"]
    assert _masks.pairs({"DB_PASSWORD": "x", "URL": "https://me:pw@host/x", "PLAIN": "sk-" + "a" * 20}) == {
        "DB_PASSWORD": "***", "URL": "https://host/x", "PLAIN": "***"}


@pytest.mark.parametrize(("environment", "rank", "size", "by"), [
    ({}, 0, 1, ""),
    ({"RANK": "3", "WORLD_SIZE": "8", "LOCAL_WORLD_SIZE": "8", "TORCHELASTIC_RUN_ID": "none"}, 3, 8, "torchrun"),
    ({"SLURM_JOB_ID": "7", "SLURM_STEP_ID": "0", "SLURM_PROCID": "2", "SLURM_NTASKS": "4"}, 2, 4, "slurm"),
    ({"SLURM_JOB_ID": "7", "SLURM_PROCID": "0", "SLURM_NTASKS": "4", "SLURM_JOB_NAME": "bash"}, 0, 1, ""),
    ({"OMPI_COMM_WORLD_RANK": "1", "OMPI_COMM_WORLD_SIZE": "2", "PMIX_NAMESPACE": "x"}, 1, 2, "mpi"),
])
def test_the_launcher_says_which_process_this_is(environment, rank, size, by):
    launch = _ranks.find(environment)
    assert (launch.rank, launch.size, launch.by) == (rank, size, by)
    assert (launch.key is None) == (by == "")


def test_ranks_of_a_launch_are_one_run_and_array_tasks_a_group(store, program, adopted):
    source = """
        import sys, martlet
        with martlet.start_run("ranks", uri=sys.argv[1], ranks=sys.argv[2], capture=["console"]) as run:
            print("rank", run.rank)
            for step in range(3):
                run.log({"loss": float(run.rank)})
        print(run.id, file=sys.stderr)
    """
    for ranks in ("zero", "all"):
        workers = [program(source, store / ranks, ranks, wait=False, environment={
            "RANK": rank, "WORLD_SIZE": 3, "LOCAL_WORLD_SIZE": 3, "MARTLET_CAPTURE": "console"}) for rank in (0, 1, 2)]
        ids = {worker.communicate(timeout=60)[1].split()[-1] for worker in workers}
        assert len(ids) == 1
        opened = adopted(store / ranks)
        run = ids.pop()
        opened.run(run)
        wait_for("all logbooks", lambda: not list((store / ranks / "logbooks" / "live").iterdir()))
        assert opened.points(run, "loss") == [(0, 0.0), (1, 0.0), (2, 0.0)]
        console = "".join(each["text"] for each in opened.get(f"runs/{run}/console")["chunks"])
        assert all(f"rank {rank}\n" in console for rank in range(3))
        logged = sum(len(steps) for path in (store / ranks).rglob("*.jsonl*") for line in _logbooks.lines(str(path))
                     if line["op"] in ("metrics", "points") for _, steps, _, _ in _logbooks.points(line))
        assert logged in (0, 3, 9)
    assert _ranks.find({"SLURM_ARRAY_JOB_ID": "9", "SLURM_JOB_ID": "10"}).group == "slurm-9"
