"""Where the bytes are: what the server says of its store is what lies on disk."""

import json
import os
import random

import pytest
from serving import martlet

LOGGED = 400


def on_disk(folder):
    """The lengths of all files, as a walk through the folder finds them."""
    return sum(os.lstat(os.path.join(place, name)).st_size for place, _, names in os.walk(folder) for name in names)


def kept(level):
    return sum(child["bytes"] for child in level["children"]) + level["rest"]["bytes"]


def test_the_sums_are_what_lies_on_disk_within_one_percent(server, tmp_path):
    chance = random.Random(5)
    runs = []
    for number in range(6):
        run = server.run(f"run {number}", experiment=f"e{number % 2}")
        runs.append(run)
        server.post(f"/api/v1/runs/{run}/metrics", {"series": [
            {"metric": f"loss/{name}", "steps": list(range(LOGGED)), "values": [chance.random() for _ in range(LOGGED)]}
            for name in range(20)]}).expect(200, 201)
        own = chance.randbytes(50_000 * (number + 1))
        server.ask("PUT", f"/api/v1/runs/{run}/artifacts/own.bin", own).expect(201)
        # All of them have this one, and it is there once.
        server.ask("PUT", f"/api/v1/runs/{run}/artifacts/shared.bin", b"s" * 200_000).expect(200, 201)
    store = server.get("/api/v1/storage?fresh=true").expect(200).json
    assert kept(store) == store["level"]["bytes"]
    assert store["level"]["bytes"] == pytest.approx(on_disk(server.folder), rel=0.01)
    assert sum(project["kinds"]["artifacts"] for project in store["children"]) == 21 * 50_000 + 200_000
    first = server.get(f"/api/v1/storage?run={runs[0]}").expect(200).json
    assert first["level"]["kinds"]["artifacts"] == 250_000

    # What is deleted is nobody's until it is collected, and still on disk.
    server.ask("DELETE", f"/api/v1/runs/{runs[5]}/artifacts/own.bin").expect(200, 204)
    after = server.get("/api/v1/storage?fresh=true").expect(200).json
    assert [child["bytes"] for child in after["children"] if child["kind"] == "unclaimed"] == [300_000]
    assert after["level"]["bytes"] == pytest.approx(on_disk(server.folder), rel=0.01)

    server.stop()
    told = martlet("du", "--uri", server.folder, "--json", uri=server.folder, home=tmp_path)
    assert told.returncode == 0, told.stderr
    assert json.loads(told.stdout)["total"]["bytes"] == on_disk(server.folder)
