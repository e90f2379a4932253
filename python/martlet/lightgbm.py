"""LightGBM: `lgb.train(..., callbacks=[martlet.lightgbm.callback()])`."""

from __future__ import annotations

from . import _active


def callback(run=None, prefix=""):
    """Logs every evaluation of every round; the first call takes the params."""
    state = {"begun": False}

    def after_iteration(env):
        target = run or _active.current()
        if target is None:
            return
        if not state["begun"]:
            state["begun"] = True
            target.log_params({prefix + key: value for key, value in (env.params or {}).items()}, allow_val_change=True)
        target.log({"%s%s/%s" % (prefix, each[0], each[1]): each[2] for each in env.evaluation_result_list},
                   step=env.iteration)

    after_iteration.order = 20
    return after_iteration
