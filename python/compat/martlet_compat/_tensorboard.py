"""A callback for Keras: event files for TensorBoard, and the same numbers as an experiment."""

from __future__ import annotations

import atexit
import os
import socket
import struct
import sys
import time

from . import _increments
from ._experiment import Experiment, ExperimentMetadata


class EventFile:
    """Scalars in TensorBoard's format: records with a length and two checksums, each a small protocol buffer."""

    def __init__(self, folder):
        os.makedirs(folder, exist_ok=True)
        self.path = os.path.join(folder, "events.out.tfevents.%010d.%s.%d.0" % (
            time.time(), socket.gethostname(), os.getpid()))
        self._file = open(self.path, "ab")
        self._record(struct.pack("<Bd", 0x09, time.time()) + _bytes(3, b"brain.Event:2"))

    def scalars(self, values, step):
        summary = b"".join(
            _bytes(1, _bytes(1, name.encode()) + struct.pack("<Bf", 0x15, value)) for name, value in values.items())
        self._record(struct.pack("<Bd", 0x09, time.time()) + b"\x10" + _varint(step) + _bytes(5, summary))

    def close(self):
        self._file.close()

    def _record(self, data):
        length = struct.pack("<Q", len(data))
        self._file.write(length + _masked(length) + data + _masked(data))
        self._file.flush()


_TABLE = []


def crc32c(data):
    """Castagnoli's checksum, which no module of Python's has."""
    if not _TABLE:
        for each in range(256):
            for _ in range(8):
                each = each >> 1 ^ (0x82F63B78 if each & 1 else 0)
            _TABLE.append(each)
    sum = 0xFFFFFFFF
    for byte in data:
        sum = _TABLE[(sum ^ byte) & 255] ^ sum >> 8
    return sum ^ 0xFFFFFFFF


def _masked(data):
    sum = crc32c(data)
    return struct.pack("<I", ((sum >> 15 | sum << 17) + 0xA282EAD8) & 0xFFFFFFFF)


def _varint(value):
    value &= (1 << 64) - 1
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    out.append(value)
    return bytes(out)


def _bytes(field, data):
    return _varint(field << 3 | 2) + _varint(len(data)) + data


class TensorBoardCallback:
    """Given to `model.fit(callbacks=[…])`. Keras need not be there; where it is, this is one of its callbacks."""

    def __new__(cls, *arguments, **more):
        keras = sys.modules.get("keras") or getattr(sys.modules.get("tensorflow"), "keras", None)
        base = getattr(getattr(keras, "callbacks", None), "Callback", None)
        if cls is TensorBoardCallback and isinstance(base, type):
            cls = type("TensorBoardCallback", (TensorBoardCallback, base), {})
        return object.__new__(cls)

    def __init__(self, increment=None, log_dir=None, name=None):
        self.increment = increment
        self.log_dir = _increments.path(log_dir) if log_dir is not None else None
        self.name = name
        self.params = {}
        self._kept_model = None
        self._experiment = None
        self._files = {}

    # Keras sets these two before it begins.

    def set_params(self, params):
        self.params = params or {}

    def set_model(self, model):
        self._kept_model = model

    def on_train_begin(self, logs=None):
        name = self.name or getattr(self._kept_model, "name", None) or "keras-fit"
        self._experiment = Experiment(ExperimentMetadata(name=name, tags=["tensorboard"]), self.increment).begin()
        atexit.register(self._give_up)
        if self.log_dir is None:
            place = self._experiment._increment
            self.log_dir = os.path.join(place.folder if place else ".", "tensorboard")
        self._experiment.log_params({
            key: value for key, value in {**self.params, **_optimizer(self._kept_model)}.items()
            if isinstance(value, (bool, int, float, str)) and key != "verbose"})

    def on_epoch_end(self, epoch, logs=None):
        if self._experiment is None:
            self.on_train_begin()
        values = {key: float(value) for key, value in (logs or {}).items() if hasattr(value, "__float__")}
        if not values:
            return
        self._experiment.log_metrics(values, step=int(epoch))
        # As Keras' own callback does it: one folder for training, one for validation, with the same tags.
        for folder in ("train", "validation"):
            mine = {"epoch_" + key[4 * (folder == "validation"):]: value for key, value in values.items()
                    if key.startswith("val_") == (folder == "validation")}
            if mine:
                if folder not in self._files:
                    self._files[folder] = EventFile(os.path.join(self.log_dir, folder))
                self._files[folder].scalars(mine, int(epoch))

    def on_train_end(self, logs=None):
        self._end("finished")

    def _give_up(self):
        self._end("failed")  # training never said that it ended

    def _end(self, status):
        atexit.unregister(self._give_up)
        if self._experiment is not None:
            self._experiment.finish(status)
        for file in self._files.values():
            file.close()
        self._files = {}

    def __getattr__(self, name):
        # The other events of the protocol, whatever they are called.
        if name.startswith("on_"):
            return _nothing
        raise AttributeError(name)


def _nothing(*arguments, **more):
    return None


def _optimizer(model):
    optimizer = getattr(model, "optimizer", None)
    if optimizer is None:
        return {}
    found = {"optimizer": type(optimizer).__name__}
    try:
        found["learning_rate"] = float(optimizer.learning_rate)
    except (AttributeError, TypeError, ValueError):
        pass
    return found
