"""`src.database.connection`: which store is meant."""

from __future__ import annotations

import os

from martlet import MartletError

from . import _store


class Connection:
    """Where runs are kept: a folder or a server. Nothing is opened before something is asked."""

    def __init__(self, store):
        self.store = store

    @property
    def uri(self):
        return self.store.place

    def close(self):
        """Ends the server that this process may have started to read a folder."""
        if not self.store.is_remote:
            self.store.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def __repr__(self):
        return "<connection to %s>" % self.uri


def get_db_connection(url=None):
    """A connection to the store that is given, or named by MARTLET_TRACKING_URI or DATABASE_URL, or is nearest here.

    A DATABASE_URL of SQLite names a file: the store is the folder beside it. Any other database is a server's to open.
    """
    url = url or os.environ.get("MARTLET_TRACKING_URI") or os.environ.get("DATABASE_URL")
    if not url:
        return Connection(_store.at())
    scheme = url.partition("://")[0].partition("+")[0] if "://" in url else ""
    if scheme == "sqlite":
        # sqlite:///runs.db is here, sqlite:////srv/runs.db is not.
        path = url.partition("://")[2][1:]
        is_ours = os.path.basename(path) == "martlet.db"
        folder = os.path.dirname(path) if is_ours else os.path.splitext(path)[0] + ".martlet"
        return Connection(_store.at(folder or "."))
    if scheme in ("", "file", "http", "https"):
        return Connection(_store.at(url))
    raise MartletError(
        "DATABASE_URL is a %s address, which only a server opens. Start `martlet serve` with it, and set "
        "MARTLET_TRACKING_URI to that server's address." % scheme)
