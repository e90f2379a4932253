"""MLflow, W&B and Keras, pointed at an increment by one line, and the wrappers that do without them."""

import json
import struct
import sys
import types

import pytest
from conftest import INCREMENT, hide, run_program
from specweave import TensorBoardCallback, configure_mlflow, configure_wandb


def test_mlflow_writes_through_the_store_and_the_folder_shows_it(increment, place, store):
    pytest.importorskip("mlflow")
    done = run_program(place, (
        "import mlflow\n"
        "from specweave import configure_mlflow\n"
        "configure_mlflow(increment='0042')\n"
        "with mlflow.start_run(run_name='by-mlflow'):\n"
        "    mlflow.log_param('trees', 100)\n"
        "    mlflow.log_metric('auc', 0.87)\n"
        "    mlflow.log_text('a report', 'reports/card.txt')\n"
        "mlflow.start_run(run_name='left-open')\n"
        "mlflow.log_metric('auc', 0.5)\n"))
    assert done.returncode == 0, done.stderr
    folder = increment / "by-mlflow"
    assert json.loads((folder / "params.json").read_text()) == {"trees": 100}
    assert json.loads((folder / "metrics.json").read_text()) == {"auc": 0.87}
    assert (folder / "reports" / "card.txt").read_text() == "a report"
    assert "logged_by: mlflow" in (folder / "metadata.yaml").read_text()
    assert "status: finished" in (increment / "left-open" / "metadata.yaml").read_text()
    runs = store.get("runs", "search", experiment_name=INCREMENT)["runs"]
    assert {run["run_name"]: run["state"] for run in runs} == {"by-mlflow": "finished", "left-open": "finished"}


def test_mlflows_wrapper_takes_the_name_first(increment, place):
    pytest.importorskip("mlflow")
    done = run_program(place, (
        "from specweave import mlflow as sw_mlflow\n"
        "with sw_mlflow.start_run('wrapped') as run:\n"
        "    sw_mlflow.log_metric('auc', 0.9)\n"
        "import json, glob\n"
        "print(json.load(open(glob.glob('.specweave/increments/*/experiments/wrapped/metrics.json')[0])))\n"
        "print(sw_mlflow.get_experiment_by_name)\n"))
    assert done.returncode == 0, done.stderr
    assert "{'auc': 0.9}" in done.stdout and "function" in done.stdout


def test_mlflows_wrapper_works_without_mlflow(increment, store, monkeypatch, place):
    hide(monkeypatch, "mlflow")
    from specweave import mlflow as sw_mlflow

    (place / "card.txt").write_text("card")
    with sw_mlflow.start_run("alone", increment="0042") as run:
        sw_mlflow.log_param("trees", 3)
        sw_mlflow.log_metrics({"auc": 0.7}, step=1)
        sw_mlflow.log_artifact("card.txt", "reports")
        sw_mlflow.set_tag("production", "yes")
    record = store.run(run.info.run_id)
    assert record["params"] == {"trees": 3} and record["metrics"] == {"auc": 0.7} and record["tags"]["production"] == "yes"
    assert (increment / "alone" / "reports" / "card.txt").read_text() == "card"
    with pytest.raises(AttributeError, match="mlflow.autolog needs MLflow, which is not installed"):
        sw_mlflow.autolog
    with pytest.raises(Exception, match="MLflow is not installed"):
        configure_mlflow(increment="0042")


class FakeWandb(types.ModuleType):
    """W&B's calls, which do nothing but remember."""

    class Run:
        def __init__(self, name):
            self.name = name
            self.config = {}
            self.told = []

        def __setattr__(self, name, value):
            # As W&B's run does.
            if name not in ("name", "config", "told", "project", "mode", "log", "log_model", "finish"):
                raise Exception("Attribute %s is not supported on Run object." % name)
            object.__setattr__(self, name, value)

        def log(self, data, step=None, commit=None):
            self.told.append(("log", data))
            return "its own answer"

        def log_model(self, path, name=None):
            self.told.append(("log_model", path))

        def finish(self, exit_code=None):
            self.told.append(("finish", exit_code))

    def __init__(self):
        super().__init__("wandb")
        self.log = None

    def init(self, name=None, config=None, project=None, **more):
        import os

        run = FakeWandb.Run(name)
        run.project = project or os.environ.get("WANDB_PROJECT")
        run.mode = os.environ.get("WANDB_MODE")
        run.config = dict(config or {})
        self.log = run.log
        return run


def test_wandb_stays_offline_and_its_run_is_an_experiment_too(increment, store, monkeypatch, place):
    fake = FakeWandb()
    monkeypatch.setitem(sys.modules, "wandb", fake)
    configure_wandb(increment="0042")
    (place / "model.pkl").write_bytes(b"model")
    run = fake.init(name="by-wandb", config={"depth": {"max": 6}, "rate": 0.1})
    assert (run.project, run.mode) == (INCREMENT, "offline")
    assert run.log({"auc": 0.5, "image": object()}) == "its own answer"
    fake.log({"auc": 0.87})
    run.log_model("model.pkl")
    run.config["late"] = True
    run.finish()
    assert [word for word, _ in run.told] == ["log", "log", "log_model", "finish"]
    folder = increment / "by-wandb"
    assert json.loads((folder / "metrics.json").read_text()) == {"auc": 0.87}
    assert json.loads((folder / "params.json").read_text()) == {"depth.max": 6, "rate": 0.1, "late": True}
    assert (folder / "model.pkl").read_bytes() == b"model"
    record = store.get("runs", "search", experiment_name=INCREMENT)["runs"][0]
    assert record["run_name"] == "by-wandb" and record["state"] == "finished"
    history = store.get("runs", record["run_id"], "history", metric="auc")["series"][0]["points"]
    assert [(point["step"], point["value"]) for point in history] == [(0, 0.5), (1, 0.87)]


