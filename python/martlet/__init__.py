"""Martlet: experiment tracking that never harms a run.

    import martlet

    with martlet.start_run(experiment="digits", params={"lr": 0.1}) as run:
        for step in range(100):
            run.log({"loss": 1 / (step + 1)})

Without a server, runs lie in the nearest folder `.martlet`; `martlet serve` shows them.
"""

from __future__ import annotations

__version__ = "0.1.0"

from ._active import current as active_run
from ._config import Config
from ._errors import MartletError, RunNotFound
from ._run import Run
from ._start import start_run

# What a run needs to start is loaded with the package, so that starting one costs next to nothing. The rest is loaded
# when it is asked for: names, and where they live.
_HOMES = {
    "add_to": "_addition",
    "Image": "_media", "Audio": "_media", "Video": "_media", "Table": "_tables", "Histogram": "_tables",
    "Text": "_media", "Html": "_media", "Figure": "_media", "Object3D": "_media",
    "Client": "_client", "set_seeds": "_seeds", "watch": "_watch",
}
_MODULES = {"wandb", "tensorboard"}

__all__ = [
    *_HOMES, "Config", "MartletError", "Run", "RunNotFound", "start_run", "active_run", "log", "log_metric", "log_metrics",
    "log_param", "log_params", "log_artifact", "set_tag", "set_tags", "note", "finish", "config",
]


def __getattr__(name):
    home = _HOMES.get(name)
    if home is not None:
        from importlib import import_module

        value = getattr(import_module("." + home, __name__), name)
        globals()[name] = value
        return value
    if name in _MODULES:
        from importlib import import_module

        return import_module("." + name, __name__)
    if name == "config":
        return _run().config
    raise AttributeError("module 'martlet' has no attribute %r" % name)


def __dir__():
    return sorted(set(globals()) | set(__all__))


def _run():
    run = active_run()
    return run if run is not None else start_run()


def log(data, step=None):
    """`Run.log` of the active run; without one, a run is started."""
    return _run().log(data, step)


def log_metric(key, value, step=None):
    return _run().log_metric(key, value, step)


def log_metrics(metrics, step=None):
    return _run().log_metrics(metrics, step)


def log_param(key, value):
    return _run().log_param(key, value)


def log_params(params=None, **more):
    return _run().log_params(params, **more)


def log_artifact(path, **more):
    return _run().log_artifact(path, **more)


def set_tag(key, value=None):
    return _run().set_tag(key, value)


def set_tags(tags):
    return _run().set_tags(tags)


def note(text):
    return _run().note(text)


def finish(status="finished"):
    """Ends the active run, if there is one."""
    run = active_run()
    if run is not None:
        run.finish(status)
