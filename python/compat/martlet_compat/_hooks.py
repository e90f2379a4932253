"""What is to happen when runs end, and the objects that some programs expect to be there."""

from __future__ import annotations

import re

from martlet import MartletError
from martlet._say import complain

from ._handle import Handle

_completions = []
_promotions = []


class ExperimentEvents:
    """`experiment`: the events of experiments."""

    def on_completion(self, function):
        """Calls the function with an experiment's id when the last of its open runs ends; one that fails harms nobody.

        Each such end calls it once, also when the process that saw it went down before: the next one makes up for it
        when it registers the function.
        """
        _completions.append(function)
        _make_up_for(function)
        return function

    def forget(self, function):
        if function in _completions:
            _completions.remove(function)


def _mark(function):
    return "done." + re.sub(r"[^\w.]+", "_", "%s.%s" % (function.__module__, function.__qualname__))[:200]


def _call(store, function, record):
    """Marks first and calls then: a function that brings the process down is not called again and again."""
    store.ask("POST", "runs", record["run_id"], "tags", body={"tags": {_mark(function): "1"}})
    try:
        function(record["experiment_id"])
    except Exception as error:
        complain("%s failed for experiment %s: %s: %s" % (
            function.__qualname__, record["experiment_name"], type(error).__name__, error), "hook")


def _make_up_for(function):
    from . import _store

    try:
        store = _store.at()
        store.catch_up()
        last = {}
        for record in store.pages("runs", "runs", "search", query={
                "filter": "tags.`hook.waits` EXISTS", "order_by": "end_time DESC", "limit": 500}):
            last.setdefault(record["experiment_id"], record)
        for record in last.values():
            if record.get("end_time") and _mark(function) not in record["tags"]:
                _call(store, function, record)
    except MartletError:
        return  # a store that is not there has nothing to make up for


def run_ended(tracker, run):
    """Called by a tracker for each of its runs."""
    if not _completions and not _promotions:
        return
    store = tracker._store
    try:
        store.catch_up()
        record = run.refresh()._record
        if _completions:
            store.ask("POST", "runs", record["run_id"], "tags", body={"tags": {"hook.waits": "1"}})
            going = store.ask("GET", "runs", "search", query={
                "experiment_id": record["experiment_id"], "filter": "state = 'running'", "limit": 1})
            if going["total"] == 0:
                for function in list(_completions):
                    _call(store, function, record)
        for promotion in list(_promotions):
            promotion.look(record)
    except MartletError as error:
        complain("what was to happen at the end of run %s did not: %s" % (run.run_name, error), "hook")


# -- Promotion

_COMPARISONS = {
    ">=": lambda a, b: a >= b, "<=": lambda a, b: a <= b, ">": lambda a, b: a > b, "<": lambda a, b: a < b,
    "==": lambda a, b: a == b, "=": lambda a, b: a == b, "!=": lambda a, b: a != b,
}


def criterion(metric, text):
    """A test of a number: `">= 0.95"`, or a number, which is the least that will do."""
    if isinstance(text, (int, float)) and not isinstance(text, bool):
        return lambda value: value >= text
    found = re.match(r"\s*(>=|<=|==|!=|>|<|=)\s*(.+)$", str(text))
    try:
        bound = float(found.group(2))
    except (AttributeError, ValueError):
        raise MartletError(
            "The criterion “%s” for “%s” cannot be read. Write a comparison and a number, such as \">= 0.95\"."
            % (text, metric)) from None
    compare = _COMPARISONS[found.group(1)]
    return lambda value: compare(value, bound)


class Promotion:
    """Runs of an experiment that are good enough become versions of a model, in our registry or in another server's."""

    def __init__(self, tracker, experiment, criteria, registry_url, name, stage):
        from . import _store
        from ._connection import Connection
        from ._registry import ModelRegistry

        self.experiment = str(experiment)
        self.tests = {metric: criterion(metric, text) for metric, text in criteria.items()}
        self.store = tracker._store
        self.registry = ModelRegistry(Connection(_store.at(registry_url) if registry_url else self.store))
        self.is_elsewhere = bool(registry_url) and self.registry._store is not self.store
        self.name = name
        self.stage = stage

    def look(self, record):
        """Promotes the run if it qualifies and was not promoted before; gives the version, or None."""
        if self.experiment not in (record["experiment_id"], record["experiment_name"]):
            return None
        if record["state"] != "finished" or "promoted" in record["tags"]:
            return None
        for metric, test in self.tests.items():
            value = record["metrics"].get(metric)
            if not isinstance(value, (int, float)) or not test(value):
                return None
        model = self.name or re.sub(r"[/:]+", "-", record["experiment_name"])
        if self.is_elsewhere:
            # The other registry does not have the run: it is told where it lies and what it brought.
            version = self.registry._store.ask("POST", "models", model, "versions", body={
                "create_model": True, "source": "runs:/" + record["run_id"], "run_link": self.store.place,
                "metadata": {"source_run_id": record["run_id"], "experiment": record["experiment_name"],
                             "metrics": record["metrics"], "parameters": record["params"]}})
        else:
            version = self.registry.register_model(
                name=model, run_id=record["run_id"], metrics=record["metrics"], parameters=record["params"]).record
        if self.stage:
            self.registry.set_stage(model, version["version"], self.stage)
        self.store.ask("POST", "runs", record["run_id"], "tags", body={
            "tags": {"promoted": "%s/%s" % (model, version["version"])}})
        return version

    def look_at_all(self):
        """The same for the runs that are there already."""
        for record in list(self.store.pages("runs", "runs", "search", query={
                "experiment_id": self.experiment, "filter": "state = 'finished'", "limit": 500})):
            self.look(record)


def promote(tracker, experiment, criteria, registry_url, name, stage):
    promotion = Promotion(tracker, experiment, criteria, registry_url, name, stage)
    _promotions.append(promotion)
    try:
        tracker._store.catch_up()
        promotion.look_at_all()
    except LookupError:
        pass  # the experiment has no run yet
    return promotion


class _Later:
    """An object that is made when it is first used, so that importing opens no store."""

    def __init__(self, make):
        object.__setattr__(self, "_make", make)
        object.__setattr__(self, "_made", None)

    def __getattr__(self, name):
        if self._made is None:
            object.__setattr__(self, "_made", self._make())
        return getattr(self._made, name)


def _tracker():
    from ._tracker import ExperimentTracker

    return ExperimentTracker()


def _registry():
    from ._registry import ModelRegistry

    return ModelRegistry()


experiment = ExperimentEvents()
experiment_tracker = _Later(_tracker)
model_registry = _Later(_registry)

__all__ = ["ExperimentEvents", "Handle", "experiment", "experiment_tracker", "model_registry"]
