"""The OpenAPI document against the server: every route is asked for what it promises, and for what it must refuse."""

import os
import re
import subprocess
import sys
from pathlib import Path

import serving

EXAMPLES = 100 if serving.FULL else 10
# Every check is on. What stands here is where the server is right and a schema cannot say why.
CONFIG = """
[generation]
# A parameter that a route does not know is ignored, as everywhere on the web.
allow-extra-parameters = false

[checks.positive_data_acceptance]
# Of the right type, and wrong all the same: a page's token that nobody gave, a filter that does not parse, a name given
# twice, a digest of bytes that are not there, a range outside of the file, a stream asked for without
# a WebSocket.
expected-statuses = ["2xx", "3xx", "400", "401", "403", "404", "409", "416", "422", "426", "429"]

# An address of a stream waits for what happens next: a test need not.
[[operations]]
include-name = "GET /api/v1/changes"
parameters = { "query.wait" = 0 }

# A line that is no logbook line is counted as a problem: one bad line must not hold up the others.
[[operations]]
include-name = "POST /api/v1/logbook"
generation.mode = "positive"

# In a form every field is a text: there is none of a wrong type.
[[operations]]
include-name = "POST /api/v1/runs/{run}/artifacts"
generation.mode = "positive"
"""
HOOKS = Path(__file__).with_name("schemathesis_hooks.py")
SEED = int(os.environ.get("MARTLET_TEST_SEED", "20240115"))


def test_every_route_of_the_document_answers_and_no_failure_is_the_servers(shared_server):
    document = shared_server.get("/openapi.json").expect(200).json
    run = shared_server.run("documented", experiment="documented")
    asked = 0
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            if method not in ("get", "post", "put", "patch", "delete"):
                continue
            asked += 1
            target = re.sub(r"{run}", run, path)
            target = re.sub(r"{experiment}", "documented", target)
            target = re.sub(r"{[^}]*}", "none", target)
            answer = shared_server.ask(
                method.upper(), target, {} if method != "get" else None, {"Accept": "application/json"})
            statuses = set(operation["responses"])
            assert str(answer.status) in statuses, f"{answer}: the document names {sorted(statuses)}"
            assert answer.status < 500, answer
    assert asked > 60


def test_the_document_names_no_thing_that_it_does_not_describe(shared_server):
    text = shared_server.get("/openapi.json").text
    document = shared_server.get("/openapi.json").json
    for reference in set(re.findall(r'"\$ref":\s*"#/([^"]+)"', text)):
        place = document
        for part in reference.split("/"):
            assert part in place, reference
            place = place[part]
    ids = [operation["operationId"] for methods in document["paths"].values() for operation in methods.values()
           if isinstance(operation, dict)]
    assert len(ids) == len(set(ids))


def failures(output):
    """One line for each thing that was found: the route, what is wrong, and the request that shows it."""
    blocks = re.split(r"\n_{5,} (.+?) _{5,}\n", output)
    for route, body in zip(blocks[1::2], blocks[2::2]):
        for case in re.split(r"\n\d+\. Test Case ID", body):
            faults = re.findall(r"^- (ST\d+ .+)", case, re.MULTILINE)
            more = re.findall(r"Invalid component: .+|Received: .+|\"message\":\".+?\"", case)
            request = re.findall(r"curl .+", case)
            if faults:
                yield " | ".join([route, *faults, *more[:2], *(each[:300] for each in request[:1])])


def test_schemathesis_finds_no_failure_of_the_server_and_nothing_undocumented(start_server, tmp_path, totals):
    server = start_server()
    # Something is there to be found by name.
    run = server.run("a-run", experiment="lr-sweep", id="6f1c2d3e4b5a69788796a5b4c3d2e1f0")
    server.post(f"/api/v1/runs/{run}/metrics", {"metrics": {"loss": 0.5}, "step": 1}).expect(200)
    server.ask("PUT", f"/api/v1/runs/{run}/artifacts/models/best.pt", b"weights").expect(201)
    config = tmp_path / "schemathesis.toml"
    config.write_text(f'hooks = "{HOOKS}"\n' + CONFIG)
    command = [
        sys.executable, "-m", "schemathesis.cli", "--config-file", str(config), "run",
        f"{server.address}/openapi.json", "--checks", "all", "--no-color", "--max-examples", str(EXAMPLES),
        "--seed", str(SEED), "--workers", "2", "--no-shrink", "--request-timeout", "20", "--continue-on-failure",
        "--output-truncate", "true"]
    result = subprocess.run(
        command, cwd=tmp_path, env={**serving.environment(tmp_path), "COLUMNS": "160"}, capture_output=True, text=True,
        timeout=1800 if serving.FULL else 240)
    assert server.is_running, server.log[-3000:]
    summary = result.stdout[result.stdout.rfind("SUMMARY"):] if "SUMMARY" in result.stdout else result.stdout[-500:]
    counts = re.search(r"(\d+) generated.*", summary)
    totals(f"schemathesis: seed {SEED}, {EXAMPLES} examples a route, {counts.group(0) if counts else 'no summary'}")
    assert result.returncode == 0, "\n".join(failures(result.stdout)) + result.stdout[-1500:] + result.stderr[-1500:]
