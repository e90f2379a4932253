"""Other people's calls, and callbacks of libraries: by their documented protocol, and by the real thing where it is there."""

import math
import types

import martlet
import pytest
from recorded import lines, params, points


@pytest.fixture(autouse=True)
def here(store, monkeypatch):
    monkeypatch.setenv("MARTLET_TRACKING_URI", str(store))


def test_the_calls_of_wandb(store, tmp_path, capfd):
    import martlet.wandb as wandb

    run = wandb.init(project="digits", name="first", config={"lr": 0.1, "opt": {"name": "sgd"}}, tags=["a"], group="g")
    assert wandb.run is run and run.config.lr == 0.1 and wandb.config["lr"] == 0.1
    wandb.define_metric("val/*", step_metric="epoch", goal="maximize", summary="best")
    wandb.log({"loss": 1.0, "acc": 0.5})
    wandb.log({"loss": 0.5})
    wandb.log({"half": 1.0}, commit=False)
    wandb.log({"loss": 0.25})
    wandb.log({"late": 7.0}, step=10)
    wandb.log({"late2": 8.0}, step=10)
    wandb.log({"early": 9.0}, step=1)
    wandb.log({"picture": wandb.Image([[0, 255]], caption="x"), "table": wandb.Table(columns=["a"], data=[[1]]),
               "spread": wandb.Histogram([1, 2, 3])})
    wandb.config.update({"depth": 3})
    wandb.summary["best"] = 0.9
    run.summary.update({"worst": 0.1})
    (tmp_path / "data.txt").write_text("hello")
    artifact = wandb.Artifact("data", type="dataset", metadata={"rows": 1})
    artifact.add_file(str(tmp_path / "data.txt"))
    run.log_artifact(artifact)
    wandb.save(str(tmp_path / "*.txt"))
    wandb.alert(title="look", text="here")
    assert wandb.some_new_thing(1) is None and run.other_thing() is None
    wandb.finish()
    assert wandb.run is None
    wandb.log({"after": 1})
    told = capfd.readouterr().err
    assert "wandb.some_new_thing is not known" in told and "before wandb.init" in told
    assert points(store, "loss") == [(0, 1.0), (1, 0.5), (2, 0.25)] and points(store, "half") == [(2, 1.0)]
    assert points(store, "late") == [(10, 7.0)] and points(store, "late2") == [(10, 8.0)]
    assert points(store, "early") == [(1, 9.0)]
    assert params(store) == {"lr": 0.1, "opt.name": "sgd", "depth": 3}
    assert {line["kind"] for line in lines(store, "rich")} == {"image", "table", "histogram"}
    assert lines(store, "summary")[0]["m"] == {"best": 0.9, "worst": 0.1}
    assert {line["path"] for line in lines(store, "artifact")} >= {"data/data.txt", "data.txt"}
    assert lines(store, "define")[0] == {**lines(store, "define")[0], "goal": "max", "summary": "max"}
    assert lines(store, "run")[0]["experiment"] == "digits" and lines(store, "run")[0]["group"] == "g"


def test_wandb_reads_back(remote, monkeypatch):
    import martlet.wandb as wandb

    monkeypatch.setenv("MARTLET_TRACKING_URI", remote.server.address)
    with wandb.init(project="api", config={"lr": 1}) as run:
        for step in range(3):
            run.log({"loss": step / 2, "acc": step})
    remote.run(run.id)
    found = wandb.Api().run("me/api/" + run.id)
    assert found.config == {"lr": 1} and found.state == "finished"
    assert [(row["_step"], row["loss"], row["acc"]) for row in found.scan_history()] == [(0, 0, 0), (1, 0.5, 1), (2, 1, 2)]
    assert [each.id for each in wandb.Api().runs("me/api")] == [run.id]


def test_wandb_disabled_is_quiet(monkeypatch, store):
    import martlet.wandb as wandb

    run = wandb.init(mode="disabled")
    wandb.log({"a": 1})
    wandb.finish()
    assert not store.exists() and run.disabled


def test_the_calls_of_a_summary_writer(store):
    from martlet.tensorboard import SummaryWriter

    with SummaryWriter("runs/first", uri=store) as writer:
        for step in range(3):
            writer.add_scalar("loss", 1 / (step + 1), step)
        writer.add_scalars("both", {"a": 1.0, "b": 2.0}, 5)
        writer.add_text("words", "hello", 1)
        writer.add_histogram_raw("raw", 0, 2, 3, 3, 5, [1, 2], [1, 2], 1)
        writer.add_hparams({"lr": 0.1}, {"hparam/acc": 0.5})
        writer.add_scalar("unstepped", 3.0)
        writer.flush()
    assert points(store, "loss") == [(0, 1.0), (1, 0.5), (2, 1 / 3)]
    assert points(store, "both/a") == [(5, 1.0)] and points(store, "hparam/acc") == [(None, 0.5)]
    assert params(store) == {"lr": 0.1} and lines(store, "run")[0]["name"] == "first"
    assert lines(store, "rich")[-1]["v"]["counts"] == [1.0, 2.0]


def test_pictures_of_a_summary_writer(store):
    numpy = pytest.importorskip("numpy")
    from martlet.tensorboard import SummaryWriter

    with SummaryWriter(uri=store) as writer:
        writer.add_image("one", numpy.zeros((3, 4, 5)), 1)
        writer.add_images("many", numpy.ones((2, 3, 4, 5)), 1)
        writer.add_histogram("spread", numpy.arange(10), 1)
        writer.add_embedding(numpy.eye(3), metadata=["a", "b", "c"])
        writer.add_pr_curve("pr", numpy.array([0, 1, 1]), numpy.array([0.1, 0.6, 0.9]), 1)
    sizes = [(line["v"]["width"], line["v"]["height"]) for line in lines(store, "rich") if line["kind"] == "image"]
    assert sizes == [(5, 4)] * 3


