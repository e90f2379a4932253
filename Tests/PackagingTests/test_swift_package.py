"""The Swift package as somebody else's package uses it: built from nothing, so only the full tests do it."""

import json
import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
MARTLET = ROOT / ".build" / "release" / "martlet"
MANIFEST = """// swift-tools-version: 6.2
import PackageDescription

let package = Package(
    name: "train",
    dependencies: [.package(name: "martlet", path: "%s")],
    targets: [.executableTarget(name: "train", dependencies: [.product(name: "Martlet", package: "martlet")])]
)
"""
PROGRAM = """import Martlet

struct Config: Codable {
    var rate = 0.02
}

let run = Martlet.startRun(experiment: "elsewhere", name: "first", params: Config())
for step in 0..<100 { run.log(["loss": 1 / Double(step + 1)], step: step) }
run.logArtifact([1, 2, 3], as: "three.bin")
let delivery = run.finish()
print(run.id, delivery.isComplete)
"""


@pytest.mark.skipif(not os.environ.get("MARTLET_TEST_FULL"), reason="builds the package anew: MARTLET_TEST_FULL=1")
def test_another_package_logs_a_run(tmp_path):
    package = tmp_path / "train"
    (package / "Sources" / "train").mkdir(parents=True)
    (package / "Package.swift").write_text(MANIFEST % ROOT)
    (package / "Sources" / "train" / "main.swift").write_text(PROGRAM)
    built = subprocess.run(
        ["swift", "build", "--package-path", package, "--product", "train"], capture_output=True, text=True, timeout=1500)
    assert built.returncode == 0, built.stdout[-4000:] + built.stderr[-4000:]
    # Who logs gets no server and no command line with it.
    modules = {path.stem for path in (package / ".build" / "debug" / "Modules").glob("*.swiftmodule")}
    assert "Martlet" in modules and not modules & {"MartletCLI", "MartletServer", "MartletHTTPServer", "MartletWebApp"}

    store = tmp_path / "store"
    settings = {**os.environ, "MARTLET_TRACKING_URI": str(store), "MARTLET_QUIET": "1", "HOME": str(tmp_path)}
    ran = subprocess.run([package / ".build" / "debug" / "train"], capture_output=True, text=True, env=settings, timeout=60)
    assert ran.returncode == 0, ran.stderr
    run, is_complete = ran.stdout.split()
    assert is_complete == "true"

    def ask(*words):
        done = subprocess.run([MARTLET, *words, "--uri", store], capture_output=True, text=True, timeout=60, env=settings)
        assert done.returncode == 0, done.stderr
        return done.stdout

    shown = json.loads(ask("runs", "show", run, "--json"))
    assert shown["state"] == "finished" and shown["params"] == {"rate": 0.02} and shown["metrics"]["loss"] == 0.01
    assert ask("artifacts", "list", run).count("three.bin") == 1
