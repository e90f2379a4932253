"""Brings a logbook's lines to a server, in order, one request in flight, and waits out a server that is away."""

from __future__ import annotations

import os
import random
import threading
import time

from . import _http
from ._book import Book, lock
from ._say import complain, say

BATCH_BYTES = 1 << 20
PAUSE_MIN, PAUSE_MAX = 0.5, 30.0
LINES = {"Content-Type": "application/x-ndjson"}


class Pending(Exception):
    """The server cannot take lines now; `seconds` is when to try again, `is_final` that trying will not help."""

    def __init__(self, words, seconds=None, is_final=False):
        super().__init__(words)
        self.seconds = seconds
        self.is_final = is_final


class Delivery:
    """What is to be sent of one book, and how far that is."""

    def __init__(self, book, connection):
        self.book = book
        self.connection = connection
        self.done = book.base  # everything before is with the server
        self.sent_lines = 0

    def step(self):
        """Sends one batch; False when there was nothing to send."""
        data = self.book.read(self.done, BATCH_BYTES)
        end = data.rfind(b"\n") + 1
        if not end:
            if len(data) < BATCH_BYTES:
                return False
            data = self.book.read(self.done, 16 * BATCH_BYTES)
            end = data.find(b"\n") + 1
            if not end:
                return False
        end = self._with_files(data[:end])
        self._post(data[:end])
        self.done += end
        self.book.acknowledge(self.done)
        return True

    def _with_files(self, data):
        """Ends a batch behind the first line that names a file, whose bytes go ahead of it."""
        at = data.find(b',"op":"artifact"')
        if at < 0:
            return len(data)
        start = data.rfind(b"\n", 0, at) + 1
        if start:
            return start  # the run must be there before its files are
        end = data.find(b"\n") + 1
        self._upload(data[:end])
        return end

    def _upload(self, line):
        import json

        body = json.loads(line)
        digest = body.get("sha256")
        if not digest or body.get("uri") or body.get("gone"):
            return
        file = os.path.join(self.book.folder, "artifacts", digest[:2], digest[2:])
        try:
            stream = open(file, "rb")
        except OSError as error:
            complain("the bytes of “%s” are gone: %s" % (body.get("path"), error), "file")
            return
        with stream:
            size = os.fstat(stream.fileno()).st_size
            target = _http.path("runs", body["run"], "artifacts", *body["path"].split("/"), type=body.get("type"))
            answer = self.connection.ask(
                "PUT", target, stream,
                {"Content-Type": "application/octet-stream", "Content-Length": str(size), "X-Content-SHA256": digest},
                timeout=120)
        if answer.status >= 500 or answer.status in (401, 403, 408, 429):
            self._refused(answer)
        if answer.status >= 300:
            complain("“%s” was not taken: %s" % (body.get("path"), answer.words), "file")

    def _post(self, lines):
        answer = self.connection.ask("POST", "/api/v1/logbook", lines, LINES, timeout=60)
        if answer.status == 200:
            body = answer.json
            self.sent_lines += lines.count(b"\n")
            if body.get("problems"):
                complain("%d lines could not be used; they are kept with the run as problems." % body["problems"],
                         "lines")
            return
        if answer.status == 409:
            expected = answer.json.get("expected")
            if expected and self._seek(expected):
                raise Pending("it asked for earlier lines again", seconds=0.0)
            raise Pending("it waits for a line that is not here any more: " + answer.words, is_final=True)
        self._refused(answer)

    def _seek(self, sequence):
        """Goes back to a line by its number."""
        offset = self.book.base
        mark = b'"seq":%d,' % sequence
        while True:
            data = self.book.read(offset, 16 * BATCH_BYTES)
            end = data.rfind(b"\n") + 1
            if not end:
                return False
            start = 0
            while start < end:
                stop = data.index(b"\n", start)
                if mark in data[start:min(stop, start + 220)]:
                    self.done = offset + start
                    return True
                start = stop + 1
            offset += end

    def _refused(self, answer):
        after = answer.headers.get("retry-after", "")
        seconds = float(after) if after.isdigit() else None
        if answer.status in (401, 403):
            raise Pending("it refuses us: %s Set MARTLET_TOKEN." % answer.words, 60.0)
        if answer.status in (429, 503, 507) or answer.status >= 500:
            raise Pending(answer.words or "status %d" % answer.status, seconds)
        raise Pending("it does not take our lines (%d): %s" % (answer.status, answer.words), 60.0)


