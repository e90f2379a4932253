"""What may be logged as a number, and how a value is taken so that a later change of it does not change the record."""

from __future__ import annotations

import sys
import threading

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
        place = value.device.type
        if place == "cpu":
            return value.item()  # no device has to be waited for
        return DeviceCopy(value, place)
    except Exception:
        return MISSING


class Ready(Later):
    """An immutable value that says itself when it can be read."""

    def __init__(self, value):
        self._value = value

    def ready(self):
        return bool(self._value.is_ready())

    def value(self):
        return float(self._value)


class Readable(Later):
    """An immutable value whose reading may wait: only the background thread does."""

    def __init__(self, value):
        self._value = value

    def ready(self):
        return True

    def value(self):
        value = self._value
        return float(value.numpy() if hasattr(value, "numpy") else value)


_streams = threading.local()


class DeviceCopy(Later):
    """A copy of a tensor, made on the device in the order of its own work, and read once that has come by.

    The caller queues two small things and goes on; nothing waits for the device, and what the training does to the
    tensor afterwards does not touch the copy.
    """

    def __init__(self, tensor, place):
        torch = sys.modules["torch"]
        self._torch = torch
        self._copy = tensor.detach().clone()
        self._event = None
        module = getattr(torch, place, None)
        if module is not None and hasattr(module, "Event") and hasattr(module, "current_stream"):
            self._event = module.Event()
            self._event.record(module.current_stream(tensor.device))
        self._module = module

    def ready(self):
        return self._event is None or self._event.query()

    def value(self):
        module = self._module
        if self._event is None or not hasattr(module, "stream"):
            return float(self._copy.item())
        # On a stream of this thread's own: reading on the usual one would stand in line behind the training's work.
        device = self._copy.device
        stream = getattr(_streams, str(device), None)
        if stream is None:
            stream = module.Stream(device=device)
            setattr(_streams, str(device), stream)
        with module.stream(stream):
            return float(self._copy.item())


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
