"""The code that a run is made by, as git tells it."""

from __future__ import annotations

import os
import subprocess


def _git(*arguments):
    quiet = {**os.environ, "GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0"}
    try:
        done = subprocess.run(
            ["git", *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            timeout=10, env=quiet)
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.decode("utf-8", "replace").strip() if done.returncode == 0 else None


def commit():
    """The commit that is checked out here, or None outside of git."""
    return _git("rev-parse", "HEAD") or None


def version(commit):
    """A tag or short commit, with `-dirty` when something tracked was changed since."""
    if commit is None:
        return None
    return _git("describe", "--always", "--tags", "--dirty") or commit[:7]


def is_same(one, other):
    """Whether two commits are one: either may be abbreviated."""
    return one.startswith(other) or other.startswith(one)
