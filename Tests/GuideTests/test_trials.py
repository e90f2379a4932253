"""Grids, folds, comparisons and the decorator: child runs, tables, and models that come back fitted."""

import csv
import json
import pickle

import pytest
from conftest import INCREMENT, hide
from specweave import (
    AutoTracker, ExperimentMetadata, compare_experiments, compare_models, track_cross_validation, track_experiment,
    track_grid_search, track_hyperparameters)


class Threshold:
    """A model without any library: says yes to what is above its bound."""

    def __init__(self, bound=0.5, spread=0.0):
        self.bound = bound
        self.spread = spread

    def get_params(self, deep=True):
        return {"bound": self.bound, "spread": self.spread}

    def set_params(self, **params):
        for key, value in params.items():
            setattr(self, key, value)
        return self

    def fit(self, X, y):
        if self.bound > 9:
            raise ValueError("no row is that large")
        self.seen = len(X)
        return self

    def predict(self, X):
        return [int(row[0] > self.bound) for row in X]

    def score(self, X, y):
        return sum(a == b for a, b in zip(self.predict(X), y)) / len(y)


ROWS = [[index / 40] for index in range(40)]
TRUTH = [int(row[0] > 0.5) for row in ROWS]


def test_every_combination_is_a_child_run_and_importance_is_computed(increment, store):
    grid = {"bound": [0.2, 0.5, 0.8], "spread": [0.0, 1.0, 2.0]}
    results = track_hyperparameters(model=Threshold, param_grid=grid, X_train=ROWS, y_train=TRUTH, increment="0042")
    assert len(results) == 9 and results.best_params == {"bound": 0.5, "spread": 0.0} and results.best_score == 1.0
    children = store.children(results.run_id)
    assert sorted((child["params"]["bound"], child["params"]["spread"]) for child in children) == sorted(
        (bound, spread) for bound in grid["bound"] for spread in grid["spread"])
    assert {child["metrics"]["score"] for child in children if child["params"]["bound"] == 0.5} == {1.0}
    # The score depends on one of the two alone.
    assert results.importance == {"bound": pytest.approx(1.0), "spread": pytest.approx(0.0)}
    folder = increment / "hyperparameters-threshold"
    rows = list(csv.reader((folder / "parameter_importance.csv").open()))
    assert rows[0] == ["param", "importance"] and [row[0] for row in rows[1:]] == ["bound", "spread"]
    assert len(list(csv.reader((folder / "results.csv").open()))) == 10
    assert store.facts(results.run_id, "tuning")["best_params"] == {"bound": 0.5, "spread": 0.0}


def test_the_model_itself_is_not_touched_and_given_rows_are_the_judge(increment):
    model = Threshold(bound=0.1)
    results = track_hyperparameters(
        model, {"bound": [0.5, 0.9]}, ROWS, TRUTH, increment="0042", X_val=[[0.95], [0.2]], y_val=[1, 0])
    assert model.bound == 0.1 and not hasattr(model, "seen")
    assert [row["score"] for row in results] == [1.0, 1.0] and results[0]["fold_scores"] == [1.0]


def test_a_combination_that_fails_is_recorded_and_the_others_go_on(increment, store):
    results = track_hyperparameters(Threshold, {"bound": [0.5, 10.0]}, ROWS, TRUTH, increment="0042")
    assert [row["status"] for row in results] == ["finished", "failed"] and results.best_params == {"bound": 0.5}
    failed = next(child for child in store.children(results.run_id) if child["state"] == "failed")
    assert "no row is that large" in store.run(failed["run_id"])["properties"]["error"]
    with pytest.raises(Exception, match="Each of the 1 combinations failed.*no row is that large"):
        track_hyperparameters(Threshold, {"bound": [10.0]}, ROWS, TRUTH, increment="0042")
    with pytest.raises(Exception, match="“bound” is 3; give a list"):
        track_hyperparameters(Threshold, {"bound": 3}, ROWS, TRUTH, increment="0042")
    with pytest.raises(Exception, match="no combination"):
        track_hyperparameters(Threshold, {"bound": []}, ROWS, TRUTH, increment="0042")


def test_a_grid_search_gives_the_best_model_fitted(increment, store):
    best, results = track_grid_search(
        Threshold(), {"bound": [0.2, 0.5, 0.8], "spread": [0.0, 1.0, 2.0]}, ROWS, TRUTH, increment="0042")
    assert best.bound == 0.5 and best.seen == len(ROWS)
    assert len(store.children(results.run_id)) == 9
    folder = increment / "grid-search-threshold"
    assert pickle.loads((folder / "model.pkl").read_bytes()).bound == 0.5
    assert (folder / "parameter_importance.png").exists() or (folder / "parameter_importance.svg").exists()


