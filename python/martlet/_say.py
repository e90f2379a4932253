"""What a person is told: one line each, on standard error, and a problem at most once a minute."""

from __future__ import annotations

import os
import sys
import time

SECONDS_BETWEEN = 60.0

_last = {}
_held = {}


def is_quiet():
    return os.environ.get("MARTLET_QUIET", "").lower() not in ("", "0", "false", "no")


def say(text):
    """Tells how things go, unless MARTLET_QUIET is set."""
    if not is_quiet():
        _write(text)


def complain(text, kind=""):
    """Tells of a problem; of one kind at most once a minute, with a count of those that were not told."""
    now = time.monotonic()
    last = _last.get(kind)
    if last is not None and now - last < SECONDS_BETWEEN:
        _held[kind] = _held.get(kind, 0) + 1
        return
    _last[kind] = now
    more = _held.pop(kind, 0)
    _write(text + (" (%d more like this)" % more if more else ""))


def _write(text):
    # Past a captured stream, so that our own words do not become part of a run's console.
    stream = sys.stderr
    stream = getattr(stream, "_martlet_inner", stream)
    try:
        stream.write("martlet: " + " ".join(text.split()) + "\n")
        stream.flush()
    except Exception:
        pass  # a closed stream is no reason for anything
