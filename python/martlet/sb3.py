"""Stable-Baselines3: `model.set_logger(martlet.sb3.logger())`, beside what it prints."""

from __future__ import annotations

from . import _active


def _base():
    try:
        from stable_baselines3.common.logger import KVWriter

        return KVWriter
    except ImportError:
        return object


class MartletWriter(_base()):
    """Takes what the algorithm records: numbers as points at its step, and figures."""

    def __init__(self, run=None):
        self.run = run

    def write(self, key_values, key_excluded=None, step=0):
        run = self.run or _active.current()
        if run is None:
            return
        hidden = key_excluded or {}
        shown = {key: getattr(value, "figure", value) for key, value in key_values.items()
                 if "martlet" not in (hidden.get(key) or ())}
        run.log({key: value for key, value in shown.items()
                 if isinstance(value, (int, float)) or hasattr(value, "item") or hasattr(value, "savefig")}, step=step)

    def close(self):
        pass


def logger(run=None, folder=None, formats=("stdout",)):
    """Stable-Baselines3's own logger with Martlet beside its outputs."""
    from stable_baselines3.common.logger import configure

    made = configure(folder, list(formats))
    made.output_formats.append(MartletWriter(run))
    return made
