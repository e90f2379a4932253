"""The Python launchers and `make install` with the real binary."""

import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import asking
import serving
from serving import BINARY, ROOT, wait_for


@pytest.fixture
def checkout(tmp_path):
    """The launchers beside the real binary."""
    for path in ("main.py", "run_cli.py", "services/experiment-tracking/main.py",
                 "services/experiment-tracking/requirements.txt"):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / path, tmp_path / path)
    (tmp_path / ".build" / "release").mkdir(parents=True)
    (tmp_path / ".build" / "release" / "martlet").symlink_to(BINARY)
    return tmp_path


@pytest.mark.parametrize("launcher", ["main.py", "services/experiment-tracking/main.py"])
def test_python3_main_py_is_the_server_with_its_signals_and_exit_code(checkout, launcher):
    port = serving.free_port()
    process = subprocess.Popen(
        [sys.executable, Path(launcher).name], cwd=(checkout / launcher).parent, stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        env=serving.environment(checkout, {
            "PORT": port, "HOST": "127.0.0.1", "MARTLET_TRACKING_URI": checkout / "store"}))
    try:
        def answers():
            try:
                return asking.ask(port, "GET", "/health", timeout=5).status == 200
            except OSError:
                assert process.poll() is None, process.stdout.read()
                return False
        wait_for("an answer", answers, 20)
        assert asking.ask(port, "POST", "/api/v1/experiments", {"name": "a"}).status == 201
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
    finally:
        if process.poll() is None:
            process.kill()
        process.stdout.close()


def test_run_cli_py_is_the_command_line(checkout):
    def cli(*arguments):
        return subprocess.run(
            [sys.executable, "run_cli.py", "--uri", str(checkout / "store"), *arguments], cwd=checkout,
            env=serving.environment(checkout), capture_output=True, text=True, timeout=60)

    first, second = (cli("log", "run", "digits", "--param", f"lr={lr}", "--metric", f"acc={acc}") for lr, acc in (
        (0.1, 0.9), (0.2, 0.8)))
    assert (first.returncode, second.returncode) == (0, 0), first.stderr + second.stderr
    listed = cli("runs", "list", "digits")
    assert listed.returncode == 0 and "0.9" in listed.stdout, listed.stderr
    compared = cli("runs", "compare", first.stdout.strip(), second.stdout.strip())
    assert compared.returncode == 0 and "lr" in compared.stdout, compared.stderr
    assert cli("runs", "show", "nothing-like-it").returncode == 3
    assert cli("runs", "lits").returncode == 2


def test_the_service_folder_installs_nothing_it_does_not_need():
    lines = (ROOT / "services" / "experiment-tracking" / "requirements.txt").read_text().splitlines()
    assert [line for line in lines if line.strip() and not line.lstrip().startswith("#")] == []


def test_make_install_puts_a_binary_where_it_is_told(tmp_path):
    result = subprocess.run(
        ["make", "--no-print-directory", "install", f"PREFIX={tmp_path}/usr", f"BINARY={BINARY}"], cwd=ROOT,
        env=serving.environment(tmp_path), capture_output=True, text=True, timeout=120)
    assert result.returncode == 0, result.stdout + result.stderr
    installed = tmp_path / "usr" / "bin" / "martlet"
    assert os.access(installed, os.X_OK)
    said = subprocess.run([installed, "--version"], env=serving.environment(tmp_path), capture_output=True, text=True)
    assert said.returncode == 0 and re.search(r"\d+\.\d+", said.stdout), said
    staged = subprocess.run(
        ["make", "--no-print-directory", "install", f"DESTDIR={tmp_path}/stage", f"BINARY={BINARY}"], cwd=ROOT,
        env=serving.environment(tmp_path), capture_output=True, text=True, timeout=120)
    assert staged.returncode == 0 and os.access(tmp_path / "stage" / "usr" / "local" / "bin" / "martlet", os.X_OK)


def test_the_binary_needs_no_swift_to_run():
    needed = subprocess.run(["ldd", str(BINARY)], capture_output=True, text=True).stdout
    assert "libswift" not in needed and "not found" not in needed, needed


def test_every_help_fits_100_columns_and_ends_with_an_example():
    text = serving.martlet("--help").stdout
    commands = re.findall(r"^  ([a-z]+) {2,}", text, re.MULTILINE)
    assert {"serve", "runs", "log", "experiments", "fsck"} <= set(commands)
    for command in [[], *[[name] for name in commands]]:
        result = serving.martlet(*command, "--help")
        assert result.returncode == 0, (command, result.stderr)
        assert max(map(len, result.stdout.splitlines())) <= 100, command
