"""A writer of logbooks, as an SDK is one: lines with a checksum, in a file under a lock.

Run as a program it writes a file line by line until it is killed, so that tests can kill it.
"""

import fcntl
import json
import os
import sys
import time

POLYNOMIAL = 0x82F63B78
TABLE = []
for index in range(256):
    entry = index
    for _ in range(8):
        entry = entry >> 1 ^ (POLYNOMIAL if entry & 1 else 0)
    TABLE.append(entry)


def crc32c(data):
    sum_ = 0xFFFFFFFF
    for byte in data:
        sum_ = sum_ >> 8 ^ TABLE[(sum_ ^ byte) & 0xFF]
    return sum_ ^ 0xFFFFFFFF


def line(writer, sequence, run, op, **fields):
    """One line without its end. The checksum covers all that stands before it."""
    body = {"w": writer, "seq": sequence, "t": 1_700_000_000_000 + sequence, "run": run, "op": op, **fields}
    text = json.dumps(body, separators=(",", ":"))[:-1]
    return f'{text},"c":"{crc32c(text.encode()):08x}"}}'


def script(writer, run, count, experiment="logbook"):
    """A run's whole story but its end: begun, params, then metrics, now and then a tag, at every 100th line a note."""
    lines = [
        line(writer, 1, run, "run", experiment=experiment, name=f"by {writer}", start=1_700_000_000_000),
        line(writer, 2, run, "params", p={"lr": 0.1, "depth": 6}),
    ]
    for sequence in range(3, count + 1):
        if sequence % 100 == 0:
            lines.append(line(writer, sequence, run, "note", text=f"note {sequence}"))
        elif sequence % 37 == 0:
            lines.append(line(writer, sequence, run, "tags", tags={f"at{sequence}": "x"}))
        else:
            lines.append(line(writer, sequence, run, "metrics", step=sequence, m={"loss": sequence / 7}))
    return lines


class Book:
    """A growing file in a store's `logbooks/live`, held by a lock for as long as its writer lives."""

    def __init__(self, folder, writer):
        live = os.path.join(folder, "logbooks", "live")
        os.makedirs(live, exist_ok=True)
        self.path = os.path.join(live, writer + ".jsonl")
        self.file = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        fcntl.flock(self.file, fcntl.LOCK_EX)

    def write(self, text):
        os.write(self.file, text.encode() if isinstance(text, str) else text)

    def add(self, *lines):
        self.write("".join(each + "\n" for each in lines))

    def close(self):
        os.close(self.file)


def main(folder, writer, run, count, pause):
    book = Book(folder, writer)
    for text in script(writer, run, int(count)):
        # In two pieces, so that a reader meets half a line and a kill leaves one.
        book.write(text[:20])
        book.write(text[20:] + "\n")
        time.sleep(float(pause))
    print("written", flush=True)
    time.sleep(600)


if __name__ == "__main__":
    main(*sys.argv[1:])
