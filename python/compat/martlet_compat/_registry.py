"""`src.ml.model_registry`: models with versions, each with the run that it came from."""

from __future__ import annotations

import os

from martlet import MartletError

from . import _store


class ModelVersion:
    """A version of a model; every field of the store's answer is an attribute."""

    def __init__(self, record):
        self.record = record

    def __getattr__(self, name):
        if name.startswith("_") or name not in self.record:
            raise AttributeError(name)
        return self.record[name]

    def __repr__(self):
        return "<version %s of %s, run %s>" % (self.version, self.name, self.run_id)


class ModelRegistry:
    def __init__(self, db_connection=None):
        self._connection = db_connection

    @property
    def _store(self):
        return self._connection.store if self._connection is not None else _store.at()

    def register_model(
        self, model_name=None, model_path=None, metadata=None, *, name=None, run_id=None, artifacts=None, metrics=None,
        parameters=None, tags=None, description=None,
    ):
        """Registers a version. The run is `run_id`, or `metadata["run_id"]`; the file is one of its, or is added."""
        model = model_name or name
        if not model:
            raise MartletError("No name was given to register a model under: say model_name= or name=.")
        metadata = dict(metadata or {})
        run = run_id or metadata.get("run_id")
        body = {"create_model": True, "metadata": metadata, "description": description, "tags": tags}
        if metrics:
            body["metrics"] = metrics
        if parameters:
            body["parameters"] = parameters
        if run:
            record = self._run(run)
            body["run_id"] = record["run_id"]
            path = self._path(record, model_path, artifacts)
            if path:
                body["path"] = path
        elif model_path:
            body["source"] = model_path if "://" in model_path else "file://" + os.path.abspath(model_path)
        else:
            raise MartletError(
                "Nothing says where “%s” comes from: give run_id, metadata with run_id, or model_path." % model)
        body = {key: value for key, value in body.items() if value is not None}
        return ModelVersion(self._store.ask("POST", "models", model, "versions", body=body))

    def _run(self, run):
        run = getattr(run, "run_id", run)
        self._store.catch_up()
        return self._store.ask("GET", "runs", run)

    def _path(self, record, model_path, artifacts):
        kept = {each["path"]: each for each in record["artifacts"]}
        if model_path is None:
            models = [path for path, each in kept.items() if each.get("type") == "model"]
            given = [each.get("path") for each in artifacts or []
                     if isinstance(each, dict) and each.get("type") == "model"]
            return next(iter(given or models), None)
        model_path = os.fspath(model_path)
        for path in (model_path, os.path.basename(model_path)):
            if path in kept:
                return path
        if not os.path.isfile(model_path):
            raise FileNotFoundError(
                "The run has no file %s, and there is none here. It has: %s." % (model_path, ", ".join(kept) or "none"))
        with open(model_path, "rb") as file:
            self._store.ask(
                "PUT", "runs", record["run_id"], "artifacts", os.path.basename(model_path), query={"type": "model"},
                data=file.read())
        return os.path.basename(model_path)

    def get_model(self, model_name, version=None):
        """A version by number, alias or `latest`; without one, the newest."""
        return ModelVersion(self._store.ask("GET", "models", model_name, "versions", version or "latest"))

    def list_models(self):
        return list(self._store.pages("models", "models", query={}))

    def list_versions(self, model_name):
        found = self._store.pages("model_versions", "models", model_name, "versions", query={})
        return [ModelVersion(each) for each in found]

    def set_stage(self, model_name, version, stage):
        return ModelVersion(self._store.ask(
            "POST", "models", model_name, "versions", version, "stage", body={"stage": stage}))