class Sender:
    """A thread that sends while there is something to send."""

    def __init__(self, address, token, book):
        self.address = address
        self.connection = _http.Connection(address, token)
        self.delivery = Delivery(book, self.connection)
        self.book = book
        self.is_reached = None
        self.trouble = None
        self.once_reached = None  # called with the connection when the server has the first lines
        self._wake = threading.Event()
        self._is_closing = False
        self._done = threading.Event()
        self._thread = None
        self._looked_for_orphans = False

    def start(self):
        if self._thread is None:
            self._thread = threading.Thread(target=self._loop, name="martlet-sender", daemon=True)
            self._thread.start()

    def wake(self):
        self._wake.set()

    def close(self, deadline):
        """Called when the book has its last line. True when the server has everything by the deadline."""
        if self._thread is None:
            return False
        self._is_closing = True
        self._wake.set()
        self._done.wait(max(0.0, deadline - time.monotonic()))
        return self._done.is_set() and self.is_empty

    def abandon(self):
        """In a child process: the connection is the parent's."""
        self.connection.abandon()

    @property
    def is_empty(self):
        return self.delivery.done >= self.book.end

    def _loop(self):
        pause = PAUSE_MIN
        try:
            while True:
                try:
                    while self.delivery.step():
                        self._reached()
                        pause = PAUSE_MIN
                    if self.is_reached and self.once_reached is not None:
                        self._first_reached()
                    if self.is_reached and not self._is_closing and not self._looked_for_orphans:
                        self._looked_for_orphans = True
                        self._send_orphans()
                    if self._is_closing and self.is_empty:
                        self.book.discard()
                        return
                    self._wake.wait(1.0)
                    self._wake.clear()
                    continue
                except (Pending, _http.Unreachable) as error:
                    seconds = getattr(error, "seconds", None)
                    self._is_away(error)
                except Exception as error:
                    seconds = None
                    self._is_away(error)
                if seconds is None:
                    seconds = pause * random.uniform(0.7, 1.3)
                    pause = min(PAUSE_MAX, pause * 2)
                # While the program ends, the server is tried often: there is a deadline.
                end = time.monotonic() + seconds
                while time.monotonic() < end and not (self._is_closing and time.monotonic() > end - seconds + 0.3):
                    time.sleep(min(0.1, max(0.001, end - time.monotonic())))
        finally:
            self.connection.close()
            self.book.close()
            self._done.set()

    def _reached(self):
        if self.is_reached is False:
            say("%s is there again; what waited was sent." % self.address)
        self.is_reached = True
        self.trouble = None

    def _first_reached(self):
        call, self.once_reached = self.once_reached, None
        try:
            call(self.connection)
        except Exception:
            pass  # it is about a run's name, which is not worth a line on the console

    def _is_away(self, error):
        self.trouble = error
        self.is_reached = False
        complain(
            "%s: %s. What is logged waits in %s and is sent later; the run goes on."
            % (self.address, error, self.book.folder), "server")

    def _send_orphans(self):
        """Books that earlier programs could not hand over: their writers are gone, which their free locks say."""
        live = os.path.join(self.book.folder, "logbooks", "live")
        try:
            names = sorted(os.listdir(live))
        except OSError:
            return
        for name in names:
            path = os.path.join(live, name)
            if not name.endswith(".jsonl") or path == self.book.path:
                continue
            try:
                file = os.open(path, os.O_RDWR)
            except OSError:
                continue
            try:
                held = lock(file, wait=False)
                if held is False or held is None and time.time() - os.fstat(file).st_mtime < 3600:
                    continue
                orphan = Book.adopt(self.book.folder, name[:-6], file)
                delivery = Delivery(orphan, self.connection)
                while delivery.step():
                    pass
                os.unlink(path)
            finally:
                os.close(file)
