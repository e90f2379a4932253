"""What reading, `strict=True` and a wrong start raise."""


class MartletError(Exception):
    """Something that was asked of Martlet cannot be done; raised only by `strict=True`, by a wrong start, and by reading."""


class RunNotFound(MartletError, LookupError):
    """There is no such run, experiment or metric."""
