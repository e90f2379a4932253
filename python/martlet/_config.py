"""A run's params as a thing that one reads and sets."""

from __future__ import annotations


class Config:
    """A run's params as a thing that one reads and sets: `run.config.lr = 0.1`, `run.config["lr"]`."""

    def __init__(self, run):
        object.__setattr__(self, "_run", run)

    def update(self, values=None, allow_val_change=False, **more):
        self._run.log_params(values, allow_val_change, **more)

    def __setitem__(self, key, value):
        self._run.log_params({key: value}, allow_val_change=True)

    def __getitem__(self, key):
        values = self._run._params
        if key in values:
            return values[key]
        inner = {name[len(key) + 1:]: value for name, value in values.items() if name.startswith(key + ".")}
        if inner:
            return inner
        raise KeyError(key)

    def __setattr__(self, key, value):
        self[key] = value

    def __getattr__(self, key):
        if key.startswith("_"):
            raise AttributeError(key)
        try:
            return self[key]
        except KeyError:
            raise AttributeError("there is no param “%s”" % key) from None

    def get(self, key, default=None):
        try:
            return self[key]
        except KeyError:
            return default

    def keys(self):
        return self._run._params.keys()

    def values(self):
        return self._run._params.values()

    def items(self):
        return self._run._params.items()

    def as_dict(self):
        return dict(self._run._params)

    def __contains__(self, key):
        return self.get(key, self) is not self

    def __iter__(self):
        return iter(self._run._params)

    def __len__(self):
        return len(self._run._params)

    def __repr__(self):
        return "Config(%r)" % self._run._params
