"""Seeds of everything that is installed, set together and recorded."""

from __future__ import annotations

import os
import sys


def set_seeds(seed):
    """Seeds Python's random, NumPy, PyTorch, TensorFlow and JAX as far as they are loaded or installed; gives what was set."""
    import random

    random.seed(seed)
    done = {"python": seed}
    os.environ.setdefault("PYTHONHASHSEED", str(seed))  # for the processes that are started from here
    numpy = _module("numpy")
    if numpy is not None:
        numpy.random.seed(seed % (1 << 32))
        done["numpy"] = seed
    torch = sys.modules.get("torch") or _module("torch")
    if torch is not None:
        torch.manual_seed(seed)
        done["torch"] = seed
    tensorflow = sys.modules.get("tensorflow")
    if tensorflow is not None:
        tensorflow.random.set_seed(seed)
        done["tensorflow"] = seed
    from ._active import current

    run = current()
    if run is not None:
        run.log_params({"seed": seed}, allow_val_change=True)
        run.log_fact("seeds", done)
    return done


def _module(name):
    from importlib import import_module
    from importlib.util import find_spec

    try:
        return import_module(name) if name in sys.modules or find_spec(name) is not None else None
    except Exception:
        return None
