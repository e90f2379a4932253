"""A logbook's file: grows by whole lines, is held by a lock while its writer lives, and bears a disk that is full."""

from __future__ import annotations

import errno
import os
import threading
import time

# Lines that wait for room on the disk, beyond which nothing more is taken in.
WAITING_MAX = 32 << 20
# A spool is cut when this much of it was delivered.
ROOM_WORTH_HAVING = 1 << 20


def make_store(folder):
    """A store's folder as every door makes it: out of git's sight, with a place for logbooks."""
    live = os.path.join(folder, "logbooks", "live")
    if not os.path.isdir(live):
        os.makedirs(live, exist_ok=True)
    ignore = os.path.join(folder, ".gitignore")
    if not os.path.exists(ignore):
        try:
            with open(ignore, "x") as file:
                file.write("*\n")
        except OSError:
            pass
    return live


def lock(file, wait=True):
    """Takes the lock that says that the writer lives. False when another holds it; None where there are no locks."""
    try:
        import fcntl  # not on every system, so not at the top
    except ImportError:
        return None
    try:
        fcntl.flock(file, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
        return True
    except BlockingIOError:
        return False
    except OSError:
        return None  # a file system without them


class Book:
    """One writer's file, with what is not in it yet.

    Offsets count every byte that was ever added: `base` of them are gone because a server has them, `size` lie in the
    file, the rest waits in memory. One thread writes; another may read and acknowledge.
    """

    def __init__(self, folder, writer, spool=False):
        self.folder = folder
        self.writer = writer
        self.path = os.path.join(folder, "logbooks", "live", writer + ".jsonl")
        self.base = 0
        self.size = 0
        self.waiting = b""
        self.trouble = None  # what the disk said last
        self.is_spool = spool
        self._file = None
        self._retry_at = 0.0
        self._turn = threading.Lock()

    @classmethod
    def adopt(cls, folder, writer, file):
        """A book that an earlier program left, by its open and locked file, which stays the caller's to close."""
        book = cls(folder, writer, spool=True)
        book._file = file
        book.size = os.fstat(file).st_size
        return book

    @property
    def end(self):
        return self.base + self.size + len(self.waiting)

    @property
    def is_full(self):
        return len(self.waiting) > WAITING_MAX

    def open(self):
        if self._file is not None:
            return
        make_store(self.folder)
        for _ in range(100):
            file = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND | getattr(os, "O_BINARY", 0), 0o644)
            lock(file)
            # Between making and locking it, a reader may have found it empty and forsaken, and put it away.
            try:
                if os.name == "nt" or os.stat(self.path).st_ino == os.fstat(file).st_ino:
                    self._file = file
                    return
            except FileNotFoundError:
                pass
            os.close(file)
        raise OSError("the logbook was put away each time that it was made: " + self.path)

    def write(self, lines, hurry=False):
        """Adds lines; True when the kernel has all of them."""
        with self._turn:
            self.waiting += lines
            if not self.waiting:
                return True
            now = time.monotonic()
            if self.trouble is not None and now < self._retry_at and not hurry:
                return False
            try:
                self.open()
                while self.waiting:
                    self._write()
                self.trouble = None
                return True
            except OSError as error:
                self.trouble = error
                self._retry_at = now + 2.0
                return False

    def _write(self):
        written = whole = os.write(self._file, self.waiting)
        if written < len(self.waiting):
            # A full disk takes half a line, and the next line must not be glued to it.
            whole = self.waiting.rfind(b"\n", 0, written) + 1
            os.ftruncate(self._file, self.size + whole)
            if not whole:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        self.size += whole
        self.waiting = self.waiting[whole:]

    def read(self, offset, size):
        """Bytes from an offset, for a sender: of the file, or of what waits for it."""
        with self._turn:
            at = offset - self.base
            if at >= self.size:
                return self.waiting[at - self.size:at - self.size + size]
            size = min(size, self.size - at)
            if hasattr(os, "pread"):
                return os.pread(self._file, size, at)
        with open(self.path, "rb") as file:
            file.seek(at)
            return file.read(size)

    def acknowledge(self, offset):
        """A server has everything before the offset. Once that is all, the file is empty again: a spool stays small."""
        with self._turn:
            known = offset - self.base
            if known < self.size or (self.size < ROOM_WORTH_HAVING and not self.waiting):
                return
            if self._file is not None and self.size:
                try:
                    os.ftruncate(self._file, 0)
                except OSError:
                    return
            self.waiting = self.waiting[known - self.size:]
            self.base, self.size = offset, 0

    def close(self):
        with self._turn:
            if self._file is not None:
                os.close(self._file)
                self._file = None

    def discard(self):
        """Removes a spool's file when a server has all of it."""
        try:
            os.unlink(self.path)
        except OSError:
            pass

    def abandon(self):
        """In a child process: closes its copy of the file, by which the parent's lock stays the parent's."""
        file, self._file = self._file, None
        self.waiting = b""
        if file is not None:
            try:
                os.close(file)
            except OSError:
                pass
