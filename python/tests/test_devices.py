"""Values on a device: whoever logs never waits for it, and what is kept is what was there."""

import contextlib
import sys
import threading
import time
import types

import martlet
import pytest
from recorded import lines, points

try:
    import numpy  # which the made-up device counts with
except ImportError:
    numpy = None


class OnDevice:
    """A value whose device is late. Asking it before it is ready would make the caller wait, and is counted."""

    asked_early = 0

    def __init__(self, value):
        self.value, self.there = value, False

    def is_ready(self):
        return self.there

    def __float__(self):
        if not self.there:
            OnDevice.asked_early += 1
        return self.value


def test_a_value_on_a_device_never_makes_the_caller_wait(store):
    with martlet.start_run("device", uri=store, strict=True) as run:
        values = [OnDevice(step / 2) for step in range(5)]
        began = time.perf_counter()
        for value in values:
            run.log({"loss": value, "plain": 1.0})
        assert time.perf_counter() - began < 0.1
        assert run.flush()
        assert points(store, "plain") == [(step, 1.0) for step in range(5)] and points(store, "loss") == []
        for value in values:
            value.there = True
    assert sorted(points(store, "loss")) == [(step, step / 2) for step in range(5)]
    assert OnDevice.asked_early == 0


def test_a_late_value_of_the_whole_run_is_waited_for_by_the_writer_alone(store):
    with martlet.start_run("summary", uri=store, strict=True) as run:
        value = OnDevice(0.75)
        run.set_summary({"best": value, "plain": 1.0})
        assert run.flush() and [line["m"] for line in lines(store, "summary")] == [{"plain": 1.0}]
        value.there = True
    assert {"best": 0.75} in [line["m"] for line in lines(store, "summary")] and OnDevice.asked_early == 0


def test_a_value_that_never_comes_does_not_hold_up_the_end(store):
    run = martlet.start_run("never", uri=store)
    run.log({"loss": OnDevice(1.0)})
    began = time.monotonic()
    run.finish(seconds=0.5)
    assert time.monotonic() - began < 2 and lines(store, "state")


class FakeTensor:
    """As much of a PyTorch tensor on a device as logging touches; reading it synchronously is an error here."""

    __module__ = "torch"

    def __init__(self, cell, device):
        self.cell, self.device = cell, device

    def numel(self):
        return 1

    def is_complex(self):
        return False

    def detach(self):
        return self

    def clone(self):
        return FakeTensor(list(self.cell), self.device)

    def item(self):
        assert threading.current_thread() is not threading.main_thread(), "the caller waited for the device"
        return self.cell[0]


class Event:
    """Comes by only when a test says so."""

    made = []

    def __init__(self):
        self.done = False
        Event.made.append(self)

    def record(self, stream):
        pass

    def query(self):
        return self.done


class Stream:
    def __init__(self, device=None):
        pass


@pytest.fixture
def fake_torch(monkeypatch):
    Event.made = []
    fake = types.ModuleType("torch")
    fake.cuda = types.SimpleNamespace(
        Event=Event, current_stream=lambda device: None, Stream=Stream, stream=lambda stream: contextlib.nullcontext())
    monkeypatch.setitem(sys.modules, "torch", fake)
    return fake


CUDA = types.SimpleNamespace(type="cuda")


def test_a_tensor_that_is_changed_afterwards_was_copied_on_its_device(store, fake_torch):
    with martlet.start_run("tensor", uri=store, strict=True) as run:
        tensor = FakeTensor([1.0], CUDA)
        for step in range(3):
            tensor.cell[0] = float(step)
            run.log({"loss": tensor})
        run.flush()
        assert points(store, "loss") == []
        for event in Event.made:
            event.done = True
    assert points(store, "loss") == [(0, 0.0), (1, 1.0), (2, 2.0)]


