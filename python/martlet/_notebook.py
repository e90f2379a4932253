"""Runs in notebooks: a cell that runs again ends the run that it began, and a run shows itself."""

from __future__ import annotations

import sys

from . import _active


def shell():
    """IPython's shell when this is a notebook or IPython, else None. Never imports it."""
    ipython = sys.modules.get("IPython")
    try:
        return ipython.get_ipython() if ipython is not None else None
    except Exception:
        return None


def end_run_of_cell():
    """In a notebook nobody leaves the block: the next run ends the one before it."""
    if shell() is None:
        return
    for run in _active.all_of_this_process():
        if run._is_owner:
            run.finish()


def executed_cells():
    """The source of the cells that were run, in order."""
    found = shell()
    if found is None:
        return None
    try:
        cells = found.user_ns.get("In", [])
        return "\n\n".join("# In [%d]\n%s" % (number, text) for number, text in enumerate(cells) if text)
    except Exception:
        return None


def card(run):
    """A run as a piece of HTML."""
    from html import escape

    where = run.url
    place = '<a href="%s" target="_blank">%s</a>' % (escape(where), escape(where)) if where else escape(str(run.uri))
    return "<div><b>%s</b> · %s · %s<br>%s</div>" % (
        escape(run.name or run.id[:8]), escape(run.experiment), "ended" if not run.is_active else "running", place)


def show(run):
    """The run's page in the notebook when a server keeps it; elsewhere where it can be found."""
    if shell() is not None and run.url:
        from IPython.display import IFrame

        return IFrame(run.url, width="100%", height=600)
    print("run %s of %s: %s" % (run.name or run.id[:8], run.experiment, run.url or run.uri))
    if not run.url:
        print("  martlet ui %s --open" % run.uri)
    return None
