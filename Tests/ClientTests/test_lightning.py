"""Lightning's own trainer with its logger for MLflow, which brings gigabytes along: `make test-full` runs it."""

import pytest

pytestmark = pytest.mark.lightning


def test_a_trainer_logs_curves_params_and_checkpoints(client, server, tmp_path):
    import lightning
    import torch
    from lightning.pytorch.callbacks import ModelCheckpoint
    from lightning.pytorch.loggers import MLFlowLogger

    class Line(lightning.LightningModule):
        def __init__(self, lr=0.1):
            super().__init__()
            self.save_hyperparameters()
            self.layer = torch.nn.Linear(1, 1)

        def training_step(self, batch, index):
            x, y = batch
            loss = torch.nn.functional.mse_loss(self.layer(x), y)
            self.log("train/loss", loss, on_step=True, on_epoch=True)
            return loss

        def validation_step(self, batch, index):
            x, y = batch
            self.log("val/loss", torch.nn.functional.mse_loss(self.layer(x), y))

        def configure_optimizers(self):
            return torch.optim.SGD(self.parameters(), lr=self.hparams.lr)

    lightning.seed_everything(7)
    x = torch.linspace(-1, 1, 64).unsqueeze(1)
    data = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(x, 2 * x + 1), batch_size=8)
    logger = MLFlowLogger(
        experiment_name="lines", run_name="a line", tracking_uri=server.address, log_model="all", tags={"team": "torch"})
    trainer = lightning.Trainer(
        max_epochs=3, logger=logger, log_every_n_steps=2, accelerator="cpu", default_root_dir=tmp_path,
        enable_progress_bar=False, callbacks=[ModelCheckpoint(dirpath=tmp_path / "kept", save_top_k=1, monitor="val/loss")])
    trainer.fit(Line(), data, data)

    run = client.get_run(logger.run_id)
    assert run.info.status == "FINISHED" and run.info.run_name == "a line"
    assert run.data.params["lr"] == "0.1" and run.data.tags["team"] == "torch"
    steps = client.MlflowClient().get_metric_history(logger.run_id, "train/loss_step")
    assert [point.step for point in steps] == list(range(1, 24, 2))
    assert steps[-1].value < steps[0].value
    assert len(client.MlflowClient().get_metric_history(logger.run_id, "val/loss")) == 3
    kept = server.get(f"/api/v1/runs/{logger.run_id}/artifacts").expect(200).json["artifacts"]
    assert any(file["path"].endswith(".ckpt") and file["size_bytes"] > 1000 for file in kept), kept
