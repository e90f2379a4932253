"""Calls of other trackers' guides, translated into Martlet's.

    python -m martlet_compat run script.py     # or, first thing in a program:
    import martlet_compat; martlet_compat.install()

From then on `src.ds.experiment_tracker`, `src.ds.storage`, `src.database.connection`, `src.ml.model_registry` and
`specweave` can be imported. They stand last on the path, as namespace packages, so that a project's own `src` is found
first and keeps its modules.
"""

from __future__ import annotations

import os
import sys

__version__ = "0.1.0"

GUIDES = os.path.join(os.path.dirname(os.path.abspath(__file__)), "guides")

_HOMES = {
    "experiment_tracker": "_hooks", "model_registry": "_hooks", "experiment": "_hooks", "RunNotFound": "_store",
    "NotFound": "_store",
}

__all__ = ["install", "uninstall", *_HOMES]


def install():
    """Puts the guides' packages on the path, behind everything that is there."""
    if GUIDES not in sys.path:
        sys.path.append(GUIDES)


def uninstall():
    """Takes them off again; what was imported stays imported."""
    while GUIDES in sys.path:
        sys.path.remove(GUIDES)


def __getattr__(name):
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError("module 'martlet_compat' has no attribute %r" % name)
    from importlib import import_module

    return getattr(import_module("." + home, __name__), name)