def test_folds_are_child_runs_with_their_sizes_and_classes(increment, store):
    found = track_cross_validation(model=Threshold(bound=0.6), X=ROWS, y=TRUTH, cv=5, increment="0042")
    assert len(found.scores) == 5 and found.mean == pytest.approx(sum(found["scores"]) / 5)
    assert found.std == pytest.approx((sum((each - found.mean) ** 2 for each in found.scores) / 5) ** 0.5)
    children = store.children(found.run_id)
    assert sorted(child["run_name"] for child in children) == ["cv-threshold/fold-%d" % fold for fold in range(1, 6)]
    assert sum(child["params"]["n_test"] for child in children) == 40
    assert all(child["metrics"]["n_class_0"] in (4, 5) and child["metrics"]["n_class_1"] in (3, 4) for child in children)
    metrics = json.loads((increment / "cv-threshold" / "metrics.json").read_text())
    assert metrics["cv_mean"] == pytest.approx(found.mean) and metrics["cv_std"] == pytest.approx(found.std)
    assert metrics["cv_min"] == min(found.scores) and metrics["cv_max"] == max(found.scores)
    assert len(list(csv.reader((increment / "cv-threshold" / "folds.csv").open()))) == 6
    with pytest.raises(Exception, match="cv is 1; it needs at least 2 folds"):
        track_cross_validation(Threshold(), ROWS, TRUTH, cv=1, increment="0042")


def test_all_of_it_works_without_any_library(increment, monkeypatch):
    hide(monkeypatch, "sklearn", "numpy", "pandas", "matplotlib", "scipy")
    best, results = track_grid_search(Threshold(), {"bound": [0.2, 0.5]}, ROWS, TRUTH, increment="0042")
    assert best.bound == 0.5 and results.best_score == 1.0
    assert "<svg" in (increment / "grid-search-threshold" / "parameter_importance.svg").read_text()
    found = track_cross_validation(Threshold(), ROWS, TRUTH, cv=4, increment="0042")
    assert found.mean == 1.0 and {row["n_test"] for row in found.folds} == {10}
    assert all(set(row["classes"]) == {"0", "1"} for row in found.folds)  # each fold has its share of each class
    made = compare_models({"good": Threshold(0.5), "bad": Threshold(0.9)}, ROWS, TRUTH, ROWS, TRUTH, increment="0042")
    assert made.best == "good"
    with pytest.raises(Exception, match="scoring='f1' is a name of scikit-learn's"):
        track_grid_search(Threshold(), {"bound": [0.2]}, ROWS, TRUTH, increment="0042", scoring="f1")


def test_models_are_fitted_scored_and_kept(increment, store):
    made = compare_models(
        {"good": Threshold(0.5), "bad": Threshold(0.7)}, ROWS, TRUTH, ROWS, TRUTH, increment="0042")
    assert made.best == "good" and made["good"]["metrics"]["accuracy"] == 1.0
    bad = made["bad"]["metrics"]
    # Of 19 that are above a half, 11 are above 0.7; nothing else is named.
    assert bad["precision"] == 1.0 and bad["recall"] == pytest.approx(11 / 19) and bad["accuracy"] == pytest.approx(32 / 40)
    assert bad["f1"] == pytest.approx(2 * (11 / 19) / (1 + 11 / 19))
    text = (increment / "comparison.md").read_text()
    assert "| good       | 1.00     | 1.00      | 1.00   | 1.00 |" in text and "**Best Model**: good" in text
    assert str(made) == text
    assert pickle.loads((increment / "good" / "model.pkl").read_bytes()).bound == 0.5


def test_scores_are_those_of_scikit_learn(increment):
    metrics = pytest.importorskip("sklearn.metrics")
    from martlet_compat._fitting import scores

    for truth, guess, average in (
        ([0, 1, 1, 0, 1], [0, 1, 0, 1, 1], "binary"), ([0, 1, 2, 2, 1, 0], [0, 2, 2, 2, 1, 1], "weighted"),
    ):
        precision, recall, f1, _ = metrics.precision_recall_fscore_support(truth, guess, average=average)
        assert scores(truth, guess) == pytest.approx({
            "accuracy": metrics.accuracy_score(truth, guess), "precision": precision, "recall": recall, "f1": f1})
    truth, guess = [0.1, 2.5, 3.7], [0.2, 2.0, 4.0]
    assert scores(truth, guess)["r2"] == pytest.approx(metrics.r2_score(truth, guess))


def test_real_libraries_go_through_the_same_calls(increment, store):
    datasets = pytest.importorskip("sklearn.datasets")
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.model_selection import train_test_split

    xgboost, lightgbm = pytest.importorskip("xgboost"), pytest.importorskip("lightgbm")
    X, y = datasets.load_iris(return_X_y=True, as_frame=True)
    parts = train_test_split(X, y, random_state=0)
    X_train, X_test, y_train, y_test = parts
    made = compare_models(
        {"xgboost": xgboost.XGBClassifier(n_estimators=5), "lightgbm": lightgbm.LGBMClassifier(n_estimators=5, verbose=-1),
         "random-forest": RandomForestClassifier(n_estimators=5)}, X_train, y_train, X_test, y_test, increment="0042")
    assert all(0.5 < made[name]["metrics"]["accuracy"] <= 1 for name in ("xgboost", "lightgbm", "random-forest"))
    best, results = track_grid_search(
        xgboost.XGBClassifier(), {"n_estimators": [2, 4], "max_depth": [1, 2]}, X_train, y_train, increment="0042")
    assert len(results) == 4 and best.score(X_test, y_test) > 0.5
    assert list(results.to_pandas().columns[:2]) == ["n_estimators", "max_depth"]
    found = track_cross_validation(model=RandomForestClassifier(n_estimators=5), X=X, y=y, cv=3, increment="0042")
    assert found.mean > 0.7 and found.folds[0]["classes"] == {"0": 17, "1": 17, "2": 16}


