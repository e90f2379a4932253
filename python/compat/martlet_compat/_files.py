"""Objects into files: the name's suffix says how."""

from __future__ import annotations

import json
import os
import pickle

from martlet import MartletError

from . import _yaml

_IMAGES = (".png", ".jpg", ".jpeg", ".svg", ".pdf", ".webp")
_PICKLES = (".pkl", ".pickle", ".joblib")
_TEXTS = (".txt", ".md", ".html", ".log", ".py", ".sh", ".toml", ".ini", ".cfg", ".xml", ".tex")


class CannotSave(MartletError, TypeError):
    """An object of this kind does not go into a file of that name."""


def has_suffix(value):
    """Whether something is the name of a file."""
    return isinstance(value, str) and "\n" not in value and 1 < len(os.path.splitext(value)[1]) <= 10


def order(name, value):
    """Name and object, whichever way round they came: exactly one of them is a name with a suffix."""
    if has_suffix(value) and not has_suffix(name):
        return value, name
    if not isinstance(name, str):
        raise CannotSave("Nothing says what the file is to be called: give a name such as \"model.pkl\".")
    return name, value


def write(name, value, path):
    """Writes an object to a path as its name asks for."""
    suffix = os.path.splitext(name)[1].lower()
    data = contents(name, suffix, value, path)
    if data is not None:
        with open(path, "wb") as file:
            file.write(data)


def contents(name, suffix, value, path):
    """The bytes to write; None when the object has written itself to the path."""
    if isinstance(value, (bytes, bytearray, memoryview)):
        return bytes(value)
    if isinstance(value, os.PathLike) or (isinstance(value, str) and has_suffix(value) and os.path.isfile(value)):
        with open(value, "rb") as file:
            return file.read()
    if suffix in _PICKLES:
        return _pickled(value, name)
    if suffix in _IMAGES:
        return _image(name, suffix, value, path)
    if suffix == ".csv":
        return _csv(name, value)
    if suffix in (".yaml", ".yml"):
        if isinstance(value, str):
            return value.encode()
        if isinstance(value, (dict, list, tuple)):
            return _yaml.text(_plain(value)).encode()
        raise _wrong(name, value, "a dict, a list or a text")
    if suffix in (".json", ".ubj") and callable(getattr(value, "save_model", None)):
        value.save_model(path)  # XGBoost's own formats
        return None
    if suffix == ".json":
        if isinstance(value, str):
            return value.encode()
        try:
            return (json.dumps(_plain(value), indent=2, ensure_ascii=False) + "\n").encode()
        except (TypeError, ValueError):
            raise _wrong(name, value, "a dict, a list, a number or a text") from None
    if suffix in _TEXTS:
        return _text(name, suffix, value)
    if suffix == ".parquet" and callable(getattr(value, "to_parquet", None)):
        value.to_parquet(path)
        return None
    if suffix in (".npy", ".npz"):
        import numpy

        with open(path, "wb") as file:
            if suffix == ".npz":
                numpy.savez(file, **(value if isinstance(value, dict) else {"data": value}))
            else:
                numpy.save(file, numpy.asarray(value))
        return None
    if suffix in (".pt", ".pth"):
        import torch

        torch.save(value, path)
        return None
    if suffix in (".keras", ".h5") and callable(getattr(value, "save", None)):
        value.save(path)
        return None
    if isinstance(value, str):
        return value.encode()
    raise CannotSave(
        "A %s does not go into “%s”: that suffix takes bytes, a text or the path of a file. A name that ends in .pkl "
        "takes any object." % (type(value).__name__, name))


def _wrong(name, value, wanted):
    return CannotSave("A %s does not go into “%s”, which takes %s. A name that ends in .pkl takes any object." % (
        type(value).__name__, name, wanted))


