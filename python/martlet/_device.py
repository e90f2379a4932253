"""Values that are still on a device: what is asked of the device is queued there, and the writer's thread reads the answer
once it has come. Whoever logs never waits, and what happens to a value afterwards does not change the record.
"""

from __future__ import annotations

import sys
import threading

from ._recorder import Later


class Ready(Later):
    """An immutable value that says itself when it can be read."""

    def __init__(self, value, read=float):
        self._value, self._read = value, read

    def ready(self):
        return bool(self._value.is_ready())

    def value(self):
        return self._read(self._value)


class Readable(Later):
    """An immutable value whose reading may wait: only the background thread does."""

    def __init__(self, value, read=float):
        self._value, self._read = value, read

    def ready(self):
        return True

    def value(self):
        value = self._value
        return self._read(value.numpy() if hasattr(value, "numpy") else value)


_streams = threading.local()


class Queued(Later):
    """Small tensors that a device makes in the order of its own work, and an event that comes by once they are there."""

    def __init__(self, device):
        module = getattr(sys.modules["torch"], device.type, None)
        self._device, self._module, self._event = device, module, None
        if module is not None and hasattr(module, "Event") and hasattr(module, "current_stream"):
            self._event = module.Event()
            self._event.record(module.current_stream(device))

    def ready(self):
        return self._event is None or self._event.query()

    def value(self):
        module = self._module
        if self._event is None or not hasattr(module, "stream"):
            return self._read()
        # On a stream of this thread's own: reading on the usual one would stand in line behind the training's work.
        stream = getattr(_streams, str(self._device), None)
        if stream is None:
            stream = module.Stream(device=self._device)
            setattr(_streams, str(self._device), stream)
        with module.stream(stream):
            return self._read()

    def _read(self):
        raise NotImplementedError


class DeviceCopy(Queued):
    """A copy of one value: the caller queues two small things and goes on."""

    def __init__(self, tensor):
        self._copy = tensor.detach().clone()
        super().__init__(tensor.device)

    def _read(self):
        return float(self._copy.item())


class DeviceSpread(Queued):
    """How a tensor's values are spread, counted on its device: what is kept of a tensor is the bounds and the counts."""

    def __init__(self, tensor, bins):
        torch = sys.modules["torch"]
        infinite = float("inf")
        flat = tensor.detach().reshape(-1)
        if flat.dtype is not torch.float64:
            flat = flat.to(torch.float32)
        odd = ~torch.isfinite(flat)
        low, high = flat.masked_fill(odd, infinite).amin(), flat.masked_fill(odd, -infinite).amax()
        # Halves keep what lies between the greatest and the least number from being beyond the greatest.
        place = (flat / 2 - low / 2) / (high / 2 - low / 2) * bins
        # No number may lead beyond the counts: a device ends the program for that.
        place = torch.nan_to_num(place, 0.0).clamp(0, bins - 1).masked_fill(odd, bins).to(torch.int64)
        counts = torch.zeros(bins + 1, dtype=torch.int64, device=tensor.device)
        self._counts = counts.scatter_add_(0, place, torch.ones_like(place))
        self._bounds = torch.stack((low, high))
        super().__init__(tensor.device)

    def _read(self):
        """Edges, counts, and how many were not finite, as `numpy.histogram` has them."""
        *counts, skipped = self._counts.tolist()
        if not any(counts):
            return [0.0, 1.0], [0], skipped
        low, high = self._bounds.tolist()
        bins = len(counts)
        if low == high:
            low, high = low - 0.5, high + 0.5
            counts = [0] * (bins // 2) + [sum(counts)] + [0] * (bins - bins // 2 - 1)
        width = high / bins - low / bins
        return [low + width * index for index in range(bins)] + [high], counts, skipped


def later_spread(values, bins, read):
    """A `Later` for how values are spread that are still on a device; None for those that can be read now, by `read`."""
    module = (type(values).__module__ or "").partition(".")[0]
    if hasattr(values, "numel") and hasattr(values, "detach"):
        is_far = values.device.type not in ("cpu", "meta") and values.numel() and not values.is_complex()
        return DeviceSpread(values, bins) if is_far else None
    if callable(getattr(values, "is_ready", None)):
        return Ready(values, read)
    return Readable(values, read) if module == "tensorflow" else None
