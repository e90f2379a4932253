"""Looking into a model while it learns: histograms of its weights and gradients."""

from __future__ import annotations


def watch(model, run=None, every=100, gradients=True, weights=True):
    """Logs histograms of a PyTorch model's parameters every so many backward passes; gives a call that ends it.

    They stand at the step that comes next: the one that a loop is in when it goes back through its model before it logs.
    What lies on a device is counted there, in the order of the device's work, and nobody waits for it.
    """
    hooks = [
        parameter.register_hook(_look(name, parameter, run, max(1, int(every)), gradients, weights))
        for name, parameter in model.named_parameters() if parameter.requires_grad]

    def stop():
        for hook in hooks:
            hook.remove()

    return stop


def _look(name, parameter, run, every, gradients, weights):
    # Of each parameter by itself: a hook of the whole model comes before the gradients of its first layers are there.
    from . import _active
    from ._tables import Histogram

    passes = 0

    def after_backward(gradient):
        nonlocal passes
        passes += 1
        target = run or _active.current()
        if (passes - 1) % every or target is None:
            return
        try:
            values = {}
            if weights:
                values["weights/" + name] = Histogram(parameter)
            if gradients:
                values["gradients/" + name] = Histogram(gradient)
            target._log_any(values, target._top, counts=False)
        except Exception as error:
            target._failed(error)

    return after_backward
