"""Searches over a grid, and cross-validation: one experiment, with a child run for each combination or fold."""

from __future__ import annotations

import time

from martlet import MartletError

from . import _charts, _files, _fitting
from ._experiment import Experiment, ExperimentMetadata
from ._handle import Handle


class Trials(list):
    """What a search found: a dict for each combination, with `params`, `score`, `std`, `fold_scores`, `run_id` and more."""

    def __init__(self, rows, experiment):
        super().__init__(rows)
        self.run_id = experiment.run_id
        self.folder = experiment.folder
        self.importance = importance(rows)

    @property
    def best(self):
        known = [row for row in self if row["score"] == row["score"]]
        if not known:
            raise MartletError("None of the %d combinations has a score." % len(self))
        return max(known, key=lambda row: row["score"])

    @property
    def best_params(self):
        return self.best["params"]

    @property
    def best_score(self):
        return self.best["score"]

    def columns(self):
        names = list(dict.fromkeys(key for row in self for key in row["params"]))
        rows = [[*(row["params"].get(name) for name in names), row["score"], row["std"], round(row["seconds"], 4),
                 row["status"], row["run_id"]] for row in self]
        return [*names, "score", "std", "seconds", "status", "run_id"], rows

    def to_pandas(self):
        import pandas

        columns, rows = self.columns()
        return pandas.DataFrame(rows, columns=columns)


def importance(rows):
    """The share of the scores' variance that each param explains alone: variance of its values' means over all of it.

    Shares of a full grid add up to at most 1; what is left is interplay of params, and noise.
    """
    known = [row for row in rows if row["score"] == row["score"]]
    if len(known) < 2:
        return {}
    mean, deviation = _fitting.mean_and_deviation([row["score"] for row in known])
    found = {}
    for key in dict.fromkeys(key for row in known for key in row["params"]):
        groups = {}
        for row in known:
            groups.setdefault(repr(row["params"].get(key)), []).append(row["score"])
        between = sum(len(group) * (sum(group) / len(group) - mean) ** 2 for group in groups.values()) / len(known)
        found[key] = between / deviation ** 2 if deviation else 0.0
    return dict(sorted(found.items(), key=lambda pair: -pair[1]))


def track_hyperparameters(
    model, param_grid, X_train, y_train, increment=None, X_val=None, y_val=None, cv=3, scoring=None, name=None,
):
    """Tries every combination: on X_val and y_val where they are given, else by cross-validation."""
    return _search(model, param_grid, X_train, y_train, increment, X_val, y_val, cv, scoring,
                   name or "hyperparameters-" + _fitting.name_of(model).lower())[0]


def track_grid_search(
    estimator, param_grid, X_train, y_train, increment=None, cv=3, scoring=None, name=None, refit=True,
):
    """The best model, fitted on all rows, and what each combination brought."""
    results, experiment = _search(estimator, param_grid, X_train, y_train, increment, None, None, cv, scoring,
                                  name or "grid-search-" + _fitting.name_of(estimator).lower(), stays_open=True)
    best = _fitting.fresh(estimator, results.best_params)
    with _ending(experiment):
        if refit:
            best.fit(X_train, y_train)
            experiment.save_model(best, "model.pkl")
    return best, results


class _ending:
    def __init__(self, experiment):
        self.experiment = experiment

    def __enter__(self):
        return self.experiment

    def __exit__(self, kind, error, trace):
        self.experiment.finish(error=error)
        return False


def _search(model, param_grid, X, y, increment, X_val, y_val, cv, scoring, name, stays_open=False):
    combinations = _fitting.grid(param_grid)
    if not combinations:
        raise MartletError("The grid has no combination: one of its lists is empty.")
    score = _fitting.scorer(scoring)
    experiment = Experiment(ExperimentMetadata(name=name, tags=["search"]), increment).begin()
    try:
        if X_val is not None:
            parts = None
        else:
            parts = _fitting.folds(_fitting.fresh(model, combinations[0]), X, y, cv)
        rows = [_trial(experiment, number, model, params, X, y, X_val, y_val, parts, score)
                for number, params in enumerate(combinations, 1)]
        results = Trials(rows, experiment)
        _report(experiment, results, model)
    except BaseException as error:
        experiment.finish(error=error)
        raise
    if not stays_open:
        experiment.finish()
    return results, experiment


