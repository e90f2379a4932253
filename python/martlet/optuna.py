"""Optuna: `study.optimize(objective, callbacks=[martlet.optuna.MartletCallback("tuning")])`."""

from __future__ import annotations

from ._start import start_run


class MartletCallback:
    """A run for each trial, in one group: params, value or values, what was reported on the way, and how it ended."""

    def __init__(self, experiment=None, group=None, metric="value", **more):
        self.experiment, self.group, self.metric, self.more = experiment, group, metric, more

    def __call__(self, study, trial):
        run = start_run(
            self.experiment or study.study_name, name="trial-%d" % trial.number, params=trial.params,
            group=self.group or study.study_name, job_type="trial", capture="none", **self.more)
        for step, value in sorted(trial.intermediate_values.items()):
            run.log({"intermediate": value}, step=step)
        values = trial.values or []
        names = [self.metric] if len(values) == 1 else ["%s_%d" % (self.metric, index) for index in range(len(values))]
        run.log_metrics(dict(zip(names, values)))
        if trial.user_attrs:
            run.set_tags({key: str(value) for key, value in trial.user_attrs.items()})
        state = trial.state.name
        run.finish({"COMPLETE": "finished", "PRUNED": "pruned", "FAIL": "failed"}.get(state, state.lower()))
