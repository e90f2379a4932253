"""Trainers of real libraries, as their users run them: each skips where its library is not installed."""

import math
import os

import martlet
import pytest
from recorded import lines, params, points

torch = pytest.importorskip("torch")
torch.set_num_threads(1)


@pytest.fixture(autouse=True)
def here(store, monkeypatch, tmp_path):
    monkeypatch.setenv("MARTLET_TRACKING_URI", str(store))
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.chdir(tmp_path)


def names(store):
    return {key for line in lines(store) if line["op"] in ("metrics", "points") for key in line["m"]}


def states(store):
    return [line["status"] for line in lines(store, "state")]


def line_data(count=64):
    torch.manual_seed(0)
    x = torch.linspace(-1, 1, count).unsqueeze(1)
    return x, 2 * x + 1


def test_a_loop_of_pytorch(store):
    import martlet.torch

    x, y = line_data()
    model = torch.nn.Linear(1, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    with martlet.start_run("loop", strict=True):
        stop = martlet.watch(model, every=10)
        for step in range(30):
            loss = torch.nn.functional.mse_loss(model(x), y)
            optimizer.zero_grad()
            loss.backward()
            slope = model.weight.grad.item() if step == 0 else slope
            martlet.torch.log_step(loss, optimizer, model)
            optimizer.step()
        martlet.torch.log_model(model)
        stop()
        model(x).sum().backward()
    losses = points(store, "loss")
    assert [step for step, _ in losses] == list(range(30)) and losses[-1][1] < losses[0][1]
    assert points(store, "lr")[0] == (0, pytest.approx(0.1)) and len(points(store, "grad_norm")) == 30
    kinds = [(line["key"], line["kind"]) for line in lines(store, "rich")]
    assert kinds.count(("gradients/weight", "histogram")) == kinds.count(("weights/bias", "histogram")) == 3
    assert {line["step"] for line in lines(store, "rich")} == {0, 10, 20}
    first = next(line["v"] for line in lines(store, "rich") if line["key"] == "gradients/weight" and line["step"] == 0)
    assert first["edges"][0] <= slope <= first["edges"][-1]
    assert {line["path"] for line in lines(store, "artifact")} >= {"model.pt", "model/model.txt"}
    assert states(store) == ["finished"]


@pytest.mark.parametrize("kind", ["float16", "bfloat16", "float32", "float64", "int32"])
def test_what_a_device_counts_is_what_numpy_counts(kind):
    import numpy
    from martlet._device import DeviceSpread

    torch.manual_seed(1)
    values = (torch.randn(5000) * 20).to(getattr(torch, kind)).reshape(50, 100)
    if values.is_floating_point():
        values[3, 4], values[5, 6], values[7, 8] = float("nan"), float("inf"), -float("inf")
    edges, counts, skipped = DeviceSpread(values, 32).value()
    plain = values.to(torch.float64).numpy().ravel()
    good = plain[numpy.isfinite(plain)]
    expected, bounds = numpy.histogram(good, 32)
    assert skipped == plain.size - good.size and sum(counts) == good.size
    assert edges == pytest.approx(bounds.tolist(), rel=1e-6, abs=1e-6)
    # A value on an edge may fall to the other side, where the device counts with fewer digits.
    assert sum(abs(a - b) for a, b in zip(counts, expected)) <= (20 if kind != "int32" else 300)
    assert DeviceSpread(torch.full((3,), 2.0), 4).value() == numpy_of(numpy.full(3, 2.0), 4)


def numpy_of(values, bins):
    import numpy

    counts, edges = numpy.histogram(values, bins)
    return edges.tolist(), counts.tolist(), 0


def test_a_writer_of_tensorboard_for_pytorch(store):
    from martlet.tensorboard import SummaryWriter

    with SummaryWriter("runs/one") as writer:
        for step in range(5):
            writer.add_scalar("loss", torch.tensor(1.0 / (step + 1)), step)
        writer.add_histogram("weights", torch.randn(100), 4)
        writer.add_image("noise", torch.rand(3, 8, 8), 4)
        writer.add_graph(torch.nn.Linear(1, 1), torch.zeros(1, 1))
    assert [value for _, value in points(store, "loss")] == [pytest.approx(1 / (step + 1)) for step in range(5)]
    assert {line["kind"] for line in lines(store, "rich")} >= {"histogram", "image"}


def test_a_trainer_of_lightning(store, tmp_path):
    lightning = pytest.importorskip("lightning")
    from martlet.lightning import MartletLogger

    class Model(lightning.LightningModule):
        def __init__(self, lr=0.1, width=1):
            super().__init__()
            self.save_hyperparameters()
            self.layer = torch.nn.Linear(1, width)

        def training_step(self, batch, _):
            loss = torch.nn.functional.mse_loss(self.layer(batch[0]), batch[1])
            self.log("train_loss", loss)
            return loss

        def validation_step(self, batch, _):
            self.log("val_loss", torch.nn.functional.mse_loss(self.layer(batch[0]), batch[1]))

        def test_step(self, batch, _):
            self.log("test_loss", torch.nn.functional.mse_loss(self.layer(batch[0]), batch[1]))

        def configure_optimizers(self):
            return torch.optim.SGD(self.parameters(), lr=self.hparams.lr)

    data = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(*line_data()), batch_size=16)
    logger = MartletLogger("lightning", strict=True)
    trainer = lightning.Trainer(
        max_epochs=3, logger=logger, log_every_n_steps=1, accelerator="cpu", enable_progress_bar=False,
        enable_model_summary=False, default_root_dir=tmp_path)
    trainer.fit(Model(), data, data)
    version = logger.version
    trainer.test(Model(), data, verbose=False)  # after the end of `fit`, which ended the run
    assert [step for step, _ in points(store, "train_loss")] == list(range(12))
    assert len(points(store, "val_loss")) == 3 and params(store)["lr"] == 0.1 and params(store)["width"] == 1
    assert states(store) == ["finished"]
    tags = [line["tags"] for line in lines(store, "tags") if "checkpoint" in line["tags"]]
    assert tags and os.path.exists(tags[-1]["checkpoint"])
    assert len(points(store, "test_loss")) == 1 and logger.version == version
    assert {line["run"] for line in lines(store)} == {version}


