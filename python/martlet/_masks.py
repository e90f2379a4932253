"""Secrets are kept out of the record: by the names of variables and options, and by the shapes of values."""

from __future__ import annotations

import re

MASK = "***"
_NAMES = re.compile(
    r"(pass(word|wd|phrase)?|secret|token|api[-_]?key|access[-_]?key|private[-_]?key|credential|auth|cookie|session|"
    r"dsn|connection[-_]?string)", re.IGNORECASE)
_SHAPES = re.compile(
    r"(sk-[A-Za-z0-9_-]{16,}|gh[pousr]_[A-Za-z0-9]{20,}|github_pat_[A-Za-z0-9_]{20,}|hf_[A-Za-z0-9]{20,}|"
    r"AKIA[0-9A-Z]{16}|xox[abprs]-[A-Za-z0-9-]{10,}|eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]*|"
    r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*)", re.DOTALL)
_IN_ADDRESS = re.compile(r"(\b[a-z][a-z0-9+.-]*://)[^/\s@]+@", re.IGNORECASE)


def is_secret(name):
    return _NAMES.search(name) is not None


def text(value):
    """A value without what looks like a secret, and addresses without their credentials."""
    return _SHAPES.sub(MASK, _IN_ADDRESS.sub(r"\1", value))


def pairs(values):
    return {name: MASK if is_secret(name) else text(value) for name, value in values.items()}


def arguments(given):
    """A command line: what follows an option with a secret's name is masked, in either of its spellings."""
    out, hides_next = [], False
    for each in given:
        name, mark, _ = each.partition("=")
        if hides_next and not each.startswith("-"):
            out.append(MASK)
        elif mark and is_secret(name):
            out.append(name + "=" + MASK)
        else:
            out.append(text(each))
        hides_next = not mark and each.startswith("-") and is_secret(each)
    return out