def test_keras_calls_back(store):
    from martlet.keras import MartletCallback

    with martlet.start_run("keras"):
        callback = MartletCallback(batches=2)
        callback.params = {"epochs": 2, "steps": 4}
        callback.on_train_begin()
        for epoch in range(2):
            for batch in range(4):
                callback.on_train_batch_end(batch, {"loss": batch})
            callback.on_epoch_end(epoch, {"loss": 1 - epoch / 2, "val_loss": 2.0})
    assert points(store, "loss") == [(0, 1.0), (1, 0.5)] and len(points(store, "batch/loss")) == 4
    assert params(store)["epochs"] == 2


def test_lightning_logs(store):
    from martlet.lightning import MartletLogger

    logger = MartletLogger("lightning", uri=store)
    logger.log_hyperparams({"lr": 0.1})
    logger.log_metrics({"loss": 0.5, "epoch": 0}, step=3)
    logger.finalize("success")
    assert points(store, "loss") == [(3, 0.5)] and lines(store, "state")[0]["status"] == "finished"


def test_the_trainer_of_transformers_calls_back(store):
    from martlet.huggingface import MartletCallback

    callback = MartletCallback()
    arguments = types.SimpleNamespace(run_name="bert", learning_rate=0.1, output_dir="out")
    state = types.SimpleNamespace(is_world_process_zero=True, global_step=7)
    callback.on_train_begin(arguments, state, None, model=None)
    callback.on_log(arguments, state, None, logs={"loss": 0.5, "eval_accuracy": 0.25, "note": "x"})
    callback.on_train_end(arguments, state, None)
    assert points(store, "train/loss") == [(7, 0.5)] and points(store, "eval/accuracy") == [(7, 0.25)]
    assert params(store)["learning_rate"] == 0.1 and lines(store, "run")[0]["name"] == "bert"


def test_stable_baselines_writes(store):
    from martlet.sb3 import MartletWriter

    with martlet.start_run("sb3"):
        MartletWriter().write({"rollout/reward": 1.5, "text": "x"}, {}, step=100)
    assert points(store, "rollout/reward") == [(100, 1.5)]


def test_scikit_learn(store):
    pytest.importorskip("sklearn")
    from sklearn.datasets import load_iris
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.model_selection import GridSearchCV

    from martlet.sklearn import log_estimator

    X, y = load_iris(return_X_y=True)
    with martlet.start_run("sklearn", strict=True):
        model = GridSearchCV(RandomForestClassifier(n_estimators=5, random_state=0), {"max_depth": [1, 3]}, cv=3).fit(X, y)
        log_estimator(model, X, y)
        log_estimator(model.best_estimator_, X, y, prefix="best/")
    assert params(store)["best.max_depth"] == 3 and points(store, "accuracy")[0][1] > 0.9
    assert any(line["path"] == "model.pkl" for line in lines(store, "artifact"))


def test_xgboost(store):
    xgboost = pytest.importorskip("xgboost")
    numpy = pytest.importorskip("numpy")
    from martlet.xgboost import MartletCallback

    data = xgboost.DMatrix(numpy.random.default_rng(0).random((50, 3)), label=numpy.arange(50) % 2)
    with martlet.start_run("xgboost", strict=True):
        xgboost.train({"objective": "binary:logistic"}, data, 5, evals=[(data, "train")], verbose_eval=False,
                      callbacks=[MartletCallback()])
    assert [step for step, _ in points(store, "train/logloss")] == list(range(5))


def test_lightgbm(store):
    lightgbm = pytest.importorskip("lightgbm")
    numpy = pytest.importorskip("numpy")
    from martlet.lightgbm import callback

    data = lightgbm.Dataset(numpy.random.default_rng(0).random((80, 3)), label=numpy.arange(80) % 2)
    with martlet.start_run("lightgbm", strict=True):
        lightgbm.train({"objective": "binary", "verbose": -1, "metric": "auc"}, data, 5, valid_sets=[data],
                       callbacks=[callback()])
    assert len(points(store, "training/auc")) == 5 and params(store)["objective"] == "binary"


def test_optuna(store):
    optuna = pytest.importorskip("optuna")
    from martlet.optuna import MartletCallback

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    study = optuna.create_study(study_name="tuning", sampler=optuna.samplers.RandomSampler(seed=1))

    def objective(trial):
        x = trial.suggest_float("x", -1, 1)
        trial.report(x, 0)
        if trial.number == 1:
            raise optuna.TrialPruned
        return x * x

    study.optimize(objective, n_trials=3, callbacks=[MartletCallback(strict=True)])
    assert sorted(line["status"] for line in lines(store, "state")) == ["finished", "finished", "pruned"]
    assert {line["group"] for line in lines(store, "run")} == {"tuning"} and len(points(store, "value")) == 3


def test_matplotlib_and_pandas_are_known(store):
    matplotlib = pytest.importorskip("matplotlib")
    pandas = pytest.importorskip("pandas")
    matplotlib.use("Agg")
    from matplotlib import pyplot

    with martlet.start_run("figures", strict=True) as run:
        figure, axes = pyplot.subplots()
        axes.plot([1, 2, 3])
        run.log({"figure": figure, "frame": pandas.DataFrame({"a": [1, 2], "b": ["x", math.nan]})})
        pyplot.close(figure)
    assert {line["kind"] for line in lines(store, "rich")} == {"figure", "table"}
