"""`configure_mlflow`: MLflow writes to a server, and what it wrote is put into the increment's folder too."""

from __future__ import annotations

import atexit
import json
import os
import shutil
import sys
import tempfile
import threading
import time

from martlet import MartletError
from martlet._say import complain, say

from . import _files, _folder, _increments, _store

SECONDS_BETWEEN = 2.0
FILE_BYTES_MAX = 256 << 20

_mirrors = {}


def configure_mlflow(increment=None, uri=None):
    """Points MLflow at a server and at the increment: experiments have its name, runs get their folder in it.

    The server is `uri`, else what MLFLOW_TRACKING_URI or MARTLET_TRACKING_URI names, else one of this process's own.
    """
    try:
        import mlflow
    except ImportError:
        raise MartletError(
            "MLflow is not installed, so there is nothing to configure. Install mlflow, or use `from specweave import "
            "mlflow`, which does without.") from None
    found = _increments.chosen(increment)
    if found is None:
        raise MartletError("There is no increment here; name one: configure_mlflow(increment=\"0042\").")
    named = [uri, os.environ.get("MLFLOW_TRACKING_URI"), os.environ.get("MARTLET_TRACKING_URI")]
    address = next((each for each in named if each and (each is uri or each.startswith(("http://", "https://")))), None)
    if address is None:
        address = _store.at().address
    mlflow.set_tracking_uri(address)
    mlflow.set_experiment(found.name)
    key = (address, found.name)
    if key not in _mirrors:
        _mirrors[key] = Mirror(mlflow, found, address)
        say("MLflow writes to %s; its runs are shown in %s too." % (address, found.experiments))
    return _mirrors[key]


def update_all():
    for mirror in list(_mirrors.values()):
        mirror.update()


class Mirror:
    """Looks at an experiment of MLflow's now and then, and writes the folders of runs that changed."""

    def __init__(self, mlflow, increment, address):
        self.mlflow = mlflow
        self.increment = increment
        self.address = address
        store = _store.at()
        self.place = store.place if address == store._address else address
        self.since = int(time.time() * 1000) - 1000
        self._client = mlflow.MlflowClient(tracking_uri=address)
        self._experiment = self._client.get_experiment_by_name(increment.name).experiment_id
        self._folders = {}
        self._seen = {}
        self._turn = threading.RLock()
        self._stop = threading.Event()
        self._pid = os.getpid()
        threading.Thread(target=self._watch, name="martlet-mirror", daemon=True).start()
        # Before the pools of threads are closed, by which MLflow fetches files: that is earlier than `atexit`, and so
        # before the server's end too.
        getattr(threading, "_register_atexit", atexit.register)(self.close)

    def _watch(self):
        while not self._stop.wait(SECONDS_BETWEEN):
            self.update()

    def close(self):
        """Ends the run that is still open, as MLflow itself would, and writes what is left."""
        if self._pid != os.getpid() or self._stop.is_set():
            return
        self._stop.set()
        try:
            while self.mlflow.active_run():
                self.mlflow.end_run("FAILED" if getattr(sys, "last_type", None) is not None else "FINISHED")
        except Exception as error:
            complain("MLflow's run could not be ended: %s" % error, "mirror")
        self.update()

    def update(self):
        with self._turn:
            before = os.environ.get("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR")
            os.environ["MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR"] = "false"  # nobody asked for these downloads
            try:
                for run in self._client.search_runs([self._experiment], "attributes.start_time >= %d" % self.since):
                    self._write(run)
            except Exception as error:
                complain("MLflow's runs could not be put into %s: %s: %s" % (
                    self.increment.experiments, type(error).__name__, error), "mirror")
            finally:
                if before is None:
                    os.environ.pop("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", None)
                else:
                    os.environ["MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR"] = before

    def _write(self, run):
        state = json.dumps([run.info.status, run.info.run_name, run.data.params, sorted(run.data.metrics.items()),
                            run.data.tags], sort_keys=True)
        if self._seen.get(run.info.run_id) == state:
            return
        folder = self._folders.get(run.info.run_id)
        if folder is None:
            name = run.info.run_name or run.info.run_id[:8]
            try:
                folder = _folder.Folder(self.increment, name)
            except _increments.IncrementError:
                folder = _folder.Folder(self.increment, run.info.run_id)
            folder.begin(run.info.run_id)
            self._folders[run.info.run_id] = folder
        folder.params = {key: _typed(value) for key, value in run.data.params.items()}
        folder.metrics = dict(run.data.metrics)
        started = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(run.info.start_time / 1000))
        folder.about.update({"run_id": run.info.run_id, "store": self.place, "logged_by": "mlflow", "started": started})
        commit = run.data.tags.get("mlflow.source.git.commit")
        if commit:
            folder.about["git_commit"] = commit
        tags = [key for key in run.data.tags if not key.startswith("mlflow.")]
        if tags:
            folder.about["tags"] = tags
        if run.info.status in ("RUNNING", "SCHEDULED"):
            folder.write()
        else:
            folder.write()
            self._fetch(run, folder)
            folder.end(run.info.status.lower(), (run.info.end_time - run.info.start_time) / 1000)
        self._seen[run.info.run_id] = state

    def _fetch(self, run, folder):
        for path, size in self._artifacts(run.info.run_id):
            if size is not None and size > FILE_BYTES_MAX:
                complain("%s of run %s is larger than %d MiB and stays with the server." % (
                    path, run.info.run_name, FILE_BYTES_MAX >> 20), "large")
                continue
            with tempfile.TemporaryDirectory() as place:
                got = self._client.download_artifacts(run.info.run_id, path, place)
                self._keep(folder, path, got)
        for model in self._models(run):
            with tempfile.TemporaryDirectory() as place:
                got = self.mlflow.artifacts.download_artifacts(
                    artifact_uri="models:/" + model.model_id, dst_path=place, tracking_uri=self.address)
                for source, _, names in os.walk(got):
                    for name in names:
                        whole = os.path.join(source, name)
                        self._keep(folder, model.name + "/" + os.path.relpath(whole, got), whole)

    def _keep(self, folder, path, source):
        try:
            shutil.copyfile(source, folder.target(path))
        except MartletError:
            return  # a name that is the folder's own
        folder.saved(path)

    def _artifacts(self, run_id, below=None):
        for file in self._client.list_artifacts(run_id, below):
            if file.is_dir:
                yield from self._artifacts(run_id, file.path)
            else:
                yield file.path, file.file_size

    def _models(self, run):
        if not hasattr(self._client, "search_logged_models"):
            return []
        return [model for model in self._client.search_logged_models([self._experiment])
                if model.source_run_id == run.info.run_id]


def _typed(text):
    """MLflow has texts only; what is exactly a number of JSON's is one."""
    try:
        value = json.loads(text)
    except ValueError:
        return text
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return value if is_number and _files.plain(value) == value else text
