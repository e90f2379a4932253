"""TensorBoard's event files: taken in while they grow, and once however often they are read."""

import struct

import martlet
from martlet import _events, _logbooks


def varint(value):
    out = b""
    value &= (1 << 64) - 1
    while value > 127:
        out += bytes([value & 127 | 128])
        value >>= 7
    return out + bytes([value])


def field(number, value):
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    if isinstance(value, float):
        return varint(number << 3 | 1) + struct.pack("<d", value)
    value = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(value)) + value


def single(number, value):
    return varint(number << 3 | 5) + struct.pack("<f", value)


def record(data):
    return struct.pack("<QI", len(data), 0) + data + struct.pack("<I", 0)


def event(step, *values, wall=1_700_000_000.0):
    return record(field(1, wall + step) + (field(2, step) if step else b"") + field(5, b"".join(
        field(1, value) for value in values)))


def scalar(tag, value):
    return field(1, tag) + single(2, value)


def plugin(name, content=b""):
    return field(9, field(1, field(1, name) + field(2, content)))


def points(store, name):
    return sorted(pair for path in _logbooks.files(str(store)) for line in _logbooks.lines(path)
                  if line["op"] in ("metrics", "points")
                  for key, steps, _, values in _logbooks.points(line) if key == name for pair in zip(steps, values))


def test_a_folder_of_event_files_becomes_runs(tmp_path, store, adopted):
    folder = tmp_path / "runs" / "first" / "train"
    folder.mkdir(parents=True)
    path = folder / "events.out.tfevents.1.host"
    histogram = field(1, 0.0) + field(2, 3.0) + field(3, 4.0) + field(6, struct.pack("<3d", 1, 2, 1e308)) + field(
        7, struct.pack("<3d", 1, 3, 0))
    hparams = field(3, field(1, field(1, "lr") + field(2, field(2, 0.1))) + field(1, field(1, "opt") + field(
        2, field(3, "adam"))) + field(1, field(1, "deep") + field(2, field(4, 1))))
    path.write_bytes(
        record(field(1, 1_700_000_000.0) + field(3, "brain.Event:2"))
        + b"".join(event(step, scalar("loss", 1 / (step + 1)), scalar("acc", 0.9)) for step in range(100))
        + event(2, field(1, "note/text_summary") + field(8, field(1, 7) + field(8, "hello")) + plugin("text"))
        + event(3, field(1, "spread") + field(5, histogram))
        + event(4, field(1, "new") + field(8, field(1, 1) + field(5, struct.pack("<f", 0.25))) + plugin("scalars"))
        + event(0, field(1, "_hparams_/session_start_info") + plugin("hparams", hparams))
        + event(200, scalar("loss", 0.5))[:-6])
    assert _events.watch(tmp_path / "runs", str(store), once=True) == (201, 1)
    opened = adopted(store)
    run = _events.run_id("tensorboard " + str(folder))
    shown = opened.run(run)
    assert shown["run_name"] == "first/train" and shown["params"] == {"lr": 0.1, "opt": "adam", "deep": True}
    assert shown["start_time"].startswith("2023-11-14")
    assert opened.points(run, "acc") == [(step, 0.9) for step in range(100)], "by the digits that were meant"
    assert opened.points(run, "new") == [(4, 0.25)]
    assert opened.get(f"runs/{run}/rich/note")["points"][0]["value"]["text"] == "hello"
    spread = opened.get(f"runs/{run}/rich/spread")["points"][0]["value"]
    assert spread == {"edges": [0.0, 1.0, 2.0], "counts": [1.0, 3.0]}
    # Read again, nothing is doubled; the torn record counts when it is whole.
    with open(path, "ab") as file:
        file.write(event(200, scalar("loss", 0.5))[-6:])
    _events.watch(tmp_path / "runs", str(store), once=True)
    from serving import wait_for

    wait_for("the late point", lambda: opened.points(run, "loss")[-1] == (200, 0.5))
    assert len(opened.points(run, "loss")) == 101 and len(opened.points(run, "acc")) == 100


def test_a_growing_file_is_followed(tmp_path, store):
    folder = tmp_path / "one"
    folder.mkdir()
    path = folder / "events.out.tfevents.1.host"
    path.write_bytes(event(0, scalar("loss", 1.0)))
    source = _events.Source(str(folder), "one", str(store), "growing")
    assert source.look() and not source.look()
    with open(path, "ab") as file:
        whole = event(1, scalar("loss", 0.5))
        file.write(whole[:20])
        file.flush()
        assert not source.look()
        file.write(whole[20:])
    assert source.look()
    source.finish()
    assert points(store, "loss") == [(0, 1.0), (1, 0.5)]


def test_damage_stops_at_its_file(tmp_path, store):
    for name, data in (("a", event(0, scalar("x", 1.0)) + b"\xff" * 40), ("b", event(0, scalar("x", 2.0)))):
        (tmp_path / "logs" / name).mkdir(parents=True)
        (tmp_path / "logs" / name / "events.out.tfevents.1").write_bytes(data)
    assert _events.watch(tmp_path / "logs", str(store), once=True) == (2, 2)
    assert points(store, "x") == [(0, 1.0), (0, 2.0)]


def test_watch_is_a_command(tmp_path, store, program):
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "events.out.tfevents.1").write_bytes(event(3, scalar("x", 1.5)))
    done = program("""
        import sys
        from martlet.__main__ import main
        sys.exit(main(["watch", sys.argv[1], "--uri", sys.argv[2], "--once", "--experiment", "e"]))
    """, tmp_path / "logs", store)
    assert "1 points of 1 runs" in done.stderr and points(store, "x") == [(3, 1.5)]
    assert martlet.__version__
