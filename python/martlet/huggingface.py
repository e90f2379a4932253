"""Hugging Face Trainer: `Trainer(..., callbacks=[martlet.huggingface.MartletCallback()])`."""

from __future__ import annotations

from . import _active
from ._start import start_run


def _base():
    try:
        from transformers import TrainerCallback

        return TrainerCallback
    except ImportError:
        return object


class MartletCallback(_base()):
    """Starts a run when there is none, takes the arguments and the model's config as params, and logs what the Trainer logs."""

    def __init__(self, run=None, experiment="transformers", checkpoints=False):
        self.run, self.experiment, self.checkpoints = run, experiment, checkpoints
        self._owns = False

    def on_train_begin(self, args, state, control, model=None, **_):
        if not getattr(state, "is_world_process_zero", True):
            return
        self.run = self.run or _active.current()
        if self.run is None:
            self.run, self._owns = start_run(self.experiment, name=getattr(args, "run_name", None)), True
        self.run.log_params(args, allow_val_change=True)
        config = getattr(model, "config", None)
        if config is not None and hasattr(config, "to_dict"):
            self.run.log_params({"model": config.to_dict()}, allow_val_change=True)

    def on_log(self, args, state, control, logs=None, **_):
        if self.run is not None and logs:
            values = {(key if key.startswith(("eval_", "test_")) else "train/" + key): value
                      for key, value in logs.items() if isinstance(value, (int, float))}
            self.run.log({key.replace("eval_", "eval/", 1): value for key, value in values.items()},
                         step=int(state.global_step))

    def on_save(self, args, state, control, **_):
        if self.run is not None and self.checkpoints:
            self.run.log_checkpoint("%s/checkpoint-%d" % (args.output_dir, state.global_step), step=state.global_step)

    def on_train_end(self, args, state, control, **_):
        if self._owns and self.run is not None:
            self.run.finish()
            self.run, self._owns = None, False
