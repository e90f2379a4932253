"""What the pages are looked at with: three configurations of five seeds, one that diverged, one still running."""

import json
import math
import random
import struct
import urllib.parse
import urllib.request
import zlib

STEPS = 600


def call(address, method, path, body=None, raw=None, kind="application/json"):
    data = raw if raw is not None else None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"{address}/api/v1{path}", data=data, method=method, headers={"Content-Type": kind})
    with urllib.request.urlopen(request) as answer:
        text = answer.read()
    return json.loads(text) if text else None


def picture(width, height, shade):
    rows = b"".join(b"\0" + bytes((shade, x * 255 // width, y * 255 // height)[k] for x in range(width) for k in range(3))
                    for y in range(height))

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
            + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))


def fill(address):
    chance = random.Random(11)
    call(address, "POST", "/projects", {"name": "Vision", "slug": "vision", "description": "Pictures."})
    for name in ("digits", "letters"):
        call(address, "POST", "/experiments", {"name": name, "project": "vision", "description": f"How well are {name} read?"})
    for config, (model, rate) in enumerate([("small", 0.1), ("large", 0.1), ("large", 0.8)]):
        for seed in range(5):
            run = call(address, "POST", "/experiments/digits/runs", {
                "params": {"model": model, "lr": rate, "seed": seed, "epochs": 6},
                "environment": {"python": "3.11", "packages": {"torch": "2.4.0"}}})
            diverges = config == 2 and seed == 1
            steps = list(range(0, 300 if diverges else STEPS, 2))
            loss = [0.2 + config * 0.02 + 2 * math.exp(-step / 150) + chance.gauss(0, 0.02) for step in steps]
            if diverges:
                loss[-20:] = ["NaN"] * 20
            accuracy = [0.95 - config * 0.01 - 0.6 * math.exp(-step / 120) + chance.gauss(0, 0.004) for step in steps[::5]]
            call(address, "POST", f"/runs/{run['id']}/metrics", {"series": [
                {"metric": "train/loss", "steps": steps, "values": loss},
                {"metric": "val/accuracy", "steps": steps[::5], "values": accuracy},
                {"metric": "system/cpu.percent", "steps": steps[::10], "values": [40 + chance.gauss(0, 4) for _ in steps[::10]]},
            ]})
            call(address, "POST", f"/runs/{run['id']}/metrics", {"metrics": {"params_millions": 3.5 + config}})
            if seed == 0:
                for step in (0, 300):
                    call(address, "PUT", f"/runs/{run['id']}/artifacts/media/samples_{step}.png?type=plot",
                         raw=picture(48, 32, 80 * config), kind="image/png")
                    call(address, "POST", f"/runs/{run['id']}/rich/weights", {
                        "kind": "histogram", "step": step, "value": {"edges": [-1, 0, 1], "counts": [3 + step, 5]}})
                call(address, "PUT", f"/runs/{run['id']}/artifacts/scores.csv?type=data",
                     raw=b"name,score\nlow,1\nhigh,9\n", kind="text/csv")
                call(address, "PUT", f"/runs/{run['id']}/artifacts/report.html?type=report",
                     raw=b"<h1>Report</h1><script>parent.document.title = 'taken over'</script>", kind="text/html")
                call(address, "POST", f"/runs/{run['id']}/notes", {"text": "Looks **good**. <script>alert(1)</script>"})
            if not (config == 1 and seed == 4):
                call(address, "POST", f"/runs/{run['id']}/end", {"status": "FAILED" if diverges else "FINISHED"})
    call(address, "POST", "/models", {"name": "reader", "project": "vision", "description": "Reads digits."})


def runs(address, filter=""):
    question = urllib.parse.urlencode({"filter": filter, "limit": 100})
    return call(address, "GET", f"/experiments/digits/runs?{question}")["runs"]
