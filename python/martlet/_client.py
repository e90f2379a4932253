"""Reading: runs, their numbers and their files, from a server, or from a store's folder."""

from __future__ import annotations

import os

from . import _http, _where
from ._errors import MartletError, RunNotFound
from ._found import History, RunRecord, Runs, read_columns


class Client:
    """Questions to a store: `uri` is a server's address or a folder (else as for writing).

    A folder is opened by the binary `martlet` when there is one (MARTLET_BINARY, in the wheel, or on the path), which
    then serves this client alone. Without it a folder's runs, params and points are read from its logbooks.
    """

    def __init__(self, uri=None, token=None):
        place = _where.find(uri)
        self.uri = place
        self._folder = None
        self._process = None
        self._connection = None
        if _where.is_address(place):
            self._connection = _http.Connection(place, token or _where.token_for(place), 60.0)
            return
        from . import _local

        self._process, address = _local.serve(place)
        if address:
            self._connection = _http.Connection(address, None, 60.0)
        else:
            self._folder = _local.Folder(place)

    def close(self):
        if self._connection is not None:
            self._connection.close()
        if self._process is not None:
            self._process.terminate()
            self._process.wait(10)
            self._process = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def __del__(self):
        try:
            self.close()
        except Exception:
            pass

    # -- Runs

    def get_run(self, run, experiment=None):
        """A run by its id, short id, name or the beginning of its id."""
        if self._folder is not None:
            return RunRecord(self._folder.run(run, experiment), self)
        parts = ("experiments", experiment, "runs", run) if experiment else ("runs", run)
        return RunRecord(self._get(*parts), self)

    def search_runs(self, filter="", experiment=None, project=None, order_by=None, limit=None):
        """The runs that fit, in order; all of them unless there is a `limit`."""
        if self._folder is not None:
            runs = Runs(RunRecord(each, self) for each in self._folder.runs(experiment))
            if filter or order_by:
                raise MartletError(
                    "Filters need the binary martlet, which was not found: install it, or name it by MARTLET_BINARY.")
            return Runs(runs[:limit])
        found, token = Runs(), None
        while True:
            room = 10_000 if limit is None else min(10_000, limit - len(found))
            page = self._get(
                "runs", "search", filter=filter or None, experiment_name=experiment, project=project, order_by=order_by,
                limit=room, page_token=token)
            found += [RunRecord(each, self) for each in page["runs"]]
            found.total = page.get("total")
            token = page.get("next_page_token")
            if not token or limit is not None and len(found) >= limit:
                return found

    runs = search_runs

    def best_run(self, experiment, metric, goal=None, filter=None):
        """The best run by a metric; `goal` ("min", "max") where neither its definition nor its name says."""
        if self._folder is not None:
            runs = [run for run in self.search_runs(experiment=experiment) if metric in run["metrics"]
                    and run["metrics"][metric] == run["metrics"][metric]]
            if not runs:
                raise RunNotFound("No run of %s has the metric “%s”." % (experiment, metric))
            lower = goal == "min" or goal is None and any(word in metric for word in ("loss", "error", "rmse", "mae"))
            return (min if lower else max)(runs, key=lambda run: run["metrics"][metric])
        found = self._get("runs", "best", experiment=experiment, metric=metric, mode=goal, filter=filter)
        return RunRecord(found.get("run") or found["runs"][0], self)

    def compare_runs(self, runs, metrics=None):
        """Params and metrics of some runs side by side: {"params": {key: [...]}, "metrics": {…}, "differ": [...]}."""
        found = [each if isinstance(each, dict) else self.get_run(each) for each in runs]
        out = {"runs": [run.get("run_name") or run["run_id"] for run in found], "run_ids": [run["run_id"] for run in found]}
        for group in ("params", "metrics"):
            keys = dict.fromkeys(key for run in found for key in run.get(group) or {})
            out[group] = {key: [(run.get(group) or {}).get(key) for run in found] for key in keys
                          if group == "params" or metrics is None or key in metrics}
        out["differ"] = [key for key, values in out["params"].items() if any(each != values[0] for each in values)]
        return out

    def list_experiments(self, project=None):
        if self._folder is not None:
            return self._folder.experiments()
        return self._all("experiments", "experiments", project=project)

    # -- Points

    def history(self, runs="", metrics=("*",), experiment=None, run_ids=None, tidy=True, attempts=None):
        """Every point of the runs that fit a filter, never sampled: a table with a row a point.

        A DataFrame where pandas is installed and `tidy` is true, else a `History`.
        """
        metrics = [metrics] if isinstance(metrics, str) else list(metrics)
        found = self._columns(runs, metrics, experiment, run_ids, attempts)
        if tidy:
            try:
                return found.to_pandas()
            except ImportError:
                pass
        return found

    def _columns(self, filter, metrics, experiment, run_ids, attempts):
        if self._folder is not None:
            if filter:
                raise MartletError("Filters need the binary martlet, which was not found.")
            return self._folder.history(metrics, experiment, run_ids)
        if run_ids is not None:
            whole = [self.get_run(run)["run_id"] if len(str(run)) != 32 else str(run) for run in run_ids]
            inner = "attributes.run_id IN (%s)" % ", ".join("'%s'" % run for run in whole)
            filter = "(%s) AND %s" % (filter, inner) if filter else inner
        found, token = History(), None
        while True:
            answer = self._ask("GET", _http.path(
                "runs", "columns", metric=metrics, filter=filter or None, experiment_name=experiment, limit=1000,
                attempts=attempts, page_token=token))
            read_columns(answer.body, found)
            token = answer.headers.get("x-next-page-token")
            if not token:
                return found

    # -- Files

    def list_artifacts(self, run):
        return self._all("artifacts", "runs", run, "artifacts")

    def download(self, run, path, to=None):
        """A file of a run: written to `to` (a folder or a path), else beside the working folder's name; False gives bytes."""
        data = self._ask("GET", _http.path("runs", run, "artifacts", *path.split("/"))).body
        if to is False:
            return data
        target = os.fspath(to) if to is not None else os.path.basename(path)
        if os.path.isdir(target):
            target = os.path.join(target, os.path.basename(path))
        with open(target, "wb") as file:
            file.write(data)
        return target

    def use_artifact(self, name, run_id=None, project=None, to=None):
        """A version of a named artifact (`name`, `name:alias`, `name:3`): the path of a copy of its bytes."""
        path, version = self.fetch_artifact(name, project, to)
        if run_id:
            self.add_input(run_id, name, version)
        return path

    def fetch_artifact(self, name, project=None, to=None):
        """The path of a copy, and the number of the version; what was fetched before is not fetched again."""
        name, _, version = name.partition(":")
        base = ("projects", project or "default", "artifacts", name, "versions", version or "latest")
        about = self._get(*base)
        folder = to or os.path.join(
            os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache"), "martlet", "artifacts")
        os.makedirs(folder, exist_ok=True)
        number = about["version"]
        target = os.path.join(folder, "%s-%s-%s" % (name.replace("/", "_"), number, str(about.get("sha256", ""))[:12]))
        if not os.path.exists(target):
            data = self._ask("GET", _http.path(*base[:-1], str(number), "content")).body
            with open(target + ".part", "wb") as file:
                file.write(data)
            os.replace(target + ".part", target)
        return target, number

    def add_input(self, run_id, name, version):
        """Notes that a run took a version of a named artifact."""
        self._ask("POST", _http.path("runs", run_id, "inputs"), {
            "artifact": name.partition(":")[0], "version": version})

    # -- Asking

    def _get(self, *parts, **query):
        return self._ask("GET", _http.path(*parts, **query)).json

    def _all(self, key, *parts, **query):
        found, token = [], None
        while True:
            page = self._get(*parts, page_token=token, limit=1000, **query)
            found += page[key]
            token = page.get("next_page_token")
            if not token:
                return found

    def _ask(self, method, target, body=None):
        answer = self._connection.ask(method, target, body)
        if answer.status < 300:
            return answer
        raise (RunNotFound if answer.status == 404 else MartletError)(answer.words.strip())
