"""Where runs are kept: one rule for this package, the command line and the server."""

from __future__ import annotations

import os


def is_address(text):
    return text.startswith(("http://", "https://"))


def find(uri=None):
    """A server's address without its last slash, or the absolute path of a store's folder."""
    text = uri or os.environ.get("MARTLET_TRACKING_URI") or _configured()
    if not text:
        return _standard()
    text = os.fspath(text)
    if is_address(text):
        return text.rstrip("/")
    if "://" in text and not text.startswith("file://"):
        raise ValueError(
            "“%s” is neither a folder nor an http or https address. Give one such as ./runs or http://localhost:8003."
            % text)
    path = os.path.abspath(os.path.expanduser(text[7:] if text.startswith("file://") else text))
    is_store = os.path.exists(os.path.join(path, "martlet.db")) or os.path.exists(os.path.join(path, "logbooks"))
    inner = os.path.join(path, ".martlet")
    return inner if not is_store and os.path.isdir(inner) else path


def _settings(name):
    """Pairs of `key = value` in one of the user's files, as the command line writes them."""
    base = os.environ.get("XDG_CONFIG_HOME", "")
    folder = base if os.path.isabs(base) else os.path.join(os.path.expanduser("~"), ".config")
    pairs = {}
    try:
        with open(os.path.join(folder, "martlet", name), encoding="utf-8") as file:
            for line in file:
                line = line.strip()
                end = line.find('"', 1) if line.startswith('"') else 0
                mark = line.find("=", max(end, 0))
                if mark > 0 and not line.startswith("#"):
                    pairs[line[:mark].strip().strip('"')] = line[mark + 1:].strip().strip('"')
    except (OSError, UnicodeDecodeError):
        pass
    return pairs


def _configured():
    return _settings("config.toml").get("uri")


def _standard():
    start = next(
        (folder for folder in (os.environ.get("HYDRA_ORIGINAL_CWD"), os.environ.get("SLURM_SUBMIT_DIR"))
         if folder and os.path.isdir(folder)), None) or os.getcwd()
    home = os.path.expanduser("~")
    folder = start
    while True:
        store = os.path.join(folder, ".martlet")
        if os.path.isdir(store) or os.path.exists(os.path.join(folder, ".git")):
            return store
        above = os.path.dirname(folder)
        if folder == home or above == folder:
            return os.path.join(start, ".martlet")
        folder = above


def spool_of(address):
    """The folder in which lines for a server wait until it has them; it is laid out as a store is."""
    given = os.environ.get("MARTLET_SPOOL")
    base = given or os.path.join(
        os.environ.get("XDG_STATE_HOME") or os.path.join(os.path.expanduser("~"), ".local", "state"), "martlet", "spool")
    name = "".join(letter if letter.isalnum() or letter in ".-" else "_" for letter in address.split("://", 1)[-1])
    return os.path.join(base, name)


def token_for(address):
    """MARTLET_TOKEN, else what `martlet login` kept for this server."""
    token = os.environ.get("MARTLET_TOKEN")
    if token:
        return token
    scheme, mark, rest = address.rstrip("/").partition("://")
    host, slash, path = rest.partition("/")
    return _settings("credentials").get(scheme.lower() + mark + host.lower() + slash + path)
