"""`python -m martlet_compat run script.py …`: runs a program as Python would, with the guides' packages."""

from __future__ import annotations

import os
import runpy
import sys

from . import install

USAGE = """Usage: python -m martlet_compat run [-m MODULE | SCRIPT] [ARGUMENTS…]

Runs a Python program whose imports are src.ds, src.database, src.ml or specweave.

Example:
  python -m martlet_compat run train.py --epochs 3
"""


def main(arguments):
    if arguments[:1] in (["-h"], ["--help"]):
        print(USAGE, end="")
        return 0
    if arguments[:1] != ["run"] or len(arguments) < 2 or (arguments[1] == "-m" and len(arguments) < 3):
        print(USAGE, end="", file=sys.stderr)
        return 2
    install()
    if arguments[1] == "-m":
        sys.argv = arguments[2:]
        sys.path[0] = os.getcwd()
        runpy.run_module(arguments[2], run_name="__main__", alter_sys=True)
        return 0
    script = arguments[1]
    if not os.path.exists(script):
        print("There is no program %s. Give the path of a Python file." % script, file=sys.stderr)
        return 2
    sys.argv = arguments[1:]
    if not os.path.isdir(script):
        sys.path[0] = os.path.dirname(os.path.abspath(script))  # as Python does, in place of this module's folder
    runpy.run_path(script, run_name="__main__")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
