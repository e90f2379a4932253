"""The calls of Weights & Biases that most programs make, writing into a Martlet run.

    import martlet.wandb as wandb

What is not here answers with one line and does nothing: a run does not stop for a name. docs/from-wandb.md says what differs.
"""

from __future__ import annotations

import os

from ._say import complain
from ._start import start_run
from ._wandb_api import Api  # noqa: F401
from ._wandb_values import (  # noqa: F401
    Artifact, Audio, Classes, Histogram, Html, Image, Object3D, Plotly, Summary, Table, Video, translated)

run = None
_step = None
_waiting = {}


class Settings:
    """Takes any keywords; those that have a meaning here are looked at."""

    def __init__(self, **fields):
        self.__dict__.update(fields)

    def __getattr__(self, name):
        return None


class Run:
    """What `wandb.init` gives: a Martlet run with the other's names."""

    def __init__(self, inner, project):
        self._inner = inner
        self.project = project
        self.entity = ""
        self.summary = Summary(inner)
        self.config = inner.config
        self.settings = Settings()
        self.offline = not inner._plan.is_remote
        self.disabled = inner._recorder is None
        self.dir = os.path.join(os.getcwd(), "wandb-files")
        self.tags = ()
        self._waiting = {}
        self._at = 0

    id = property(lambda self: self._inner.id)
    name = property(lambda self: self._inner.name or self._inner.id[:8])
    url = property(lambda self: self._inner.url)
    step = property(lambda self: self._at)
    group = property(lambda self: self._inner._plan.group)
    job_type = property(lambda self: self._inner._plan.job_type)
    resumed = property(lambda self: self._inner.attempt > 1)

    def log(self, data, step=None, commit=None, sync=None):
        """Rows are put together until they are committed: by `commit`, by a later step, or by a call without either."""
        data = translated(data)
        if step is not None:
            step = int(step)
            if step < self._at:
                # W&B drops these; here they are kept where they belong.
                self._send(data, step)
                return
            if step > self._at:
                self._commit()
                self._at = step
        self._waiting.update(data)
        if commit or commit is None and step is None:
            self._commit()
            self._at += 1

    def _commit(self):
        if self._waiting:
            waiting, self._waiting = self._waiting, {}
            self._send(waiting, self._at)

    def _send(self, data, step):
        self._inner.log(data, step)
        self.summary._seen(data)

    def finish(self, exit_code=None, quiet=None):
        self._commit()
        self.summary._store()
        self._inner.finish("failed" if exit_code else "finished")
        _forget(self)

    def define_metric(self, name, step_metric=None, step_sync=None, hidden=None, summary=None, goal=None, overwrite=None):
        step_metric = getattr(step_metric, "name", step_metric)
        if summary and summary.startswith("best"):
            summary = "min" if goal and goal.startswith("min") else "max"
        goal = {"minimize": "min", "maximize": "max"}.get(goal, goal)
        self._inner.define_metric(name, goal=goal, summary=summary, step_metric=step_metric, hidden=hidden)
        return Settings(name=name)

    def log_artifact(self, artifact_or_path, name=None, type=None, aliases=None, tags=None):
        artifact = artifact_or_path
        if not isinstance(artifact, Artifact):
            artifact = Artifact(name or os.path.basename(os.fspath(artifact_or_path)), type or "file")
            artifact.add(artifact_or_path)
        for path, inside in artifact._files:
            self._inner.log_artifact(path, name="%s/%s" % (artifact.name, inside), type=artifact.type, aliases=aliases or (),
                                     metadata=artifact.metadata)
        for address, inside in artifact._references:
            self._inner.log_artifact(address, name="%s/%s" % (artifact.name, inside), type=artifact.type)
        return artifact

    def use_artifact(self, artifact_or_name, type=None, aliases=None):
        name = artifact_or_name.name if isinstance(artifact_or_name, Artifact) else str(artifact_or_name).rpartition("/")[2]
        self._inner.log_fact("inputs", {"artifact": name})
        artifact = artifact_or_name if isinstance(artifact_or_name, Artifact) else Artifact(name, type or "dataset")
        artifact._uses = (self._inner, name)
        return artifact

    def log_model(self, path, name=None, aliases=None):
        return self.log_artifact(path, name or "model", "model", aliases)

    def log_code(self, root=".", name=None, **_):
        return None  # the code is recorded already

    def save(self, glob_str=None, base_path=None, policy="live"):
        import glob

        for path in glob.glob(os.fspath(glob_str)) if glob_str is not None else []:
            base = base_path or os.path.dirname(path)
            self._inner.log_artifact(path, name=os.path.relpath(path, base or "."))
        return True

    def watch(self, models, criterion=None, log="gradients", log_freq=1000, idx=None, log_graph=False):
        from ._watch import watch

        models = models if isinstance(models, (list, tuple)) else [models]
        return [watch(model, self._inner, log_freq, gradients=log in ("gradients", "all"),
                      weights=log in ("parameters", "all")) for model in models] if log else []

    def unwatch(self, models=None):
        return None

    def alert(self, title, text="", level="INFO", wait_duration=0):
        self._inner.alert(title, text, str(getattr(level, "name", level)).lower())

    def mark_preempting(self):
        self._inner.set_tag("preempting", "yes")

    def get_url(self):
        return self.url

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        self._commit()
        self.summary._store()
        self._inner.__exit__(kind, error, trace)
        _forget(self)
        return False

    def __getattr__(self, name):
        if name.startswith("_"):
            raise AttributeError(name)
        return _unknown("Run." + name)


