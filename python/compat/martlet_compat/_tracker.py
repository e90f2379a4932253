"""`src.ds.experiment_tracker`: one object to which everything is said, and the runs that it hands out."""

from __future__ import annotations

import math
import os
import threading
from contextlib import contextmanager

from martlet import MartletError

from . import _code, _names, _storage, _store
from ._handle import Handle, traceback_in_progress
from ._table import Table, table

_PAGE = 500
_UPPER = {"queued", "running", "finished", "failed", "cancelled", "lost"}


class TrackedRun:
    """A run: what it was given, and what the store says of it."""

    def __init__(self, store, handle=None, record=None):
        self._store = store
        self._handle = handle
        self._record = record
        self._begun = {}

    def _known(self, *keys):
        if self._record is None:
            self.refresh()
        for key in keys:
            value = self._record.get(key)
            if value is not None:
                return value
        return None

    def refresh(self):
        """Asks the store again, for what another process may have added."""
        if self._handle is not None:
            self._handle.settle()
        self._record = self._store.ask("GET", "runs", "id:" + self.run_id)
        return self

    @property
    def run_id(self):
        return self._handle.id if self._handle is not None else self._record["run_id"]

    id = run_id

    @property
    def run_name(self):
        if self._handle is not None and self._handle.name:
            return self._handle.name
        return self._known("run_name", "short_id")

    name = run_name

    @property
    def experiment_name(self):
        return self._handle.experiment if self._handle is not None else self._record.get("experiment_name")

    @property
    def experiment_id(self):
        try:
            return self._known("experiment_id")
        except _store.Unreachable:
            return self.experiment_name  # which stands wherever an id does

    @property
    def status(self):
        word = self._handle.status if self._handle is not None else self._record.get("status") or ""
        return word.upper() if word in _UPPER else word

    @property
    def params(self):
        return dict(self._handle.params) if self._handle is not None else self._known("params") or {}

    parameters = params

    @property
    def metrics(self):
        """The latest value of each."""
        if self._handle is not None:
            return dict(self._handle.metrics)
        return {key: _float(value) for key, value in (self._known("metrics") or {}).items()}

    @property
    def artifacts(self):
        if self._handle is not None:
            self.refresh()
        return self._known("artifacts") or []

    @property
    def tags(self):
        if self._handle is not None:
            self.refresh()
        return self._known("tags") or {}

    @property
    def start_time(self):
        return self._known("start_time")

    @property
    def end_time(self):
        if self._handle is not None:
            self.refresh()
        return self._record.get("end_time")

    @property
    def git_commit(self):
        if "commit" in self._begun:
            return self._begun["commit"]
        return self._known("git_commit") or (self._known("tags") or {}).get("git.commit")

    @property
    def code_version(self):
        if "version" in self._begun:
            return self._begun["version"]
        return self._known("code_version") or (self._known("tags") or {}).get("code.version") or self.git_commit

    @property
    def url(self):
        return self._handle.url if self._handle is not None else None

    def log_params(self, params):
        self._writable().log_params(params)

    def log_metrics(self, metrics, step=None):
        self._writable().log_metrics(metrics, step)

    def _writable(self):
        if self._handle is None:
            raise MartletError(
                "The run %s was fetched for reading. Only the process that started it writes to it here." % self.run_id)
        return self._handle

    def __repr__(self):
        return "<run %s of %s, %s>" % (self.run_name or self.run_id[:8], self.experiment_name, self.status)


class RunList:
    """Runs that a search found, fetched page by page while they are gone through."""

    def __init__(self, store, query, limit=None):
        self._store = store
        self._query = query
        self._limit = limit

    def __iter__(self):
        size = _PAGE if self._limit is None else max(1, min(_PAGE, self._limit))
        left = self._limit
        for record in self._store.pages("runs", "runs", "search", query={**self._query, "limit": size}):
            if left is not None:
                if left == 0:
                    return
                left -= 1
            yield TrackedRun(self._store, record=record)

    def __len__(self):
        total = self._store.ask("GET", "runs", "search", query={**self._query, "limit": 1})["total"]
        return total if self._limit is None else min(total, self._limit)

    def __bool__(self):
        return len(self) > 0

    def __getitem__(self, index):
        if isinstance(index, slice) or index < 0:
            return list(self)[index]
        for at, run in enumerate(self):
            if at == index:
                return run
        raise IndexError("the search found no run number %d" % index)

    def __repr__(self):
        return "<%d runs>" % len(self)


