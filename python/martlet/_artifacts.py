"""Files of a run: stored once under the digest of their bytes, in the store's folder or on their way to a server."""

from __future__ import annotations

import hashlib
import os
import time

PIECE = 1 << 20


class Stored:
    """Bytes that lie in a store's `artifacts`, not yet under their own name until the writer's thread puts them there."""

    def __init__(self, digest, size, waiting, place):
        self.digest = digest
        self.size = size
        self.waiting = waiting
        self.place = place

    def settle(self):
        """On disk first, then under its name, then the name on disk: only then may a line speak of it."""
        if self.waiting is None:
            return
        with open(self.waiting, "rb+") as file:
            os.fsync(file.fileno())
        os.makedirs(os.path.dirname(self.place), exist_ok=True)
        os.replace(self.waiting, self.place)
        self.waiting = None
        _sync_folder(os.path.dirname(self.place))


def _sync_folder(folder):
    try:
        handle = os.open(folder, os.O_RDONLY)
    except OSError:
        return
    try:
        os.fsync(handle)
    except OSError:
        pass
    finally:
        os.close(handle)


def store(folder, pieces):
    """Copies bytes into a store's folder and learns their digest on the way."""
    base = os.path.join(folder, "artifacts")
    os.makedirs(os.path.join(base, "tmp"), exist_ok=True)
    waiting = os.path.join(base, "tmp", os.urandom(16).hex())
    digest, size = hashlib.sha256(), 0
    try:
        with open(waiting, "xb") as out:
            for piece in pieces:
                digest.update(piece)
                out.write(piece)
                size += len(piece)
    except BaseException:
        _remove(waiting)
        raise
    name = digest.hexdigest()
    place = os.path.join(base, name[:2], name[2:])
    if os.path.exists(place) and os.path.getsize(place) == size:
        _remove(waiting)
        try:
            os.utime(place)  # used again: not to be collected now
        except OSError:
            pass
        waiting = None
    return Stored(name, size, waiting, place)


def _remove(path):
    try:
        os.unlink(path)
    except OSError:
        pass


def _pieces(path):
    with open(path, "rb") as file:
        while True:
            piece = file.read(PIECE)
            if not piece:
                return
            yield piece


def line(run, stored, path, type=None, metadata=None, publish=None, aliases=()):
    """Puts the line of a stored file into the run's queue; its bytes are settled before it is written."""
    fields = {"path": path, "sha256": stored.digest, "size": stored.size}
    if type:
        fields["type"] = type
    if metadata:
        fields["metadata"] = metadata
    if publish:
        fields["publish"] = publish
        fields["aliases"] = [str(alias) for alias in aliases]

    def settled():
        stored.settle()
        return fields

    run._line("artifact", settled)


def log_bytes(run, data, path, type=None, metadata=None):
    stored = store(run._recorder.book.folder, [data])
    line(run, stored, path, type, metadata)
    return stored


def files_of(path):
    """A file, or those of a folder, as pairs of a path and a name."""
    path = os.fspath(path)
    if os.path.isfile(path):
        return [(path, os.path.basename(path))]
    if not os.path.isdir(path):
        raise FileNotFoundError("There is no file or folder %s." % path)
    found = []
    base = os.path.basename(os.path.abspath(path))
    for folder, folders, names in os.walk(path):
        folders.sort()
        for name in sorted(names):
            whole = os.path.join(folder, name)
            if os.path.isfile(whole):
                found.append((whole, base + "/" + os.path.relpath(whole, path).replace(os.sep, "/")))
    return found


def log(run, path, name=None, type=None, aliases=(), step=None, metadata=None):
    """Copies files in. `name` stands for the file's own name, or for the folder's."""
    if isinstance(path, str) and "://" in path and not path.startswith("file://"):
        run._line("artifact", {"path": name or path.rsplit("/", 1)[-1], "uri": path, **({"type": type} if type else {})})
        return
    metadata = dict(metadata or {})
    if step is not None:
        metadata["step"] = step
    base = os.path.basename(os.path.abspath(os.fspath(path)))
    for source, own in files_of(path):
        target = own if name is None else name + own[len(base):]
        stored = store(run._recorder.book.folder, _pieces(source))
        # One file may be a version of a named artifact, which other runs take by its alias.
        publish = (name or base) if (aliases or name) and source == os.fspath(path) else None
        line(run, stored, target, type, metadata, publish, aliases)


def checkpoint(run, path, step=None, metric=None, keep_best=3, keep_last=1):
    """Keeps a checkpoint, and takes away those that are neither among the best (the greatest `metric`) nor the last."""
    known = run.__dict__.setdefault("_checkpoints", [])
    step = run.last_step if step is None else step
    name = "checkpoints/%s" % (step if step is not None else int(time.time()))
    base = os.path.basename(os.path.abspath(os.fspath(path)))
    for source, own in files_of(path):
        stored = store(run._recorder.book.folder, _pieces(source))
        line(run, stored, "%s/%s" % (name, own), "model", {"step": step, "metric": metric, "checkpoint": base})
    known[:] = [each for each in known if each[2] != name] + [(metric, step, name)]
    best = sorted((each for each in known if each[0] is not None), key=lambda each: each[0], reverse=True)[:keep_best]
    kept = best + known[len(known) - keep_last:]
    for each in [each for each in known if each not in kept]:
        known.remove(each)
        run._line("artifact", {"path": each[2], "gone": True})
    return name


def use(run, name, type=None, seconds=10.0):
    """The bytes of a named artifact, fetched once into the user's cache, and the run's input from then on.

    Unlike the rest this waits: for the bytes, and until the store knows the run.
    """
    from ._client import Client
    from ._errors import RunNotFound

    with Client(run.uri) as client:
        path, version = client.fetch_artifact(name, run.project)
        if run._recorder is None:
            return path
        run.flush(seconds)
        end = time.monotonic() + seconds
        while True:
            try:
                client.add_input(run.id, name, version)
                return path
            except RunNotFound:
                if time.monotonic() > end:
                    raise
                time.sleep(0.1)
