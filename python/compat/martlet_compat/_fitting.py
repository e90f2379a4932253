"""Models by the calls they answer to: `get_params`, `fit`, `predict`, `score`. No library has to be there."""

from __future__ import annotations

import copy
import random

from martlet import MartletError

FOLD_SEED = 0


def fresh(model, params=None):
    """A new, unfitted model: an instance of a class, or a copy of an instance, with some params set."""
    params = dict(params or {})
    if isinstance(model, type) or (callable(model) and not hasattr(model, "fit")):
        return model(**params)
    made = None
    try:
        from sklearn.base import clone

        made = clone(model)
    except ImportError:
        pass
    except (TypeError, RuntimeError):
        pass  # nothing that scikit-learn could clone
    if made is None:
        made = type(model)(**model.get_params()) if hasattr(model, "get_params") else copy.deepcopy(model)
    if params:
        if hasattr(made, "set_params"):
            made.set_params(**params)
        else:
            for key, value in params.items():
                setattr(made, key, value)
    return made


def name_of(model):
    return model.__name__ if isinstance(model, type) else type(model).__name__


def params_of(model):
    """Params that were given; what was left to the library is not what was tried."""
    if not hasattr(model, "get_params"):
        return {}
    try:
        params = model.get_params(deep=False)
    except TypeError:
        params = model.get_params()
    return {key: value for key, value in params.items()
            if value is not None and isinstance(value, (bool, int, float, str)) and value == value}


def grid(param_grid):
    """Every combination, the last name changing fastest; a list of grids one after the other."""
    if isinstance(param_grid, (list, tuple)):
        return [each for one in param_grid for each in grid(one)]
    found = [{}]
    for key, values in param_grid.items():
        if isinstance(values, str) or not hasattr(values, "__iter__"):
            raise MartletError("The grid's “%s” is %r; give a list of values." % (key, values))
        found = [{**each, key: value} for each in found for value in values]
    return found


def scorer(scoring):
    """A function of model, X and y; None is the model's own score."""
    if scoring is None:
        return lambda model, X, y: float(model.score(X, y))
    if callable(scoring):
        return lambda model, X, y: float(scoring(model, X, y))
    try:
        from sklearn.metrics import get_scorer
    except ImportError:
        raise MartletError(
            "scoring=%r is a name of scikit-learn's, which is not installed. Give a function of (model, X, y)."
            % scoring) from None
    made = get_scorer(scoring)
    return lambda model, X, y: float(made(model, X, y))


# -- Rows

def count(data):
    shape = getattr(data, "shape", None)
    return shape[0] if shape else len(data)


def take(data, rows):
    """Some rows of an array, a frame or a list."""
    if hasattr(data, "iloc"):
        return data.iloc[rows]
    if hasattr(data, "shape"):
        return data[rows]
    return [data[row] for row in rows]


def labels(y):
    """Targets as a list; a column of a frame or an array of one column too."""
    values = y.tolist() if hasattr(y, "tolist") else list(y)
    return [value[0] if isinstance(value, list) and len(value) == 1 else value for value in values]


def is_classes(y):
    values = labels(y)
    is_whole = all(isinstance(value, (str, bool, int)) or float(value).is_integer() for value in values)
    return is_whole and len(set(values)) <= max(20, len(values) // 20)


def _is_classifier(model, y):
    """As scikit-learn says of its own models; of others, as the targets look."""
    try:
        from sklearn.base import is_classifier

        return is_classifier(model)
    except (ImportError, AttributeError, TypeError):
        return is_classes(y)


def folds(model, X, y, cv):
    """Pairs of training and test rows: as scikit-learn cuts them where it is, else with equal shares of each class."""
    if hasattr(cv, "split"):
        return [(list(train), list(test)) for train, test in cv.split(X, y)]
    if not isinstance(cv, int):
        return [(list(train), list(test)) for train, test in cv]
    if cv < 2 or cv > count(X):
        raise MartletError("cv is %d; it needs at least 2 folds and at most as many as rows, %d." % (cv, count(X)))
    is_sorting = _is_classifier(model, y)
    try:
        from sklearn.model_selection import check_cv
    except ImportError:
        pass
    else:
        cut = check_cv(cv, labels(y), classifier=is_sorting)
        return [(list(train), list(test)) for train, test in cut.split(X, labels(y))]
    rows = list(range(count(X)))
    random.Random(FOLD_SEED).shuffle(rows)
    if is_sorting:
        values = labels(y)
        rows.sort(key=lambda row: str(values[row]))  # stable, so that each class stays shuffled
    tests = [sorted(rows[start::cv]) for start in range(cv)]
    return [(sorted(set(rows) - set(test)), test) for test in tests]


# -- Scores of predictions

def scores(y_true, y_pred):
    """Accuracy, precision, recall and F1 of classes, weighted by size when they are more than two; else R² and errors."""
    truth, guess = labels(y_true), labels(y_pred)
    if not is_classes(truth):
        mean = sum(truth) / len(truth)
        squares = sum((a - b) ** 2 for a, b in zip(truth, guess))
        total = sum((a - mean) ** 2 for a in truth)
        return {"r2": 1 - squares / total if total else float("nan"), "rmse": (squares / len(truth)) ** 0.5,
                "mae": sum(abs(a - b) for a, b in zip(truth, guess)) / len(truth)}
    found = {"accuracy": sum(a == b for a, b in zip(truth, guess)) / len(truth)}
    classes = sorted(set(truth) | set(guess), key=str)
    shares = {each: truth.count(each) / len(truth) for each in classes}
    if len(classes) == 2:
        shares = {classes[0]: 0.0, classes[1]: 1.0}  # of two, the second is the one that is looked for
    totals = {"precision": 0.0, "recall": 0.0, "f1": 0.0}
    for each in classes:
        hits = sum(a == b == each for a, b in zip(truth, guess))
        named, there = guess.count(each), truth.count(each)
        precision, recall = hits / named if named else 0.0, hits / there if there else 0.0
        f1 = 2 * precision * recall / (precision + recall) if precision + recall else 0.0
        for key, value in zip(totals, (precision, recall, f1)):
            totals[key] += shares[each] * value
    return {**found, **totals}


def mean_and_deviation(values):
    mean = sum(values) / len(values)
    return mean, (sum((value - mean) ** 2 for value in values) / len(values)) ** 0.5
