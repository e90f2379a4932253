"""`from specweave import mlflow`: MLflow's calls, into MLflow where it is installed, into the increment always."""

from __future__ import annotations

import os
from contextlib import contextmanager

from . import _mirror
from ._experiment import Experiment, ExperimentMetadata

__all__ = ["active_run", "end_run", "log_artifact", "log_dict", "log_metric", "log_metrics", "log_param", "log_params",
           "log_text", "set_tag", "set_tags", "start_run"]

_open = []


def _real():
    try:
        import mlflow
    except ImportError:
        return None
    return mlflow


class Info:
    def __init__(self, run_id, run_name):
        self.run_id = run_id
        self.run_name = run_name


class LocalRun:
    """A run where MLflow is not installed."""

    def __init__(self, experiment):
        self.experiment = experiment
        self.info = Info(experiment.run_id, experiment.name)

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        if self in _open:
            _open.remove(self)
        self.experiment.finish(error=error)
        return False


@contextmanager
def _mirrored(run, mirror):
    try:
        with run as inner:
            yield inner
    finally:
        mirror.update()


class _Wrapped:
    """MLflow's run in its `with` block, after which the folder is up to date at once."""

    def __init__(self, run, mirror):
        self._run = run
        self._block = _mirrored(run, mirror)

    def __enter__(self):
        return self._block.__enter__()

    def __exit__(self, *reason):
        return self._block.__exit__(*reason)

    def __getattr__(self, name):
        return getattr(self._run, name)


def start_run(run_name=None, increment=None, tags=None, description=None, **more):
    """The name comes first here, since every run of an increment has one."""
    mlflow = _real()
    if mlflow is not None:
        given = mlflow.get_tracking_uri() if mlflow.is_tracking_uri_set() else ""
        # A folder is none of MLflow's stores any more; the increment has its files by way of the server.
        given = given if "://" in given and not given.startswith("file:") else None
        mirrors = _mirror._mirrors.values() if increment is None else ()
        mirror = next((each for each in mirrors if given in (None, each.address)), None)
        mirror = mirror or _mirror.configure_mlflow(increment, given)
        return _Wrapped(mlflow.start_run(run_name=run_name, tags=tags, description=description, **more), mirror)
    experiment = Experiment(
        ExperimentMetadata(name=run_name or "run", description=description, tags=list(tags or [])), increment).begin()
    _open.append(LocalRun(experiment))
    return _open[-1]


def active_run():
    mlflow = _real()
    return mlflow.active_run() if mlflow is not None else _open[-1] if _open else None


def end_run(status="FINISHED"):
    mlflow = _real()
    if mlflow is not None:
        mlflow.end_run(status)
        _mirror.update_all()
    elif _open:
        _open.pop().experiment.finish(status)


def _current():
    if not _open:
        start_run()
    return _open[-1].experiment


def _both(name, local):
    def call(*arguments, **more):
        mlflow = _real()
        if mlflow is not None:
            return getattr(mlflow, name)(*arguments, **more)
        return local(_current(), *arguments, **more)

    call.__name__ = name
    return call


log_param = _both("log_param", lambda it, key, value: it.log_param(key, value))
log_params = _both("log_params", lambda it, params: it.log_params(params))
log_metric = _both("log_metric", lambda it, key, value, step=None: it.log_metric(key, value, step))
log_metrics = _both("log_metrics", lambda it, metrics, step=None: it.log_metrics(metrics, step))
log_artifact = _both("log_artifact", lambda it, local_path, artifact_path=None: it.log_artifact(
    local_path, "/".join(filter(None, [artifact_path, os.path.basename(local_path)]))))
log_text = _both("log_text", lambda it, text, artifact_file: it.save_artifact(artifact_file, text))
log_dict = _both("log_dict", lambda it, dictionary, artifact_file: it.save_artifact(artifact_file, dictionary))
set_tag = _both("set_tag", lambda it, key, value: it.add_tag(key, str(value)))
set_tags = _both("set_tags", lambda it, tags: [it.add_tag(key, str(value)) for key, value in tags.items()] and None)


def other(name):
    if name.startswith("__"):
        raise AttributeError(name)
    mlflow = _real()
    if mlflow is not None:
        from importlib import import_module

        try:
            return getattr(mlflow, name)
        except AttributeError:
            return import_module("mlflow." + name)
    raise AttributeError(
        "mlflow.%s needs MLflow, which is not installed; here there are: %s." % (name, ", ".join(__all__)))

