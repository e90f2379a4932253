"""A small table for where pandas is not: it is printed as a DataFrame would be."""

from __future__ import annotations

import math


class Table:
    def __init__(self, index, columns, rows, index_name=None):
        self.index = list(index)
        self.columns = list(columns)
        self.rows = [list(row) for row in rows]
        self.index_name = index_name

    @property
    def shape(self):
        return len(self.rows), len(self.columns)

    def __len__(self):
        return len(self.rows)

    def __getitem__(self, column):
        if column not in self.columns:
            raise KeyError(column)
        at = self.columns.index(column)
        return [row[at] for row in self.rows]

    def row(self, index):
        return dict(zip(self.columns, self.rows[self.index.index(index)]))

    def to_dict(self):
        return {column: dict(zip(self.index, self[column])) for column in self.columns}

    def to_pandas(self):
        import pandas

        frame = pandas.DataFrame(self.rows, columns=self.columns, index=self.index)
        frame.index.name = self.index_name
        return frame

    def __str__(self):
        left = ([""] if not self.index_name else ["", self.index_name]) + [str(each) for each in self.index]
        gap = [""] if self.index_name else []
        columns = [[str(column), *gap, *_texts(self[column])] for column in self.columns]
        width = max(map(len, left))
        widths = [max(map(len, column)) for column in columns]
        return "\n".join(
            left[at].ljust(width) + "".join("  " + column[at].rjust(size) for column, size in zip(columns, widths))
            for at in range(len(left)))

    __repr__ = __str__


def _texts(values):
    """Numbers of one column with as many digits as the longest needs, at most six."""
    if not all(isinstance(value, (int, float)) or value is None for value in values):
        return ["None" if value is None else str(value) for value in values]
    if all(isinstance(value, int) for value in values):
        return [str(value) for value in values]
    known = [value for value in values if value is not None and math.isfinite(value)]
    digits = max((len(("%.6f" % value).rstrip("0").partition(".")[2]) for value in known), default=1) or 1
    return ["NaN" if value is None or math.isnan(value) else "%.*f" % (digits, value) if math.isfinite(value) else
            ("inf" if value > 0 else "-inf") for value in values]


def table(made):
    """A pandas DataFrame where pandas can be imported, else the table itself."""
    try:
        import pandas  # noqa: F401
    except ImportError:
        return made
    return made.to_pandas()
