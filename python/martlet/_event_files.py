"""The bytes of TensorBoard's event files: records that grow, and protobuf's fields, without a library for either."""

from __future__ import annotations

import struct
from array import array

from ._say import say

RECORD_BYTES_MAX = 1 << 30


def fields(data):
    """A protobuf message as pairs of a field's number and its value: an integer, or bytes."""
    at, end = 0, len(data)
    while at < end:
        key, at = _varint(data, at)
        kind = key & 7
        if kind == 0:
            value, at = _varint(data, at)
        elif kind == 2:
            size, at = _varint(data, at)
            if at + size > end:
                raise ValueError("a field goes beyond its message")
            value, at = data[at:at + size], at + size
        elif kind in (1, 5):
            size = 8 if kind == 1 else 4
            value, at = data[at:at + size], at + size
            if len(value) < size:
                raise ValueError("a field goes beyond its message")
        else:
            raise ValueError("an unknown kind of field")
        yield key >> 3, value


def dict_of(data):
    return dict(fields(data))


def _varint(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7
        if shift > 63:
            raise ValueError("a number is too long")


def signed(value):
    return value - (1 << 64) if value >= 1 << 63 else value


def double(value):
    return struct.unpack("<d", value)[0]


def float_of(value):
    return struct.unpack("<f", value)[0]


def numbers(kind, values):
    out = []
    for value in values:
        if isinstance(value, int):
            out.append(value)
        else:
            out += struct.unpack("<%d%s" % (len(value) // struct.calcsize(kind), kind), value)
    return out


def single(value):
    """A float of four bytes by the shortest digits that mean it: 0.9, and not 0.8999999761581421."""
    if value != value or value in (float("inf"), float("-inf")):
        return value
    for digits in range(6, 10):
        short = float("%.*g" % (digits, value))
        if array("f", [short])[0] == value:
            return short
    return value


class File:
    """One event file and how far it was read."""

    def __init__(self, path):
        self.path = path
        self.offset = 0
        self.is_damaged = False

    def records(self):
        """Whole records that have come since the last look."""
        if self.is_damaged:
            return
        with open(self.path, "rb") as file:
            file.seek(self.offset)
            while True:
                head = file.read(12)
                if len(head) < 12:
                    return
                size = struct.unpack("<Q", head[:8])[0]
                if size > RECORD_BYTES_MAX:
                    self.is_damaged = True
                    say("%s is damaged at byte %d; what comes after it is not read." % (self.path, self.offset))
                    return
                data = file.read(size + 4)
                if len(data) < size + 4:
                    return
                self.offset += 16 + size
                yield data[:size]


class Tensor:
    """As much of a TensorProto as scalars, texts and histograms need."""

    _TYPES = {1: "f", 2: "d", 3: "i", 9: "q", 5: "h", 6: "b", 4: "B"}

    def __init__(self, data):
        self.kind, self.sizes, self.strings, content, typed = 0, [], [], None, []
        for number, value in fields(data):
            if number == 1:
                self.kind = value
            elif number == 2:
                self.sizes = [next((signed(size) for inner, size in fields(dim) if inner == 1), 0)
                              for outer, dim in fields(value) if outer == 2]
            elif number == 4:
                content = value
            elif number == 8:
                self.strings.append(value.decode("utf-8", "replace"))
            elif number in (5, 6, 7, 10):
                typed.append((number, value))
        self.values = []
        if content is not None and self.kind in self._TYPES:
            self.values = numbers(self._TYPES[self.kind], [content])
        for number, value in typed:
            if number in (5, 6):
                self.values += numbers("f" if number == 5 else "d", [value])
            elif isinstance(value, int):
                self.values.append(signed(value))
            else:
                at = 0
                while at < len(value):
                    each, at = _varint(value, at)
                    self.values.append(signed(each))
        if self.kind == 1:
            self.values = [single(value) for value in self.values]
