"""W&B's filters and orders, which are MongoDB's, in the words of Martlet's search language."""

from __future__ import annotations

import math
from datetime import date, datetime

from ._errors import MartletError

_COMPARISONS = {"$eq": "=", "$ne": "!=", "$gt": ">", "$gte": ">=", "$lt": "<", "$lte": "<="}
_TIMES = {"created_at": "started", "createdAt": "started", "heartbeat_at": "updated", "heartbeatAt": "updated",
          "updated_at": "updated", "updatedAt": "updated", "finished_at": "ended"}
_TEXTS = {"display_name": "name", "displayName": "name", "username": "user", "user.username": "user", "user": "user",
          "description": "notes", "notes": "notes"}
_PARTS = ("min", "max", "mean", "first", "last", "count")
# What W&B calls a run whose writer is gone.
_STATES = {"crashed": "lost", "pending": "queued", "preempted": "lost"}


def search_of(filters):
    """A filter as the search language has it; an empty text for none."""
    return _all(_dict(filters, "filters")) if filters else ""


def order_of(order):
    """`-created_at`, `+summary_metrics.loss`, `config.lr.value`, several with commas: terms for `order_by`."""
    terms = []
    for term in (order.split(",") if isinstance(order, str) else list(order or ())):
        term = term.strip()
        down = term.startswith("-")
        name = term.lstrip("+-")
        field, kind = _field(name)
        if kind == "tags":
            raise MartletError("Runs cannot be ordered by %s." % name)
        terms.append(field + (" DESC" if down else " ASC"))
    return terms


def _all(filters, joint=" AND "):
    parts = [_clause(key, value) for key, value in filters.items()]
    if not parts:
        raise MartletError("An empty {} stands inside the filters. Take it out, or say what it should hold.")
    return parts[0] if len(parts) == 1 else joint.join("(%s)" % part for part in parts)


def _clause(key, value):
    if key in ("$and", "$or", "$nor"):
        if not isinstance(value, (list, tuple)) or not value:
            raise MartletError("%s takes a list of filters, not %r." % (key, value))
        inner = [_all(_dict(each, key)) for each in value]
        joined = (" AND " if key == "$and" else " OR ").join("(%s)" % each for each in inner)
        return "NOT (%s)" % joined if key == "$nor" else joined
    if key.startswith("$"):
        raise MartletError("%s stands where a field or $and, $or, $nor should." % key)
    field, kind = _field(key)
    if not isinstance(value, dict):
        return _equals(field, kind, value, key)
    if not value:
        raise MartletError("The filter for %s is an empty {}." % key)
    parts = [_operation(field, kind, name, each, key, value) for name, each in value.items() if name != "$options"]
    return parts[0] if len(parts) == 1 else " AND ".join("(%s)" % part for part in parts)


def _operation(field, kind, name, value, key, siblings):
    if name == "$not":
        return "NOT (%s)" % _clause(key, _dict(value, "$not"))
    if name == "$eq":
        return _equals(field, kind, value, key)
    if name == "$ne":
        # There a run without the field differs too.
        return "NOT (%s)" % _equals(field, kind, value, key)
    if name in ("$in", "$nin"):
        if not isinstance(value, (list, tuple, set)) or not value:
            raise MartletError("%s of %s takes a list of values, not %r." % (name, key, value))
        found = " OR ".join("(%s)" % _equals(field, kind, each, key) for each in value)
        return found if name == "$in" else "NOT (%s)" % found
    if name == "$exists":
        if kind == "tags":
            raise MartletError("tags takes values, $in, $nin and $all; $exists says nothing about them.")
        return "%s IS %sNULL" % (field, "NOT " if value else "")
    if name == "$all" and kind == "tags":
        return " AND ".join(_equals(field, kind, each, key) for each in value)
    if name == "$regex":
        if kind not in ("text", "value"):
            raise MartletError("$regex looks into texts (config.…, display_name), which %s is not." % key)
        options = siblings.get("$options", "")
        pattern = getattr(value, "pattern", value)
        if not isinstance(pattern, str) or set(options) - set("imsx"):
            raise MartletError("$regex of %s takes a pattern, and $options of i, m, s and x." % key)
        return "%s MATCHES %s" % (field, _quoted("(?%s)%s" % (options, pattern) if options else pattern))
    if name in _COMPARISONS and kind != "tags":
        return "%s %s %s" % (field, _COMPARISONS[name], _literal(value, kind, key))
    raise MartletError(
        "%s of %s has no counterpart here. There are $eq, $ne, $gt, $gte, $lt, $lte, $in, $nin, $exists, $regex and $not%s."
        % (name, key, "; tags take values, $in, $nin and $all" if kind == "tags" else ""))


def _equals(field, kind, value, key):
    if kind == "tags":
        if isinstance(value, (list, tuple)):
            return " AND ".join(_equals(field, kind, each, key) for each in value)
        return "tags.%s EXISTS" % _name(str(value))
    if value is None:
        return "%s IS NULL" % field
    return "%s = %s" % (field, _literal(value, kind, key))


def _field(name):
    """The search language's field and what it holds."""
    head, _, rest = name.partition(".")
    if head == "config" and rest:
        return "params." + _name(rest[:-6] if rest.endswith(".value") and rest != ".value" else rest), "value"
    if head in ("summary_metrics", "summary", "summaryMetrics") and rest:
        key, _, part = rest.rpartition(".")
        key, part = (key, "." + part) if key and part in _PARTS else (rest, "")
        # Nested values are found by a dot there, and are joined by a slash here.
        return "metrics.%s%s" % (_name(key.replace(".", "/")), part), "number"
    if name in _TIMES:
        return _TIMES[name], "time"
    if name in _TEXTS:
        return _TEXTS[name], "text"
    fixed = {"state": ("state", "state"), "tags": ("tags", "tags"), "duration": ("duration", "number"),
             "name": ("id", "id"), "id": ("id", "id")}.get(name)
    if fixed:
        return fixed
    raise MartletError(
        "There is no field %s to look at here. There are config.…, summary_metrics.…, state, tags, created_at, heartbeat_at, "
        "display_name, name (the id), username, notes and duration." % name)


def _literal(value, kind, key):
    if kind == "id":
        from ._start import run_id

        return _quoted(run_id(value))
    if kind == "state":
        return _quoted(_STATES.get(str(value).lower(), str(value).lower()))
    if kind == "time" and isinstance(value, (datetime, date)):
        if isinstance(value, datetime) and value.tzinfo is None:
            value = value.astimezone()
        return _quoted(value.isoformat())
    if hasattr(value, "item") and not isinstance(value, (int, float, str)):
        value = value.item()  # NumPy's
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        if isinstance(value, float) and not math.isfinite(value):
            raise MartletError("%s is compared with %r, which no comparison is true for here." % (key, value))
        return repr(value)
    if isinstance(value, str):
        return _quoted(value)
    raise MartletError("%s is compared with %r; a filter takes texts, numbers, true and false." % (key, value))


def _dict(value, where):
    if not isinstance(value, dict):
        raise MartletError("%s takes a dict such as {\"config.lr\": 0.1}, not %r." % (where, value))
    return value


def _quoted(text):
    return "'%s'" % text.replace("'", "''")


def _name(key):
    return "`%s`" % key.replace("`", "``")
