#!/usr/bin/env python3
"""Checks that this checkout is whole: the files a user, a build and a test run need are there and fit together.

Prints one line for each fault and exits 1, or one line saying that all is well and exits 0. It looks at the
source tree alone, builds nothing and needs nothing but Python 3.9.
"""

import ast
import os
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent

FILES = [
    "ARCHITECTURE.md", "CHANGELOG.md", "CONTRIBUTING.md", "LICENSE", "Makefile", "Package.swift", "README.md",
    "docs/decisions.md", "docs/dependencies.md", "python/requirements-test.txt", "scripts/packages.txt",
    "services/experiment-tracking/requirements.txt", "web/index.html", "web/tsconfig.json", "web/versions.lock",
]
PROGRAMS = [".ci/run", "scripts/bootstrap", "scripts/test", "scripts/venv", "web/build"]
LAUNCHERS = ["main.py", "run_cli.py", "services/experiment-tracking/main.py", "validate_experiment_tracking.py"]


def text_of(path):
    try:
        return (ROOT / path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return None


def missing_files():
    for path in FILES + PROGRAMS + LAUNCHERS:
        text = text_of(path)
        if text is None:
            yield f"{path} is missing or not readable text"
        elif not text.strip() and not path.endswith("requirements.txt"):
            yield f"{path} is empty"


def programs_that_do_not_run():
    for path in PROGRAMS:
        if (ROOT / path).exists() and not os.access(ROOT / path, os.X_OK):
            yield f"{path} is not executable: chmod +x {path}"


def launchers_that_do_not_parse():
    for path in LAUNCHERS:
        try:
            ast.parse(text_of(path) or "", path, feature_version=(3, 9))
        except SyntaxError as error:
            yield f"{path} line {error.lineno}: not Python 3.9: {error.msg}"


def rooms_that_differ_from_the_plan():
    """Package.swift picks up the folders that exist, so a lost folder would otherwise pass in silence."""
    plan = text_of("Package.swift") or ""
    libraries = re.findall(r'\bLibrary\(\s*name: "(\w+)"', plan)
    rooms = re.findall(r'\bRoom\(\s*name: "(\w+)"', plan)
    suites = re.findall(r'"(\w+Tests)"', plan)
    if not (libraries and rooms and suites):
        yield "Package.swift does not list libraries, rooms and suites as this script expects"
        return
    for library in libraries:
        for name in ("module.modulemap", "shim.h"):
            if not (ROOT / "Sources" / library / name).is_file():
                yield f"Sources/{library}/{name} is missing: a C library is one module map and one header"
    for folder, names in (("Sources", rooms), ("Tests", suites)):
        for name in names:
            if not any((ROOT / folder / name).rglob("*.swift")):
                yield f"{folder}/{name} is in Package.swift and has no Swift file"
    carried = re.findall(r'Target\.target\(name: "(C\w+)"', plan)
    known = {
        "Sources": {*libraries, *rooms, *carried},
        "Tests": {*suites, "EndToEndTests", "ClientTests", "CompatibilityTests", "GuideTests", "BrowserTests",
                  "PackagingTests"}}
    for folder, names in known.items():
        for path in sorted((ROOT / folder).glob("*")):
            if path.is_dir() and path.name not in names and path.name != "__pycache__":
                yield f"{folder}/{path.name} is not in Package.swift, so nothing builds it"


CHECKS = [missing_files, programs_that_do_not_run, launchers_that_do_not_parse, rooms_that_differ_from_the_plan]


def main():
    faults = [fault for check in CHECKS for fault in check()]
    for fault in faults:
        print(fault)
    if faults:
        print(f"{len(faults)} fault{'' if len(faults) == 1 else 's'} in {ROOT}")
        return 1
    print(f"The tree at {ROOT} is whole.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