class Array:
    """A tensor of many values on a device: what is asked of it is done there, and reading it has to wait for its event."""

    __module__ = "torch"
    device = CUDA

    def __init__(self, values):
        self.values = values

    def __getattr__(self, name):
        assert name not in ("item", "cpu", "numpy", "__array__", "__float__"), "read on the caller's way: " + name
        return {"dtype": self.values.dtype, "detach": lambda: self, "is_complex": lambda: False,
                "numel": lambda: self.values.size, "reshape": lambda size: Array(self.values.reshape(size)),
                "to": lambda kind: Array(self.values.astype(kind)), "amin": lambda: Array(self.values.min()),
                "amax": lambda: Array(self.values.max()),
                "clamp": lambda low, high: Array(self.values.clip(low, high))}[name]

    def masked_fill(self, mask, value):
        return Array(numpy.where(mask.values, value, self.values))

    def scatter_add_(self, axis, places, ones):
        numpy.add.at(self.values, places.values, ones.values)
        return self

    def tolist(self):
        assert threading.current_thread() is not threading.main_thread(), "the caller waited for the device"
        assert all(event.done for event in Event.made), "it was read before it was there"
        return self.values.tolist()

    def __invert__(self):
        return Array(~self.values)

    def __truediv__(self, other):
        with numpy.errstate(all="ignore"):
            return Array(self.values / getattr(other, "values", other))

    def __sub__(self, other):
        with numpy.errstate(all="ignore"):
            return Array(self.values - other.values)

    def __mul__(self, other):
        return Array(self.values * other)


class Parameter(Array):
    requires_grad = True

    def register_hook(self, hook):
        self.hook = hook
        return types.SimpleNamespace(remove=lambda: setattr(self, "hook", None))


@pytest.fixture
def fake_arrays(fake_torch):
    pytest.importorskip("numpy")
    for name in ("float32", "float64", "int64"):
        setattr(fake_torch, name, numpy.dtype(name))
    fake_torch.isfinite = lambda tensor: Array(numpy.isfinite(tensor.values))
    fake_torch.nan_to_num = lambda tensor, value: Array(numpy.nan_to_num(tensor.values, nan=value))
    fake_torch.zeros = lambda count, dtype, device: Array(numpy.zeros(count, dtype))
    fake_torch.ones_like = lambda tensor: Array(numpy.ones_like(tensor.values))
    fake_torch.stack = lambda tensors: Array(numpy.array([each.values for each in tensors]))
    return fake_torch


def test_watching_a_model_never_waits_for_its_device(store, fake_arrays):
    weight, gradient = Parameter(numpy.array([1.0, 2.0, 2.5, numpy.nan, 5.0])), Array(numpy.array([[0.0, -4.0], [4.0, 4.0]]))
    model = types.SimpleNamespace(named_parameters=lambda: [("layer", weight)])
    with martlet.start_run("watch", uri=store, strict=True) as run:
        stop = martlet.watch(model, run, every=2)
        for step in range(3):
            weight.hook(gradient)  # as a backward pass does
            run.log({"loss": 1.0})
        # What comes afterwards is not what was looked at.
        weight.values[:] = 0.0
        gradient.values[:] = 0.0
        assert run.flush() and points(store, "loss") and lines(store, "rich") == []
        assert len(Event.made) == 4
        for event in Event.made:
            event.done = True
        stop()
        assert weight.hook is None
    found = {(line["key"], line["step"]): line["v"] for line in lines(store, "rich")}
    assert set(found) == {(kind + "/layer", step) for kind in ("weights", "gradients") for step in (0, 2)}
    for values, name in (([1.0, 2.0, 2.5, 5.0], "weights/layer"), ([0.0, -4.0, 4.0, 4.0], "gradients/layer")):
        counts, edges = numpy.histogram(values, 64)
        assert found[name, 0]["counts"] == counts.tolist() and found[name, 0]["edges"] == pytest.approx(edges.tolist())
    assert found["weights/layer", 0]["not_finite"] == 1 and "not_finite" not in found["gradients/layer", 0]


@pytest.mark.parametrize("values", [[3.0, 3.0], [float("nan"), float("inf")], [-3e38, 3e38, 0.0], [1e-30, 0.0, -1e-30]])
def test_odd_values_on_a_device_are_spread_as_they_are_elsewhere(store, fake_arrays, values):
    with martlet.start_run("odd", uri=store, strict=True) as run:
        run.log({"far": martlet.Histogram(Array(numpy.array(values, "float32")), bins=4)})
        for event in Event.made:
            event.done = True
        with numpy.errstate(all="ignore"):
            run.log({"near": martlet.Histogram(numpy.array(values, "float32"), bins=4)})
    far, near = (next(line["v"] for line in lines(store, "rich") if line["key"] == key) for key in ("far", "near"))
    assert far["counts"] == near["counts"] and far.get("not_finite") == near.get("not_finite")
    assert far["edges"] == pytest.approx(near["edges"], rel=1e-6)
