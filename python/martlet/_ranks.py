"""Which of a launch's processes this one is, as torchrun, Slurm and MPI tell it."""

from __future__ import annotations

import os
import sys


class Launch:
    """One launch of several processes. `key` is the same in all of them and in no other launch; None for a lone one."""

    def __init__(self, rank=0, size=1, key=None, attempt=1, by="", group=None):
        self.rank = rank
        self.size = size
        self.key = key
        self.attempt = attempt
        self.by = by
        self.group = group


def _number(environment, *names):
    for name in names:
        try:
            return int(environment[name])
        except (KeyError, ValueError):
            pass
    return None


def find(environment=None):
    environment = os.environ if environment is None else environment
    group = None
    if "SLURM_ARRAY_JOB_ID" in environment:
        group = "slurm-%s" % environment["SLURM_ARRAY_JOB_ID"]
    given = environment.get("MARTLET_LAUNCH")
    for look in (_torchrun, _mpi, _slurm):
        launch = look(environment)
        if launch is not None:
            launch.group = group
            if given:
                launch.key = given
            return launch
    return _slurm_requeue(environment, group) or Launch(group=group)


def _torchrun(environment):
    rank, size = _number(environment, "RANK"), _number(environment, "WORLD_SIZE")
    if rank is None or size is None or size < 2 and "TORCHELASTIC_RUN_ID" not in environment:
        return None
    name = environment.get("TORCHELASTIC_RUN_ID", "")
    job = environment.get("SLURM_JOB_ID", "")
    key = "torch %s %s" % (job, name)
    if not name or name == "none":
        key += " %s:%s" % (environment.get("MASTER_ADDR", ""), environment.get("MASTER_PORT", ""))
        if _number(environment, "LOCAL_WORLD_SIZE") == size:
            # On one machine the launcher's process tells two launches at the same port apart.
            key += " " + _parent()
    return Launch(rank, size, key, 1 + (_number(environment, "TORCHELASTIC_RESTART_COUNT") or 0), "torchrun")


def _mpi(environment):
    rank = _number(environment, "OMPI_COMM_WORLD_RANK", "PMI_RANK", "PMIX_RANK", "MV2_COMM_WORLD_RANK")
    size = _number(environment, "OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "MV2_COMM_WORLD_SIZE")
    if rank is None or size is None or size < 2:
        return None
    name = next(
        (environment[name] for name in ("PMIX_NAMESPACE", "OMPI_MCA_ess_base_jobid", "PMI_JOBID", "HYDRA_CONTROL_FD")
         if environment.get(name)), _parent())
    return Launch(rank, size, "mpi %s %s" % (environment.get("SLURM_JOB_ID", ""), name), by="mpi")


def _slurm(environment):
    rank, size = _number(environment, "SLURM_PROCID"), _number(environment, "SLURM_STEP_NUM_TASKS", "SLURM_NTASKS")
    # Only inside a step (srun): the batch script itself is one process however many tasks the job has.
    if rank is None or size is None or size < 2 or "SLURM_STEP_ID" not in environment:
        return None
    if environment.get("SLURM_STEP_ID", "").startswith("429496"):
        return None  # the batch step
    key = "slurm %s.%s" % (environment.get("SLURM_JOB_ID", ""), environment["SLURM_STEP_ID"])
    return Launch(rank, size, key, 1 + (_number(environment, "SLURM_RESTART_COUNT") or 0), "slurm")


def _slurm_requeue(environment, group):
    """A lone process of a batch job: its key is the job's and the command's, so that a requeue goes on with its run."""
    if "SLURM_JOB_ID" not in environment or environment.get("SLURM_JOB_NAME") in ("interactive", "bash", "sh"):
        return None
    key = "slurm %s %s" % (environment["SLURM_JOB_ID"], " ".join(sys.argv))
    return Launch(0, 1, key, 1 + (_number(environment, "SLURM_RESTART_COUNT") or 0), "slurm", group)


def _parent():
    parent = os.getppid() if hasattr(os, "getppid") else 0
    try:
        with open("/proc/%d/stat" % parent) as file:
            started = file.read().rpartition(")")[2].split()[19]
    except (OSError, IndexError):
        started = ""
    return "%d@%s" % (parent, started)
