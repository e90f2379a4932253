"""scikit-learn: one call records a fitted estimator, its params and its scores."""

from __future__ import annotations

from . import _active


def log_estimator(estimator, X=None, y=None, run=None, prefix="", name="model", save=True):
    """Params of an estimator (or search, or pipeline), its scores on X and y, cross-validation of a search, and itself."""
    run = run or _active.current()
    if run is None:
        return
    run.log_params({"%sestimator" % prefix: type(estimator).__name__})
    run.log_params({prefix + key: value for key, value in estimator.get_params(deep=True).items()
                    if isinstance(value, (int, float, str, bool, type(None), tuple, list))})
    if hasattr(estimator, "best_params_"):
        run.log_params({prefix + "best." + key: value for key, value in estimator.best_params_.items()})
        run.log_metrics({prefix + "best_cv_score": estimator.best_score_})
    if hasattr(estimator, "cv_results_"):
        table = {key: value for key, value in estimator.cv_results_.items() if key != "params"}
        run.log_table(prefix + "cv_results", {key: [_plain(each) for each in value] for key, value in table.items()})
    if X is not None and y is not None:
        run.log_metrics({prefix + key: value for key, value in scores(estimator, X, y).items()})
    importance = getattr(estimator, "feature_importances_", None)
    if importance is not None:
        names = getattr(estimator, "feature_names_in_", range(len(importance)))
        run.log_fact("feature_importance", {str(key): float(value) for key, value in zip(names, importance)})
    if save:
        import os
        import pickle
        import tempfile

        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, name + ".pkl")
            with open(path, "wb") as file:
                pickle.dump(estimator, file)
            run.log_artifact(path, type="model")


def scores(estimator, X, y):
    """The usual scores of a classifier or a regressor."""
    from sklearn import metrics
    from sklearn.base import is_classifier

    predicted = estimator.predict(X)
    if is_classifier(estimator):
        return {
            "accuracy": metrics.accuracy_score(y, predicted),
            "f1": metrics.f1_score(y, predicted, average="weighted"),
            "precision": metrics.precision_score(y, predicted, average="weighted", zero_division=0),
            "recall": metrics.recall_score(y, predicted, average="weighted", zero_division=0)}
    error = metrics.mean_squared_error(y, predicted)
    return {"r2": metrics.r2_score(y, predicted), "rmse": error ** 0.5, "mae": metrics.mean_absolute_error(y, predicted)}


def _plain(value):
    return value.item() if hasattr(value, "item") else value if isinstance(value, (int, float, str)) else str(value)
