"""A run that can be written to until it ends and, for what people add afterwards, after that."""

from __future__ import annotations

import atexit
import os
import sys
import time
import traceback
from contextlib import contextmanager

import martlet
from martlet import MartletError, _active

from . import _store

# What a program is and where it runs is recorded once, by the outermost of its runs.
INNER = ()


class ParamChanged(MartletError, ValueError):
    """A param was given a second, different value."""


class Handle:
    """One run of the store, its params, last metrics and files as far as this process knows them."""

    def __init__(self, experiment, name=None, tags=None, params=None, parent=None, capture=None, uri=None):
        self.store = _store.at(uri)
        self._is_inner = capture == INNER
        with _quietly(self._is_inner):
            self._run = martlet.start_run(
                experiment=experiment, name=name, tags=tags or None, parent=parent, capture=capture,
                uri=self.store.place)
        self.name = name
        self.experiment = experiment
        self.params = {}
        self.metrics = {}
        self.status = "running"
        self.error = None
        self._late = None
        self.store.handles.append(self)
        if params:
            self.log_params(params)

    @property
    def id(self):
        return self._run.id

    @property
    def is_active(self):
        return self._run.is_active

    @property
    def url(self):
        return self._run.url

    @property
    def run(self):
        """The run to write to: the one that was begun or, once that has ended, one more writer of it."""
        if self._run.is_active:
            return self._run
        if self._late is None or not self._late.is_active:
            # What is pickled comes back as a writer of its own, without a new attempt. It is one for all that is added,
            # so that the order is kept, and it is not what `martlet.log` means. Its logbook begins now: a store takes
            # logbooks in by when they begin, and what was added must come after what it is added to.
            attach, (fields,) = self._run.__reduce__()
            if fields.get("beginning"):
                fields["beginning"] = {**fields["beginning"], "start": int(time.time() * 1000)}
            self._late = attach(fields)
            _active.remove(self._late)
            atexit.register(self._late.finish)
        return self._late

    def log_params(self, params):
        for key, value in params.items():
            key = str(key)
            known = self.params.get(key, value)
            if known != value and not (known != known and value != value):
                raise ParamChanged(
                    "The param “%s” is %r and stays so; it cannot become %r. Log the new value to another run, or "
                    "under another name." % (key, known, value))
        self.params.update((str(key), value) for key, value in params.items())
        self.run.log_params({str(key): value for key, value in params.items()})
        self._settle_late()

    def log_metrics(self, metrics, step=None):
        self.run.log_metrics(metrics, step)
        for key, value in metrics.items():
            self.metrics[str(key)] = number(value)
        self._settle_late()

    def set_tags(self, tags):
        self.run.set_tags(tags)
        self._settle_late()

    def note(self, text):
        self.run.note(text)
        self._settle_late()

    def log_fact(self, kind, data):
        self.run.log_fact(kind, data)
        self._settle_late()

    def log_file(self, path, name=None, type=None):
        self.run.log_artifact(path, name=name, type=type)
        self._settle_late()

    def log_reference(self, uri, name, type=None):
        self.run.log_artifact(uri if "://" in uri else "storage://" + uri, name=name, type=type)
        self._settle_late()

    def log_text(self, text, name, type=None):
        from martlet import _artifacts

        run = self.run
        if run._recorder is not None:
            _artifacts.log_bytes(run, text.encode(), name, type=type)
        self._settle_late()

    def set_status(self, status):
        """Another word for how it ended, or now ends."""
        if self._run.is_active:
            self.finish(status)
            return
        self.status = str(status)
        self.run._line("state", {"status": self.status})
        self._settle_late()

    def finish(self, status="finished", error=None):
        if not self._run.is_active:
            return
        self.status = str(status)
        with _quietly(self._is_inner):
            self._run.finish(self.status, error)

    def fail(self, error, status=None):
        """Ends as an exception says: failed, interrupted, out of memory."""
        from martlet import _ending

        word, words, exit = _ending.reason(type(error), error, error.__traceback__)
        self.error = "%s: %s" % (type(error).__name__, error)
        self.status = status or word
        self._run.finish(self.status, words, exit)

    def settle(self):
        """Waits until all of it can be read in the store."""
        for run in (self._run, self._late):
            if run is not None and run._recorder is not None:
                run.flush()
                self.store.deliver(run._recorder.book.path)
        if not self._run.is_active and self in self.store.handles:
            self.store.handles.remove(self)

    def _settle_late(self):
        # What was added afterwards is written at once: nobody waits for an end of it.
        if self._late is not None:
            self._late.flush()
            if self not in self.store.handles:
                self.store.handles.append(self)


@contextmanager
def _quietly(is_wanted):
    """A search of a hundred runs is told of once, not two hundred times."""
    before = os.environ.get("MARTLET_QUIET")
    if not is_wanted or before:
        yield
        return
    os.environ["MARTLET_QUIET"] = "1"
    try:
        yield
    finally:
        if before is None:
            os.environ.pop("MARTLET_QUIET", None)
        else:
            os.environ["MARTLET_QUIET"] = before


def number(value):
    """A metric's value as Python's own number, where it is one."""
    if isinstance(value, (bool, int, float)):
        return value
    try:
        return float(value)
    except (TypeError, ValueError):
        return value


def traceback_in_progress():
    """The words of the exception that is being handled where this is called from, or None."""
    if sys.exc_info()[0] is None:
        return None
    return traceback.format_exc()
