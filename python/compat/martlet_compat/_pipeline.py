"""`ExperimentPipeline`: stages that build on one another, each a run of its own below the pipeline's."""

from __future__ import annotations

import atexit

from martlet import MartletError

from ._experiment import Experiment, ExperimentMetadata
from ._handle import Handle


class ExperimentPipeline:
    def __init__(self, name, increment=None, description=None):
        self.name = name
        self._experiment = Experiment(ExperimentMetadata(name=name, description=description), increment)
        self.stages = []
        self._is_ended = False

    def stage(self, name, after=None):
        """The next stage, for a `with` block. It depends on the one before, or on those named in `after`."""
        if self._is_ended:
            raise MartletError("The pipeline “%s” has ended; make another one for more stages." % self.name)
        if self._experiment.status is None:
            self._experiment.begin()
            atexit.register(self.finish)
        known = [stage.name for stage in self.stages]
        needs = ([after] if isinstance(after, str) else list(after)) if after is not None else known[-1:]
        for need in needs:
            if need not in known:
                raise MartletError(
                    "The stage “%s” is to come after “%s”, and there is no such stage. There are: %s." % (
                        name, need, ", ".join(known) or "none"))
        return Stage(self, name, needs)

    def finish(self, status=None):
        """Ends the pipeline's own run; at the end of the program this happens by itself."""
        if self._is_ended or self._experiment.status is None:
            return
        self._is_ended = True
        atexit.unregister(self.finish)
        last = {stage.name: stage.status for stage in self.stages}
        failed = [name for name, word in last.items() if word not in ("finished", "completed", "done")]
        self._experiment.finish(status or ("failed" if failed else "finished"))

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        self.finish("failed" if error is not None else None)
        return False

    @property
    def run_id(self):
        return self._experiment.run_id

    @property
    def folder(self):
        return self._experiment.folder

    def _note(self):
        folder = self._experiment._folder
        if folder is not None:
            folder.about["stages"] = [stage.record() for stage in self.stages]
            folder.write()


class Stage(Experiment):
    """An experiment without a folder of its own: what it logs stands under its name in the pipeline's."""

    def __init__(self, pipeline, name, needs):
        super().__init__(ExperimentMetadata(name=name))
        self._pipeline = pipeline
        self.depends_on = needs
        self._files = []

    def begin(self):
        import time

        whole = self._pipeline._experiment
        self._begun = time.monotonic()
        self.status = "running"
        self._handle = Handle(
            whole._handle.experiment, self.name, parent=whole.run_id, capture=(),
            tags={"pipeline": self._pipeline.name, "stage": self.name})
        runs = {stage.name: stage.run_id for stage in self._pipeline.stages}
        self._handle.log_fact("stage", {
            "pipeline": self._pipeline.name, "name": self.name, "depends_on": self.depends_on,
            "runs": [runs[name] for name in self.depends_on]})
        self._pipeline.stages.append(self)
        self._pipeline._note()
        return self

    def finish(self, status="finished", error=None):
        if self.status != "running":
            return
        self._handle.log_metrics({"duration_seconds": round(self.seconds, 6)})
        super().finish(status, error)
        self._duration = self.seconds
        self._pipeline._note()

    def log_params(self, params):
        super().log_params(params)
        self._pipeline._experiment.log_params({"%s.%s" % (self.name, key): value for key, value in params.items()})

    def log_metrics(self, metrics, step=None):
        super().log_metrics(metrics, step)
        self._pipeline._experiment.log_metrics(
            {"%s/%s" % (self.name, key): value for key, value in metrics.items()}, step)

    def record(self):
        made = {"name": self.name, "run_id": self.run_id, "status": self.status, "depends_on": self.depends_on,
                "metrics": self.metrics}
        if self.status != "running":
            made["duration_seconds"] = round(getattr(self, "_duration", 0.0), 3)
        return made
