"""Starting a run: where it goes, what it is called, which process of a launch this is, what is watched beside it."""

from __future__ import annotations

import os
import time

from . import _active, _beginning, _capture, _ending, _names, _notebook, _ranks, _where
from ._book import Book
from ._recorder import Recorder
from ._errors import MartletError
from ._run import Run
from ._say import complain, say

_started = 0


class Plan:
    """All that says what a run is and who writes it here. Goes along to processes that are spawned."""

    def __init__(self, **fields):
        self.uri = self.run = self.experiment = ""
        self.name = self.project = self.group = self.job_type = self.parent = None
        self.is_remote = self.strict = self.drops_points = self.quiet = self.is_addition = False
        self.is_owner = True
        self.rank = 0
        self.attempt = 1
        self.first_step = 0
        self.beginning = {}
        self.capture = ()
        self.__dict__.update(fields)

    def for_child(self):
        return {**self.__dict__, "is_owner": False, "capture": ()}


def start_run(
    experiment=None, name=None, params=None, tags=None, project=None, parent=None, group=None, job_type=None,
    id=None, resume="allow", uri=None, strict=False, ranks="zero", capture=None, notes=None, config=None, quiet=False,
):
    """Starts a run and gives it; a context manager.

    `experiment`, `project`, `name` say where it stands; `params` is any config object; `id` with `resume` ("allow",
    "must", "never") goes on with a run that was there. `uri` is a folder or a server's address (else
    MARTLET_TRACKING_URI, else the nearest `.martlet`). `capture` names what is recorded beside the values
    ("console", "system", "git", "environment", "code"; all of them unless MARTLET_CAPTURE says otherwise). `quiet` tells
    of troubles alone, as MARTLET_QUIET does for all runs.

    A run without a name is called by the params in which it differs from the experiment's other runs (`lr=0.1 depth=6`).
    """
    try:
        return _start(
            experiment, name, params if params is not None else config, tags, project, parent, group, job_type, id,
            resume, uri, strict, ranks, capture, notes, quiet)
    except Exception as error:
        if strict or isinstance(error, MartletError):
            raise
        complain("the run is not recorded: %s: %s" % (type(error).__name__, error), "start")
        return Run(Plan(experiment=experiment or "", run="0" * 32, is_owner=False), None)


def _start(
    experiment, name, params, tags, project, parent, group, job_type, id, resume, uri, strict, ranks, capture, notes,
    quiet,
):
    global _started
    if resume not in ("allow", "must", "never"):
        raise MartletError("resume is “%s”; it may be allow, must or never." % resume)
    if ranks not in ("zero", "all", "separate"):
        raise MartletError("ranks is “%s”; it may be zero, all or separate." % ranks)
    if os.environ.get("MARTLET_MODE", "").lower() in ("disabled", "off"):
        return Run(Plan(experiment=experiment or "", run="0" * 32, is_owner=False, strict=strict), None)
    _notebook.end_run_of_cell()
    launch = _ranks.find()
    place = _where.find(uri)
    if isinstance(parent, Run):
        parent = parent.id
    project = _names.taken_by_a_store(project or os.environ.get("MARTLET_PROJECT"), "project")
    experiment = _names.taken_by_a_store(experiment or os.environ.get("MARTLET_EXPERIMENT"), "experiment") or "Default"
    name = _names.taken_by_a_store(name or os.environ.get("MARTLET_RUN_NAME"), "run")
    is_joint = launch.size > 1 and ranks != "separate"
    if id is None:
        id = os.environ.get("MARTLET_RUN_ID") or _joint_id(launch, experiment, ranks)
    run = run_id(id) if id else os.urandom(16).hex()
    plan = Plan(
        uri=place, is_remote=_where.is_address(place), run=run, experiment=experiment, project=project,
        name=name, group=group or launch.group, job_type=job_type, parent=parent,
        strict=strict, quiet=quiet, is_owner=not is_joint or launch.rank == 0, rank=launch.rank if is_joint else 0,
        drops_points=is_joint and ranks == "zero" and launch.rank > 0, attempt=launch.attempt)
    _started += 1
    parts = _capture.wanted(capture)
    recorder = _recorder(plan)
    folder = os.getcwd() if "git" in parts else None
    beginning, begin = _beginning.lines(plan, id is not None, resume, launch, tags, folder)
    made = Run(plan, recorder)
    now = time.time()
    for op, fields in begin:
        recorder.put(op, fields, now)
    made._limit = recorder.limit // 2
    try:
        if params is not None:
            made.log_params(params)
            if plan.name is None and beginning.is_new:
                beginning.names = made.params
    finally:
        if plan.is_owner and recorder.sender is not None:
            recorder.sender.once_reached = beginning.name_on_server
        recorder.start()
    _active.add(made)
    _ending.install()
    if notes:
        made.note(notes)
    _capture.begin(made, parts, launch, beginning)
    if plan.is_owner and not quiet:
        say("run %s of %s in %s" % (plan.name or run[:8], experiment, made.url or place))
    return made


def run_id(id):
    """An id as a store takes it: 32 hex digits; of another word, always the same ones."""
    text = str(id).lower()
    if len(text) == 32 and all(letter in "0123456789abcdef" for letter in text):
        return text
    import hashlib

    return hashlib.sha256(("martlet run " + str(id)).encode()).hexdigest()[:32]


def _joint_id(launch, experiment, ranks):
    if launch.key is None:
        return None
    which = " rank %d" % launch.rank if ranks == "separate" and launch.size > 1 else ""
    return "%s %s %d%s" % (launch.key, experiment, _started, which)


def writer_name(run):
    # Begins with the run, so that a run's files are found by their names.
    return "%s-%s" % (run, os.urandom(6).hex())


def _recorder(plan):
    """A writer of this process. For a server its file is a spool, from which a second thread sends."""
    if not plan.is_remote:
        return Recorder(Book(plan.uri, writer_name(plan.run)), plan.run, rank=plan.rank)
    from ._sender import Sender

    book = Book(_where.spool_of(plan.uri), writer_name(plan.run), spool=True)
    return Recorder(
        book, plan.run, rank=plan.rank, sender=Sender(plan.uri, _where.token_for(plan.uri), book))


def attach(fields):
    """A run in a process that was spawned: one more writer of it."""
    known = next((run for run in _active.everything() if run.id == fields["run"]), None)
    if known is not None:
        return known
    plan = Plan(**fields)
    recorder = _recorder(plan)
    run = Run(plan, recorder)
    recorder.put("run", plan.beginning)
    _active.add(run)
    _ending.install()
    return run


def continue_in_child(run):
    """After a fork: a writer of its own, whose thread starts when something is logged."""
    import threading

    old = run._recorder
    run._pid = os.getpid()
    run._lock = threading.RLock()
    run._exiting = []
    if old is None or run._ended:
        return
    old.book.abandon()
    if old.sender is not None:
        old.sender.abandon()
    run._is_owner = False
    run._recorder = _recorder(run._plan)
    # Whoever reads this writer's lines first must know the run.
    run._recorder.put("run", run._plan.beginning)
    run._write_to(run._recorder.queue)
    run._limit = -1
    for call in run._after_fork:
        call()
