"""What reading gives: runs, and points in columns, both ready to become tables."""

from __future__ import annotations

import json
from array import array
from sys import byteorder

from ._errors import RunNotFound


class RunRecord(dict):
    """A run as it was found: a dict of what the API says, with the usual things as attributes."""

    def __init__(self, fields, client):
        super().__init__(fields)
        self._client = client

    @property
    def id(self):
        return self.get("run_id") or self.get("id")

    @property
    def name(self):
        return self.get("run_name") or self.get("name")

    def __getattr__(self, name):
        if name.startswith("_"):
            raise AttributeError(name)
        try:
            return self[name]
        except KeyError:
            raise AttributeError("the run has no “%s”" % name) from None

    def history(self, metrics=("*",)):
        """Its points as a table."""
        return self._client.history(run_ids=[self.id], metrics=metrics)

    def download(self, path, to=None):
        """One of its files: the path of a copy, or its bytes when `to` is False."""
        return self._client.download(self.id, path, to)

    def __repr__(self):
        return "<run %s, %s>" % (self.name or self.id, self.get("status"))


class Runs(list):
    """Some runs, with ways to look at them as a table: a row a run, `params.x`, `metrics.x`, `tags.x` as columns."""

    total = None

    def rows(self):
        out = []
        for run in self:
            row = {name: run.get(name) for name in (
                "run_id", "run_name", "short_id", "experiment_name", "state", "status", "start_time", "end_time")}
            for group in ("params", "metrics", "tags"):
                for key, value in (run.get(group) or {}).items():
                    row["%s.%s" % (group, key)] = _finite(value) if group == "metrics" else value
            out.append(row)
        return out

    def to_pandas(self):
        import pandas

        return pandas.DataFrame(self.rows())

    def to_polars(self):
        import polars

        return polars.DataFrame(self.rows(), infer_schema_length=None)

    def to_arrow(self):
        import pyarrow

        return pyarrow.Table.from_pylist(self.rows())


class History:
    """Points of many series in columns: `run_id` and `metric` say whose, the others are as long as all of them together."""

    def __init__(self):
        self.series = []  # (run id, metric, steps, times in µs, values)

    def __len__(self):
        return sum(len(series[2]) for series in self.series)

    def __iter__(self):
        """Rows of (run id, metric, step, milliseconds, value)."""
        for run, metric, steps, times, values in self.series:
            for step, time, value in zip(steps, times, values):
                yield run, metric, step, time // 1000, value

    def of(self, metric, run=None):
        """A metric's steps and values."""
        for each in self.series:
            if each[1] == metric and run in (None, each[0]):
                return list(each[2]), list(each[4])
        raise RunNotFound("There are no points of “%s”." % metric)

    def to_pandas(self):
        """One row a point: run_id, metric (both as categories), step, timestamp, value."""
        import numpy
        import pandas

        def joined(index, kind):
            parts = [numpy.frombuffer(series[index], dtype=kind) if not isinstance(series[index], list)
                     else numpy.array(series[index], dtype=kind) for series in self.series]
            return numpy.concatenate(parts) if parts else numpy.empty(0, kind)

        def names(index):
            known = {}
            codes = [known.setdefault(series[index], len(known)) for series in self.series]
            counts = [len(series[2]) for series in self.series]
            return pandas.Categorical.from_codes(
                numpy.repeat(numpy.array(codes, dtype="int32"), counts), categories=list(known))

        return pandas.DataFrame({
            "run_id": names(0), "metric": names(1), "step": joined(2, "int64"),
            "timestamp": joined(3, "int64").astype("datetime64[us]"), "value": joined(4, "float64")}, copy=False)

    def to_polars(self):
        import polars

        return polars.from_pandas(self.to_pandas())

    def to_arrow(self):
        import pyarrow

        return pyarrow.Table.from_pandas(self.to_pandas())


def read_columns(body, found):
    view = memoryview(body)
    at = 0
    while at < len(body):
        end = body.index(b"\n", at)
        head = json.loads(body[at:end])
        count, at = head["count"], end + 1
        columns = []
        for kind in "qqd":
            column = array(kind)
            column.frombytes(view[at:at + count * 8])
            if byteorder == "big":
                column.byteswap()
            columns.append(column)
            at += count * 8
        found.series.append((head["run_id"], head["metric"], *columns))


def _finite(value):
    return float(value.replace("Infinity", "inf")) if isinstance(value, str) else value
