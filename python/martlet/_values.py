"""What may be logged as a number, and how a value is taken so that a later change of it does not change the record."""

from __future__ import annotations

from ._device import DeviceCopy, Readable, Ready
from ._recorder import Later

MISSING = object()
_PLAIN = (int, float, bool)


def number(value):
    """A number that is safe to keep, a `Later` for one that is still on a device, or MISSING when it is none."""
    kind = type(value)
    if kind in _PLAIN:
        return value
    if isinstance(value, (int, float)):
        return value  # NumPy's float64, enums: immutable
    module = (kind.__module__ or "").partition(".")[0]
    if module == "torch":
        return _torch(value)
    if callable(getattr(value, "is_ready", None)):
        return Ready(value)  # JAX: immutable, and it says when it is there
    if module in ("numpy", "cupy"):
        return _item(value) if getattr(value, "size", 0) == 1 and _is_numeric(value) else MISSING
    if module == "tensorflow":
        return Readable(value) if getattr(value, "shape", None) is not None and _count(value) == 1 else MISSING
    if isinstance(value, (str, bytes, dict, list, tuple, set)) or value is None:
        return MISSING
    try:
        return float(value)  # Decimal, Fraction, and what else says that it is one
    except Exception:
        return MISSING


def _is_numeric(value):
    return getattr(getattr(value, "dtype", None), "kind", "") in "fiub"


def _item(value):
    try:
        return value.item()
    except Exception:
        return MISSING


def _count(value):
    try:
        count = 1
        for size in value.shape:
            count *= size
        return count
    except Exception:
        return -1


def _torch(value):
    try:
        if value.numel() != 1 or value.is_complex():
            return MISSING
        if value.device.type == "cpu":
            return value.item()  # no device has to be waited for
        return DeviceCopy(value)
    except Exception:
        return MISSING


def flat(data, prefix=""):
    for key, value in data.items():
        name = prefix + str(key)
        if isinstance(value, dict) and value:
            yield from flat(value, name + "/")
        else:
            yield name, value


def kind(value):
    shape = getattr(value, "shape", None)
    return type(value).__name__ + (" of shape %s" % (tuple(shape),) if shape is not None else "")