class AlertLevel:
    INFO, WARN, ERROR = "INFO", "WARN", "ERROR"


def init(entity=None, project=None, dir=None, id=None, name=None, notes=None, tags=None, config=None,
         config_exclude_keys=None, config_include_keys=None, allow_val_change=None, group=None, job_type=None, mode=None,
         force=None, reinit=None, resume=None, resume_from=None, fork_from=None, save_code=None, tensorboard=None,
         sync_tensorboard=None, monitor_gym=None, settings=None, anonymous=None, **_):
    """Starts a run in the experiment that `project` names."""
    global run
    mode = mode or os.environ.get("WANDB_MODE", "")
    if run is not None and run._inner.is_active:
        if not reinit:
            return run
        run.finish()
    keep = None
    if mode == "disabled":
        keep, os.environ["MARTLET_MODE"] = os.environ.get("MARTLET_MODE", ""), "disabled"
    try:
        inner = start_run(
            project or os.environ.get("WANDB_PROJECT") or "uncategorized", name=name or os.environ.get("WANDB_NAME"),
            tags=list(tags) if tags else None, group=group or os.environ.get("WANDB_RUN_GROUP"), job_type=job_type,
            id=id or os.environ.get("WANDB_RUN_ID"), notes=notes, params=config,
            resume={"never": "never", "must": "must"}.get(str(resume), "allow"))
    finally:
        if keep is not None:
            os.environ["MARTLET_MODE"] = keep
    run = Run(inner, project)
    run._at = inner._top
    return run


def _forget(ended):
    global run
    if run is ended:
        run = None


def _current(name):
    if run is None:
        complain("wandb.%s was called before wandb.init and does nothing." % name, "wandb " + name)
    return run


def log(data, step=None, commit=None, sync=None):
    if _current("log") is not None:
        run.log(data, step, commit)


def finish(exit_code=None, quiet=None):
    if run is not None:
        run.finish(exit_code)


def _passed_on(name):
    def call(*arguments, **more):
        target = _current(name)
        return getattr(target, name)(*arguments, **more) if target is not None else None

    call.__name__ = name
    return call


define_metric = _passed_on("define_metric")
log_artifact = _passed_on("log_artifact")
use_artifact = _passed_on("use_artifact")
log_model = _passed_on("log_model")
save = _passed_on("save")
watch = _passed_on("watch")
unwatch = _passed_on("unwatch")
alert = _passed_on("alert")


def login(*_, **__):
    return True


def setup(*_, **__):
    return None


class _Proxy:
    """`wandb.config` and `wandb.summary`: those of the run there is."""

    def __init__(self, name):
        object.__setattr__(self, "_name", name)

    def _target(self):
        target = _current(self._name)
        return getattr(target, self._name) if target is not None else {}

    def __getattr__(self, name):
        return getattr(self._target(), name)

    def __setattr__(self, name, value):
        setattr(self._target(), name, value)

    def __getitem__(self, name):
        return self._target()[name]

    def __setitem__(self, name, value):
        self._target()[name] = value

    def __contains__(self, name):
        return name in self._target()

    def __iter__(self):
        return iter(self._target())

    def __repr__(self):
        return repr(self._target())


config = _Proxy("config")
summary = _Proxy("summary")


def _unknown(name):
    def nothing(*_, **__):
        complain("wandb.%s is not known here and does nothing; see docs/from-wandb.md." % name, "wandb " + name)
        return None

    return nothing


def __getattr__(name):
    if name.startswith("__"):
        raise AttributeError(name)
    return _unknown(name)
