"""The lines that begin a run, or go on with it."""

from __future__ import annotations

import os
import sys
import threading
import time

from . import _git, _names
from ._errors import MartletError

try:
    import pwd
except ImportError:
    pwd = None  # not on every system

# How long a run's first line waits for git's word on changes; the commit itself is known at once.
SECONDS_FOR_GIT = 0.3


class Beginning:
    """A run's first line. The writer's thread completes it, so that what it must look for costs the program nothing."""

    def __init__(self, plan, fields, folder=None):
        self.plan = plan
        self.fields = fields
        self.folder = folder  # whose commit is told; None where git is not to be asked
        self.names = None  # the params that may make up a name; None where the run has one
        self.is_new = True
        self.version = None
        self._is_asked = threading.Event()

    def ask_git(self):
        """For a thread that may take its time."""
        try:
            self.version = _git.version(self.folder)
        finally:
            self._is_asked.set()

    def complete(self):
        plan, fields = self.plan, self.fields
        if self.folder is not None:
            commit = _git.commit(self.folder)
            if commit:
                fields["git_commit"] = commit
                if plan.is_owner and self._is_asked.wait(SECONDS_FOR_GIT) and self.version:
                    fields["code_version"] = self.version
        if self.names and not plan.is_remote:
            name = _names.in_folder(plan, self.names)
            if name:
                plan.name = fields["name"] = name
        plan.beginning = dict(fields)
        return fields

    def name_on_server(self, connection):
        if self.names:
            _names.on_server(self.plan, self.names, connection)


def _user():
    """Who runs this. As the standard library's `getpass` has it, which loads a terminal's modules for it."""
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        if os.environ.get(name):
            return os.environ[name]
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except (AttributeError, KeyError, OSError):
        return None


def lines(plan, is_given, resume, launch, tags, folder):
    """The first line's maker, and all first lines as pairs of an op and fields."""
    fields = {"experiment": plan.experiment, "start": int(time.time() * 1000)}
    for key in ("project", "name", "parent", "group", "job_type"):
        if getattr(plan, key):
            fields[key] = getattr(plan, key)
    if tags:
        fields["tags"] = tags if isinstance(tags, dict) else [str(tag) for tag in tags]
    user = _user()
    if user:
        fields["user"] = user
    fields["source"] = os.path.basename(sys.argv[0]) if sys.argv and sys.argv[0] else "python"
    plan.beginning = dict(fields)
    beginning = Beginning(plan, fields, folder)
    begin = [("run", beginning.complete)]
    if not is_given:
        return beginning, begin
    from . import _resume

    if launch.key is not None and launch.attempt > 1:
        # The launcher counts: whoever of the ranks comes first begins the attempt.
        found = _resume.look(plan)
        plan.first_step = found.next_step if found else 0
        begin.append(("attempt", {"n": launch.attempt, "reason": "restart by " + launch.by}))
    elif launch.key is None or launch.size == 1:
        found = _resume.look(plan)
        if found is None and resume == "must":
            raise MartletError("There is no run %s in %s to go on with." % (plan.run, plan.uri))
        if found is not None and resume == "never":
            raise MartletError("There is a run %s in %s already." % (plan.run, plan.uri))
        if found is not None:
            plan.first_step = found.next_step
            plan.attempt = found.attempt + 1
            plan.name = plan.name or found.name
            beginning.is_new = False
        fields["resume"] = True
    return beginning, begin
