"""Settings from whatever holds them, as a flat dict of plain values: nested keys become `a.b.c`."""

from __future__ import annotations

import os

# Beyond this a value is kept whole as a file, and its beginning stands for it.
VALUE_BYTES_MAX = 64 << 10
_SIMPLE = (str, int, float, bool, type(None))


def flat(config, prefix=""):
    """The pairs of a dict, Namespace, dataclass, attrs class, pydantic model, OmegaConf, HF or Lightning config, or of a file."""
    if isinstance(config, (str, os.PathLike)):
        return flat(load(config))
    if isinstance(config, (list, tuple)) and all(isinstance(each, (list, tuple)) and len(each) == 2 for each in config):
        config = dict(config)
    tree = mapping(config)
    if tree is None:
        raise TypeError("params are a dict, a config object or a file of them, not %s" % type(config).__name__)
    pairs = {}
    for key, value in tree.items():
        name = prefix + str(key)
        inner = None if isinstance(value, _SIMPLE) else mapping(value)
        if inner:
            pairs.update(flat(inner, name + "."))
        else:
            pairs[name] = plain(value)
    return pairs


def mapping(value):
    """What a config object holds, as a dict; None when it is none."""
    if isinstance(value, dict):
        return value
    if isinstance(value, (str, bytes, int, float, list, tuple, set, type)) or value is None:
        return None
    module = (type(value).__module__ or "").partition(".")[0]
    if module == "omegaconf":
        from omegaconf import OmegaConf

        return OmegaConf.to_container(value, resolve=True) if OmegaConf.is_dict(value) else None
    for name in ("model_dump", "to_dict", "as_dict", "asdict"):  # pydantic, Hugging Face, ml_collections, Sacred
        method = getattr(value, name, None)
        if callable(method) and not hasattr(value, "shape"):
            try:
                found = method()
            except Exception:
                continue
            if isinstance(found, dict):
                return found
    if hasattr(value, "__dataclass_fields__"):
        return {name: getattr(value, name) for name in value.__dataclass_fields__ if hasattr(value, name)}
    if hasattr(type(value), "__attrs_attrs__"):
        return {each.name: getattr(value, each.name) for each in type(value).__attrs_attrs__}
    if hasattr(value, "keys") and hasattr(value, "__getitem__"):
        return {key: value[key] for key in value.keys()}
    if type(value).__name__ in ("Namespace", "SimpleNamespace", "Values"):
        return dict(vars(value))
    return None


def plain(value):
    """A value that JSON has, as near to what was given as can be."""
    if isinstance(value, bool) or value is None or type(value) in (str, int, float):
        return value
    if isinstance(value, (str, os.PathLike)):
        return os.fspath(value) if isinstance(value, os.PathLike) else str(value)
    if isinstance(value, (list, tuple)):
        return [plain(each) for each in value]
    if isinstance(value, (set, frozenset)):
        return sorted((plain(each) for each in value), key=str)
    tree = mapping(value)
    if tree is not None:
        return {str(key): plain(each) for key, each in tree.items()}
    if hasattr(value, "value") and type(type(value)).__name__ in ("EnumMeta", "EnumType"):
        return plain(value.value)
    if hasattr(value, "tolist") and getattr(value, "size", 1 << 30) <= 10_000:
        return plain(value.tolist())
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        return float(value)
    if isinstance(value, type) or callable(value):
        return "%s.%s" % (getattr(value, "__module__", ""), getattr(value, "__qualname__", type(value).__name__))
    return str(value)


def load(path):
    """A YAML, JSON or TOML file."""
    path = os.fspath(path)
    ending = os.path.splitext(path)[1].lower()
    if ending == ".toml":
        try:
            import tomllib
        except ImportError:
            import tomli as tomllib
        with open(path, "rb") as file:
            return tomllib.load(file)
    with open(path, encoding="utf-8") as file:
        text = file.read()
    if ending in (".yaml", ".yml"):
        try:
            import yaml
        except ImportError:
            raise TypeError("%s is YAML, and PyYAML is not installed" % path) from None
        return yaml.safe_load(text)
    import json

    return json.loads(text)


def bounded(run, pairs):
    """The same pairs; a value that is very long is kept as a file of the run, and its beginning stays."""
    import json

    out = {}
    for key, value in pairs.items():
        if isinstance(value, (str, list, dict)):
            text = value if isinstance(value, str) else json.dumps(value)
            if len(text) > VALUE_BYTES_MAX // 4 and len(text.encode("utf-8", "replace")) > VALUE_BYTES_MAX:
                from . import _artifacts

                _artifacts.log_bytes(run, text.encode("utf-8", "replace"), "params/%s.txt" % key.replace("/", "_"))
                value = text[:1000] + "… (%d characters; whole in params/%s.txt)" % (len(text), key.replace("/", "_"))
        out[key] = value
    return out
