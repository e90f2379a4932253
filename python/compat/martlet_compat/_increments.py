"""Increments: numbered folders below `.specweave/increments`, each with a folder of experiments."""

from __future__ import annotations

import json
import os
import re
import tempfile
import time
from contextlib import contextmanager

from martlet import MartletError
from martlet._say import say

from ._files import plain

HOME = os.path.join(".specweave", "increments")
INDEX = "index.json"


class IncrementError(MartletError, ValueError):
    """An increment's name fits several, or none that could be made."""


def home():
    """The nearest `.specweave/increments` upward, else where one would be made here."""
    folder = os.getcwd()
    while True:
        if os.path.isdir(os.path.join(folder, HOME)):
            return os.path.join(folder, HOME)
        above = os.path.dirname(folder)
        if above == folder or os.path.exists(os.path.join(folder, ".git")):
            return os.path.join(os.getcwd() if above == folder else folder, HOME)
        folder = above


def names():
    try:
        return sorted(name for name in os.listdir(home()) if os.path.isdir(os.path.join(home(), name)))
    except OSError:
        return []


def resolve(word):
    """An increment's full name from its beginning: `0042`, `0042...` and `0042-rec` stand for `0042-recommendation`."""
    word = str(word).replace("…", "...")
    start = word.rstrip(".") if word.endswith("...") else word
    if not start or start in (".", "..") or "/" in start or os.sep in start or "\0" in start:
        raise IncrementError("“%s” is no name of an increment. Give one such as 0042 or 0042-recommendation." % word)
    known = names()
    if start in known:
        return start
    found = [name for name in known if name.startswith(start)]
    if len(found) > 1:
        raise IncrementError("“%s” fits several increments: %s. Give more of the name." % (word, ", ".join(found)))
    return found[0] if found else start


def chosen(given=None):
    """The argument, else MARTLET_INCREMENT, else the increment with the highest number, else None."""
    word = given or os.environ.get("MARTLET_INCREMENT")
    if word:
        return Increment(resolve(word))
    numbered = [(int(match.group()), name) for name in names() if (match := re.match(r"\d+", name))]
    if not numbered:
        return None
    name = max(numbered)[1]
    _tell(name)
    return Increment(name)


_told = set()


def _tell(name):
    if name not in _told:
        _told.add(name)
        say("no increment was named; experiments go into the one with the highest number, %s." % name)


def path(text):
    """A path with an abbreviated increment in it, as `.specweave/increments/0042.../tensorboard`, written out."""
    parts = os.fspath(text).replace("\\", "/").split("/")
    for at, part in enumerate(parts):
        if at > 0 and parts[at - 1] == "increments" and part not in ("", ".", ".."):
            parts[at] = resolve(part)
    return "/".join(parts)


class Increment:
    def __init__(self, name):
        self.name = name
        self.folder = os.path.join(home(), name)
        self.experiments = os.path.join(self.folder, "experiments")

    def place(self, experiment):
        """The folder of an experiment: its name. A slash or a way upward is none."""
        name = str(experiment)
        if not name.strip() or name in (".", "..") or any(letter in name for letter in "/\\\0") or name.startswith("."):
            raise IncrementError(
                "“%s” cannot name an experiment's folder. Use letters, digits, dots and dashes." % name)
        return os.path.join(self.experiments, name)

    # -- The index: numbers in order of first use, and what is known of each

    def index(self):
        try:
            with open(os.path.join(self.experiments, INDEX), encoding="utf-8") as file:
                return json.load(file)["experiments"]
        except (OSError, ValueError, KeyError):
            return []

    @contextmanager
    def changing_index(self):
        """Several processes may begin experiments of one increment at once."""
        os.makedirs(self.experiments, exist_ok=True)
        with _alone(self.experiments):
            entries = self.index()
            yield entries
            write_json(os.path.join(self.experiments, INDEX), {"experiments": entries})

    def find(self, word):
        """An experiment's name by its name, `exp-003` or `exp-003-xgboost`."""
        entries = self.index()
        for entry in entries:
            if entry["name"] == word:
                return entry
        for entry in entries:
            number = "exp-%03d" % entry["number"]
            if word == number or word == "%s-%s" % (number, entry["name"]):
                return entry
        raise IncrementError("There is no experiment “%s” in %s. It has: %s." % (
            word, self.name, ", ".join(entry["name"] for entry in entries) or "none"))


@contextmanager
def _alone(folder):
    """Holds the folder against other processes that do the same."""
    try:
        import fcntl
    except ImportError:
        yield  # without locks, the last of two at the same instant counts
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def write_bytes(path, data):
    """Under its name only when it is whole."""
    os.makedirs(os.path.dirname(path), exist_ok=True)
    file, waiting = tempfile.mkstemp(dir=os.path.dirname(path), prefix=".")
    try:
        with os.fdopen(file, "wb") as out:
            out.write(data)
        os.chmod(waiting, 0o644)
        os.replace(waiting, path)
    except BaseException:
        os.unlink(waiting)
        raise


def write_json(path, value):
    write_bytes(path, (json.dumps(plain(value), indent=2, ensure_ascii=False) + "\n").encode())


def read_json(path, default):
    try:
        with open(path, encoding="utf-8") as file:
            return json.load(file)
    except (OSError, ValueError):
        return default


def now():
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
