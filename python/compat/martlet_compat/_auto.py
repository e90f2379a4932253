"""`AutoTracker`: a decorator that finds out by itself what a training function was given and what it gave."""

from __future__ import annotations

import functools
import inspect

from . import _fitting
from ._experiment import Experiment, ExperimentMetadata


class AutoTracker:
    def __init__(self, increment=None, tags=None):
        self.increment = increment
        self.tags = list(tags or [])
        self.last = None

    def track(self, name=None, tags=None):
        """For a function that returns a model, a score, a dict of scores, or several of these in a tuple."""
        if callable(name):
            return self._wrap(name, None, tags)
        return lambda function: self._wrap(function, name, tags)

    def _wrap(self, function, name, tags):
        title = name or function.__name__.replace("_", "-")

        @functools.wraps(function)
        def tracked(*arguments, **more):
            metadata = ExperimentMetadata(
                name=title, description=inspect.getdoc(function), tags=[*self.tags, *(tags or [])])
            with Experiment(metadata, self.increment) as experiment:
                self.last = experiment
                given = _given(function, arguments, more)
                if given:
                    experiment.log_params(given)
                result = function(*arguments, **more)
                _record(experiment, result)
            return result

        return tracked


def _given(function, arguments, more):
    """Arguments and defaults that are settings; data is none."""
    try:
        bound = inspect.signature(function).bind(*arguments, **more)
    except (TypeError, ValueError):
        return {}
    bound.apply_defaults()
    found = {}
    for key, value in bound.arguments.items():
        if isinstance(value, (bool, int, float, str)):
            found[key] = value
        elif isinstance(value, dict) and all(isinstance(each, str) for each in value):
            found.update((each if key == "kwargs" else "%s.%s" % (key, each), inner) for each, inner in value.items()
                         if isinstance(inner, (bool, int, float, str)))
    return found


def _is_model(value):
    return not isinstance(value, type) and any(
        callable(getattr(value, verb, None)) for verb in ("predict", "fit", "forward", "transform"))


def _is_score(value):
    if isinstance(value, (bool, str, bytes)) or value is None:
        return False
    if isinstance(value, (int, float)):
        return True
    return getattr(value, "shape", None) == () and hasattr(value, "__float__")


def _record(experiment, result):
    scores, models = 0, 0
    # A named tuple tells what its values are.
    names = getattr(result, "_fields", None)
    values = result if isinstance(result, tuple) else (result,)
    for at, value in enumerate(values):
        if _is_model(value):
            models += 1
            known = experiment.params
            experiment.log_params({key: each for key, each in _fitting.params_of(value).items() if key not in known})
            if "model" not in experiment.params:
                experiment.log_param("model", type(value).__name__)
            experiment.save_model(value, "model.pkl" if models == 1 else "model-%d.pkl" % models)
        elif _is_score(value):
            scores += 1
            name = names[at] if names else "score" if scores == 1 else "score_%d" % scores
            experiment.log_metric(name, float(value))
        elif isinstance(value, dict):
            experiment.log_metrics({str(key): float(each) for key, each in value.items() if _is_score(each)})
