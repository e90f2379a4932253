"""`src.ds.storage`: where the bytes of artifacts go, when they are to go somewhere of one's own."""

from __future__ import annotations

import os
import tempfile


class StorageBackend:
    """To be subclassed. Keywords of the constructor become attributes: `S3Storage(bucket="b").bucket` is "b"."""

    def __init__(self, **settings):
        for name, value in settings.items():
            setattr(self, name, value)

    def save_artifact(self, artifact: bytes, path: str) -> str:
        """Keeps bytes under a path, and gives an address from which `load_artifact` gets them back."""
        raise NotImplementedError("%s does not say how to save an artifact." % type(self).__name__)

    def load_artifact(self, uri: str) -> bytes:
        raise NotImplementedError("%s does not say how to load an artifact." % type(self).__name__)


class FileSystemStorage(StorageBackend):
    """A folder with a copy of each artifact under its run's id; the store has them too, for its pages."""

    def __init__(self, base_path="experiments/artifacts", **settings):
        super().__init__(**settings)
        self.base_path = os.fspath(base_path)
        os.makedirs(self.base_path, exist_ok=True)

    def _place(self, path):
        base = os.path.realpath(self.base_path)
        place = os.path.realpath(os.path.join(base, path))
        if place != base and not place.startswith(base + os.sep):
            raise ValueError("The path %s leads out of %s; give one inside." % (path, self.base_path))
        return place

    def save_artifact(self, artifact: bytes, path: str) -> str:
        place = self._place(path)
        os.makedirs(os.path.dirname(place), exist_ok=True)
        # Under its name only when it is whole.
        file, waiting = tempfile.mkstemp(dir=os.path.dirname(place), prefix=".")
        try:
            with os.fdopen(file, "wb") as out:
                out.write(artifact)
            os.chmod(waiting, 0o644)
            os.replace(waiting, place)
        except BaseException:
            os.unlink(waiting)
            raise
        return "file://" + place

    def load_artifact(self, uri: str) -> bytes:
        path = uri[7:] if uri.startswith("file://") else uri
        with open(self._place(path), "rb") as file:
            return file.read()

    def list_artifacts(self, prefix=""):
        """Paths of what is kept, below a folder."""
        start = self._place(prefix)
        return sorted(
            os.path.relpath(os.path.join(folder, name), os.path.realpath(self.base_path))
            for folder, _, names in os.walk(start) for name in names)


def keep(backend, handle, path, name, type):
    """A file of a run, or those of a folder: in the store, and where a backend was given, with it."""
    base = name or os.path.basename(os.path.abspath(path))
    if backend is None or isinstance(backend, FileSystemStorage):
        handle.log_file(path, name=base, type=type)
    if backend is None:
        return
    for source, own in _files(path, base):
        with open(source, "rb") as file:
            uri = backend.save_artifact(file.read(), "%s/%s" % (handle.id, own))
        if not isinstance(backend, FileSystemStorage):
            handle.log_reference(str(uri), own, type)


def _files(path, base):
    if os.path.isfile(path):
        yield path, base
        return
    for folder, folders, names in os.walk(path):
        folders.sort()
        for each in sorted(names):
            whole = os.path.join(folder, each)
            yield whole, base + "/" + os.path.relpath(whole, path).replace(os.sep, "/")