def test_the_decorator_finds_params_score_and_model_and_gives_the_result_through(increment, store):
    tracker = AutoTracker(increment="0042")

    @tracker.track(name="auto")
    def train(bound=0.5, *, rate=0.1):
        """Fits a threshold."""
        model = Threshold(bound)
        model.fit(ROWS, TRUTH)
        return model, model.score(ROWS, TRUTH)

    model, score = train(0.6)
    assert isinstance(model, Threshold) and score == 0.9 and train.__name__ == "train"
    record = store.run(tracker.last.run_id)
    assert record["params"] == {"bound": 0.6, "rate": 0.1, "spread": 0.0, "model": "Threshold"}
    assert record["metrics"] == {"score": 0.9} and record["artifacts"][0]["path"] == "model.pkl"
    assert pickle.loads((increment / "auto" / "model.pkl").read_bytes()).bound == 0.6

    @tracker.track
    def with_names():
        return {"loss": 0.1, "text": "no number"}

    assert with_names() == {"loss": 0.1, "text": "no number"}
    assert json.loads((increment / "with-names" / "metrics.json").read_text()) == {"loss": 0.1}


def test_the_decorator_records_where_it_ran_and_an_exception(increment, store, monkeypatch):
    import time

    monkeypatch.setenv("MARTLET_CAPTURE", "environment")
    tracker = AutoTracker(increment="0042")

    @tracker.track(name="breaks")
    def train():
        time.sleep(0.3)
        raise OSError("no data")

    with pytest.raises(OSError):
        train()
    record = store.run(tracker.last.run_id)
    assert record["state"] == "failed" and "OSError: no data" in record["properties"]["error"]
    assert "requirements.txt" in [each["path"] for each in record["artifacts"]]
    assert store.facts(tracker.last.run_id, "infrastructure")["python"]


def written(increment, name, seconds, tags=(), status=None, **metrics):
    with track_experiment(ExperimentMetadata(name=name, tags=list(tags)), increment=INCREMENT) as exp:
        exp.log_metrics({**metrics, "training_time": seconds})
    if status:
        exp.set_status(status)


def test_a_comparison_names_the_best_and_its_reasons(increment):
    written(increment, "slow", 320, accuracy=0.85, precision=0.83, recall=0.81, f1=0.82)
    written(increment, "lucky", 1, accuracy=0.99, status="failed")
    written(increment, "good", 45, accuracy=0.87, precision=0.85, recall=0.83, f1=0.84)
    made = compare_experiments(increment="0042")
    assert made.best == "good"  # what failed is no candidate
    assert made.reasons() == ["Highest accuracy (0.87)", "Good precision/recall balance", "Reasonable training time (45s)",
                              "Selected for deployment"]
    text = (increment / "comparison.md").read_text()
    assert text == made.to_markdown() == str(made)
    assert "| good       | 0.87     | 0.85      | 0.83   | 0.84 | 45s           |" in text.splitlines()
    assert "| lucky      | 0.99     | –         | –      | –    | 1s            |" in text.splitlines()
    assert list(made.to_pandas().index) == ["slow", "lucky", "good"]
    written(increment, "chosen", 60, tags=["selected"], accuracy=0.86, precision=0.9, recall=0.5)
    made = compare_experiments(increment="0042")
    assert made.selected == "chosen" and "Selected for deployment" not in made.reasons()


def test_a_comparison_of_nothing_is_a_sentence(increment, place):
    with pytest.raises(Exception, match="has no experiments"):
        compare_experiments(increment="0042")
    import shutil

    shutil.rmtree(place / ".specweave")
    with pytest.raises(Exception, match="no increment to compare"):
        compare_experiments()


def test_baselines_are_marked_and_reported(increment, store):
    dummy = pytest.importorskip("sklearn.dummy")
    for strategy in ("prior", "stratified"):
        with track_experiment("baseline-" + strategy) as exp:
            model = dummy.DummyClassifier(strategy="most_frequent").fit(ROWS, TRUTH)
            exp.log_metric("accuracy", 0.5 if strategy == "prior" else model.score(ROWS, TRUTH) / 1.05)
            exp.log_note("Baseline: " + strategy)
    with track_experiment("model") as exp:
        exp.log_metric("accuracy", 0.75)
    with track_experiment("baseline-last") as last:
        last.log_metric("accuracy", 0.25)
    text = (increment / "baselines.md").read_text()
    assert "| model               |          | 0.75     | +0.25 (+50%)     |" in text
    assert "| baseline-prior      | yes      | 0.50     | best baseline    |" in text
    assert "baseline" in store.run(last.run_id)["tags"] and "baseline" not in store.run(exp.run_id)["tags"]
