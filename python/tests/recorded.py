"""What a run left in its logbooks, as a test asks for it."""

from martlet import _logbooks


def lines(store, op=None):
    return [line for path in _logbooks.files(str(store)) for line in _logbooks.lines(path) if op in (None, line["op"])]


def points(store, name):
    return sorted(pair for line in lines(store) if line["op"] in ("metrics", "points")
                  for key, steps, _, values in _logbooks.points(line) if key == name
                  for pair in zip(steps or [None] * len(values), values))


def params(store):
    return {key: value for line in lines(store, "params") for key, value in line["p"].items()}
