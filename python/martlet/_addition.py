"""Adding to a run that is over: one more writer of it, which begins no attempt and leaves its end as it is."""

from __future__ import annotations

import os
import time

from . import _active, _ending, _http, _resume, _where
from ._errors import MartletError
from ._run import Run
from ._say import say
from ._start import Plan, _recorder


def add_to(run, experiment=None, uri=None, strict=False, quiet=False):
    """Opens a run that has ended, for values, params, tags, notes and files that come late; a context manager.

    `run` is a `Run`, one that a `Client` found, or an id, short id or name (with `experiment` where names repeat).
    How and when the run ended stays. To go on with its training, use `start_run(id=…)`.
    """
    plan = _plan(run, experiment, uri)
    plan.strict, plan.quiet, plan.is_owner, plan.is_addition = strict, quiet, False, True
    # A store takes logbooks in by when they begin: what is added must come after what it is added to.
    plan.beginning = {"experiment": plan.experiment, "start": int(time.time() * 1000)}
    if plan.project:
        plan.beginning["project"] = plan.project
    recorder = _recorder(plan)
    added = Run(plan, recorder)
    recorder.put("run", plan.beginning)
    _active.add(added)
    _ending.install()
    if not quiet:
        say("adding to run %s of %s in %s" % (plan.name or plan.run[:8], plan.experiment, added.url or plan.uri))
    return added


def _plan(run, experiment, uri):
    if isinstance(run, Run):
        if run.is_active:
            raise MartletError("The run %s has not ended: log to it." % (run.name or run.id[:8]))
        fields = {**run._plan.__dict__, "capture": (), "first_step": run._top, "drops_points": False, "rank": 0}
        return Plan(**fields)
    client = getattr(run, "_client", None)
    place = client.uri if client is not None else _where.find(uri)
    record = run if isinstance(run, dict) else _find(str(run), experiment, place)
    plan = Plan(
        uri=place, is_remote=_where.is_address(place), run=record["run_id"],
        experiment=record.get("experiment_name") or "Default", name=record.get("run_name"),
        project=record.get("project"))
    known = _resume.look(plan)
    if known is not None:
        plan.first_step, plan.attempt = known.next_step, known.attempt
    return plan


def _find(text, experiment, place):
    from ._client import Client

    if not _where.is_address(place) and not os.path.isdir(place):
        raise MartletError("There is no store in %s. Give uri=, or set MARTLET_TRACKING_URI." % place)
    try:
        with Client(place) as client:
            return dict(client.get_run(text, experiment))
    except _http.Unreachable as error:
        raise MartletError(
            "%s does not answer (%s), so that the run “%s” cannot be found there. Try again when it is back."
            % (place, error, text)) from error
