"""`track_experiment`: one experiment of an increment, recorded in the store and in a folder beside the work."""

from __future__ import annotations

import atexit
import os
import re
import sys
import tempfile
import time
from dataclasses import dataclass, field
from typing import Optional

from martlet import MartletError
from martlet._say import say

from . import _code, _files, _folder, _increments, _names
from ._handle import Handle, number

WITHOUT_INCREMENT = "experiments"


@dataclass
class ExperimentMetadata:
    """What is known of an experiment before it begins."""

    name: str
    description: Optional[str] = None
    tags: list = field(default_factory=list)
    git_commit: Optional[str] = None
    data_version: Optional[str] = None
    author: Optional[str] = None


def track_experiment(experiment, increment=None, tags=None, description=None):
    """An experiment to be used in a `with` block, from its name or from `ExperimentMetadata`."""
    metadata = experiment
    if isinstance(experiment, str):
        metadata = ExperimentMetadata(name=experiment, description=description, tags=list(tags or []))
    elif not isinstance(experiment, ExperimentMetadata):
        raise MartletError(
            "track_experiment takes a name or ExperimentMetadata, not %s." % type(experiment).__name__)
    return Experiment(metadata, increment)


class Experiment:
    """What was tried, and what came of it. Everything can still be said after the block has closed."""

    def __init__(self, metadata, increment=None, parent=None, capture=None, is_recorded=True, group=None):
        self.metadata = metadata
        self.name = metadata.name
        self._increment = increment if isinstance(increment, _increments.Increment) else None
        self._word = None if self._increment is not None else increment
        self._parent = parent
        self._capture = capture
        self._is_recorded = is_recorded
        self._group = group
        self._handle = None
        self._folder = None
        self._begun = None
        self._data = {}
        self.notes = []
        self.tags = list(metadata.tags or [])
        self.status = None

    # -- Its course

    def __enter__(self):
        return self.begin()

    def begin(self):
        if self.status is not None:
            raise MartletError("The experiment “%s” was begun already; call track_experiment again." % self.name)
        if self._increment is None:
            self._increment = _increments.chosen(self._word)
        if self._increment is not None:
            self._folder = _folder.Folder(self._increment, self.name)  # refuses a name before anything is recorded
        self._begun = time.monotonic()
        self.status = "running"
        head = _code.commit()
        if self.name.lower().startswith("baseline") and "baseline" not in self.tags:
            self.tags.append("baseline")
        if self._is_recorded:
            self._handle = Handle(
                self._increment.name if self._increment else WITHOUT_INCREMENT, self.name, parent=self._parent,
                capture=self._capture, tags={**{tag: None for tag in self.tags}, **(
                    {"increment": self._increment.name} if self._increment else {})})
        if self._folder is not None:
            self._folder.begin(self.run_id)
        self._say_what_is_known(head)
        atexit.register(self._left_open)
        return self

    def _left_open(self):
        """The program ends, and nobody has ended this."""
        self.finish("failed" if getattr(sys, "last_type", None) is not None else "finished")

    def _say_what_is_known(self, head):
        given = self.metadata
        commit = given.git_commit or head
        about = {"description": given.description, "tags": self.tags, "author": given.author, "git_commit": commit,
                 "data_version": given.data_version, "run_id": self.run_id,
                 "store": self._handle.store.place if self._handle else None}
        tags = {key: value for key, value in (("author", given.author), ("data_version", given.data_version)) if value}
        if given.git_commit:
            tags["git.commit.given"] = given.git_commit
            if head and not _code.is_same(head, given.git_commit):
                about["git_head"] = head
                tags["git.mismatch"] = "%s given, %s checked out" % (given.git_commit, head[:12])
                say("experiment %s names commit %s, and %s is checked out; both are kept." % (
                    self.name, given.git_commit, head[:12]))
        elif head:
            about["code_version"] = _code.version(head)
        if self._folder is not None:
            self._folder.about.update({key: value for key, value in about.items() if value})
            self._folder.write()
        if self._handle is not None:
            if tags:
                self._handle.set_tags(tags)
            if given.description:
                self._handle.note(given.description)
        if given.data_version:
            self._link_data("version", given.data_version)

    def __exit__(self, kind, error, trace):
        if error is None:
            self.finish()
        else:
            self.finish(error=error)
        return False

    def finish(self, status="finished", error=None):
        """Ends it; an exception says how and why."""
        if self.status != "running":
            return
        atexit.unregister(self._left_open)
        if self._handle is not None:
            if error is not None:
                self._handle.fail(error)
            else:
                self._handle.finish(status)
            self.status = self._handle.status
        else:
            self.status = "failed" if error is not None else status
        if self._folder is not None:
            if error is not None:
                self._folder.about["error"] = "%s: %s" % (type(error).__name__, error)
            self._folder.end(self.status, self.seconds)
            self._reports()
        _names.advise(self.name, self.params, self._others())

    @property
    def seconds(self):
        return time.monotonic() - self._begun

    def _others(self):
        if self._folder is None:
            return []
        places = [self._increment.place(each["name"]) for each in self._increment.index()[-20:]]
        return [_folder.params_of(place) for place in places if place != self._folder.path]

    def _reports(self):
        from . import _comparison

        if "baseline" in self.tags:
            _comparison.write_baselines(self._increment)

    # -- What it is

    @property
    def run_id(self):
        return self._handle.id if self._handle is not None else None

    id = run_id

    @property
    def params(self):
        return dict(self._folder.params if self._folder is not None else self._handle.params if self._handle else {})

    @property
    def metrics(self):
        return dict(self._folder.metrics if self._folder is not None else self._handle.metrics if self._handle else {})

    @property
    def folder(self):
        """Its folder in the increment, or None where there is no increment."""
        return self._folder.path if self._folder is not None else None

    @property
    def increment(self):
        return self._increment.name if self._increment is not None else None

    def _ready(self):
        if self.status is None:
            self.begin()

    # -- Numbers and words

    def log_param(self, key, value):
        self.log_params({key: value})

    def log_params(self, params):
        self._ready()
        if self._handle is not None:
            self._handle.log_params(params)  # refuses a second value of another kind
        if self._folder is not None:
            self._folder.params.update(params)
            self._folder.touch()
        for key, value in params.items():
            if str(key).startswith("data_") and isinstance(value, str):
                self._link_data(str(key)[5:], value)

    def log_metric(self, key, value, step=None):
        self.log_metrics({key: value}, step)

    def log_metrics(self, metrics, step=None):
        self._ready()
        if self._handle is not None:
            self._handle.log_metrics(metrics, step)
        if self._folder is not None:
            self._folder.metrics.update({str(key): number(value) for key, value in metrics.items()})
            self._folder.touch()

    def log_note(self, text):
        self._ready()
        self.notes.append(str(text))
        if self._handle is not None:
            self._handle.note(text)
        if self._folder is not None:
            self._folder.about["notes"] = self.notes
            self._folder.touch()

    def log_decision(self, chosen, rejected=(), reason="", evidence=()):
        """Why this and not that, with the runs that show it."""
        rejected = [rejected] if isinstance(rejected, str) else list(rejected)
        evidence = [getattr(each, "run_id", each) for each in ([evidence] if isinstance(evidence, str) else evidence)]
        record = {"chosen": chosen, "rejected": rejected, "reason": reason, "evidence": evidence}
        words = "Decision: %s%s%s" % (chosen, " rather than " + ", ".join(rejected) if rejected else "",
                                      ", because " + reason if reason else "")
        self.log_note(words)
        if self._handle is not None:
            self._handle.log_fact("decision", record)
        if self._folder is not None:
            self._folder.about.setdefault("decisions", []).append(record)
            self._folder.write()

    def set_status(self, status):
        """How it ended, in the user's word; inside the block it takes effect at the end of it."""
        self._ready()
        was_running = self.status == "running"
        if self._handle is not None:
            self._handle.set_status(status)
        self.status = str(status)
        if self._folder is not None:
            if was_running:
                self._folder.end(self.status, self.seconds)
            else:
                self._folder.about["status"] = self.status
                self._folder.write()
                self._folder.keep_in_index(status=self.status)

    def add_tag(self, tag, value=None):
        """A word to find it by; `production` also keeps it from being put away."""
        self._ready()
        if tag not in self.tags:
            self.tags.append(tag)
        if self._handle is not None:
            self._handle.set_tags({tag: value})
        if self._folder is not None:
            self._folder.about["tags"] = self.tags
            self._folder.touch()

    def add_tags(self, *tags):
        for tag in tags:
            self.add_tag(tag)

    def _link_data(self, kind, value):
        """`dvc:a3b8c9d` and addresses tell which data it was made from."""
        scheme, mark, rest = value.partition(":")
        self._data[kind] = value
        if scheme == "dvc" and mark:
            self._data["dvc"] = rest
        elif re.match(r"\w[\w+.-]*://", value):
            self._data["uri"] = value
        if self._handle is not None:
            self._handle.log_fact("dataset", self._data)
        if self._folder is not None:
            self._folder.about["data"] = self._data
            self._folder.touch()

    # -- Files

    def save_model(self, model, name="model.pkl"):
        """Keeps a model under a name, in either order."""
        name, model = _files.order(name, model)
        return self._save(name, model, "model")

    def save_artifact(self, name, value=None, type=None):
        """Keeps an object as the name's suffix asks for, in either order. A path alone keeps that file."""
        if value is None and isinstance(name, (str, os.PathLike)) and os.path.isfile(name):
            value, name = _Path(name), os.path.basename(os.fspath(name))
        name, value = _files.order(name, value)
        return self._save(name, value, type or _type(name))

    def log_artifact(self, path, name=None, type=None):
        """Keeps a file that is there."""
        return self._save(name or os.path.basename(os.fspath(path)), _Path(path), type or _type(os.fspath(path)))

    def _save(self, name, value, type):
        self._ready()
        _folder.check(name)
        if self._folder is not None:
            path = self._folder.target(name)
            self._write(name, value, path)
            self._folder.saved(name)
        if self._folder is None or self._handle is None:
            if self._handle is None:
                return path
            with tempfile.TemporaryDirectory() as folder:
                path = os.path.join(folder, os.path.basename(name))
                _files.write(name, value, path)
                self._handle.log_file(path, name=name, type=type)
            return None
        self._handle.log_file(path, name=name, type=type)
        return path

    def _write(self, name, value, path):
        # Beside its place and with its suffix, since some libraries go by that.
        waiting = os.path.join(os.path.dirname(path), ".%s.%s" % (os.urandom(4).hex(), os.path.basename(path)))
        try:
            _files.write(name, value, waiting)
            os.replace(waiting, path)
        finally:
            if os.path.exists(waiting):
                os.unlink(waiting)

    def __repr__(self):
        return "<experiment %s, %s>" % (self.name, self.status or "not begun")


class _Path:
    """A file that is meant by its contents, whatever its name."""

    def __init__(self, path):
        self._path = os.fspath(path)
        if not os.path.isfile(self._path):
            raise FileNotFoundError("There is no file %s to keep." % self._path)

    def __fspath__(self):
        return self._path


os.PathLike.register(_Path)


def _type(name):
    suffix = os.path.splitext(name)[1].lower()
    if suffix in (".png", ".jpg", ".jpeg", ".svg", ".pdf", ".webp"):
        return "plot"
    if suffix in (".csv", ".parquet", ".npy", ".npz", ".json", ".txt", ".yaml", ".yml"):
        return "data"
    if suffix in (".html", ".md"):
        return "report"
    return None  # the store goes by the name
