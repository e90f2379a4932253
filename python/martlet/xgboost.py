"""XGBoost: `xgb.train(..., callbacks=[martlet.xgboost.MartletCallback()])`."""

from __future__ import annotations

from . import _active


def _base():
    try:
        from xgboost.callback import TrainingCallback

        return TrainingCallback
    except ImportError:
        return object


class MartletCallback(_base()):
    """Logs every evaluation of every round, and at the end the best round."""

    def __init__(self, run=None, prefix=""):
        super().__init__()
        self.run, self.prefix = run, prefix

    def after_iteration(self, model, epoch, evals_log):
        run = self.run or _active.current()
        if run is not None:
            run.log({"%s%s/%s" % (self.prefix, data, metric): values[-1][0] if isinstance(values[-1], tuple) else values[-1]
                     for data, metrics in evals_log.items() for metric, values in metrics.items()}, step=epoch)
        return False

    def after_training(self, model):
        run = self.run or _active.current()
        if run is not None:
            for name in ("best_iteration", "best_score"):
                try:
                    run.log_metrics({self.prefix + name: float(getattr(model, name))})
                except Exception:
                    pass
        return model
