"""A run, as training code holds it: `log` and its kin append to memory and return."""

from __future__ import annotations

import os
import threading
import time
from collections import deque
from time import time as clock

from . import _ending, _values
from ._config import Config
from ._details import Details
from ._errors import MartletError
from ._say import complain
from ._steps import counter

EXIT_SECONDS = 10.0


class Run(Details):
    """One try of an experiment. Made by `martlet.start_run`; a context manager.

    No method of it waits for a disk or a server, and none raises unless the run was started with `strict=True`; the
    ones that take files copy them first.
    """

    def __init__(self, plan, recorder):
        # What `log` touches comes first and so lies side by side: where calls are rare, each place that the processor's
        # caches have forgotten costs more than all that is done with it.
        self._write_to(recorder.queue if recorder is not None else deque(maxlen=0))
        # Nothing waits yet, and no thread has been started: the first call sees to it.
        self._limit = recorder.limit // 2 if recorder is not None and recorder.is_started else -1
        self._top = plan.first_step  # one more than the greatest step so far
        self._steps = counter(plan.first_step)  # the next step of who gives none
        self._plan = plan
        self._recorder = recorder
        self._lock = threading.RLock()
        self._ended = recorder is None
        self._is_owner = plan.is_owner
        self._pid = os.getpid()
        self._params = {}
        self._exiting = []  # what is to be called when the run ends
        self._after_fork = []  # and what in a child, once it has a writer of its own
        self._inner = threading.local()
        self.config = Config(self)
        # Points of other ranks are kept only when someone asked for them.
        self._drops_points = recorder is None or plan.drops_points

    def _write_to(self, queue):
        self._append, self._queue = queue.append, queue

    # -- Who it is

    @property
    def id(self):
        """The run's id: 32 hex digits, made here, the same everywhere."""
        return self._plan.run

    @property
    def name(self):
        return self._plan.name

    @property
    def experiment(self):
        return self._plan.experiment

    @property
    def project(self):
        return self._plan.project

    @property
    def rank(self):
        return self._plan.rank

    @property
    def attempt(self):
        return self._plan.attempt

    @property
    def uri(self):
        """The store: a folder, or a server's address."""
        return self._plan.uri

    @property
    def url(self):
        """The run's page, when a server keeps it."""
        return "%s/runs/%s" % (self._plan.uri, self.id) if self._plan.is_remote else None

    @property
    def last_step(self):
        """The greatest step logged so far, or None."""
        return self._top - 1 if self._top > 0 else None

    @property
    def is_active(self):
        return not self._ended

    def __repr__(self):
        return "<martlet.Run %s of %s, %s>" % (
            self.name or self.id[:8], self.experiment, "ended" if self._ended else "running")

    def _repr_html_(self):
        from ._notebook import card

        return card(self)

    def show(self):
        """Shows the run: its page in a notebook, else where it can be found."""
        from ._notebook import show

        return show(self)

    # -- Numbers

    def log(self, data, step=None):
        """Logs values at a step: numbers, device tensors, images, figures, tables; nested names are joined by `/`.

        Without a step the run counts for itself. Steps may repeat and go back: every value is kept.
        """
        kind = None
        try:
            for value in data.values():
                kind = type(value)
                if kind is not float and kind is not int:
                    break
            else:
                if kind is None:
                    return None
                # No lock: in a loop that has other things in the processor's caches it costs as much as all the rest.
                if step is None:
                    step = next(self._steps)
                    if step < self._top:
                        step = self._catch_up()
                elif type(step) is not int:
                    return self._log_any(data, step)
                if step >= self._top:
                    self._top = step + 1
                if len(self._queue) > self._limit:
                    return self._crowded(data, step)
                self._append((data.copy(), step, clock()))
                return None
            return self._log_any(data, step)
        except Exception as error:
            self._failed(error if hasattr(data, "items") else TypeError(
                "log takes names and values, such as {\"loss\": 0.1}, not %s" % type(data).__name__))
        return None

    def log_metrics(self, metrics, step=None):
        """Logs numbers. Without a step each is a summary value, and from the second one under a key a series."""
        if step is not None:
            return self.log(metrics, step)
        try:
            return self._log_any(metrics, None, counts=False)
        except Exception as error:
            self._failed(error)

    def log_metric(self, key, value, step=None):
        """Logs one number; see `log_metrics`."""
        return self.log_metrics({key: value}, step)

    def _catch_up(self):
        """The next step for who gives none, where greater ones were given."""
        with self._lock:
            step = next(self._steps)
            if step < self._top:
                step = self._top
                self._steps = counter(step + 1)
            self._top = max(self._top, step + 1)
            return step

    def _crowded(self, data, step):
        """The queue is at its limit, or nothing of this run is at work yet in this process."""
        with self._lock:
            self._make_room(data, step)

    def _make_room(self, data, step):
        if self._ended:
            self._say_ended()
            return
        if self._drops_points:
            return
        if self._limit < 0:
            self._recorder.start()
            self._limit = self._recorder.limit // 2
        elif len(self._queue) > self._recorder.limit:
            self._recorder.drop(data, step)
            return
        else:
            self._limit = self._recorder.limit // 2
            self._recorder.wake()
        self._append((data.copy(), step, clock()))

    def _log_any(self, data, step, counts=True):
        """The long way: values of every kind, and steps that are not plain integers."""
        if step is not None and step.__class__ is not int:
            step = int(step)
        if counts:
            if step is None:
                step = self._catch_up()
            elif step >= self._top:
                self._top = step + 1
        if self._refuses():
            return
        now = time.time()
        numbers = {}
        for key, value in _values.flat(data):
            found = _values.number(value)
            if found is _values.MISSING:
                self._log_rich(key, value, step, now)
            elif isinstance(found, _values.Later):
                if not self._drops_points:
                    self._put((found, (key, step), now))
            else:
                numbers[key] = found
        if numbers and not self._drops_points:
            if len(self._queue) > self._recorder.limit:
                self._recorder.drop(numbers, step)
            else:
                self._put((numbers, step, now))

    def _log_rich(self, key, value, step, now):
        if value is None:
            return
        from . import _rich

        for each in value if isinstance(value, (list, tuple)) and value else [value]:
            entry = _rich.entry(self, key, each, step, now)
            if entry is None:
                self._problem("“%s” is %s, which is no number and nothing that can be shown." % (key, _values.kind(each)))
            else:
                self._put(entry)

    def _put(self, entry):
        if self._limit < 0:
            self._recorder.start()
            self._limit = self._recorder.limit // 2
        self._append(entry)

    def _line(self, op, fields, when=None):
        if not self._refuses():
            self._put((op, time.time() if when is None else when, fields))

    def _refuses(self):
        if self._ended and self._recorder is not None:
            self._say_ended()
        return self._ended

    def _say_ended(self):
        complain("the run %s has ended; what is logged to it now is not kept. martlet.add_to(run) adds to it."
                 % (self.name or self.id[:8]), "ended")

    # -- Its end

    def flush(self, seconds=EXIT_SECONDS):
        """Waits until what was logged is with the kernel, and where a server keeps the run, with the server."""
        if self._recorder is None or self._ended:
            return True
        end = time.monotonic() + seconds
        held = self._recorder.flush(seconds)
        sender = self._recorder.sender
        while held and sender is not None and not sender.is_empty:
            if time.monotonic() > end:
                return False
            time.sleep(0.01)
        return held

    def finish(self, status="finished", error=None, exit=None, seconds=None):
        """Ends the run. Waits for the disk or the server at most until a deadline; what is left is sent later."""
        try:
            _ending.finish(self, status, error, exit, seconds)
        except Exception as failure:
            self._failed(failure)

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        if kind is None:
            self.finish()
        else:
            status, words, exit = _ending.reason(kind, error, trace)
            self.finish(status, words, exit)
        return False

    def __reduce__(self):
        # In a process that was spawned it is another writer of the same run.
        from ._start import attach

        return attach, (self._plan.for_child(),)

    # -- Troubles

    def _problem(self, words):
        if self._plan.strict:
            raise MartletError(words)
        complain(words, words[:40])

    def _failed(self, error):
        if self._plan.strict:
            raise error
        complain("%s: %s" % (type(error).__name__, error), "call")
