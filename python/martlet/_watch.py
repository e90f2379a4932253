"""Looking into a model while it learns: histograms of its weights and gradients."""

from __future__ import annotations


def watch(model, run=None, every=100, gradients=True, weights=True):
    """Logs histograms of a PyTorch model's parameters every so many backward passes; gives a call that ends it."""
    from . import _active
    from ._tables import Histogram

    state = {"count": 0}
    hooks = []

    def after_backward(*_):
        state["count"] += 1
        if (state["count"] - 1) % every:
            return
        target = run or _active.current()
        if target is None:
            return
        values = {}
        for name, parameter in model.named_parameters():
            try:
                if weights:
                    values["weights/" + name] = Histogram(parameter)
                if gradients and parameter.grad is not None:
                    values["gradients/" + name] = Histogram(parameter.grad)
            except Exception as error:
                target._failed(error)
        if values:
            target.log(values, step=max(0, target.last_step or 0))

    hooks.append(model.register_full_backward_hook(after_backward))

    def stop():
        for hook in hooks:
            hook.remove()

    return stop
