"""The Python launchers become the binary: arguments, output, signals and exit code are its own.

A small shell script stands in for the binary, in a copy of the checkout's launchers, so that each promise can be
looked at alone and a missing binary can be played.
"""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LAUNCHERS = ["main.py", "run_cli.py", "services/experiment-tracking/main.py"]

STAND_IN = """#!/bin/sh
case "$1 $2" in
  "exit "*) exit "$2" ;;
  "wait "*) trap 'echo ended; exit 7' TERM; echo ready; while :; do sleep 0.05; done ;;
  "yes "*) while echo y; do :; done 2>/dev/null; echo "survived a closed pipe" >&2 ;;
esac
for argument; do echo "[$argument]"; done
"""


@pytest.fixture
def checkout(tmp_path):
    for path in LAUNCHERS:
        target = tmp_path / path
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / path, target)
    put_stand_in(tmp_path)
    return tmp_path


def put_stand_in(checkout):
    binary = checkout / ".build" / "release" / "martlet"
    binary.parent.mkdir(parents=True)
    binary.write_text(STAND_IN)
    binary.chmod(0o755)


def run(checkout, launcher, *arguments, **environment):
    inherited = {name: value for name, value in os.environ.items() if name not in ("HOST", "PORT")}
    return subprocess.run(
        [sys.executable, str(checkout / launcher), *arguments], cwd="/", env={**inherited, **environment},
        capture_output=True, text=True, timeout=30)


def test_every_argument_arrives_as_it_was_given(checkout):
    result = run(checkout, "run_cli.py", "runs", "list", "my experiment", "--json", "")
    assert (result.stdout, result.returncode) == ("[runs]\n[list]\n[my experiment]\n[--json]\n[]\n", 0)


@pytest.mark.parametrize("code", [0, 1, 2, 3, 4])
def test_the_exit_code_is_the_binarys_own(checkout, code):
    assert run(checkout, "run_cli.py", "exit", str(code)).returncode == code


def test_a_signal_reaches_the_binary_which_decides_how_to_end(checkout):
    process = subprocess.Popen(
        [sys.executable, str(checkout / "run_cli.py"), "wait"], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout.readline() == "ready\n"
        process.send_signal(signal.SIGTERM)
        assert process.communicate(timeout=10) == ("ended\n", None)
        assert process.returncode == 7
    finally:
        process.kill()


def test_a_reader_that_leaves_ends_the_binary(checkout):
    process = subprocess.Popen(
        [sys.executable, str(checkout / "run_cli.py"), "yes"], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        process.stdout.readline()
        process.stdout.close()
        assert process.wait(timeout=10) == -signal.SIGPIPE
        assert process.stderr.read() == b""
    finally:
        process.kill()


@pytest.mark.parametrize("launcher", ["main.py", "services/experiment-tracking/main.py"])
def test_the_server_launcher_serves_where_the_environment_says(checkout, launcher):
    assert run(checkout, launcher).stdout == "[serve]\n"
    assert run(checkout, launcher, HOST="::1", PORT="9001").stdout == "[serve]\n[--host]\n[::1]\n[--port]\n[9001]\n"
    assert run(checkout, launcher, HOST="", PORT="").stdout == "[serve]\n"


def test_an_argument_wins_over_the_environment(checkout):
    assert run(checkout, "main.py", "--port", "9002", PORT="9001").stdout == "[serve]\n[--port]\n[9002]\n"
    assert run(checkout, "main.py", "--port=9002", PORT="9001").stdout == "[serve]\n[--port=9002]\n"


def test_a_missing_binary_is_built_first_and_the_build_stays_out_of_the_output(checkout):
    (checkout / ".build").rename(checkout / "built")
    (checkout / "Makefile").write_text("build:\n\t@echo building\n\t@mv built .build\n")
    result = run(checkout, "run_cli.py", "version")
    assert (result.stdout, result.returncode) == ("[version]\n", 0)
    assert "building" in result.stderr


def test_a_build_that_fails_is_said_in_a_sentence(checkout):
    shutil.rmtree(checkout / ".build")
    (checkout / "Makefile").write_text("build:\n\t@exit 1\n")
    result = run(checkout, "run_cli.py", "version")
    assert result.returncode == 4
    assert "The build failed" in result.stderr and "Traceback" not in result.stderr


def test_a_binary_that_cannot_start_is_said_in_a_sentence(checkout):
    (checkout / ".build" / "release" / "martlet").chmod(0o644)
    result = run(checkout, "run_cli.py", "version")
    assert result.returncode == 4
    assert "did not start" in result.stderr and "Traceback" not in result.stderr


def test_the_launchers_add_no_time_that_one_would_notice(checkout):
    start = time.monotonic()
    run(checkout, "run_cli.py", "version")
    assert time.monotonic() - start < 2
