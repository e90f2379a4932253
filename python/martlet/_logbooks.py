"""Reading logbooks as they lie in a store's folder: those that grow, and the copies of those that are done."""

from __future__ import annotations

import json
import os
from array import array
from binascii import a2b_base64
from sys import byteorder


def files(store, run=None):
    """Paths of a store's logbooks, or of one run's: a writer's file begins with its run's id."""
    base = os.path.join(store, "logbooks")
    folders = [os.path.join(base, "live")]
    done = os.path.join(base, "done")
    if os.path.isdir(done):
        folders = [os.path.join(done, month) for month in sorted(os.listdir(done))] + folders
    found = {}
    for folder in folders:
        try:
            names = os.listdir(folder)
        except OSError:
            continue
        for name in names:
            stem, mark, ending = name.partition(".jsonl")
            if mark and ending in ("", ".gz", ".zst") and (run is None or stem.startswith(run)):
                found.setdefault(stem, os.path.join(folder, name))
    return sorted(found.values(), key=os.path.basename)


def text(path):
    """A logbook's bytes; None when this Python cannot read its kind of compression."""
    if path.endswith(".gz"):
        import gzip

        with gzip.open(path, "rb") as file:
            return file.read()
    with open(path, "rb") as file:
        data = file.read()
    if path.endswith(".zst"):
        try:
            from compression import zstd  # Python 3.14

            return zstd.decompress(data)
        except ImportError:
            pass
        try:
            import zstandard

            return zstandard.ZstdDecompressor().decompressobj().decompress(data)
        except ImportError:
            return None
    return data


def lines(path):
    """The lines of a logbook, in order; a torn or damaged one is passed over."""
    data = text(path)
    if data is None:
        return
    end = data.rfind(b"\n") + 1
    for raw in data[:end].split(b"\n"):
        if not raw:
            continue
        try:
            line = json.loads(raw)
        except ValueError:
            continue
        if isinstance(line, dict) and "op" in line:
            yield line


_KINDS = {"f8": "d", "f4": "f", "i8": "q", "i4": "i"}


def column(value, count):
    """A column of a `points` line as a sequence of numbers."""
    if isinstance(value, dict):
        by = value.get("by", 1)
        return range(value["from"], value["from"] + by * count, by) if by else [value["from"]] * count
    if isinstance(value, list):
        return value
    numbers = array(_KINDS[value[:2]])
    numbers.frombytes(a2b_base64(value[3:]))
    if byteorder == "big":
        numbers.byteswap()
    return numbers


def points(line):
    """What a `metrics` or `points` line says: pairs of a name and lists of steps (or None), milliseconds, values."""
    start = line.get("t", 0)
    if line["op"] == "metrics":
        step = line.get("step")
        for name, value in line.get("m", {}).items():
            yield name, None if step is None else [step], [start], [_number(value)]
        return
    count = line.get("n", 0)
    steps = column(line["step"], count) if "step" in line else None
    times = [start + offset for offset in column(line["dt"], count)] if "dt" in line else [start] * count
    for name, values in line.get("m", {}).items():
        yield name, steps, times, column(values, count)


def _number(value):
    return float(value.replace("Infinity", "inf")) if isinstance(value, str) else value
