"""What is known of a run that is to go on: how far it came, and in which attempt."""

from __future__ import annotations

from . import _http, _logbooks, _where
from ._say import complain


class Found:
    def __init__(self, next_step=0, attempt=1, name=None):
        self.next_step = next_step
        self.attempt = attempt
        self.name = name


def look(plan, seconds=5.0):
    """The run, or None when it is not there, or nobody can tell."""
    return _ask(plan, seconds) if plan.is_remote else _read(plan.uri, plan.run)


def _ask(plan, seconds):
    connection = _http.Connection(plan.uri, _where.token_for(plan.uri), seconds)
    try:
        answer = connection.ask("GET", _http.path("runs", "id:" + plan.run))
        if answer.status == 404:
            return None
        if answer.status != 200:
            complain("%s does not tell about run %s: %s" % (plan.uri, plan.run, answer.words), "resume")
            return None
        run = answer.json
        found = Found(0, int(run.get("attempt") or 1), run.get("name"))
        answer = connection.ask("GET", _http.path("runs", plan.run, "metrics"))
        if answer.status == 200:
            for metric in answer.json.get("metrics", []):
                last = metric.get("last_step")
                if isinstance(last, int):
                    found.next_step = max(found.next_step, last + 1)
        return found
    except _http.Unreachable as error:
        # The line that begins the run says that it goes on; the server will know.
        complain("%s cannot be asked about run %s: %s" % (plan.uri, plan.run, error), "resume")
        return None
    finally:
        connection.close()


def _read(store, run):
    found = None
    for path in _logbooks.files(store, run):
        for line in _logbooks.lines(path):
            if line.get("run") != run:
                continue
            if found is None:
                found = Found()
            op = line["op"]
            if op == "run":
                found.name = line.get("name") or found.name
                if line.get("resume") and line.get("seq") == 1 and found.next_step:
                    found.attempt += 1
            elif op == "attempt":
                found.attempt = max(found.attempt + 1, line.get("n") or 0)
            elif op in ("metrics", "points") and "step" in line:
                step = line["step"]
                last = step if op == "metrics" else max(_logbooks.column(step, line["n"]), default=-1)
                found.next_step = max(found.next_step, last + 1)
    return found
