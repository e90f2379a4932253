"""What is known of a run beside its points: params, tags, notes, facts, what its metrics mean, and files."""

from __future__ import annotations

import time

from . import _params, _values
from ._say import say


def _late_summary(key, value):
    """Makes the line, on the writer's thread, once the value is there."""
    return lambda: [("summary", {"m": {key: value.value()}})]


class Details:
    """The part of a `Run` that says what it is about. Like the rest of it, none of this waits or raises."""

    # -- What is known about it

    def log_params(self, params=None, allow_val_change=False, **more):
        """Settings, from a dict, a Namespace, a dataclass, a config object, or the path of a YAML, JSON or TOML file."""
        try:
            pairs = dict(_params.flat(params) if params is not None else {})
            pairs.update(_params.flat(more))
            self._take_params(pairs, allow_val_change)
        except Exception as error:
            self._failed(error)

    def log_param(self, key, value, allow_val_change=False):
        self.log_params({key: value}, allow_val_change)

    def _take_params(self, pairs, allow_val_change=False):
        new = {}
        for key, value in pairs.items():
            if key in self._params and self._params[key] != value and not allow_val_change:
                self._problem(
                    "The param “%s” is %r and stays so; %r was not taken. Say allow_val_change=True to keep both."
                    % (key, self._params[key], value))
                continue
            new[key] = value
        if not new:
            return
        self._params.update(new)
        fields = {"p": _params.bounded(self, new)}
        if allow_val_change:
            fields["allow_val_change"] = True
        self._line("params", fields)

    @property
    def params(self):
        """What was logged as params here."""
        return dict(self._params)

    def set_tags(self, tags):
        """Tags: a dict of texts, or a list of words."""
        try:
            if isinstance(tags, str):
                tags = [tags]
            self._line("tags", {"tags": {str(key): None if value is None else str(value) for key, value in tags.items()}
                                if hasattr(tags, "items") else [str(tag) for tag in tags]})
        except Exception as error:
            self._failed(error)

    def set_tag(self, key, value=None):
        self.set_tags({key: value})

    def note(self, text):
        """A note in Markdown; the history of notes is kept."""
        self._line("note", {"text": str(text)})

    def log_fact(self, kind, data):
        """A structured record for reports: `dataset`, `model`, `training`, `evaluation`, …"""
        try:
            self._line("facts", {"kind": str(kind), "data": _params.plain(data)})
        except Exception as error:
            self._failed(error)

    def set_summary(self, values):
        """Values that stand for metrics in tables, beside what was logged as points."""
        try:
            numbers = {}
            for key, value in _values.flat(values):
                found = _values.number(value)
                if isinstance(found, _values.Later):
                    if not self._refuses():
                        self._put((found, _late_summary(key, found), time.time()))
                elif found is _values.MISSING:
                    self._problem("The summary value “%s” is %s, not a number." % (key, _values.kind(value)))
                else:
                    numbers[key] = float(found)
            if numbers:
                self._line("summary", {"m": numbers})
        except Exception as error:
            self._failed(error)

    def define_metric(self, glob, goal=None, summary=None, step_metric=None, unit=None, hidden=None):
        """How metrics of these names are to be read: which way is better, what stands in tables, what the x axis is."""
        fields = {"metric": glob, "goal": goal, "summary": summary, "step_metric": step_metric, "unit": unit,
                  "hidden": hidden}
        self._line("define", {name: value for name, value in fields.items() if value is not None})

    def alert(self, title, text="", level="info"):
        """Something that a person should see; also told on standard error."""
        self._line("alert", {"title": str(title), "text": str(text), "level": str(level)})
        if not self._plan.quiet:
            say("%s: %s %s" % (level, title, text))

    # -- Files

    def log_artifact(self, path, name=None, type=None, aliases=(), step=None, metadata=None):
        """Keeps a file, or a folder of files. They are copied before this returns, and sent in the background."""
        try:
            from . import _artifacts

            if not self._refuses():
                return _artifacts.log(self, path, name, type, aliases, step, metadata)
        except Exception as error:
            self._failed(error)

    def log_checkpoint(self, path, step=None, metric=None, keep_best=3, keep_last=1):
        """Keeps a checkpoint, and of all of them the best by `metric` (the greater the better) and the last."""
        try:
            from . import _artifacts

            if not self._refuses():
                return _artifacts.checkpoint(self, path, step, metric, keep_best, keep_last)
        except Exception as error:
            self._failed(error)

    def use_artifact(self, name, type=None):
        """Notes that the run takes a named artifact (`name:alias`) as its input, and gives the path of its bytes."""
        from . import _artifacts

        return _artifacts.use(self, name, type)

    def log_table(self, key, data=None, columns=None, step=None):
        """A table: a DataFrame, a dict of columns, or rows with `columns`."""
        try:
            from ._tables import Table

            self.log({key: data if isinstance(data, Table) else Table(data, columns=columns)}, step)
        except Exception as error:
            self._failed(error)

    def log_figure(self, key, figure, step=None):
        self.log({key: figure}, step)

    def log_text(self, text, path):
        """Keeps a text as a file of the run."""
        try:
            from . import _artifacts

            if not self._refuses():
                _artifacts.log_bytes(self, str(text).encode(), path, type="text")
        except Exception as error:
            self._failed(error)

    def log_dict(self, data, path):
        """Keeps a dict or list as a JSON file of the run."""
        import json

        self.log_text(json.dumps(_params.plain(data), indent=2), path)
