"""What the program prints becomes part of the run, while it prints it."""

from __future__ import annotations

import sys
import time
from collections import deque

# What one stream may hold back between two turns of the writer; a flood beyond it is cut, and says so.
HELD_MAX = 4 << 20
LINE_MAX = 64 << 10
SECONDS_BETWEEN = 0.5


class Tee:
    """A stream that also keeps what is written to it. All else it leaves to the stream that it stands before."""

    def __init__(self, inner, name):
        self._martlet_inner = inner
        self._martlet_name = name
        self._martlet_runs = []

    def write(self, text):
        count = self._martlet_inner.write(text)
        for keeper in self._martlet_runs:
            keeper.keep(self._martlet_name, text)
        return count

    def writelines(self, lines):
        for line in lines:
            self.write(line)

    def __getattr__(self, name):
        return getattr(self._martlet_inner, name)

    def __iter__(self):
        return iter(self._martlet_inner)


class Keeper:
    """What a run has still to say of its console."""

    def __init__(self, run):
        self.run = run
        self.pieces = deque()
        self.held = 0
        self.lost = 0
        self.rest = {}

    def keep(self, stream, text):
        if not isinstance(text, str) or not text:
            return
        if self.held > HELD_MAX:
            self.lost += len(text)
            return
        self.held += len(text)
        self.pieces.append((stream, text, time.time()))

    def deliver(self, all_of_it=False):
        """Puts whole lines into the run; a progress bar that redraws itself is kept as it looked last."""
        texts = {}
        when = None
        while self.pieces:
            stream, text, at = self.pieces.popleft()
            self.held -= len(text)
            when = when or at
            texts[stream] = texts.get(stream, "") + text
        if self.lost:
            texts["stderr"] = texts.get("stderr", "") + "\n[%d characters were not kept]\n" % self.lost
            self.lost = 0
        for stream in set(texts) | set(self.rest if all_of_it else ()):
            text = self.rest.pop(stream, "") + texts.get(stream, "")
            whole = len(text) if all_of_it or len(text) > LINE_MAX else text.rfind("\n") + 1
            if whole < len(text):
                # Only what is drawn last of an unfinished line can still be seen.
                tail = text[whole:]
                self.rest[stream] = tail[tail.rfind("\r") + 1:] if "\r" in tail[:-1] else tail
            text = "".join(map(_as_seen, text[:whole].splitlines(True))) if "\r" in text[:whole] else text[:whole]
            for start in range(0, len(text), 1 << 20):
                self.run._put(
                    ("console", when or time.time(), {"stream": stream, "text": text[start:start + (1 << 20)]}))


def _as_seen(line):
    return line if not line.endswith("\r") else ""


def begin(run):
    keeper = Keeper(run)
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            continue
        if not isinstance(stream, Tee):
            stream = Tee(stream, name)
            setattr(sys, name, stream)
        stream._martlet_runs.append(keeper)
    run._recorder.every(SECONDS_BETWEEN, keeper.deliver, first=0.0)

    def end():
        for name in ("stdout", "stderr"):
            stream = getattr(sys, name)
            if isinstance(stream, Tee) and keeper in stream._martlet_runs:
                stream._martlet_runs.remove(keeper)
                if not stream._martlet_runs:
                    setattr(sys, name, stream._martlet_inner)
        keeper.deliver(all_of_it=True)

    run._exiting.append(end)
