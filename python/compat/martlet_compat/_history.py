"""Experiments across increments, and several that build on one another."""

from __future__ import annotations

from martlet import MartletError

from . import _charts, _comparison, _files, _increments, _store
from ._tracker import RunList


def search_experiments(filter_string=None, order_by=None, increments=None, max_results=None):
    """Runs of all increments, or of some, that a filter lets through: `metrics.accuracy > 0.8 AND params.depth = 6`."""
    filters = ["tags.increment EXISTS"]
    if increments:
        words = [increments] if isinstance(increments, str) else increments
        filters.append("tags.increment IN (%s)" % ", ".join(
            "'%s'" % _increments.resolve(word).replace("'", "''") for word in words))
    if filter_string:
        filters.append("(%s)" % filter_string)
    query = {"filter": " AND ".join(filters), "order_by": [order_by] if isinstance(order_by, str) else order_by}
    store = _store.at()
    store.catch_up()
    store.ask("GET", "runs", "search", query={**query, "limit": 1})
    return RunList(store, query, max_results)


class ExperimentSeries:
    """Related experiments in their order: how far each came, and by how much it differs from the one before."""

    def __init__(self, names, increment=None):
        self.names = list(names)
        self._increment = _increments.chosen(increment)
        if self._increment is None:
            raise MartletError("A series needs an increment; name one, such as increment=\"0042\".")

    def progression(self, metric=None):
        """A dict for each that was tried: `name`, `value`, `delta`, `best`. Without a metric, by the table's first."""
        rows = {row["name"]: row for row in _comparison.rows_of(self._increment, self.names)}
        made = _comparison._made([rows[name] for name in self.names if name in rows])
        found, before = [], None
        for row in made.rows:
            value = row["metrics"].get(metric) if metric else made.measure and made.value(row, made.measure)
            delta = value - before if value is not None and before is not None else None
            found.append({"name": row["name"], "value": value, "delta": delta})
            before = value if value is not None else before
        known = [row["value"] for row in found if row["value"] is not None]
        lower = (metric or made.measure or "").lower() in ("loss", "rmse", "mae", "mse", "error", "val_loss")
        best = (min if lower else max)(known, default=None)
        for row in found:
            row["best"] = best is not None and row["value"] == best
        return found

    def to_markdown(self, metric=None):
        lines = [[row["name"], "–" if row["value"] is None else "%.4g" % row["value"],
                  "" if row["delta"] is None else "%+.4g" % row["delta"], "yes" if row["best"] else ""]
                 for row in self.progression(metric)]
        return _comparison.table(["Experiment", metric or "Value", "Change", "Best"], lines)

    def save_chart(self, stem="series", metric=None):
        """A chart beside the experiments; gives its path."""
        import os

        pairs = [(row["name"], row["value"]) for row in self.progression(metric) if row["value"] is not None]
        suffix, data = _charts.bars("Progression", pairs, metric or "value")
        path = os.path.join(self._increment.experiments, _files.order(stem + suffix, data)[0])
        _increments.write_bytes(path, data)
        return path

    def __iter__(self):
        return iter(self.names)

    def __str__(self):
        return self.to_markdown()