def test_trouble_with_the_mirror_is_not_wandbs(increment, monkeypatch, capsys):
    fake = FakeWandb()
    monkeypatch.setitem(sys.modules, "wandb", fake)
    configure_wandb(increment="0042")
    run = fake.init(name="no/folder")
    run.log({"auc": 1})
    assert run.told == [("log", {"auc": 1})]
    assert "this run of W&B's is not in " + INCREMENT in capsys.readouterr().err


def test_wandbs_wrapper_works_without_wandb(increment, store, monkeypatch, place, capsys):
    hide(monkeypatch, "wandb")
    assert configure_wandb(increment="0042") == INCREMENT
    assert "wandb is not installed" in capsys.readouterr().err
    from specweave import wandb as sw_wandb

    (place / "model.pkl").write_bytes(b"model")
    with sw_wandb.init(increment="0042", name="alone", config={"rate": 0.1}) as run:
        run.log({"auc": 0.5, "deep": {"loss": 2}})
        sw_wandb.log({"auc": 0.6})
        run.config.depth = 6
        run.summary["best"] = 0.6
        run.log_model("model.pkl")
    assert json.loads((increment / "alone" / "metrics.json").read_text()) == {"auc": 0.6, "deep/loss": 2, "best": 0.6}
    assert json.loads((increment / "alone" / "params.json").read_text()) == {"rate": 0.1, "depth": 6}
    assert (increment / "alone" / "model.pkl").exists()
    with pytest.raises(AttributeError, match="wandb.sweep needs wandb, which is not installed"):
        sw_wandb.sweep


def events(path):
    """Scalars of an event file: step, tag, value; every checksum is looked at."""
    from martlet_compat._tensorboard import _masked

    data = path.read_bytes()
    found = []
    while data:
        size = struct.unpack("<Q", data[:8])[0]
        assert _masked(data[:8]) == data[8:12]
        record, data = data[12:12 + size], data[12 + size:]
        assert _masked(record) == data[:4]
        data = data[4:]
        fields = dict(message(record))
        if 5 in fields:
            for _, value in message(fields[5]):
                inner = dict(message(value))
                found.append((fields.get(2, 0), inner[1].decode(), round(struct.unpack("<f", inner[2])[0], 6)))
    return found


def message(data):
    at = 0

    def number():
        nonlocal at
        value = shift = 0
        while True:
            byte = data[at]
            at += 1
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value

    while at < len(data):
        key = number()
        if key & 7 == 0:
            yield key >> 3, number()
        else:
            size = {1: 8, 5: 4}.get(key & 7) or number()
            yield key >> 3, data[at:at + size]
            at += size


class Keras:
    """Keras' side of the protocol of callbacks."""

    name = "net"

    def fit(self, X, y, callbacks=(), epochs=2):
        for callback in callbacks:
            callback.set_params({"epochs": epochs, "steps": 5, "verbose": 1})
            callback.set_model(self)
            callback.on_train_begin()
        for epoch in range(epochs):
            for callback in callbacks:
                callback.on_epoch_begin(epoch, logs={})
                callback.on_train_batch_end(0, logs={"loss": 9.0})
                callback.on_epoch_end(epoch, logs={"loss": 1.0 / (epoch + 1), "val_loss": 2.0})
        for callback in callbacks:
            callback.on_train_end(logs={})


def test_a_callback_writes_event_files_and_an_experiment(increment, place, store):
    callback = TensorBoardCallback(increment="0042", log_dir=".specweave/increments/0042.../tensorboard")
    Keras().fit([1], [1], callbacks=[callback])
    logs = increment.parent / "tensorboard"
    train, = (logs / "train").iterdir()
    validation, = (logs / "validation").iterdir()
    assert train.name.startswith("events.out.tfevents.")
    assert events(train) == [(0, "epoch_loss", 1.0), (1, "epoch_loss", 0.5)]
    assert events(validation) == [(0, "epoch_loss", 2.0), (1, "epoch_loss", 2.0)]
    assert json.loads((increment / "net" / "metrics.json").read_text()) == {"loss": 0.5, "val_loss": 2.0}
    assert json.loads((increment / "net" / "params.json").read_text()) == {"epochs": 2, "steps": 5}
    run = store.get("runs", "search", experiment_name=INCREMENT)["runs"][0]
    assert len(store.get("runs", run["run_id"], "history", metric="loss")["series"][0]["points"]) == 2


def test_event_files_are_those_that_tensorboard_reads(increment):
    loader = pytest.importorskip("tensorboard.backend.event_processing.event_file_loader")
    callback = TensorBoardCallback(increment="0042", name="read-back")
    Keras().fit([1], [1], callbacks=[callback])
    train, = (increment.parent / "tensorboard" / "train").iterdir()
    found = [event.step for event in loader.EventFileLoader(str(train)).Load() if event.HasField("summary")]
    assert found == [0, 1]


def test_where_keras_is_it_is_one_of_its_callbacks(monkeypatch, increment):
    class Callback:
        def on_test_begin(self, logs=None):
            return "keras"

    monkeypatch.setitem(sys.modules, "keras", types.SimpleNamespace(callbacks=types.SimpleNamespace(Callback=Callback)))
    made = TensorBoardCallback(increment="0042")
    assert isinstance(made, Callback) and isinstance(made, TensorBoardCallback) and made.on_test_begin() == "keras"
