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
    """The run that was started last and has not ended, or None: `martlet.log` writes to it. One that is only added to is
    named each time."""
    return next((run for run in reversed(_runs) if not run._plan.is_addition), None)


def everything():
    return list(_runs)


def all_of_this_process():
    pid = os.getpid()
    return [run for run in reversed(_runs) if run._pid == pid]
