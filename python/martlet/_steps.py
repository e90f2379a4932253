"""Numbers for steps that nobody gave."""

from __future__ import annotations

import sys
import threading
from itertools import count


def counter(first):
    """Gives each number once, to however many threads, in one step of the interpreter."""
    if getattr(sys, "_is_gil_enabled", lambda: True)():
        return count(first)
    return Counter(first)


class Counter:
    """The same where threads run side by side inside the interpreter."""

    def __init__(self, first):
        self._next, self._lock = first, threading.Lock()

    def __next__(self):
        with self._lock:
            self._next += 1
            return self._next - 1
