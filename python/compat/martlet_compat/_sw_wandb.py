"""`from specweave import wandb`: W&B's calls, into W&B where it is installed and into the increment always."""

from __future__ import annotations

from ._wandb import LocalRun, configure_wandb
from . import _increments

__all__ = ["finish", "init", "log", "log_artifact", "log_model", "save"]

_runs = []


def _real():
    try:
        import wandb
    except ImportError:
        return None
    return wandb


def init(increment=None, name=None, config=None, project=None, **more):
    """A run; it is a context manager, as W&B's is. The project is the increment."""
    wandb = _real()
    if wandb is not None:
        configure_wandb(increment)
        run = wandb.init(name=name, config=config, project=project or _increments.chosen(increment).name, **more)
    else:
        run = LocalRun(name, increment, config, more.get("tags"), more.get("notes"))
    _runs.append(run)
    return run


def _call(name):
    def call(*arguments, **more):
        if not _runs:
            init()
        return getattr(_runs[-1], name)(*arguments, **more)

    call.__name__ = name
    return call


log, log_model, log_artifact, save = (_call(name) for name in ("log", "log_model", "log_artifact", "save"))


def finish(exit_code=None):
    if _runs:
        _runs.pop().finish(exit_code)


def other(name):
    if name in ("run", "config", "summary"):
        run = _runs[-1] if _runs else None
        return run if name == "run" else getattr(run, name, None)
    if name.startswith("__"):
        raise AttributeError(name)
    wandb = _real()
    if wandb is not None:
        return getattr(wandb, name)
    raise AttributeError(
        "wandb.%s needs wandb, which is not installed; here there are: %s." % (name, ", ".join(__all__)))
