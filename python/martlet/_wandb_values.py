"""W&B's values by its own signatures: pictures, tables, artifacts, and the summary of a run."""

from __future__ import annotations

import os

from . import _media, _tables
from ._say import complain


class Summary(dict):
    """The last value of everything, and what was set by hand."""

    def __init__(self, inner):
        super().__init__()
        object.__setattr__(self, "_inner", inner)
        object.__setattr__(self, "_own", {})

    def _seen(self, data):
        for key, value in data.items():
            if not isinstance(value, (_media.Media, list)) and key not in self._own:
                dict.__setitem__(self, key, value)

    def __setitem__(self, key, value):
        self._own[key] = value
        dict.__setitem__(self, key, value)

    def update(self, values=None, **more):
        for key, value in {**(values or {}), **more}.items():
            self[key] = value

    def _store(self):
        numbers = {}
        for key, value in self._own.items():
            if isinstance(value, (int, float)) or hasattr(value, "item"):
                numbers[key] = value
            elif isinstance(value, str):
                self._inner.set_tag("summary." + key, value)
            elif isinstance(value, dict):
                numbers.update({"%s/%s" % (key, inner): each for inner, each in value.items()})
        if numbers:
            self._inner.set_summary(numbers)
        self._own.clear()

    def __getattr__(self, name):
        try:
            return self[name]
        except KeyError:
            raise AttributeError(name) from None

    def __setattr__(self, name, value):
        self[name] = value


class Artifact:
    """A name, a type and files."""

    def __init__(self, name, type="dataset", description=None, metadata=None, incremental=None, use_as=None):
        self.name, self.type, self.description = name, type, description
        self.metadata = dict(metadata or {})
        self._files, self._references, self._uses = [], [], None

    def add_file(self, local_path, name=None, is_tmp=False, **_):
        self._files.append((os.fspath(local_path), name or os.path.basename(os.fspath(local_path))))
        return self

    def add_dir(self, local_path, name=None, **_):
        for folder, _folders, names in os.walk(local_path):
            for each in sorted(names):
                path = os.path.join(folder, each)
                inside = os.path.relpath(path, local_path).replace(os.sep, "/")
                self._files.append((path, "%s/%s" % (name, inside) if name else inside))
        return self

    def add_reference(self, uri, name=None, **_):
        self._references.append((str(uri), name or str(uri).rpartition("/")[2]))
        return self

    def add(self, what, name=None):
        if isinstance(what, (str, os.PathLike)):
            if "://" in os.fspath(what):
                return self.add_reference(what, name)
            return self.add_dir(what, name) if os.path.isdir(what) else self.add_file(what, name)
        complain("wandb.Artifact.add takes files and folders here, not %s." % type(what).__name__, "wandb add")
        return self

    def new_file(self, name, mode="w", encoding=None):
        import tempfile

        folder = tempfile.mkdtemp(prefix="martlet-")
        path = os.path.join(folder, os.path.basename(name))
        self._files.append((path, name))
        return open(path, mode, encoding=encoding)

    def wait(self, timeout=None):
        return self

    def download(self, root=None, **_):
        if self._uses is None:
            return os.path.dirname(self._files[0][0]) if self._files else os.getcwd()
        inner, name = self._uses
        path = inner.use_artifact(name)
        return os.path.dirname(path) if path else None


class Image(_media.Image):
    """W&B's picture: also a path, and `boxes` and `masks` as there."""

    def __init__(self, data_or_path, mode=None, caption=None, grouping=None, classes=None, boxes=None, masks=None,
                 file_type=None, normalize=True):
        super().__init__(data_or_path, caption=caption, boxes=boxes, masks=masks, classes=classes, mode=mode)


class Classes:
    """The names of classes, for `Image(classes=)`: `[{"id": 1, "name": "car"}]`."""

    def __init__(self, class_set):
        self._class_set = list(class_set)


class Table(_tables.Table):
    def __init__(self, columns=None, data=None, rows=None, dataframe=None, dtype=None, optional=True,
                 allow_mixed_types=False, log_mode=None):
        super().__init__(data if data is not None else rows, columns=columns, dataframe=dataframe)
        if columns and not self.data:
            self.columns = list(columns)


class Video(_media.Video):
    def __init__(self, data_or_path, caption=None, fps=None, format=None):
        super().__init__(data_or_path, caption=caption, fps=fps, format=format)


class Audio(_media.Audio):
    def __init__(self, data_or_path, sample_rate=44_100, caption=None):
        super().__init__(data_or_path, sample_rate=sample_rate, caption=caption)


class Histogram(_tables.Histogram):
    def __init__(self, sequence=None, np_histogram=None, num_bins=64):
        super().__init__(sequence, bins=num_bins, np_histogram=np_histogram)


class Html(_media.Html):
    def __init__(self, data, inject=True, data_is_not_path=False):
        super().__init__(data.read() if hasattr(data, "read") else data)


Object3D = _media.Object3D
Plotly = _media.Figure


def translated(data):
    out = {}
    for key, value in data.items():
        if hasattr(value, "to_plotly_json"):
            value = _media.Figure(value)
        elif hasattr(value, "savefig") and hasattr(value, "__name__"):  # pyplot itself
            value = _media.Figure(value.gcf())
        out[key] = value
    return out
