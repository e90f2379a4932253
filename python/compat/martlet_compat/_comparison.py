"""Tables of an increment's experiments: `comparison.md`, and that of the baselines."""

from __future__ import annotations

import os
import re

from martlet import MartletError

from . import _fitting, _folder, _increments
from ._experiment import Experiment, ExperimentMetadata

# Columns, by what their metrics may be called.
COLUMNS = {
    "Accuracy": ("accuracy", "acc", "test_accuracy", "val_accuracy"),
    "Precision": ("precision", "test_precision", "val_precision"),
    "Recall": ("recall", "test_recall", "val_recall"), "F1": ("f1", "f1_score", "test_f1", "val_f1"),
}
OTHERS = {
    "AUC": ("auc", "roc_auc", "test_auc"), "R²": ("r2", "test_r2"), "RMSE": ("rmse",),
    "Score": ("score", "best_score", "cv_mean"),
}
LOWER_IS_BETTER = ("RMSE",)
# Precision and recall that differ by no more than this are in balance; a time is reasonable up to half of the longest.
BALANCE = 0.05
GOOD = ("finished", "completed", "done", "success")


class Comparison:
    """The table, what is best in it and why; printed, it is Markdown."""

    def __init__(self, rows, columns):
        self.rows = rows
        self.columns = columns
        self.path = None

    def value(self, row, column):
        if column == "Training Time":
            return row["seconds"]
        found = {**COLUMNS, **OTHERS}[column]
        return next((row["metrics"][name] for name in found if _is_number(row["metrics"].get(name))), None)

    @property
    def measure(self):
        """The column by which one is the best."""
        return next((column for column in self.columns
                     if any(self.value(row, column) is not None for row in self.rows)), None)

    @property
    def best(self):
        """The name of the best that ended well; of equals the quicker, then the first."""
        row = self._best()
        return row["name"] if row else None

    def _best(self):
        column = self.measure
        known = [row for row in self.rows if column and self.value(row, column) is not None
                 and row["status"].lower() in GOOD]
        if not known:
            return None
        sign = 1 if column in LOWER_IS_BETTER else -1
        return min(known, key=lambda row: (
            sign * self.value(row, column), row["seconds"] if row["seconds"] is not None else float("inf")))

    @property
    def selected(self):
        """The one that is tagged `selected`, else the best."""
        return next((row["name"] for row in self.rows if "selected" in row["tags"]), self.best)

    def reasons(self):
        row, column = self._best(), self.measure
        if row is None:
            return []
        found = ["%s %s (%s)" % (
            "Lowest" if column in LOWER_IS_BETTER else "Highest", _title(column), _two(self.value(row, column)))]
        if "Precision" in self.columns and "Recall" in self.columns:
            precision, recall = self.value(row, "Precision"), self.value(row, "Recall")
            if precision is not None and recall is not None and abs(precision - recall) <= BALANCE:
                found.append("Good precision/recall balance")
        times = [each["seconds"] for each in self.rows if each["seconds"] is not None]
        if len(times) > 1 and row["seconds"] is not None and row["seconds"] <= max(times) / 2:
            found.append("Reasonable training time (%s)" % _seconds(row["seconds"]))
        if self.selected == row["name"]:
            found.append("Selected for deployment")
        return found

    def to_markdown(self):
        heads = ["Experiment", *self.columns, "Training Time"]
        lines = [[_cell(row["name"]), *(_two(self.value(row, column)) for column in self.columns),
                  _seconds(row["seconds"])] for row in self.rows]
        text = table(heads, lines)
        if self.best:
            text += "\n**Best Model**: %s\n%s" % (self.best, "".join("- %s\n" % reason for reason in self.reasons()))
        return text

    def to_pandas(self):
        import pandas

        return pandas.DataFrame(
            [[self.value(row, column) for column in (*self.columns, "Training Time")] for row in self.rows],
            columns=[*self.columns, "Training Time"], index=[row["name"] for row in self.rows])

    def __str__(self):
        return self.to_markdown()

    def __len__(self):
        return len(self.rows)

    def __getitem__(self, name):
        return next(row for row in self.rows if row["name"] == name)

    def _repr_markdown_(self):
        return self.to_markdown()