def test_a_trainer_of_lightning_that_fails(store, tmp_path):
    lightning = pytest.importorskip("lightning")
    from martlet.lightning import MartletLogger

    class Model(lightning.LightningModule):
        def __init__(self):
            super().__init__()
            self.layer = torch.nn.Linear(1, 1)

        def training_step(self, batch, index):
            if index == 1:
                raise RuntimeError("the batch is bad")
            return torch.nn.functional.mse_loss(self.layer(batch[0]), batch[1])

        def configure_optimizers(self):
            return torch.optim.SGD(self.parameters(), lr=0.1)

    data = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(*line_data()), batch_size=16)
    trainer = lightning.Trainer(
        max_epochs=1, logger=MartletLogger("lightning", strict=True), accelerator="cpu", enable_progress_bar=False,
        enable_model_summary=False, default_root_dir=tmp_path, enable_checkpointing=False)
    with pytest.raises(RuntimeError, match="bad"):
        trainer.fit(Model(), data)
    assert states(store) == ["failed"]


def test_a_trainer_of_transformers(store, tmp_path):
    transformers = pytest.importorskip("transformers")
    pytest.importorskip("accelerate")
    from martlet.huggingface import MartletCallback

    config = transformers.BertConfig(
        vocab_size=32, hidden_size=8, num_hidden_layers=1, num_attention_heads=1, intermediate_size=16, num_labels=2)
    model = transformers.BertForSequenceClassification(config)
    rows = [{"input_ids": torch.tensor([number % 32] * 4), "attention_mask": torch.ones(4, dtype=torch.long),
             "labels": torch.tensor(number % 2)} for number in range(32)]
    arguments = transformers.TrainingArguments(
        output_dir=str(tmp_path / "out"), num_train_epochs=2, per_device_train_batch_size=8, logging_steps=1,
        eval_strategy="epoch", save_strategy="epoch", report_to=[], use_cpu=True, disable_tqdm=True, learning_rate=0.01)
    trainer = transformers.Trainer(
        model=model, args=arguments, train_dataset=rows, eval_dataset=rows, callbacks=[MartletCallback(checkpoints=True)])
    trainer.train()
    losses = points(store, "train/loss")
    assert [step for step, _ in losses] == list(range(1, 9)) and all(math.isfinite(value) for _, value in losses)
    assert [step for step, _ in points(store, "eval/loss")] == [4, 8] and len(points(store, "train/learning_rate")) == 8
    known = params(store)
    assert known["learning_rate"] == 0.01 and known["model.hidden_size"] == 8
    assert any(line["path"].startswith("checkpoints/8/") for line in lines(store, "artifact"))
    assert states(store) == ["finished"]
    # A second training with the same callback is a run of its own.
    trainer.train()
    assert states(store) == ["finished", "finished"]


def test_a_model_of_keras(store, monkeypatch):
    monkeypatch.setenv("KERAS_BACKEND", "torch")
    keras = pytest.importorskip("keras")
    from martlet.keras import MartletCallback

    x, y = line_data()
    model = keras.Sequential([keras.layers.Input((1,)), keras.layers.Dense(1)])
    model.compile(optimizer=keras.optimizers.SGD(0.1), loss="mse", metrics=["mae"])
    with martlet.start_run("keras", strict=True):
        model.fit(x.numpy(), y.numpy(), epochs=3, batch_size=16, verbose=0, validation_split=0.25,
                  callbacks=[MartletCallback(batches=2)])
    assert [step for step, _ in points(store, "loss")] == [0, 1, 2]
    assert len(points(store, "val_mae")) == 3 and len(points(store, "batch/loss")) == 4
    assert params(store)["epochs"] == 3


def test_an_algorithm_of_stable_baselines(store):
    baselines = pytest.importorskip("stable_baselines3")
    import martlet.sb3

    model = baselines.PPO("MlpPolicy", "CartPole-v1", n_steps=64, batch_size=32, n_epochs=1, device="cpu", seed=0)
    with martlet.start_run("ppo", strict=True):
        model.set_logger(martlet.sb3.logger(formats=()))
        model.learn(256)
    assert [step for step, _ in points(store, "time/iterations")] == [64, 128, 192, 256]
    assert {"rollout/ep_rew_mean", "train/loss", "train/value_loss"} <= names(store)
