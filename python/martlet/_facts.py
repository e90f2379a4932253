"""Where a run comes from: its code, its command line, its packages and its machine."""

from __future__ import annotations

import os
import platform
import sys

from . import _git, _masks

FILE_BYTES_MAX = 256 << 10
FILES_MAX = 200


def environment(run, folder):
    argv = list(getattr(sys, "orig_argv", None) or [sys.executable, *sys.argv])
    data = {
        "command": _masks.arguments(argv), "working_folder": folder, "python": platform.python_version(),
        "implementation": platform.python_implementation(), "executable": sys.executable,
        "os": platform.platform(), "host": platform.node(), "cpu": _cpu(), "cpu_count": os.cpu_count(),
        "memory_bytes": _memory(), "gpus": _gpus(), "container": _container(),
        "conda": os.environ.get("CONDA_DEFAULT_ENV"), "virtual_env": os.environ.get("VIRTUAL_ENV"),
        "variables": _masks.pairs({
            name: value for name, value in os.environ.items()
            if name.startswith(("CUDA_", "NCCL_", "OMP_", "MKL_", "SLURM_", "TORCH", "XLA_", "MARTLET_", "PYTHONHASHSEED",
                                "WORLD_SIZE", "RANK", "LOCAL_RANK", "MASTER_"))}),
    }
    run._line("facts", {"kind": "infrastructure", "data": {key: value for key, value in data.items() if value}})
    packages = installed()
    if packages:
        from . import _artifacts

        text = "".join("%s==%s\n" % pair for pair in packages)
        _artifacts.log_bytes(run, text.encode(), "requirements.txt", type="data")


def installed():
    """Names and versions of what is installed, from the names of its folders: nothing is opened."""
    found = {}
    for folder in sys.path:
        try:
            names = os.listdir(folder or ".")
        except OSError:
            continue
        for name in names:
            stem, ending = os.path.splitext(name)
            if ending in (".dist-info", ".egg-info") and "-" in stem:
                package, version = stem.split("-")[:2]
                found.setdefault(package.replace("_", "-"), version)
    return sorted(found.items(), key=lambda pair: pair[0].lower())


def _cpu():
    try:
        with open("/proc/cpuinfo") as file:
            for line in file:
                if line.startswith("model name"):
                    return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def _memory():
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (ValueError, OSError, AttributeError):
        return None


def _gpus():
    found = []
    base = "/proc/driver/nvidia/gpus"
    try:
        for name in sorted(os.listdir(base)):
            with open(os.path.join(base, name, "information")) as file:
                for line in file:
                    if line.startswith("Model:"):
                        found.append(line.partition(":")[2].strip())
    except OSError:
        pass
    return found


def _container():
    for path, name in (("/.dockerenv", "docker"), ("/run/.containerenv", "podman"), ("/.singularity.d", "apptainer")):
        if os.path.exists(path):
            return name
    return "kubernetes" if "KUBERNETES_SERVICE_HOST" in os.environ else None


def git(run, folder):
    """The commit, and what lies beside it: a patch of what was changed, and new text files."""
    from . import _artifacts

    root = _git.word(folder, "rev-parse", "--show-toplevel")
    if root is None:
        return
    patch = _git.ask(folder, "diff", "--binary", "HEAD") or b""
    untracked = _git.ask(root, "ls-files", "--others", "--exclude-standard", "-z") or b""
    data = {
        "commit": _git.word(folder, "rev-parse", "HEAD"), "branch": _git.word(folder, "rev-parse", "--abbrev-ref", "HEAD"),
        "tag": _git.word(folder, "describe", "--tags", "--exact-match"), "dirty": bool(patch or untracked),
        "remote": _masks.text(_git.word(folder, "config", "--get", "remote.origin.url") or "") or None, "root": root,
    }
    run._line("facts", {"kind": "git", "data": {key: value for key, value in data.items() if value is not None}})
    if data["commit"]:
        run._line("tags", {"tags": {"git.commit": data["commit"], **(
            {"git.branch": data["branch"]} if data["branch"] else {})}})
    if patch and len(patch) <= _git.OUTPUT_BYTES_MAX:
        _artifacts.log_bytes(run, patch, "code/changes.patch", type="code")
    rules = _ignored(root)
    count = 0
    for name in untracked.split(b"\0"):
        path = os.path.join(root, os.fsdecode(name))
        if not name or count >= FILES_MAX or any(rule(os.fsdecode(name)) for rule in rules):
            continue
        text = _text_of(path)
        if text is not None:
            count += 1
            _artifacts.log_bytes(run, text, "code/untracked/" + os.fsdecode(name), type="code")


def code(run, folder):
    """Outside of git the entry script, local modules and executed cells are kept."""
    from . import _artifacts, _notebook

    cells = _notebook.executed_cells()
    if cells is not None:
        run._exiting.append(
            lambda: _artifacts.log_bytes(run, (_notebook.executed_cells() or "").encode(), "code/cells.py", type="code"))
    if _git.word(folder, "rev-parse", "--show-toplevel") is not None:
        return
    rules = _ignored(folder)
    main = getattr(sys.modules.get("__main__"), "__file__", None)
    base = os.path.dirname(os.path.abspath(main)) if main else folder
    for count, path in enumerate(sorted(_local_files(base, main))):
        name = os.path.relpath(path, base)
        if count >= FILES_MAX:
            break
        text = None if any(rule(name) for rule in rules) else _text_of(path)
        if text is not None:
            _artifacts.log_bytes(run, text, "code/" + name.replace(os.sep, "/"), type="code")


def _local_files(base, main):
    if main and os.path.isfile(main):
        yield os.path.abspath(main)
    for module in list(sys.modules.values()):
        path = getattr(module, "__file__", None)
        if path and path.endswith(".py") and os.path.abspath(path).startswith(base + os.sep):
            inside = os.path.relpath(os.path.abspath(path), base)
            if "site-packages" not in inside and not inside.startswith((".", "venv", "env")):
                yield os.path.abspath(path)


def _text_of(path):
    """A file's bytes when it is a small text and shows no secret by its name."""
    base = os.path.basename(path)
    if _masks.is_secret(base) or base.startswith(".env"):
        return None
    try:
        if os.path.islink(path) or os.path.getsize(path) > FILE_BYTES_MAX:
            return None
        with open(path, "rb") as file:
            data = file.read()
        data.decode("utf-8")
    except (OSError, UnicodeDecodeError):
        return None
    return None if b"\0" in data else data


def _ignored(folder):
    """Rules of `.martletignore`: a pattern of the shell a line, for paths and for names."""
    from fnmatch import fnmatch

    rules = []
    try:
        with open(os.path.join(folder, ".martletignore"), encoding="utf-8") as file:
            patterns = [line.strip() for line in file if line.strip() and not line.startswith("#")]
    except (OSError, UnicodeDecodeError):
        return rules
    for pattern in patterns:
        rules.append(lambda name, pattern=pattern.rstrip("/"): (
            fnmatch(name, pattern) or fnmatch(os.path.basename(name), pattern)
            or any(fnmatch(part, pattern) for part in name.split("/"))))
    return rules
