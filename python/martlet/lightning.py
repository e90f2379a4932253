"""Lightning: `Trainer(logger=martlet.lightning.MartletLogger("digits"))`."""

from __future__ import annotations

import sys

from ._addition import add_to
from ._start import start_run


def _base():
    for name in ("lightning.pytorch.loggers.logger", "pytorch_lightning.loggers.logger"):
        try:
            __import__(name)
            return sys.modules[name].Logger
        except ImportError:
            continue
    return object


class MartletLogger(_base()):
    """A run as a Lightning logger; only rank 0 logs points, as Lightning asks."""

    def __init__(self, experiment="lightning", run=None, prefix="", **more):
        super().__init__()
        self._name, self._run, self._prefix, self._more = experiment, run, prefix, more

    @property
    def experiment(self):
        if self._run is None:
            self._run = start_run(self._name, **self._more)
        elif not self._run.is_active and self._run._recorder is not None:
            # The end of `fit` ends the run; `test` and `validate` come afterwards and add to it.
            self._run = add_to(self._run, strict=self._run._plan.strict, quiet=True)
        return self._run

    @property
    def name(self):
        return self._name

    @property
    def version(self):
        return self._run.id if self._run is not None else self.experiment.id

    def log_metrics(self, metrics, step=None):
        values = {self._prefix + key: value for key, value in metrics.items()}
        self.experiment.log_metrics(values, step)

    def log_hyperparams(self, params, *_, **__):
        self.experiment.log_params(params, allow_val_change=True)

    def log_graph(self, model, *_):
        self.experiment.log_text(str(model), "model/graph.txt")

    def after_save_checkpoint(self, checkpoint):
        path = getattr(checkpoint, "best_model_path", "") or getattr(checkpoint, "last_model_path", "")
        self.experiment.set_tag("checkpoint", path)

    def save(self):
        pass

    def finalize(self, status):
        if self._run is not None:
            self._run.finish({"success": "finished"}.get(status, status))