def _pickled(value, name):
    try:
        return pickle.dumps(value)
    except Exception as error:
        try:
            import cloudpickle

            return cloudpickle.dumps(value)
        except ImportError:
            raise CannotSave("The %s for “%s” cannot be pickled: %s. With cloudpickle installed it may be." % (
                type(value).__name__, name, error)) from None


def _image(name, suffix, value, path):
    if isinstance(value, str) and suffix == ".svg":
        return value.encode()
    # An axes and a display of scikit-learn know their figure.
    for each in (value, getattr(value, "figure_", None), getattr(value, "figure", None)):
        if callable(getattr(each, "savefig", None)):
            each.savefig(path, format=suffix[1:].replace("jpg", "jpeg"))
            return None
    module = type(value).__module__
    if module.startswith("PIL."):
        value.save(path)
        return None
    if callable(getattr(value, "write_image", None)):
        value.write_image(path)  # Plotly
        return None
    if hasattr(value, "__array__") and suffix in (".png", ".jpg", ".jpeg"):
        try:
            from PIL import Image
            import numpy
        except ImportError:
            raise CannotSave("Writing an array as “%s” needs Pillow." % name) from None
        array = numpy.asarray(value)
        if array.dtype.kind == "f":
            array = (array.clip(0, 1) * 255).round()
        Image.fromarray(array.astype("uint8")).save(path)
        return None
    raise _wrong(name, value, "a figure, an image or the bytes of one")


def _csv(name, value):
    if isinstance(value, str):
        return value.encode()
    if callable(getattr(value, "to_csv", None)):
        text = value.to_csv(index=_has_named_index(value))
        return text.encode()
    if callable(getattr(value, "write_csv", None)):
        return value.write_csv().encode()  # Polars
    if isinstance(value, dict):
        columns = list(value)
        if value and all(isinstance(each, (list, tuple)) or hasattr(each, "__array__") for each in value.values()):
            rows = list(zip(*value.values()))
        else:
            columns, rows = ["name", "value"], list(value.items())
    elif isinstance(value, (list, tuple)) and value and all(isinstance(row, dict) for row in value):
        columns = list(dict.fromkeys(key for row in value for key in row))
        rows = [[row.get(key) for key in columns] for row in value]
    elif hasattr(value, "__array__") or isinstance(value, (list, tuple)):
        columns, rows = None, [row if hasattr(row, "__iter__") and not isinstance(row, str) else [row] for row in value]
    else:
        raise _wrong(name, value, "a DataFrame, columns, rows or a text")
    return csv(columns, rows).encode()


def csv(columns, rows):
    import csv
    import io

    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    if columns is not None:
        writer.writerow(columns)
    writer.writerows(rows)
    return out.getvalue()


def _has_named_index(frame):
    """A plain count is no column of the user's; names are."""
    index = getattr(frame, "index", None)
    return index is not None and type(index).__name__ != "RangeIndex"


def _text(name, suffix, value):
    if isinstance(value, str):
        return value.encode()
    if suffix == ".html" and callable(getattr(value, "to_html", None)):
        return value.to_html().encode()
    if isinstance(value, (list, tuple)) and all(isinstance(line, str) for line in value):
        return "".join(line.rstrip("\n") + "\n" for line in value).encode()
    if suffix in (".txt", ".md", ".log") and isinstance(value, (int, float, dict, list, tuple)):
        return (_yaml.text(_plain(value))).encode()
    raise _wrong(name, value, "a text or lines of it")


def _plain(value):
    """NumPy's numbers and arrays as Python's; NaN as a text, which is all that JSON has for it."""
    if isinstance(value, dict):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple, set)):
        return [_plain(inner) for inner in value]
    if hasattr(value, "tolist") and not isinstance(value, (str, bytes)):
        return _plain(value.tolist())
    if isinstance(value, float) and value != value:
        return "NaN"
    if isinstance(value, float) and value in (float("inf"), float("-inf")):
        return "Infinity" if value > 0 else "-Infinity"
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    return str(value)


plain = _plain
