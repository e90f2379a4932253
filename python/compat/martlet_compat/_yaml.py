"""YAML for people to read, written without a library: dicts, lists and scalars, in the order given."""

from __future__ import annotations

import json
import math
import re

# What any reader of YAML takes for text; everything else is put in quotes.
_PLAIN = re.compile(r"[A-Za-z_/][A-Za-z0-9_./@+ -]*[A-Za-z0-9_/+-]|[A-Za-z_]")
_WORDS = {"y", "n", "yes", "no", "on", "off", "true", "false", "null", "nan", "inf"}


def text(value):
    """A document."""
    if isinstance(value, (dict, list, tuple)) and value:
        return "\n".join(_lines(value)) + "\n"
    return _scalar(value) + "\n"


def _lines(value, indent=""):
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _member(indent + _scalar(str(key)) + ":", inner, indent + "  ")
    else:
        for inner in value:
            if isinstance(inner, dict) and inner:
                lines = list(_lines(inner, indent + "  "))
                yield indent + "- " + lines[0][len(indent) + 2:]
                yield from lines[1:]
            else:
                yield from _member(indent + "-", inner, indent + "  ")


def _member(head, inner, indent):
    if isinstance(inner, (dict, list, tuple)) and inner:
        yield head
        yield from _lines(inner, indent)
    elif isinstance(inner, str) and "\n" in inner.rstrip("\n") and _fits_a_block(inner):
        yield head + (" |-" if not inner.endswith("\n") else " |")
        for line in inner.rstrip("\n").split("\n"):
            yield indent + line if line else ""
    else:
        yield head + " " + _scalar(inner)


def _fits_a_block(value):
    lines = value.split("\n")
    return (not value.startswith((" ", "\n", "\t")) and not value.endswith("\n\n")
            and all(line.isprintable() and not line.endswith(" ") for line in lines))


def _scalar(value):
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        if math.isnan(value):
            return ".nan"
        if math.isinf(value):
            return ".inf" if value > 0 else "-.inf"
        # Old readers take 1e-05 for a text: they want a dot.
        words = repr(value)
        return words if "." in words or "e" not in words else words.replace("e", ".0e")
    if isinstance(value, dict):
        return "{}"
    if isinstance(value, (list, tuple)):
        return "[]"
    words = str(value)
    if _PLAIN.fullmatch(words) and words.lower() not in _WORDS and ": " not in words:
        return words
    return json.dumps(words, ensure_ascii=not words.isprintable())
