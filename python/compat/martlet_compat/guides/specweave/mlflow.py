from martlet_compat import _sw_mlflow

globals().update({name: getattr(_sw_mlflow, name) for name in _sw_mlflow.__all__})
__all__ = list(_sw_mlflow.__all__)


def __getattr__(name):
    return _sw_mlflow.other(name)
