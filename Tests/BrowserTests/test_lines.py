"""The difference of two texts, against one worked out here in the plain way."""

import json
import os
import random
import subprocess

import pytest

from conftest import ROOT

CALL = """
const { differenceOf, hunksOf } = require(process.argv[1])
const cases = JSON.parse(require("fs").readFileSync(0, "utf8"))
console.log(JSON.stringify(cases.map(([a, b]) => ({ edits: differenceOf(a, b), hunks: hunksOf(differenceOf(a, b), 1) }))))
"""


@pytest.fixture(scope="module")
def differences(tmp_path_factory):
    """Calls the app's own code, outside of a browser."""
    made = tmp_path_factory.mktemp("lines") / "lines.cjs"
    subprocess.run(
        ["esbuild", "src/views/comparison/lines.ts", "--bundle", "--format=cjs", "--platform=node", f"--outfile={made}", "--log-level=warning"],
        cwd=ROOT / "web", check=True, env={**os.environ, "NODE_PATH": "/usr/share/nodejs"})

    def ask(cases):
        found = subprocess.run(["node", "-e", CALL, str(made)], input=json.dumps(cases), capture_output=True, text=True, check=True, timeout=60)
        return json.loads(found.stdout)
    return ask


def longest_common(a, b):
    row = [0] * (len(b) + 1)
    for line in a:
        before = 0
        for place, other in enumerate(b):
            before, row[place + 1] = row[place + 1], before + 1 if line == other else max(row[place + 1], row[place])
    return row[-1]


def test_it_is_right_and_the_least_there_is(differences):
    chance = random.Random(5)
    cases = [[[chance.choice("abcd") for _ in range(chance.randrange(24))] for _ in range(2)] for _ in range(400)]
    cases += [[[], []], [["a"], []], [[], ["a"]], [["a"] * 30, ["a"] * 30]]
    for (a, b), found in zip(cases, differences(cases)):
        edits = found["edits"]
        assert [edit["text"] for edit in edits if edit["kind"] != "in"] == a
        assert [edit["text"] for edit in edits if edit["kind"] != "out"] == b
        assert sum(edit["kind"] == "same" for edit in edits) == longest_common(a, b)
        shown = sum(1 if isinstance(one, dict) else one for one in found["hunks"])
        assert shown == len(edits), "what is not shown is counted"


def test_texts_with_nothing_in_common_end_soon(differences):
    a, b = [f"a {number}" for number in range(20_000)], [f"b {number}" for number in range(20_000)]
    edits = differences([[a, b]])[0]["edits"]
    assert [edit["text"] for edit in edits if edit["kind"] == "out"] == a and [edit["text"] for edit in edits if edit["kind"] == "in"] == b
