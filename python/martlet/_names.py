"""What a run is called when nobody says: the params by which it differs from the other runs of its experiment."""

from __future__ import annotations

import heapq
import json
import os
import time

from ._errors import MartletError

# A name is read at a glance.
PARAMS_MAX = 4
TEXT_MAX = 24
# The newest runs say enough about what varies.
RUNS_MAX = 50
SECONDS_MAX = 0.3
HEAD_BYTES = 64 << 10
NAME_BYTES_MAX = 500
RESERVED = {"compare", "search"}


def taken_by_a_store(text, what):
    """A name as a store takes it. One that it would refuse, and the whole run with it, is refused here and now."""
    if text is None:
        return None
    text = "".join(" " if ord(letter) < 0x20 or ord(letter) == 0x7F else letter for letter in str(text)).strip()
    if what == "experiment" and text.lower() in RESERVED:
        raise MartletError(
            "An experiment cannot be called “%s”, which is a word of the API's addresses. Choose another name." % text)
    return text.encode("utf-8", "replace")[:NAME_BYTES_MAX].decode("utf-8", "ignore") or None


def differing(params, others):
    """`lr=0.1 depth=6`, or None where nothing differs: an experiment's first run, and one more of the same."""
    if not others:
        return None
    parts = []
    for key, value in params.items():
        mine = _text(value)
        if mine is None or len(mine) > TEXT_MAX:
            continue
        theirs = [_text(other[key]) for other in others if key in other]
        if not theirs or any(each != mine for each in theirs):
            parts.append("%s=%s" % (key, mine))
    return " ".join(parts[:PARAMS_MAX]) or None


def _text(value):
    if value is None or isinstance(value, (list, tuple, dict)):
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    text = str(value)
    return text.lower() if text in ("True", "False") else text


def in_folder(plan, params):
    """The name as the folder's newest logbooks have it. For the writer's thread."""
    end = time.monotonic() + SECONDS_MAX
    others = {}
    for path in _newest(os.path.join(plan.uri, "logbooks"), end):
        if time.monotonic() > end:
            break
        for line in _head(path):
            run = line.get("run")
            if line["op"] == "run":
                if line.get("experiment") != plan.experiment or line.get("project") != plan.project or run == plan.run:
                    break
                others.setdefault(run, {})
            elif run in others:
                others[run].update(line.get("p", {}))
    return differing(params, list(others.values()))


def _newest(base, end):
    """Paths of the logbooks that were written to last."""
    folders = [os.path.join(base, "live")]
    done = os.path.join(base, "done")
    try:
        folders += [os.path.join(done, month) for month in sorted(os.listdir(done), reverse=True)[:2]]
    except OSError:
        pass
    found = []
    for folder in folders:
        try:
            with os.scandir(folder) as entries:
                for entry in entries:
                    if entry.name.endswith((".jsonl", ".jsonl.gz")):
                        found.append((entry.stat().st_mtime, entry.path))
                    if time.monotonic() > end:
                        break
        except OSError:
            continue
    return [path for _, path in heapq.nlargest(RUNS_MAX, found)]


def _head(path):
    """The lines at a logbook's beginning that say which run it is about and with which params."""
    import gzip
    import zlib

    try:
        with (gzip.open if path.endswith(".gz") else open)(path, "rb") as file:
            data = file.read(HEAD_BYTES)
    except (OSError, EOFError, zlib.error):
        return
    for raw in data[:data.rfind(b"\n") + 1].split(b"\n"):
        if b'"op":"run"' in raw or b'"op":"params"' in raw:
            try:
                yield json.loads(raw)
            except ValueError:
                return


def on_server(plan, params, connection):
    """Gives the run its name once the server knows it; a name that somebody gave meanwhile stays."""
    from . import _http

    answer = connection.ask("GET", _http.path(
        "runs", "search", experiment_name=plan.experiment, project=plan.project, order_by="start_time DESC",
        limit=RUNS_MAX + 1), timeout=2)
    if answer.status != 200:
        return
    runs = {run["run_id"]: run for run in answer.json["runs"]}
    mine = runs.pop(plan.run, None)
    if mine is None or mine.get("run_name") not in (None, "", mine.get("short_id")):
        return
    name = differing(params, [run.get("params") or {} for run in runs.values()])
    if name and connection.ask("PATCH", _http.path("runs", plan.run), {"name": name}, timeout=2).status == 200:
        plan.name = name
