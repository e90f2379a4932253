"""A store's folder: served by the binary for one client, or read from its logbooks where there is no binary."""

from __future__ import annotations

import os
import re
import time
from datetime import datetime, timezone
from fnmatch import fnmatchcase

from . import _logbooks
from ._program import find

START_SECONDS = 20.0


def serve(folder):
    """A server on the folder, on a loopback port of its own: process and address; None twice without a binary."""
    import socket
    import subprocess
    import tempfile

    if not os.path.isdir(folder):
        return None, None
    path = find()
    if path is None:
        return None, None
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    address = "http://127.0.0.1:%d" % port
    live = os.path.join(folder, "logbooks", "live")
    left = _left_behind(live)
    log = tempfile.TemporaryFile()
    kept = {name: value for name, value in os.environ.items() if name not in ("HOST", "PORT")}
    process = subprocess.Popen(
        [path, "serve", "--host", "127.0.0.1", "--port", str(port), "--data", folder], stdin=subprocess.DEVNULL,
        stdout=log, stderr=log, env=kept)
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            break
        except OSError:
            time.sleep(0.02)
    else:
        if process.poll() is None:
            process.terminate()
            process.wait(10)
        return None, None
    if left:
        _wait_until_taken_in(live, left)
    return process, address


def _left_behind(live):
    """The logbooks whose writers are gone, as their free locks say. Asked before there is a server, which locks too."""
    from ._book import lock

    found = set()
    for name in os.listdir(live) if os.path.isdir(live) else []:
        try:
            file = os.open(os.path.join(live, name), os.O_RDONLY)
        except OSError:
            continue
        try:
            if lock(file, wait=False) is True:
                found.add(name)
        finally:
            os.close(file)
    return found


def _wait_until_taken_in(live, names, seconds=10.0):
    """What was left behind is taken in at once, and then lies elsewhere; a reader should not come before that."""
    end = time.monotonic() + seconds
    while time.monotonic() < end and not names.isdisjoint(os.listdir(live)):
        time.sleep(0.02)


class Folder:
    """What a folder's logbooks say."""

    def __init__(self, path):
        self.path = path
        self._runs = {}
        self._points = {}
        self._unreadable = 0
        self._read()

    def _read(self):
        for path in _logbooks.files(self.path):
            if _logbooks.text(path) is None:
                self._unreadable += 1
                continue
            for line in _logbooks.lines(path):
                self._take(line)

    def _take(self, line):
        run = line.get("run")
        known = self._runs.get(run)
        if known is None:
            known = self._runs[run] = {
                "id": run, "run_id": run, "run_name": None, "name": None, "experiment_name": "Default", "params": {},
                "tags": {}, "metrics": {}, "state": "running", "status": "running", "start_time": None, "end_time": None}
        op = line["op"]
        if op == "run":
            known["experiment_name"] = line.get("experiment", "Default")
            known["run_name"] = known["name"] = line.get("name") or known["name"]
            known["start_time"] = known["start_time"] or _iso(line.get("start", line.get("t", 0)))
            self._tags(known, line.get("tags"))
        elif op == "params":
            known["params"].update(line.get("p", {}))
        elif op == "tags":
            self._tags(known, line.get("tags"))
        elif op == "summary":
            known["metrics"].update(line.get("m", {}))
        elif op == "state":
            known["status"] = known["state"] = line.get("status", "finished")
            known["end_time"] = _iso(line.get("end", line.get("t", 0)))
        elif op in ("metrics", "points") and not line.get("rank"):
            for name, steps, times, values in _logbooks.points(line):
                if len(values):
                    known["metrics"][name] = values[-1]
                if steps is not None:
                    self._points.setdefault((run, name), []).append((steps, times, values))

    def _tags(self, known, tags):
        known["tags"].update(tags if isinstance(tags, dict) else dict.fromkeys(tags or []))

    def runs(self, experiment=None):
        return [run for run in self._runs.values() if experiment in (None, run["experiment_name"])]

    def run(self, text, experiment=None):
        from ._errors import RunNotFound

        runs = self.runs(experiment)
        for fits in (lambda run: run["run_id"] == text, lambda run: run["run_name"] == text,
                     lambda run: len(text) >= 6 and run["run_id"].startswith(text)):
            found = [run for run in runs if fits(run)]
            if len(found) == 1:
                return found[0]
        more = " %d logbooks are compressed in a way that this Python cannot read." % self._unreadable \
            if self._unreadable else ""
        raise RunNotFound("There is no run “%s” in the logbooks of %s.%s" % (text, self.path, more))

    def experiments(self):
        return [{"name": name} for name in dict.fromkeys(run["experiment_name"] for run in self._runs.values())]

    def history(self, metrics, experiment=None, run_ids=None):
        from ._found import History

        found = History()
        wanted = None if run_ids is None else {self.run(str(run))["run_id"] for run in run_ids}
        chosen = {run["run_id"] for run in self.runs(experiment)}
        for (run, name), pieces in self._points.items():
            if run not in chosen or wanted is not None and run not in wanted:
                continue
            if not any(name == glob or fnmatchcase(name, re.sub(r"\[", "[[]", glob)) for glob in metrics):
                continue
            rows = sorted(
                (row for steps, times, values in pieces for row in zip(steps, times, values)), key=lambda row: row[0])
            found.series.append((
                run, name, [row[0] for row in rows], [row[1] * 1000 for row in rows], [float(row[2]) for row in rows]))
        return found


def _iso(millis):
    return datetime.fromtimestamp(millis / 1000, timezone.utc).isoformat().replace("+00:00", "Z")