def _trial(experiment, number, model, params, X, y, X_val, y_val, parts, score):
    handle = Handle(experiment._handle.experiment, "%s/%d" % (experiment.name, number), parent=experiment.run_id,
                    capture=(), params=params, tags={"trial": str(number)})
    row = {"params": params, "score": float("nan"), "std": float("nan"), "fold_scores": [], "seconds": 0.0,
           "run_id": handle.id, "status": "failed"}
    start = time.perf_counter()
    try:
        if parts is None:
            row["fold_scores"] = [score(_fitted(model, params, X, y), X_val, y_val)]
        else:
            for fold, (train, test) in enumerate(parts):
                made = _fitted(model, params, _fitting.take(X, train), _fitting.take(y, train))
                row["fold_scores"].append(score(made, _fitting.take(X, test), _fitting.take(y, test)))
                handle.log_metrics({"fold_score": row["fold_scores"][-1]}, step=fold)
        row["score"], row["std"] = _fitting.mean_and_deviation(row["fold_scores"])
        row["status"] = "finished"
    except Exception as error:  # one combination that does not work says something about that one
        row["seconds"] = time.perf_counter() - start
        row["error"] = "%s: %s" % (type(error).__name__, error)
        handle.fail(error, "failed")
        return row
    row["seconds"] = time.perf_counter() - start
    handle.log_metrics({"score": row["score"], "score_std": row["std"], "training_time": row["seconds"]})
    handle.finish()
    experiment.log_metrics({"score": row["score"]}, step=number)
    return row


def _fitted(model, params, X, y):
    made = _fitting.fresh(model, params)
    made.fit(X, y)
    return made


def _report(experiment, results, model):
    failed = sum(row["status"] == "failed" for row in results)
    if failed == len(results):
        raise MartletError("Each of the %d combinations failed; the first: %s" % (len(results), results[0]["error"]))
    experiment.log_params({"model": _fitting.name_of(model), "combinations": len(results), **{
        "best." + key: value for key, value in results.best_params.items()}})
    experiment.log_metrics({"best_score": results.best_score, "failed_combinations": failed})
    columns, rows = results.columns()
    experiment.save_artifact("results.csv", _files.csv(columns, rows))
    pairs = list(results.importance.items())
    experiment.save_artifact("parameter_importance.csv", _files.csv(["param", "importance"], pairs))
    suffix, data = _charts.bars("Importance of params", pairs, "share of the scores' variance")
    experiment.save_artifact("parameter_importance" + suffix, data)
    if experiment._handle is not None:
        experiment._handle.log_fact("tuning", {
            "method": "grid", "trials": len(results), "best_params": results.best_params,
            "best_score": results.best_score, "importance": results.importance})


# -- Cross-validation

class CrossValidation(dict):
    """`mean`, `std`, `scores`, `folds`, `distribution`; also as attributes."""

    __getattr__ = dict.__getitem__


def track_cross_validation(model, X, y, cv=5, increment=None, scoring=None, name=None, params=None):
    """Fits and scores a fresh copy of the model on each fold; the model itself is not touched."""
    score = _fitting.scorer(scoring)
    with Experiment(ExperimentMetadata(name=name or "cv-" + _fitting.name_of(model).lower(), tags=["cross-validation"]),
                    increment) as experiment:
        parts = _fitting.folds(model, X, y, cv)
        experiment.log_params({
            **_fitting.params_of(model), **(params or {}), "model": _fitting.name_of(model), "cv": len(parts)})
        rows = [_fold(experiment, number, model, params, X, y, train, test, score)
                for number, (train, test) in enumerate(parts, 1)]
        values = [row["score"] for row in rows]
        mean, deviation = _fitting.mean_and_deviation(values)
        ordered = sorted(values)
        distribution = {"min": ordered[0], "median": _median(ordered), "max": ordered[-1]}
        experiment.log_metrics({
            "cv_mean": mean, "cv_std": deviation, **{"cv_" + key: value for key, value in distribution.items()}})
        experiment.save_artifact("folds.csv", [
            {**{key: value for key, value in row.items() if key != "classes"},
             **{"class %s" % each: number for each, number in row["classes"].items()}} for row in rows])
    return CrossValidation(mean=mean, std=deviation, scores=values, folds=rows, distribution=distribution,
                           run_id=experiment.run_id, folder=experiment.folder)


def _fold(experiment, number, model, params, X, y, train, test, score):
    handle = Handle(experiment._handle.experiment, "%s/fold-%d" % (experiment.name, number), parent=experiment.run_id,
                    capture=(), tags={"fold": str(number)})
    start = time.perf_counter()
    try:
        made = _fitted(model, params, _fitting.take(X, train), _fitting.take(y, train))
        seconds = time.perf_counter() - start
        value = score(made, _fitting.take(X, test), _fitting.take(y, test))
    except BaseException as error:
        handle.fail(error)
        raise
    targets = _fitting.take(y, test)
    classes = {}
    if _fitting.is_classes(y):
        for each in _fitting.labels(targets):
            classes[str(each)] = classes.get(str(each), 0) + 1
    handle.log_params({"fold": number, "n_train": len(train), "n_test": len(test)})
    handle.log_metrics({
        "score": value, "training_time": seconds, **{"n_class_" + key: n for key, n in classes.items()}})
    handle.finish()
    experiment.log_metrics({"fold_score": value}, step=number)
    return {"fold": number, "score": value, "n_train": len(train), "n_test": len(test), "seconds": round(seconds, 4),
            "run_id": handle.id, "classes": classes}


def _median(ordered):
    half = len(ordered) // 2
    return ordered[half] if len(ordered) % 2 else (ordered[half - 1] + ordered[half]) / 2
