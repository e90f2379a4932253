#!/usr/bin/env python3
"""The command line by its Python name: `python run_cli.py runs list digits` is `martlet runs list digits`.

Martlet is one native binary. This file finds it beside itself, builds it when it is not there yet, and becomes
it: the process is replaced, so signals, output and the exit code are the binary's own.
"""

import os
import signal
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent
BINARY = ROOT / ".build" / "release" / "martlet"
UNREACHABLE = 4  # the exit code of `martlet` itself for something that it needs and cannot have


def build():
    """Builds the binary; what the build prints goes to stderr, so that our output stays the binary's."""
    print(f"There is no {BINARY} yet; building it, which takes some minutes the first time.", file=sys.stderr)
    try:
        code = subprocess.call(["make", "-C", str(ROOT), "build"], stdout=sys.stderr.fileno())
    except OSError as error:
        print(f"`make` did not start: {error.strerror}. Install make, then run `make build` in {ROOT}.",
              file=sys.stderr)
        return False
    if code != 0 or not BINARY.exists():
        print(f"The build failed (make ended with {code}). Run `make build` in {ROOT} to see why.", file=sys.stderr)
        return False
    return True


def launch(arguments):
    """Becomes `martlet` with these arguments; returns an exit code only when that is not possible."""
    if not BINARY.exists() and not build():
        return UNREACHABLE
    # Python ignores these two, and what is ignored stays ignored in the program that takes its place.
    for ignored in (signal.SIGPIPE, signal.SIGXFSZ):
        signal.signal(ignored, signal.SIG_DFL)
    try:
        os.execv(str(BINARY), [str(BINARY)] + arguments)
    except OSError as error:
        print(f"{BINARY} did not start: {error.strerror}. Remove it and run `make build` in {ROOT}.",
              file=sys.stderr)
        return UNREACHABLE


if __name__ == "__main__":
    try:
        sys.exit(launch(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)
