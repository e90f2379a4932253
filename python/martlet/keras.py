"""Keras: `model.fit(..., callbacks=[martlet.keras.MartletCallback()])`."""

from __future__ import annotations

import sys

from . import _active


def _base():
    for name in ("keras", "tensorflow.keras"):
        module = sys.modules.get(name)
        if module is not None and hasattr(module, "callbacks"):
            return module.callbacks.Callback
    try:
        from keras.callbacks import Callback

        return Callback
    except ImportError:
        return object


class MartletCallback(_base()):
    """Logs each epoch's figures, and with `batches` those of every so many batches."""

    def __init__(self, run=None, batches=0, prefix=""):
        super().__init__()
        self.run, self.batches, self.prefix = run, batches, prefix
        self._batch = 0

    def _log(self, logs, step, prefix=""):
        run = self.run or _active.current()
        if run is not None and logs:
            run.log({prefix + self.prefix + key: value for key, value in logs.items()}, step)

    def on_train_begin(self, logs=None):
        run = self.run or _active.current()
        if run is not None:
            run.log_params({key: value for key, value in (getattr(self, "params", None) or {}).items()
                            if isinstance(value, (int, float, str))}, allow_val_change=True)

    def on_train_batch_end(self, batch, logs=None):
        self._batch += 1
        if self.batches and self._batch % self.batches == 0:
            self._log(logs, self._batch, "batch/")

    def on_epoch_end(self, epoch, logs=None):
        self._log(logs, epoch)
