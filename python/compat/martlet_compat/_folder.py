"""An experiment's folder: `params.json`, `metrics.json`, `metadata.yaml` and what was saved, each written whole."""

from __future__ import annotations

import os
import time

from martlet import MartletError
from martlet._say import complain

from . import _files, _yaml
from ._increments import now, read_json, write_bytes, write_json

OURS = ("params.json", "metrics.json", "metadata.yaml")
# A loop that logs two hundred times a second must not write files as often.
SECONDS_BETWEEN = 2.0


class Folder:
    def __init__(self, increment, name):
        self.increment = increment
        self.name = name
        self.path = increment.place(name)
        self.number = None
        self.params = {}
        self.metrics = {}
        self.files = []
        self.about = {}
        self._written = 0.0

    def begin(self, run_id=None):
        """Takes a number, and the folder over from an earlier try of that name, which stays in the store."""
        with self.increment.changing_index() as entries:
            entry = next((each for each in entries if each["name"] == self.name), None)
            if entry is None:
                entry = {"number": max((each["number"] for each in entries), default=0) + 1, "name": self.name}
                entries.append(entry)
            for file in entry.get("files", []):
                try:
                    os.unlink(os.path.join(self.path, file))
                except OSError:
                    pass
            runs = [*entry.get("runs", []), *([run_id] if run_id else [])]
            entry.update({"status": "running", "started": now(), "runs": runs[-100:], "files": []})
            for key in ("ended", "duration_seconds"):
                entry.pop(key, None)
            self.number = entry["number"]
        self.about = {
            "name": self.name, "number": self.number, "alias": alias(self.number, self.name),
            "increment": self.increment.name, "status": "running", "started": now()}
        self.write()

    def end(self, status, seconds=None):
        self.about["status"] = status
        self.about["ended"] = now()
        if seconds is not None:
            self.about["duration_seconds"] = round(seconds, 3)
        self.write()
        self.keep_in_index(status=status, ended=self.about["ended"],
                           **({"duration_seconds": round(seconds, 3)} if seconds is not None else {}))

    def keep_in_index(self, **values):
        with self.increment.changing_index() as entries:
            for entry in entries:
                if entry["name"] == self.name:
                    entry.update(values, files=self.files)

    def touch(self):
        """Something was added: it is on disk soon, and at the end at the latest."""
        if time.monotonic() - self._written > SECONDS_BETWEEN or "ended" in self.about:
            self.write()

    def write(self):
        self._written = time.monotonic()
        try:
            write_json(os.path.join(self.path, "params.json"), self.params)
            write_json(os.path.join(self.path, "metrics.json"), self.metrics)
            write_bytes(os.path.join(self.path, "metadata.yaml"), _yaml.text(_files.plain(self.about)).encode())
        except OSError as error:
            complain("%s cannot be written: %s. The store has everything." % (self.path, error), "folder")

    def target(self, name):
        """Where a file that a user saves goes."""
        check(name)
        path = os.path.join(self.path, *name.split("/"))
        os.makedirs(os.path.dirname(path), exist_ok=True)
        return path

    def saved(self, name):
        if name not in self.files:
            self.files.append(name)
            self.about["artifacts"] = self.files
            self.touch()


def check(name):
    parts = name.replace("\\", "/").split("/")
    if name in OURS:
        raise MartletError("“%s” is written by the experiment itself; give the file another name." % name)
    if any(part in ("", ".", "..") for part in parts) or ":" in parts[0] or "\0" in name:
        raise MartletError("“%s” leads out of the experiment's folder; give a name inside." % name)


def alias(number, name):
    """`exp-003-xgboost`; a name that begins so already keeps it."""
    return name if name.startswith("exp-%03d" % number) else "exp-%03d-%s" % (number, name)


def numbers_of(folder):
    return read_json(os.path.join(folder, "metrics.json"), {})


def params_of(folder):
    return read_json(os.path.join(folder, "params.json"), {})
