"""`configure_wandb`: W&B writes its own files beside the increment, and each run is an experiment of it too."""

from __future__ import annotations

import glob
import os

from martlet import MartletError
from martlet._say import complain, say

from . import _increments
from ._experiment import Experiment, ExperimentMetadata


class Pairs(dict):
    """W&B's config and summary: a dict whose keys are attributes, and which tells of what is set."""

    def __init__(self, changed):
        super().__init__()
        object.__setattr__(self, "_changed", changed)

    def __setitem__(self, key, value):
        super().__setitem__(key, value)
        self._changed({key: value})

    def update(self, *arguments, allow_val_change=None, **more):
        given = dict(*arguments, **more)
        super().update(given)
        self._changed(given)

    def __getattr__(self, key):
        try:
            return self[key]
        except KeyError:
            raise AttributeError(key) from None

    def __setattr__(self, key, value):
        self[key] = value


class LocalRun:
    """A run by W&B's calls, recorded as an experiment."""

    def __init__(self, name=None, increment=None, config=None, tags=None, notes=None):
        self.experiment = Experiment(
            ExperimentMetadata(name=name or "wandb-run", description=notes, tags=list(tags or [])), increment).begin()
        self.name = self.experiment.name
        self.id = (self.experiment.run_id or "")[:8]
        self.project = self.experiment.increment
        self._step = 0
        self.config = Pairs(self._configured)
        self.summary = Pairs(lambda values: self._numbers(values, None))
        if config:
            self.config.update(config)

    def _configured(self, values):
        known = self.experiment.params
        self.experiment.log_params({key: value for key, value in _flat(values) if known.get(key, value) == value})

    def _numbers(self, values, step):
        found = {key: value for key, value in _flat(values, "/") if _is_number(value)}
        if found:
            self.experiment.log_metrics(found, step)

    def log(self, data, step=None, commit=None):
        at = self._step if step is None else int(step)
        self._numbers(data, at)
        if commit is not False or step is not None:
            self._step = at + 1 if commit is not False else at

    def log_model(self, path, name=None, aliases=None):
        for source in _files(path):
            self.experiment.log_artifact(source, name and name + os.path.splitext(source)[1], type="model")

    def log_artifact(self, artifact_or_path, name=None, type=None, aliases=None):
        for source in _files(artifact_or_path):
            self.experiment.log_artifact(source, type=type)

    def save(self, pattern, *arguments, **more):
        for path in glob.glob(pattern):
            if os.path.isfile(path):
                self.experiment.log_artifact(path)

    def alert(self, title, text="", level=None, **more):
        self.experiment.log_note("%s: %s" % (title, text))

    def watch(self, *arguments, **more):
        return None

    def define_metric(self, *arguments, **more):
        return None

    def finish(self, exit_code=None, quiet=None):
        self.experiment.finish("failed" if exit_code else "finished")

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        self.experiment.finish(error=error)
        return False


def _flat(values, mark=".", prefix=""):
    for key, value in dict(values).items():
        if isinstance(value, dict) and value:
            yield from _flat(value, mark, prefix + str(key) + mark)
        else:
            yield prefix + str(key), value


def _is_number(value):
    if isinstance(value, (str, bytes)) or value is None:
        return False
    is_scalar = getattr(value, "shape", None) == () and hasattr(value, "__float__")
    return is_scalar or isinstance(value, (bool, int, float))


def _files(given):
    """Files of a path, of a folder, or of an artifact of W&B's."""
    if isinstance(given, (str, os.PathLike)):
        path = os.fspath(given)
        if os.path.isfile(path):
            return [path]
        if os.path.isdir(path):
            return [os.path.join(folder, name) for folder, _, names in os.walk(path) for name in sorted(names)]
        raise FileNotFoundError("There is no file or folder %s." % path)
    entries = getattr(getattr(given, "manifest", None), "entries", {})
    return [entry.local_path for entry in entries.values() if getattr(entry, "local_path", None)]


# -- The real one

def configure_wandb(increment=None):
    """From here on W&B's project is the increment. It stays offline, with its files in the increment's folder."""
    found = _increments.chosen(increment)
    if found is None:
        raise MartletError("There is no increment here; name one: configure_wandb(increment=\"0042\").")
    os.environ.setdefault("WANDB_MODE", "offline")
    os.environ["WANDB_PROJECT"] = found.name
    os.makedirs(found.folder, exist_ok=True)
    os.environ.setdefault("WANDB_DIR", found.folder)
    try:
        import wandb
    except ImportError:
        say("wandb is not installed; `from specweave import wandb` records in the increment without it.")
        return found.name
    _wrap(wandb, found)
    return found.name


_COPIED = ("log", "log_model", "log_artifact", "save", "finish")


def _wrap(wandb, increment):
    real = getattr(wandb.init, "_martlet_real", wandb.init)

    def init(*arguments, **more):
        run = real(*arguments, **more)
        try:
            _follow(wandb, run, increment, more)
        except Exception as error:
            complain("this run of W&B's is not in %s: %s: %s" % (increment.name, type(error).__name__, error), "wandb")
        return run

    init._martlet_real = real
    wandb.init = init


def _follow(wandb, run, increment, given):
    local = LocalRun(
        given.get("name") or getattr(run, "name", None) or None, increment, tags=given.get("tags"),
        notes=given.get("notes"))
    is_ours = getattr(wandb, "log", None)
    for name in _COPIED:
        call = getattr(run, name, None)
        if callable(call):
            setattr(run, name, _twice(call, getattr(local, name), run, local))
    if is_ours is not None:
        for name in _COPIED:
            if hasattr(wandb, name) and hasattr(run, name):
                setattr(wandb, name, getattr(run, name))
    _take_config(run, local)
    import atexit

    atexit.register(_end, run, local)


def _take_config(run, local):
    try:
        local.config.update({key: value for key, value in dict(run.config).items() if not str(key).startswith("_")})
    except (TypeError, ValueError, AttributeError):
        pass


def _twice(real, mine, run, local):
    """W&B's own call first and with its own result; whatever happens to ours is ours alone."""
    def call(*arguments, **more):
        if mine.__name__ == "finish":
            _take_config(run, local)
        result = real(*arguments, **more)
        try:
            mine(*arguments, **more)
        except Exception as error:
            complain("W&B's %s is not in the increment: %s: %s" % (mine.__name__, type(error).__name__, error), "wandb")
        return result

    call.__name__ = mine.__name__
    return call


def _end(run, local):
    import sys

    _take_config(run, local)
    local.finish(1 if getattr(sys, "last_type", None) is not None else 0)
