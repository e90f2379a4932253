"""PyTorch: the learning rate, the gradient's norm and the loss of a plain training loop, without waiting for the device."""

from __future__ import annotations

from . import _active
from ._watch import watch

__all__ = ["log_step", "log_model", "watch"]


def log_step(loss=None, optimizer=None, model=None, step=None, run=None, **more):
    """One step of a loop. Tensors stay on their device until the background thread reads them."""
    run = run or _active.current()
    if run is None:
        return
    values = dict(more)
    if loss is not None:
        values["loss"] = loss
    if optimizer is not None:
        for index, group in enumerate(optimizer.param_groups):
            values["lr" if len(optimizer.param_groups) == 1 else "lr/%d" % index] = group["lr"]
    if model is not None:
        import torch

        norms = [parameter.grad.detach().norm(2) for parameter in model.parameters() if parameter.grad is not None]
        if norms:
            values["grad_norm"] = torch.stack(norms).norm(2)
    run.log(values, step)


def log_model(model, name="model", run=None):
    """The model's weights as an artifact, and its layers as text."""
    run = run or _active.current()
    if run is None:
        return
    import os
    import tempfile

    import torch

    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, name + ".pt")
        torch.save(model.state_dict(), path)
        run.log_artifact(path, type="model")
    run.log_text(str(model), "model/%s.txt" % name)
