"""How a run ends: by itself, by an exception, by a signal, and always by a deadline."""

from __future__ import annotations

import atexit
import os
import signal
import sys
import threading
import time

from . import _active
from ._say import complain, say

_installed = False
_exit_code = None
_failure = None


def exit_seconds():
    from ._run import EXIT_SECONDS

    try:
        return float(os.environ.get("MARTLET_EXIT_SECONDS", EXIT_SECONDS))
    except ValueError:
        return EXIT_SECONDS


def finish(run, status, error=None, exit=None, seconds=None):
    with run._lock:
        if run._ended:
            return
        if run._pid != os.getpid():
            return  # a child that was forked behind our back
        deadline = time.monotonic() + (exit_seconds() if seconds is None else seconds)
        for call in run._exiting:
            try:
                call()
            except Exception as failure:
                complain("%s: %s" % (type(failure).__name__, failure), "ending")
        now = time.time()
        recorder = run._recorder
        if run._is_owner:
            fields = {"status": status, "end": int(now * 1000)}
            if exit:
                fields["exit"] = exit
            if error:
                fields["error"] = error[-16_384:]
            run._put(("state", now, fields))
        elif recorder.is_started:
            run._put(("beat", now, {"end": True}))
        run._ended = True
        run._drops_points = True
        run._limit = -1
    _active.remove(run)
    held = recorder.close(deadline)
    sender = recorder.sender
    sent = sender is None or sender.close(deadline)
    plan = run._plan
    if not run._is_owner and not plan.is_addition:
        return
    where = run.url or recorder.book.folder
    name = run.name or run.id[:8]
    if not held:
        complain("%s: not everything of run %s could be written within the time that an exit has: %s" % (
            recorder.book.path, name, recorder.book.trouble or "it took too long"), "end")
    elif not sent:
        complain(
            "%s is not there; run %s lies in %s. The next run sends it, or `martlet sync %s %s`." % (
                run.uri, name, recorder.book.folder, recorder.book.folder, run.uri), "end")
    elif not plan.quiet:
        say("run %s %s: %s" % (name, "has what was added" if plan.is_addition else status, where))


def reason(kind, error, trace):
    """A status, words and facts for an exception that ended a run."""
    import traceback

    if issubclass(kind, SystemExit):
        code = getattr(error, "code", None)
        if code in (None, 0):
            return "finished", None, {"code": 0}
        return "failed", "exit code %s" % (code,), {"code": code if isinstance(code, int) else 1}
    words = "".join(traceback.format_exception(kind, error, trace))
    if issubclass(kind, (KeyboardInterrupt, GeneratorExit)):
        return "interrupted", words, {"reason": "interrupted"}
    if issubclass(kind, MemoryError) or kind.__name__ in ("OutOfMemoryError", "ResourceExhaustedError") or (
            issubclass(kind, RuntimeError) and "out of memory" in str(error).lower()):
        return "oom", words, {"reason": "out of memory", "exception": kind.__name__}
    return "failed", words, {"reason": "exception", "exception": kind.__name__}


def install():
    """Once in a process: what tells how the program ends. Everything that was there before still happens."""
    global _installed
    if _installed:
        return
    _installed = True
    atexit.register(_at_exit)
    _watch_exceptions()
    _watch_exit_code()
    _watch_signals()
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=_in_child)


def _watch_exceptions():
    before = sys.excepthook

    def hook(kind, error, trace):
        global _failure
        try:
            _failure = reason(kind, error, trace)
        except Exception:
            pass
        before(kind, error, trace)

    sys.excepthook = hook


def _watch_exit_code():
    before = sys.exit

    def leave(code=None):
        global _exit_code
        if threading.current_thread() is threading.main_thread():
            _exit_code = code
        before(code)

    leave.__doc__ = before.__doc__
    sys.exit = leave


def _watch_signals():
    """SIGTERM ends a program without a word; where nobody else listens, it ends after ours."""
    if threading.current_thread() is not threading.main_thread():
        return
    for number in (signal.SIGTERM, getattr(signal, "SIGHUP", None)):
        try:
            if number is not None and signal.getsignal(number) is signal.SIG_DFL:
                signal.signal(number, _on_signal)
        except (ValueError, OSError):
            pass


def _on_signal(number, frame):
    name = signal.Signals(number).name
    status, exit = "killed", {"signal": name}
    cause = _slurm_cause() if "SLURM_JOB_ID" in os.environ else None
    if cause:
        exit["slurm"] = cause
        status = {"PREEMPTED": "preempted", "TIMEOUT": "timeout", "OUT_OF_MEMORY": "oom"}.get(cause, status)
    for run in _active.all_of_this_process():
        try:
            finish(run, status, "ended by %s" % name, exit, seconds=min(5.0, exit_seconds()))
        except Exception:
            pass
    signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)


def _slurm_cause():
    """Why Slurm ends the job, where it can be asked quickly."""
    import subprocess

    try:
        words = subprocess.run(
            ["scontrol", "show", "job", os.environ["SLURM_JOB_ID"]], capture_output=True, text=True, timeout=2).stdout
        return words.split("JobState=", 1)[1].split()[0]
    except Exception:
        return None


def _at_exit():
    runs = _active.all_of_this_process()
    if not runs:
        return
    status, words, exit = "finished", None, None
    if _failure is not None:
        status, words, exit = _failure
    elif _exit_code not in (None, 0):
        status, words = "failed", "exit code %s" % (_exit_code,)
        exit = {"code": _exit_code if isinstance(_exit_code, int) else 1}
    deadline = time.monotonic() + exit_seconds()
    for run in runs:
        try:
            finish(run, status, words, exit, max(0.5, deadline - time.monotonic()))
        except Exception as error:
            complain("%s: %s" % (type(error).__name__, error), "end")


def _in_child():
    """After a fork: the parent's runs stay the parent's; what this process logs comes from a writer of its own."""
    from ._start import continue_in_child

    for run in _active.everything():
        try:
            continue_in_child(run)
        except Exception:
            run._ended = True
            run._recorder = None
    # multiprocessing's children end without atexit, but with finalizers; it forgets those that were there before.
    util = sys.modules.get("multiprocessing.util")
    if util is not None:
        try:
            util.register_after_fork(_anchor, lambda _: util.Finalize(None, _at_exit, exitpriority=-100))
        except Exception:
            pass


class _Anchor:
    """Something for multiprocessing to hang a call on; it keeps only what lives elsewhere."""


_anchor = _Anchor()
