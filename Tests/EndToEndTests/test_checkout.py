"""The scripts that look after a checkout: the structure check and the installer of packages."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LEFT_OUT = shutil.ignore_patterns(".git", ".build", ".venv*", "__pycache__", ".martlet")


def validate(checkout):
    return subprocess.run(
        [sys.executable, str(checkout / "validate_experiment_tracking.py")], cwd="/", capture_output=True, text=True,
        timeout=30)


@pytest.fixture
def checkout(tmp_path):
    return Path(shutil.copytree(ROOT, tmp_path / "checkout", ignore=LEFT_OUT, symlinks=True))


def test_this_checkout_is_whole():
    result = validate(ROOT)
    assert (result.returncode, result.stderr) == (0, ""), result.stdout


def break_readme(checkout):
    (checkout / "README.md").unlink()
    return "README.md is missing"


def break_script(checkout):
    (checkout / "scripts" / "test").chmod(0o644)
    return "scripts/test is not executable"


def break_launcher(checkout):
    (checkout / "main.py").write_text("match x:\n    case 1: pass\n")
    return "main.py line 2: not Python 3.9"


def break_room(checkout):
    shutil.rmtree(checkout / "Sources" / "Domain")
    return "Sources/Domain is in Package.swift and has no Swift file"


def add_stray_room(checkout):
    (checkout / "Sources" / "Attic").mkdir()
    return "Sources/Attic is not in Package.swift"


def break_library(checkout):
    (checkout / "Sources" / "CZstd" / "shim.h").unlink()
    return "Sources/CZstd/shim.h is missing"


@pytest.mark.parametrize("damage", [
    break_readme, break_script, break_launcher, break_room, add_stray_room, break_library])
def test_a_damaged_checkout_is_named(checkout, damage):
    fault = damage(checkout)
    result = validate(checkout)
    assert result.returncode == 1
    assert fault in result.stdout


class Machine:
    """A machine that is played: commands that answer as told and write down what they were asked."""

    def __init__(self, folder):
        self.tools = folder / "tools"
        self.tools.mkdir()
        self.asked = folder / "asked"
        self.asked.touch()
        for name in ("bash", "dirname", "env"):
            (self.tools / name).symlink_to(shutil.which(name))
        self.answer("swift", 'echo "Swift version 6.3.1 (swift-6.3.1-RELEASE)"')
        self.answer("id", "echo 0")
        self.answer("apt-get", f'echo "apt-get $*" >>"{self.asked}"')
        self.has(self.named())

    def answer(self, name, script):
        tool = self.tools / name
        tool.write_text("#!/bin/sh\n" + script + "\n")
        tool.chmod(0o755)

    def has(self, packages):
        lines = "\n".join(f"{package}=installed" for package in packages)
        self.answer("dpkg-query", f"echo '{lines}'")

    @staticmethod
    def named():
        lines = (ROOT / "scripts" / "packages.txt").read_text().splitlines()
        return [line.split()[0] for line in lines if line and not line.startswith("#")]

    def bootstrap(self):
        return subprocess.run(
            [shutil.which("bash"), str(ROOT / "scripts" / "bootstrap")], env={**os.environ, "PATH": str(self.tools)},
            capture_output=True, text=True, timeout=30)


@pytest.fixture
def machine(tmp_path):
    return Machine(tmp_path)


def test_bootstrap_changes_nothing_where_all_is_there(machine):
    result = machine.bootstrap()
    assert (result.returncode, result.stderr, machine.asked.read_text()) == (0, "", "")


def test_bootstrap_installs_what_is_missing_and_nothing_else(machine):
    machine.has([name for name in machine.named() if name not in ("libwslay-dev", "make")])
    assert machine.bootstrap().returncode == 0
    update, install = machine.asked.read_text().splitlines()
    assert update.startswith("apt-get update")
    assert "--no-install-recommends" in install
    assert install.endswith(" libwslay-dev make")


def test_bootstrap_without_root_or_sudo_says_what_to_install(machine):
    machine.has([name for name in machine.named() if name != "libwslay-dev"])
    machine.answer("id", "echo 1000")
    result = machine.bootstrap()
    assert result.returncode == 1
    assert "apt-get install libwslay-dev" in result.stderr
    assert machine.asked.read_text() == ""


@pytest.mark.parametrize("version, sentence", [
    ('echo "Swift version 5.10 (swift-5.10-RELEASE)"', "needs 6.2 or newer"),
    ('echo "Swift version 6.1.2 (swift-6.1.2-RELEASE)"', "needs 6.2 or newer"),
    ('echo "python-swiftclient 4.1.0"', "is not the Swift compiler"),
    (None, "no Swift toolchain on your PATH"),
])
def test_bootstrap_says_plainly_which_swift_it_needs(machine, version, sentence):
    if version is None:
        (machine.tools / "swift").unlink()
    else:
        machine.answer("swift", version)
    result = machine.bootstrap()
    assert result.returncode == 1
    assert sentence in result.stderr
