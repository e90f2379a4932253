"""The program `martlet`: where it is, and the command of that name, which becomes it."""

from __future__ import annotations

import os
import sys

UNREACHABLE = 4  # the program's own exit code for what it needs and cannot have


def packaged():
    """The program that came with this package: the launcher beside its libraries, or None in a package without."""
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "bin", "martlet")
    return path if os.access(path, os.X_OK) else None


def find():
    """MARTLET_BINARY, what came with this package, what lies beside this Python, or what is on the path."""
    import shutil

    given = os.environ.get("MARTLET_BINARY")
    if given is not None:
        return given if given and os.access(given, os.X_OK) else None
    inside = packaged()
    if inside is not None:
        return inside
    beside = os.path.join(os.path.dirname(sys.executable), "martlet")
    if os.access(beside, os.X_OK):
        with open(beside, "rb") as file:
            if file.read(4) == b"\x7fELF":
                return beside
    return shutil.which("martlet")


def main():
    """The command `martlet` of a package with the program: this process becomes it."""
    import signal

    path = packaged()
    if path is None:
        sys.exit("martlet: the program that came with this package is gone from %s; install the package again."
                 % os.path.join(os.path.dirname(os.path.abspath(__file__)), "bin"))
    # Python ignores these two, and what is ignored stays ignored in the program that takes its place.
    for name in ("SIGPIPE", "SIGXFSZ"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_DFL)
    try:
        os.execv(path, [path] + sys.argv[1:])
    except OSError as error:
        print("martlet: %s did not start: %s. Install the package again." % (path, error.strerror), file=sys.stderr)
        return UNREACHABLE
