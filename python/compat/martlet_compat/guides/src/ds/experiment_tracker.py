from martlet_compat._handle import ParamChanged
from martlet_compat._store import RunNotFound
from martlet_compat._tracker import ExperimentTracker, TrackedRun

__all__ = ["ExperimentTracker", "ParamChanged", "RunNotFound", "TrackedRun"]
