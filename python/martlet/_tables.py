"""Values that are many numbers in one point: tables and histograms."""

from __future__ import annotations

import json
import math
import sys

from ._device import later_spread
from ._media import Image, Media, home_of

BINS_MAX = 512
ROWS_MAX = 100_000


class Histogram(Media):
    """How values are spread: the values themselves, or edges and counts (`np_histogram=(counts, edges)`)."""

    kind = "histogram"

    def __init__(self, values=None, bins=64, np_histogram=None, caption=None):
        super().__init__(caption)
        bins = max(1, min(int(bins), BINS_MAX))
        self.skipped = 0
        if np_histogram is not None:
            counts, edges = np_histogram
            self.counts, self.edges = [float(each) for each in counts], [float(each) for each in edges]
            if len(self.counts) > BINS_MAX or len(self.edges) != len(self.counts) + 1:
                raise ValueError("A histogram has at most %d counts and one edge more." % BINS_MAX)
        else:
            self.later = later_spread(values, bins, lambda there: _spread(there, bins))
            if self.later is None:
                self.edges, self.counts, self.skipped = _spread(values, bins)

    def settle(self, keep):
        if self.later is not None:
            (self.edges, self.counts, self.skipped), self.later = self.later.value(), None

    def describe(self):
        more = {"not_finite": self.skipped} if self.skipped else {}
        return {**super().describe(), "edges": self.edges, "counts": self.counts, **more}


class Table(Media):
    """Rows and columns: a DataFrame, a dict of columns, a list of dicts, or rows with `columns`."""

    kind = "table"
    ending, mime = ".json", "application/json"

    def __init__(self, data=None, columns=None, rows=None, dataframe=None, caption=None):
        super().__init__(caption)
        data = dataframe if dataframe is not None else rows if rows is not None else data
        if data is None:
            data = []
        if hasattr(data, "columns") and hasattr(data, "to_dict"):
            self.columns = [str(each) for each in data.columns]
            found = zip(*[data[name].tolist() for name in data.columns])
        elif hasattr(data, "keys"):
            self.columns = [str(each) for each in data.keys()]
            found = zip(*[each.tolist() if hasattr(each, "tolist") else list(each) for each in data.values()])
        else:
            found = list(data.tolist() if hasattr(data, "tolist") else data)
            if found and hasattr(found[0], "keys"):
                self.columns = list(columns or dict.fromkeys(str(key) for row in found for key in row))
                found = [[row.get(name) for name in self.columns] for row in found]
            else:
                width = len(found[0]) if found else 0
                self.columns = [str(each) for each in columns] if columns else ["c%d" % n for n in range(width)]
        self.data = [list(row) for row in found]

    def add_data(self, *row):
        """One more row."""
        self.data.append(list(row))

    def settle(self, keep):
        """Pictures and the like in cells become files, and the cells say where they lie."""
        for row in self.data[:ROWS_MAX]:
            for place, cell in enumerate(row):
                media = cell if isinstance(cell, Media) else _picture(cell)
                if media is not None:
                    media.settle(keep)
                    data = media.encode()
                    file = keep(data, media.ending, media.mime) if data is not None else {}
                    row[place] = {"kind": media.kind, **media.describe(), **{
                        name: file[name] for name in ("path", "sha256", "mime") if name in file}}

    def encode(self):
        from ._params import plain

        rows = [[plain(each) for each in row] for row in self.data[:ROWS_MAX]]
        return json.dumps({"columns": self.columns, "data": rows}, default=str).encode()

    def describe(self):
        return {**super().describe(), "columns": self.columns, "rows": len(self.data)}


def _picture(cell):
    """PIL's images are known in a cell too."""
    return Image(cell) if home_of(cell) == "PIL" else None


def _spread(values, bins):
    """Edges, counts, and how many were not finite."""
    if hasattr(values, "detach"):
        values = values.detach().cpu()
        # NumPy has no numbers of 16 bits with the exponents of 32.
        values = (values.float() if str(getattr(values, "dtype", "")) == "torch.bfloat16" else values).numpy()
    numpy = sys.modules.get("numpy")
    if numpy is not None and hasattr(values, "dtype"):
        flat = numpy.asarray(values, dtype="float64").ravel()
        good = flat[numpy.isfinite(flat)]
        if not good.size:
            return [0.0, 1.0], [0], int(flat.size)
        counts, edges = numpy.histogram(good, bins=bins)
        return edges.tolist(), counts.tolist(), int(flat.size - good.size)
    flat = [float(each) for each in _leaves(values)]
    good = [each for each in flat if math.isfinite(each)]
    if not good:
        return [0.0, 1.0], [0], len(flat)
    low, high = min(good), max(good)
    if low == high:
        low, high = low - 0.5, high + 0.5
    width = (high - low) / bins
    counts = [0] * bins
    for each in good:
        counts[min(bins - 1, int((each - low) / width))] += 1
    return [low + width * index for index in range(bins)] + [high], counts, len(flat) - len(good)


def _leaves(values):
    if hasattr(values, "tolist"):
        values = values.tolist()
    for each in values if isinstance(values, (list, tuple)) else [values]:
        if isinstance(each, (list, tuple)):
            yield from _leaves(each)
        else:
            yield each