class ExperimentTracker:
    """Starts runs and writes to the one that was started last; finds and compares what was written."""

    def __init__(self, storage_backend=None, db_connection=None):
        self._storage = storage_backend
        self._store = db_connection.store if db_connection is not None else _store.at()
        self._open = []
        self._refused = False
        self._lock = threading.RLock()
        self._ended = []  # params of the runs before, for better names

    # -- Writing

    def start_run(self, experiment_name, run_name=None, tags=None, params=None, description=None, parent=None):
        """Starts a run. Runs that are open stay open; what is said to the tracker goes to this one from now on."""
        self._refused = True
        if not isinstance(experiment_name, str) or not experiment_name:
            raise MartletError("experiment_name is %r; give the name of the experiment." % (experiment_name,))
        handle = Handle(
            experiment_name, run_name, tags=tags, parent=getattr(parent, "run_id", parent), uri=self._store.place)
        run = TrackedRun(self._store, handle=handle)
        commit = _code.commit()
        if commit is not None:
            run._begun = {"commit": commit, "version": _code.version(commit)}
            handle.set_tags({"git.commit": commit, "code.version": run._begun["version"]})
        if params:
            handle.log_params(params)
        if description:
            handle.note(description)
        with self._lock:
            self._open.append(run)
        self._refused = False
        return run

    @contextmanager
    def run(self, experiment_name, run_name=None, **more):
        """The same for a `with` block: an exception in it ends the run as failed, with its traceback."""
        run = self.start_run(experiment_name, run_name, **more)
        try:
            yield run
        except BaseException as error:
            self._finish(run, error=error)
            raise
        self._finish(run)

    @property
    def active_run(self):
        return self._open[-1] if self._open else None

    def _current(self, what):
        if not self._open:
            raise MartletError("No run is open to take %s. Call start_run(experiment_name) first." % what)
        return self._open[-1]._handle

    def log_params(self, params):
        self._current("params").log_params(params)

    def log_param(self, key, value):
        self.log_params({key: value})

    def log_metrics(self, metrics, step=None):
        """Points at a step; without one, values that sum the run up."""
        self._current("metrics").log_metrics(metrics, step)

    def log_metric(self, key, value, step=None):
        self.log_metrics({key: value}, step)

    def set_tags(self, tags):
        self._current("tags").set_tags(tags)

    def log_note(self, text):
        self._current("a note").note(text)

    def log_artifact(self, path, artifact_type=None, name=None):
        """Keeps a file, or those of a folder. The type is model, plot, data, report; else what its name says."""
        handle = self._current("a file")
        path = os.fspath(path)
        if not os.path.exists(path):
            raise FileNotFoundError("There is no file %s to keep." % path)
        _storage.keep(self._storage, handle, path, name, artifact_type)

    def end_run(self, status="FINISHED"):
        """Ends the run that was started last. When there is none, or its start failed, this does nothing."""
        if self._refused:
            self._refused = False
            return
        if self._open:
            self._finish(self._open[-1], status, traceback_in_progress() if str(status).upper() != "FINISHED" else None)

    def _finish(self, run, status="FINISHED", words=None, error=None):
        with self._lock:
            if run in self._open:
                self._open.remove(run)
        if error is not None:
            run._handle.fail(error, "FAILED" if isinstance(error, Exception) else None)
        else:
            run._handle.finish(status, words)
        run._record = None
        _names.advise(run._handle.name, run._handle.params, self._ended)
        self._ended = [*self._ended[-100:], run._handle.params]
        from . import _hooks

        _hooks.run_ended(self, run)

    # -- Reading

    def get_run(self, run_id):
        """A run by its id, short id or name; `RunNotFound` says that there is none."""
        self._store.catch_up()
        return TrackedRun(self._store, record=self._store.ask("GET", "runs", run_id))

    def search_runs(self, experiment_name=None, filter_string=None, order_by=None, max_results=None):
        """Runs that a filter lets through, in the order asked for, else the newest first."""
        self._store.catch_up()
        order = [order_by] if isinstance(order_by, str) else list(order_by or [])
        query = {"experiment_name": experiment_name, "filter": filter_string or None, "order_by": order or None}
        self._store.ask("GET", "runs", "search", query={**query, "limit": 1})  # a fault in it is told here and now
        return RunList(self._store, query, max_results)

    def compare_runs(self, run_ids, metric_names=None):
        """A DataFrame, or without pandas a table like it: runs are rows, metrics are columns."""
        runs = [self.get_run(run_id) for run_id in run_ids]
        names = list(metric_names) if metric_names is not None else sorted({key for run in runs for key in run.metrics})
        rows = [[run.metrics.get(name, math.nan) for name in names] for run in runs]
        return table(Table([run.run_id for run in runs], names, rows, index_name="run_id"))

    def get_best_run(self, experiment_id, metric, mode="max"):
        """The best of the runs that ended well. A value that is NaN or missing does not count; of equals, the first."""
        self._store.catch_up()
        found = self._store.ask("GET", "runs", "best", query={
            "experiment": experiment_id, "metric": metric, "mode": mode})
        return TrackedRun(self._store, record=found.get("run", found))

    def get_metric_history(self, run_id, metric):
        """Pairs of a step and a value, by step."""
        self._store.catch_up()
        return [(point["step"], _float(point["value"]))
                for series in self._store.pages("series", "runs", run_id, "history", query={"metric": metric})
                for point in series["points"]]

    def load_artifact(self, run_id, path):
        """The bytes of a file of a run, from wherever they are kept."""
        run = self.get_run(run_id)
        found = next((each for each in run.artifacts if each["path"] == path), None)
        if found is None:
            raise _store.NotFound("The run %s has no file %s. It has: %s." % (
                run.run_name, path, ", ".join(each["path"] for each in run.artifacts) or "none"))
        if found.get("uri") and self._storage is not None:
            uri = found["uri"]
            return self._storage.load_artifact(uri[10:] if uri.startswith("storage://") else uri)
        return self._store.ask("GET", "runs", run.run_id, "artifacts", path, raw=True)

    def register_model_promotion_hook(self, experiment_id, criteria, registry_url=None, name=None, stage="Production"):
        """Each run of the experiment that ends well and meets the criteria becomes a version of a model, once."""
        from . import _hooks

        return _hooks.promote(self, experiment_id, criteria, registry_url, name, stage)


def _float(value):
    return float(value.replace("Infinity", "inf")) if isinstance(value, str) else value
