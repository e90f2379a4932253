"""Experiments in the folders of increments; what stands behind it is Martlet."""

from martlet_compat._archive import archive_experiments, restore_experiments
from martlet_compat._auto import AutoTracker
from martlet_compat._comparison import compare_experiments, compare_models
from martlet_compat._experiment import Experiment, ExperimentMetadata, track_experiment
from martlet_compat._history import ExperimentSeries, search_experiments
from martlet_compat._mirror import configure_mlflow
from martlet_compat._pipeline import ExperimentPipeline
from martlet_compat._tensorboard import TensorBoardCallback
from martlet_compat._trials import track_cross_validation, track_grid_search, track_hyperparameters
from martlet_compat._wandb import configure_wandb


def track_artifacts(experiment, artifacts):
    """Keeps several objects in one call: a dict of file names and objects."""
    for name, value in artifacts.items():
        experiment.save_artifact(name, value)
    return experiment


__all__ = [
    "AutoTracker", "Experiment", "ExperimentMetadata", "ExperimentPipeline", "ExperimentSeries", "TensorBoardCallback",
    "archive_experiments", "compare_experiments", "compare_models", "configure_mlflow", "configure_wandb",
    "restore_experiments", "search_experiments", "track_artifacts", "track_cross_validation", "track_experiment",
    "track_grid_search", "track_hyperparameters",
]
