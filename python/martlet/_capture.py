"""What is recorded without being asked: each part can be switched off."""

from __future__ import annotations

import os
import threading

from . import _console, _system

FACTS_SECONDS_MAX = 3.0
PARTS = ("console", "system", "git", "environment", "code")


def wanted(given):
    """The parts to record: what was asked for, else MARTLET_CAPTURE (`all`, `none`, or names with commas), else all."""
    if given is None:
        given = os.environ.get("MARTLET_CAPTURE", "all")
    if given is True or given == "all":
        return set(PARTS)
    if not given or given == "none":
        return set()
    names = given.split(",") if isinstance(given, str) else given
    return {name.strip() for name in names}


def begin(run, parts, launch, beginning):
    run._plan.capture = tuple(sorted(parts))
    if "console" in parts:
        _console.begin(run)
    if "system" in parts and launch.rank == launch_leader(launch):
        _system.begin(run)
    elif "system" in parts:
        _system.begin(run, process_only=True)
    if run._is_owner and parts & {"git", "environment", "code"}:
        # Git and a look around the machine take their time, which is not the training's.
        thread = threading.Thread(target=_facts, args=(run, parts, os.getcwd(), beginning), name="martlet-facts", daemon=True)
        thread.start()
        # A run that is over at once still says where it came from.
        run._exiting.append(lambda: thread.join(FACTS_SECONDS_MAX))


def launch_leader(launch):
    return launch.rank if launch.size == 1 else 0


def _facts(run, parts, folder, beginning):
    from . import _facts as facts

    if "git" in parts:
        beginning.ask_git()  # before all else: the run's first line waits a little for it
    for name in ("environment", "git", "code"):
        if name in parts:
            try:
                getattr(facts, name)(run, folder)
            except Exception as error:
                from ._say import complain

                complain("%s could not be recorded: %s: %s" % (name, type(error).__name__, error), "facts")
