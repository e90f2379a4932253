"""What git knows of the program's code: the commit at once, from its files; the rest by asking it, which takes its time."""

from __future__ import annotations

import os

OUTPUT_BYTES_MAX = 10 << 20


def ask(folder, *arguments, limit=OUTPUT_BYTES_MAX, seconds=20):
    """What git prints, or None where it has no answer."""
    import subprocess

    quiet = {**os.environ, "GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0"}
    try:
        done = subprocess.run(
            ["git", "-C", folder, *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL, timeout=seconds, env=quiet)
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout[:limit + 1] if done.returncode == 0 else None


def word(folder, *arguments):
    out = ask(folder, *arguments)
    return out.decode("utf-8", "replace").strip() or None if out is not None else None


def version(folder):
    """A tag or the short commit, with `-dirty` when something that git follows was changed since."""
    return word(folder, "describe", "--always", "--tags", "--dirty")


def commit(folder):
    """The commit that is checked out, read from git's own files: no program is started. None where that is not enough."""
    home = _home(folder)
    if home is None:
        return None
    head = _text(os.path.join(home, "HEAD"))
    if head is None or not head.startswith("ref:"):
        return _checked(head)
    name = head[4:].strip()
    # A work tree beside the first one has a HEAD of its own and shares the branches.
    shared = _text(os.path.join(home, "commondir"))
    shared = os.path.join(home, shared) if shared else home
    for base in (home, shared):
        found = _checked(_text(os.path.join(base, *name.split("/"))))
        if found:
            return found
    for line in (_text(os.path.join(shared, "packed-refs")) or "").splitlines():
        digest, _, packed = line.partition(" ")
        if packed.strip() == name:
            return _checked(digest)
    return None


def _home(folder):
    """Git's folder of a work tree: the nearest `.git` upward, or where a file of that name leads."""
    given = os.environ.get("GIT_DIR")
    if given:
        return os.path.join(folder, given)
    while True:
        path = os.path.join(folder, ".git")
        if os.path.isdir(path):
            return path
        link = _text(path)
        if link is not None and link.startswith("gitdir:"):
            return os.path.join(folder, link[7:].strip())
        above = os.path.dirname(folder)
        if above == folder:
            return None
        folder = above


def _text(path):
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read().strip()
    except OSError:
        return None


def _checked(text):
    is_digest = text and len(text) in (40, 64) and all(letter in "0123456789abcdef" for letter in text)
    return text if is_digest else None
