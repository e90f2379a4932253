"""Reading as W&B's public API does: `Api().runs("project", filters={"config.lr": {"$lt": 0.1}})`, `Api().run("project/id")`."""

from __future__ import annotations


class Api:
    """W&B's public API on the store that MARTLET_TRACKING_URI names; `entity` is not looked at."""

    def __init__(self, *_, **__):
        from ._client import Client

        self.client = Client()

    def run(self, path):
        """A run by `entity/project/id`, `project/id` or `id`; a name or a short id does too."""
        from ._errors import RunNotFound
        from ._start import run_id

        *above, last = str(path).strip("/").split("/")
        experiment = above[-1] if above and above[-1] != "runs" else above[-2] if len(above) > 1 else None
        try:
            return Found(self.client, self.client.get_run(last, experiment))
        except RunNotFound:
            # What `wandb.init(id="…")` called it.
            try:
                return Found(self.client, self.client.get_run(run_id(last)))
            except RunNotFound:
                pass
            raise

    def runs(self, path=None, filters=None, order="+created_at", per_page=50, include_sweeps=True, lazy=True):
        """The runs of a project that fit MongoDB's filters, in order: all of them, whatever `per_page` is."""
        from . import _wandb_query

        experiment = str(path).rstrip("/").rpartition("/")[2] if path else None
        return [Found(self.client, each) for each in self.client.search_runs(
            _wandb_query.search_of(filters), experiment=experiment, order_by=_wandb_query.order_of(order))]


class Found:
    """A run as it was found, by W&B's names."""

    def __init__(self, client, record):
        self._client, self._record = client, record
        self.id, self.name = record.id, record.name
        self.config, self.summary = _tree(record.get("params") or {}), dict(record.get("metrics") or {})
        self.state, self.tags = record.get("state"), list(record.get("tags") or {})
        self.created_at, self.project = record.get("start_time"), record.get("experiment_name")
        self.notes = record.get("description")

    @property
    def summary_metrics(self):
        return self.summary

    @property
    def path(self):
        return [self.project, self.id]

    @property
    def url(self):
        from . import _where

        return "%s/runs/%s" % (self._client.uri, self.id) if _where.is_address(self._client.uri) else None

    def scan_history(self, keys=None, page_size=1000, min_step=None, max_step=None):
        rows = {}
        for _run, metric, step, millis, value in self._client.history(
                run_ids=[self.id], metrics=keys or ["*"], tidy=False):
            if (min_step is None or step >= min_step) and (max_step is None or step < max_step):
                row = rows.setdefault(step, {"_step": step, "_timestamp": millis / 1000})
                row[metric] = value
        return [rows[step] for step in sorted(rows)]

    def history(self, samples=None, keys=None, x_axis="_step", pandas=True, stream="default"):
        rows = self.scan_history(keys)
        if pandas:
            try:
                from pandas import DataFrame

                return DataFrame(rows)
            except ImportError:
                pass
        return rows

    def files(self):
        return self._client.list_artifacts(self.id)

    def __repr__(self):
        return "<Run %s (%s)>" % ("/".join(map(str, self.path)), self.state)


def _tree(params):
    """Params as W&B shows a config: nested again where they were nested."""
    out = {}
    for key, value in params.items():
        *above, last = key.split(".")
        inner = out
        for name in above:
            inner = inner.setdefault(name, {}) if isinstance(inner, dict) else None
            if not isinstance(inner, dict):
                break
        if isinstance(inner, dict) and not isinstance(inner.get(last), dict):
            inner[last] = value
        else:
            out[key] = value
    return out
