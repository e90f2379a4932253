from martlet_compat import _sw_wandb

globals().update({name: getattr(_sw_wandb, name) for name in _sw_wandb.__all__})
__all__ = list(_sw_wandb.__all__)


def __getattr__(name):
    return _sw_wandb.other(name)
