"""Between the training code and the disk: a queue in memory, and a thread that turns it into lines.

Whoever logs appends to a deque and is done: no system call, no lock that a file or a socket holds. The thread takes
what has gathered, a few times a second, and hands it to the kernel.
"""

from __future__ import annotations

import threading
import time
from collections import deque

from . import _line
from ._say import complain

# What may wait in memory; beyond it the newest points are dropped, counted and told of by a gap.
MEMORY_MAX = 64 << 20
SECONDS_BETWEEN_TURNS = 0.2
# A program that logs more than this in a turn is looked at more often.
BUSY_ROWS, BUSY_SECONDS = 1000, 0.05
SECONDS_BETWEEN_BEATS = 15.0
ENTRIES_A_TURN = 20_000


def row_limit(values):
    """How many rows of so many values may wait: a row is a tuple, a dict and numbers."""
    return max(1000, MEMORY_MAX // (400 + 60 * max(1, values)))


class Later:
    """A value that is still on a device. `ready` never waits; `value` is asked for only once it said yes."""

    def ready(self):
        raise NotImplementedError

    def value(self):
        raise NotImplementedError


class Recorder:
    """One writer of one run: its queue, its thread, its numbers."""

    def __init__(self, book, run, role="", rank=0, sender=None):
        self.book = book
        self.run = run
        self.lines = _line.Lines(book.writer, run, role, rank)
        self.sender = sender
        # (values, step, time) are points, (op, time, fields) another line, (Later, (key, step), time) a late value, and
        # (Later, call, time) what a call makes of one that is there, as (op, fields) each.
        self.queue = deque()
        self.limit = row_limit(6)
        self.dropped = {}
        self.periodic = []  # [seconds, due, call]
        self.error = None
        self._later = []
        self._wake = threading.Event()
        self._turning = threading.Lock()
        self._is_closing = False
        self._deadline = None
        self._done = threading.Event()
        self._thread = None
        self._beat_at = time.monotonic() + SECONDS_BETWEEN_BEATS
        self._flushes = 0
        self._pause = BUSY_SECONDS

    # -- Called by whoever logs

    def put(self, op, fields, when=None):
        self.queue.append((op, time.time() if when is None else when, fields))

    def every(self, seconds, call, first=None):
        self.periodic.append([seconds, time.monotonic() + (seconds if first is None else first), call])

    def start(self):
        if self._thread is None:
            self._thread = threading.Thread(target=self._loop, name="martlet-writer", daemon=True)
            self._thread.start()
            if self.sender is not None:
                self.sender.start()

    @property
    def is_started(self):
        return self._thread is not None

    def wake(self):
        """Half of the room is taken: the thread should not wait until its time. The one system call that logging may
        make, where a program logs faster than anyone could look at."""
        if not self._wake.is_set():
            self._wake.set()

    def drop(self, names, step):
        """Counts points that found no room."""
        for name in names:
            known = self.dropped.get(name)
            if known is None:
                self.dropped[name] = [step, step, 1]
            else:
                known[1] = step
                known[2] += 1

    def flush(self, seconds):
        """Waits until all that was logged before is with the kernel; False when that took too long."""
        if self._thread is None or self._done.is_set():
            return True
        wanted = self._flushes + 1
        self.put(None, self._mark(wanted))
        self._wake.set()
        end = time.monotonic() + seconds
        while self._flushes < wanted and not self._done.is_set():
            if time.monotonic() > end:
                return False
            time.sleep(0.001)
        return self.book.trouble is None

    def _mark(self, number):
        def mark():
            self._flushes = max(self._flushes, number)
        return mark

    def close(self, deadline):
        """Lets the thread finish by a moment of the monotonic clock; True when everything is with the kernel."""
        if self._thread is None:
            return True
        self._deadline = deadline
        self._is_closing = True
        self._wake.set()
        self._done.wait(max(0.0, deadline - time.monotonic()))
        return self._done.is_set() and not self.book.waiting

    # -- The thread

    def _loop(self):
        try:
            while not self._is_closing:
                self._wake.wait(self._pause)
                self._wake.clear()
                self._guarded(self._turn)
                for job in self.periodic:
                    if time.monotonic() >= job[1]:
                        job[1] = time.monotonic() + job[0]
                        self._guarded(job[2])
            self._finish()
        finally:
            self._done.set()

    def _guarded(self, call):
        try:
            call()
        except Exception as error:  # none of ours reaches the training code
            self.error = error
            complain("something went wrong while recording: %s: %s" % (type(error).__name__, error), "recording")

    def _finish(self):
        while True:
            self._guarded(lambda: self._turn(hurry=True))
            if not (self.queue or self._later or self.book.waiting) or time.monotonic() > self._deadline - 0.05:
                break
            time.sleep(0.01)
        if self.sender is None:
            self.book.close()  # else it is the sender's to read on

    def _turn(self, hurry=False):
        if not self._turning.acquire(blocking=False):
            return
        try:
            if self.book.is_full:
                self._write(b"", hurry)
                return
            taken = 0
            while True:
                entries = self._take()
                taken += len(entries)
                marks = []
                lines = self._gaps() + self._format(entries, marks) + self._late()
                now = time.monotonic()
                if now >= self._beat_at:
                    self._beat_at = now + SECONDS_BETWEEN_BEATS
                    lines.append(self.lines.line("beat", int(time.time() * 1000), ""))
                if lines or self.book.waiting:
                    self._write(b"".join(lines), hurry)
                for mark in marks:
                    mark()
                if len(entries) < ENTRIES_A_TURN // 2:
                    self._pause = BUSY_SECONDS if taken > BUSY_ROWS else SECONDS_BETWEEN_TURNS
                    return
        finally:
            self._turning.release()

    def _write(self, data, hurry):
        if not self.book.write(data, hurry):
            complain(
                "%s: %s. What is logged waits in memory; the run goes on." % (self.book.path, self.book.trouble), "disk")
        elif self.sender is not None:
            self.sender.wake()

    def _take(self):
        queue = self.queue
        entries = []
        try:
            for _ in range(min(len(queue), ENTRIES_A_TURN)):
                entries.append(queue.popleft())
        except IndexError:
            pass
        return entries

    def _gaps(self):
        if not self.dropped:
            return []
        dropped, self.dropped = self.dropped, {}
        now = int(time.time() * 1000)
        total = sum(gap[2] for gap in dropped.values())
        complain("%d points found no room in memory and are missing; the run is marked so." % total, "gap")
        return [
            self.lines.line("gap", now, {"metric": name, "first": first, "last": last, "n": count})
            for name, (first, last, count) in dropped.items()]

    def _format(self, entries, marks):
        out, rows = [], []
        widest = 1
        for entry in entries:
            head = entry[0]
            if head.__class__ is dict:
                rows.append(entry)
                if len(head) > widest:
                    widest = len(head)
                continue
            if isinstance(head, Later):
                self._later.append(entry)
                continue
            if rows:
                self._points(rows, out)
                rows = []
            if head is None:
                marks.append(entry[2])
                continue
            self._guarded(lambda: self._other(head, entry[1], entry[2], out))
        if rows:
            self._points(rows, out)
            self.limit = row_limit(widest)
        return out

    def _points(self, rows, out):
        lines, others = self.lines.points(rows)
        out += lines
        for name, step, _, value in others:
            complain("“%s” at step %s is no number (%s) and was left out." % (name, step, type(value).__name__), "value")

    def _other(self, op, when, fields, out):
        """A line, or several: fields may be a call that makes them here, where it costs the training code nothing."""
        if callable(fields):
            fields = fields()
            if fields is None:
                return
        for each in fields if isinstance(fields, list) else [(op, fields)]:
            out.append(self.lines.line(each[0], int(when * 1000), each[1]))

    def _late(self):
        if not self._later:
            return []
        rows, waiting, out = [], [], []
        for entry in self._later:
            handle, what, when = entry
            try:
                if not handle.ready():
                    waiting.append(entry)
                elif callable(what):
                    self._other(None, when, what, out)
                else:
                    rows.append(({what[0]: handle.value()}, what[1], when))
            except Exception as error:
                name = "a value" if callable(what) else "“%s” at step %s" % what
                complain("%s could not be read from its device: %s" % (name, error), "value")
        self._later = waiting
        if rows:
            self._points(rows, out)
        return out
