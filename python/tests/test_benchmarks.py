"""The programs of bench/python measure what they say."""

import json
import subprocess
import sys
from pathlib import Path

BENCH = Path(__file__).resolve().parents[2] / "bench" / "python"


def test_the_comparison_with_other_trackers_measures_each_in_its_turn(tmp_path):
    figures = tmp_path / "figures.json"
    done = subprocess.run(
        [sys.executable, BENCH / "peers", "--only", "martlet", "--rounds", "2", "--python", sys.executable, "--json", figures],
        capture_output=True, text=True, timeout=120)
    assert done.returncode == 0 and "| martlet |" in done.stdout, done.stderr
    rounds = json.loads(figures.read_text())["rounds"]["martlet"]
    assert len(rounds) == 2 and all(0 < each["tight_p50_us"] <= each["tight_p99_us"] for each in rounds)
    assert all(each["tight_calls"] > 0 and each["processes"] == 1 for each in rounds)


def test_a_client_that_is_not_known_is_told_of():
    done = subprocess.run([sys.executable, BENCH / "peers", "--only", "martlett"], capture_output=True, text=True, timeout=60)
    assert done.returncode == 2 and "no client “martlett”" in done.stderr