def table(heads, lines):
    widths = [max(len(row[at]) for row in [heads, *lines]) for at in range(len(heads))]
    out = ["| " + " | ".join(cell.ljust(width) for cell, width in zip(heads, widths)) + " |",
           "|" + "|".join("-" * (width + 2) for width in widths) + "|"]
    out += ["| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths)) + " |" for row in lines]
    return "\n".join(out) + "\n"


def _title(column):
    return column if column.isupper() or column == "R²" else column.lower()


def _cell(text):
    return re.sub(r"([|\\])", r"\\\1", text).replace("\n", " ")


def _two(value):
    return "–" if value is None else "%.2f" % value


def _seconds(value):
    if value is None:
        return "–"
    return ("%.0fs" if value >= 0.95 else "%.1fs" if value >= 0.05 else "%.3fs") % value


def _is_number(value):
    return isinstance(value, (int, float)) and not isinstance(value, bool) and value == value


def rows_of(increment, names=None):
    """The experiments of an increment in the order in which they were first begun, then folders that have no number."""
    entries = {entry["name"]: entry for entry in increment.index()}
    try:
        folders = sorted(os.listdir(increment.experiments))
    except OSError:
        folders = []
    found = []
    for name in [*entries, *(folder for folder in folders if folder not in entries)]:
        place = os.path.join(increment.experiments, name)
        if not os.path.exists(os.path.join(place, "metrics.json")) or (names is not None and name not in names):
            continue
        entry = entries.get(name, {})
        metrics = _folder.numbers_of(place)
        seconds = metrics.get("training_time")
        found.append({
            "name": name, "metrics": metrics, "params": _folder.params_of(place),
            "status": entry.get("status", "finished"),
            "seconds": seconds if _is_number(seconds) else entry.get("duration_seconds"),
            "tags": _tags(place), "runs": entry.get("runs", [])})
    return found


def _tags(place):
    """The words of `tags:` in a metadata file that this package wrote."""
    try:
        with open(os.path.join(place, "metadata.yaml"), encoding="utf-8") as file:
            text = file.read()
    except (OSError, UnicodeDecodeError):
        return []
    found = re.search(r"^tags:\n((?:  - .*\n)*)", text, re.MULTILINE)
    return [line[4:].strip().strip('"') for line in found.group(1).splitlines()] if found else []


def compare_experiments(increment=None, names=None, write=True):
    """Compares the experiments of an increment and writes `comparison.md` beside them."""
    found = _increments.chosen(increment)
    if found is None:
        raise MartletError(
            "There is no increment to compare the experiments of. Name one: compare_experiments(increment=\"0042\").")
    from . import _mirror

    _mirror.update_all()
    made = _made(rows_of(found, names))
    if not made.rows:
        raise MartletError("The increment %s has no experiments in %s." % (found.name, found.experiments))
    if write:
        made.path = os.path.join(found.experiments, "comparison.md")
        _increments.write_bytes(made.path, made.to_markdown().encode())
    return made


def _made(rows):
    made = Comparison(rows, list(COLUMNS))
    others = [column for column in OTHERS if any(Comparison(rows, []).value(row, column) is not None for row in rows)]
    has_classes = any(made.value(row, column) is not None for row in rows for column in COLUMNS)
    made.columns = [*COLUMNS, *others] if has_classes or not others else others
    return made


def compare_models(models, X_train, y_train, X_test, y_test, increment=None):
    """Fits each model, scores it on the test rows, and keeps it as an experiment of its name."""
    if not hasattr(models, "items"):
        models = {_fitting.name_of(model).lower(): model for model in models}
    import time

    names = []
    for name, model in models.items():
        with Experiment(ExperimentMetadata(name=str(name), tags=["comparison"]), increment) as experiment:
            made = _fitting.fresh(model)
            experiment.log_params({"model": _fitting.name_of(made), **_fitting.params_of(made)})
            start = time.perf_counter()
            made.fit(X_train, y_train)
            seconds = time.perf_counter() - start
            found = _fitting.scores(y_test, made.predict(X_test)) if hasattr(made, "predict") else {
                "score": float(made.score(X_test, y_test))}
            experiment.log_metrics({**found, "training_time": seconds})
            experiment.save_model(made, "model.pkl")
        names.append(str(name))
    if experiment._increment is None:
        raise MartletError("compare_models needs an increment for its table; name one, such as increment=\"0042\".")
    whole = compare_experiments(experiment._increment.name)
    made = compare_experiments(experiment._increment.name, names, write=False)
    made.path = whole.path
    return made


def write_baselines(increment):
    """`baselines.md`: the baselines, and how far every other experiment is from the best of them."""
    rows = rows_of(increment)
    made = _made(rows)
    column = made.measure
    base = [row for row in rows if "baseline" in row["tags"] and column and made.value(row, column) is not None]
    if not base:
        return None
    sign = 1 if column in LOWER_IS_BETTER else -1
    best = min(base, key=lambda row: sign * made.value(row, column))
    reference = made.value(best, column)
    lines = []
    for row in rows:
        value = made.value(row, column)
        if value is None:
            continue
        change = "%+.2f" % (value - reference) if row is not best else "best baseline"
        if row is not best and reference:
            change += " (%+.0f%%)" % (100 * (value - reference) / abs(reference))
        lines.append([_cell(row["name"]), "yes" if row in base else "", _two(value), change])
    text = "# Baselines of %s\n\n%s" % (increment.name, table(
        ["Experiment", "Baseline", column, "vs best baseline"], lines))
    _increments.write_bytes(os.path.join(increment.experiments, "baselines.md"), text.encode())
    return text
