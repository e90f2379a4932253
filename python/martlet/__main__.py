"""`python -m martlet watch FOLDER`: takes TensorBoard's event files in while they grow."""

from __future__ import annotations

import argparse
import sys

from . import __version__, _where


def main(arguments=None):
    parser = argparse.ArgumentParser(prog="python -m martlet", description=__doc__)
    parser.add_argument("--version", action="version", version="martlet " + __version__)
    commands = parser.add_subparsers(dest="command", required=True)
    watch = commands.add_parser("watch", help="take TensorBoard's event files beneath a folder into a store")
    watch.add_argument("folder")
    watch.add_argument("--uri", help="the store: a folder, or a server's address")
    watch.add_argument("--experiment", help="where the runs go; else the folder's name")
    watch.add_argument("--once", action="store_true", help="take in what is there and end")
    given = parser.parse_args(arguments)
    from ._events import watch as begin

    points, runs = begin(given.folder, _where.find(given.uri), given.experiment, given.once)
    print("%d points of %d runs" % (points, runs), file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
