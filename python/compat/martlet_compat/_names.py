"""Names that say nothing, and what could stand in their place."""

from __future__ import annotations

import re

from martlet._say import say

_GENERIC = re.compile(
    r"(?i)^(exp|experiment|run|test|trial|model|try|new|final|latest|tmp|temp|foo|bar|untitled|baseline)?[-_ ]?v?\d*$")
_SHOWN = 3


def is_generic(name):
    """`exp1`, `run_2`, `test`: names under which nobody finds anything a month later. A lone `baseline` is one too."""
    return bool(_GENERIC.match(name.strip()))


def proposed(params, others=()):
    """A name from the params that differ from the other runs', such as `xgboost-depth6-lr0.1`."""
    def differs(key):
        return any(other.get(key, params[key]) != params[key] for other in others)

    keys = [key for key in params if differs(key)] or list(params)
    parts = []
    for key in keys[:_SHOWN]:
        value = params[key]
        text = value if isinstance(value, str) else "%s%s" % (key.rsplit(".", 1)[-1].replace("_", "-"), value)
        parts.append(re.sub(r"[^\w.+-]+", "-", str(text)))
    return "-".join(parts) or None


def advise(name, params, others=()):
    """One line for a name that says nothing; the name is kept as it is."""
    if not name or not is_generic(name):
        return None
    better = proposed(params, others)
    words = "the name “%s” will not tell what was tried%s." % (name, "; “%s” would" % better if better else "")
    say(words)
    return words
