"""Old experiments out of the way, and back again."""

from __future__ import annotations

import calendar
import os
import time

from martlet import MartletError

from . import _comparison, _increments, _store

MONTH_DAYS = 30.44
FOLDER = "archive"


def archive_experiments(increment=None, months=6, dry_run=True, now=None):
    """Puts away what ended more than `months` ago: the folder into `experiments/archive`, its runs out of searches.

    Names of what was, or with `dry_run` would be, put away. What is tagged production or selected, still runs, or has
    a model in the registry stays. `restore_experiments` undoes it.
    """
    found = _need(increment)
    border = (time.time() if now is None else now) - months * MONTH_DAYS * 86_400
    chosen = []
    for row in _comparison.rows_of(found):
        entry = next((each for each in found.index() if each["name"] == row["name"]), None)
        ended = entry and _seconds(entry.get("ended"))
        if ended is None or ended > border or row["status"] == "running":
            continue
        if {"production", "selected"} & set(row["tags"]) or _is_kept(entry["runs"]):
            continue
        chosen.append(row["name"])
    if not dry_run:
        for name in chosen:
            place = os.path.join(found.experiments, name)
            _move(found, name, place, os.path.join(found.experiments, FOLDER, name), True)
    return chosen


def restore_experiments(names=None, increment=None):
    """Brings back what was put away; without names, all of it."""
    found = _need(increment)
    there = [entry["name"] for entry in found.index() if entry.get("archived")]
    for name in [names] if isinstance(names, str) else names or there:
        if name not in there:
            raise MartletError("The experiment “%s” was not put away in %s. There are: %s." % (
                name, found.name, ", ".join(there) or "none"))
        _move(found, name, os.path.join(found.experiments, FOLDER, name), os.path.join(found.experiments, name), False)
    return [names] if isinstance(names, str) else list(names or there)


def _need(increment):
    found = _increments.chosen(increment)
    if found is None:
        raise MartletError("There is no increment here; name one, such as increment=\"0042\".")
    return found


def _seconds(text):
    return calendar.timegm(time.strptime(text, "%Y-%m-%dT%H:%M:%SZ")) if text else None


def _is_kept(runs):
    """Whether the store has a reason of its own: a model version, or a tag that was set there."""
    store = _store.at()
    store.catch_up()
    for run in runs:
        try:
            record = store.ask("GET", "runs", "id:" + run)
        except LookupError:
            continue
        if record.get("model_versions") or "production" in record.get("tags", {}):
            return True
    return False


def _move(increment, name, source, target, is_away):
    if os.path.exists(target):
        raise MartletError("%s is there already; move it out of the way first." % target)
    os.makedirs(os.path.dirname(target), exist_ok=True)
    os.rename(source, target)
    store = _store.at()
    with increment.changing_index() as entries:
        for entry in entries:
            if entry["name"] != name:
                continue
            entry["archived"] = is_away
            for run in entry["runs"]:
                try:
                    if is_away:
                        store.ask("DELETE", "runs", run)
                    else:
                        store.ask("POST", "runs", run, "restore", body={})
                except LookupError:
                    pass
