"""Logbook lines: one JSON object each, numbered by their writer, with a checksum at the end."""

from __future__ import annotations

import json
from array import array
from binascii import b2a_base64
from sys import byteorder

from ._crc32c import crc32c

_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), default=str).encode
# Beyond this many values a line is cut: a reader takes a line as a whole.
VALUES_MAX = 65_536
ROWS_MAX = 65_536
# Fewer values than this are written as digits, for those who look into the file.
DIGITS_MAX = 4


def encode(value):
    return _encode(value)


def column(values):
    """A column of numbers: digits while they are few, else as they lie in memory. None when one is no number."""
    try:
        numbers = array("d", values)
    except (TypeError, ValueError, OverflowError):
        return None
    if len(numbers) <= DIGITS_MAX:
        return _encode(numbers.tolist())
    if byteorder == "big":
        numbers.byteswap()
    return '"f8:' + b2a_base64(numbers, newline=False).decode("ascii") + '"'


def whole_column(values):
    """A column of whole numbers, counted where they count."""
    first = values[0]
    count = len(values)
    if count > 1:
        by = values[1] - first
        if all(map(int.__eq__, values, range(first, first + by * count, by) if by else [first] * count)):
            return '{"from":%d,"by":%d}' % (first, by)
    if count <= DIGITS_MAX:
        return _encode(list(values))
    small = -0x8000_0000 <= min(values) and max(values) < 0x8000_0000
    numbers = array("i" if small else "q", values)
    if byteorder == "big":
        numbers.byteswap()
    return ('"i4:' if small else '"i8:') + b2a_base64(numbers, newline=False).decode("ascii") + '"'


class Lines:
    """Makes the lines of one writer about one run, in order."""

    def __init__(self, writer, run, role="", rank=0):
        self.writer = writer
        self.run = run
        self.sequence = 0
        self._head = '{"w":' + _encode(writer) + ',"seq":'
        self._middle = ',"run":' + _encode(run) + ',"op":"'
        self._who = (',"role":' + _encode(role) if role else "") + (',"rank":%d' % rank if rank else "")

    def line(self, op, millis, fields, who=True):
        """One line, its end included. `fields` is a dict, or the text of its members."""
        text = fields if isinstance(fields, str) else _encode(fields)[1:-1]
        self.sequence += 1
        body = "%s%d,\"t\":%d%s%s\"%s%s%s" % (
            self._head, self.sequence, millis, self._middle, op, self._who if who else "", "," if text else "", text)
        raw = body.encode("utf-8", "replace")
        return raw + b',"c":"%08x"}\n' % crc32c(raw)

    def points(self, rows):
        """Rows of (values by key, step or None, seconds) as lines, in an order that keeps each key's own.

        Also gives what was no number, as (key, step, seconds, value).
        """
        lines, others = [], []
        groups, homes = {}, {}
        # Rows with the same keys go side by side. A key that turns up in another company ends what was open: the
        # order in which one key's values came is kept.
        for row in rows:
            keys = (row[1] is None, *row[0])
            group = groups.get(keys)
            if group is None:
                if any(homes.get(key, keys) != keys for key in row[0]):
                    for open_ in groups.values():
                        self._group(open_, lines, others)
                    groups, homes = {}, {}
                group = groups[keys] = []
                for key in row[0]:
                    homes[key] = keys
            group.append(row)
        for group in groups.values():
            self._group(group, lines, others)
        return lines, others

    def _group(self, rows, lines, others):
        width = max(1, len(rows[0][0]))
        size = max(1, min(ROWS_MAX, VALUES_MAX // width))
        for start in range(0, len(rows), size):
            self._part(rows[start:start + size], lines, others)

    def _part(self, rows, lines, others):
        names = list(rows[0][0])
        start = int(rows[0][2] * 1000)
        steps = None if rows[0][1] is None else [row[1] for row in rows]
        members = []
        for name, values in zip(names, zip(*[row[0].values() for row in rows])):
            packed = column(values)
            if packed is None:
                good = []
                for row, value in zip(rows, values):
                    try:
                        array("d", (value,))
                        good.append(row)
                    except (TypeError, ValueError, OverflowError):
                        others.append((name, row[1], row[2], value))
                # Rare: those that are numbers go in a line of their own.
                if good:
                    self._part([({name: row[0][name]}, row[1], row[2]) for row in good], lines, others)
                continue
            members.append(_encode(name) + ":" + packed)
        if not members:
            return
        if len(rows) == 1:
            # One step: the plain form that everyone can read.
            text = "" if steps is None else '"step":%d,' % steps[0]
            plain = ",".join(
                _encode(name) + ":" + _encode(float(value)) for name, value in rows[0][0].items()
                if column((value,)) is not None)
            lines.append(self.line("metrics", start, text + '"m":{' + plain + "}"))
            return
        text = '"n":%d' % len(rows)
        if steps is not None:
            text += ',"step":' + whole_column(steps)
        offsets = [int(row[2] * 1000) - start for row in rows]
        if any(offsets):
            text += ',"dt":' + whole_column(offsets)
        lines.append(self.line("points", start, text + ',"m":{' + ",".join(members) + "}"))
