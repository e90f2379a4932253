"""The runs of this process that have not ended, newest last."""

from __future__ import annotations

import os

_runs = []


def add(run):
    _runs.append(run)


def remove(run):
    if run in _runs:
        _runs.remove(run)


def current():
    """The run that `martlet.log` writes to: the one that was started last."""
    return _runs[-1] if _runs else None


def everything():
    return list(_runs)


def all_of_this_process():
    pid = os.getpid()
    return [run for run in reversed(_runs) if run._pid == pid]
