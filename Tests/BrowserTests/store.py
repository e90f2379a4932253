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
                     raw=b"<h1>Report</h1><script>try { parent.document.title = 'taken over' } catch {}</script>", kind="text/html")
                call(address, "POST", f"/runs/{run['id']}/notes", {"text": "Looks **good**. <script>alert(1)</script>"})
            if not (config == 1 and seed == 4):
                call(address, "POST", f"/runs/{run['id']}/end", {"status": "FAILED" if diverges else "FINISHED"})
    call(address, "POST", "/models", {"name": "reader", "project": "vision", "description": "Reads digits."})


def runs(address, filter=""):
    question = urllib.parse.urlencode({"filter": filter, "limit": 100})
    return call(address, "GET", f"/experiments/digits/runs?{question}")["runs"]


def fill_sweep(address):
    """A search over settings, as statistics are made of: two diverged, one has no accuracy, one still runs."""
    chance = random.Random(23)
    call(address, "POST", "/experiments", {"name": "sweep", "project": "vision", "description": "Which settings pay?"})
    # What is better here is said, and not what the name suggests.
    call(address, "PUT", "/experiments/sweep/metrics/images_per_joule", {"goal": "max"})
    for number in range(48):
        rate = 10 ** chance.uniform(-4, -1)
        dropout, width = round(chance.uniform(0, 0.6), 3), chance.choice([64, 128, 256, 512])
        optimizer = ("adam", "sgd", "lion")[number % 3]
        loss = (0.3 + 0.12 * (math.log10(rate) + 2.6 - 0.4 * (number % 3)) ** 2 + (dropout - 0.25) ** 2
                - 0.05 * math.log2(width / 64) + chance.gauss(0, 0.015))
        run = call(address, "POST", "/experiments/sweep/runs", {"params": {
            "lr": float(f"{rate:.3g}"), "dropout": dropout, "width": width, "optimizer": optimizer, "seed": number}})
        metrics = {"val/loss": "NaN" if number in (7, 19) else loss, "latency_ms": 2 + width / 80 + chance.gauss(0, 0.2),
                   "images_per_joule": 900 / math.sqrt(width) + chance.gauss(0, 2)}
        if number != 30:
            metrics["val/accuracy"] = 0.98 - loss / 4 + chance.gauss(0, 0.004)
        call(address, "POST", f"/runs/{run['id']}/metrics", {"metrics": metrics, "step": 100})
        if number != 47:
            call(address, "POST", f"/runs/{run['id']}/end", {"status": "FINISHED"})


def fill_pair(address):
    """Two runs of other code, other packages and other output: what a comparison has to find."""
    call(address, "POST", "/experiments", {"name": "pair", "project": "vision"})
    call(address, "PUT", "/experiments/pair/metrics/gate", {"goal": "min"})
    for number, (name, commit, torch) in enumerate([("before", "4f1c" * 10, "2.4.0"), ("after", "9ab0" * 10, "2.5.1")]):
        identity = f"{number + 1:032x}"
        run = call(address, "POST", "/experiments/pair/runs", {
            "id": identity, "name": name, "params": {"lr": 0.1, "depth": 4 + number}, "git_commit": commit})
        call(address, "POST", f"/runs/{run['id']}/metrics", {
            "metrics": {"gate": 5 - number, "loss": 0.5 - number / 10, "accuracy": 0.9}})
        call(address, "POST", f"/runs/{run['id']}/metrics", {"series": [
            {"metric": "curve", "steps": list(range(50)), "values": [math.exp(-step / (10 + 10 * number)) for step in range(50)]}]})
        call(address, "POST", f"/runs/{run['id']}/facts/git", {"commit": commit, "branch": "main", "dirty": number == 1})
        call(address, "POST", f"/runs/{run['id']}/facts/infrastructure", {
            "command": f"python train.py --depth {4 + number}", "python": "3.11.7", "gpus": ["H100"] * (1 + number), "cpu_count": 8})
        packages = {"numpy": "1.26.4", "torch": torch, **({"einops": "0.8.0"} if number else {})}
        put(address, identity, "requirements.txt", "".join(f"{key}=={value}\n" for key, value in packages.items()))
        put(address, identity, "code/model.py", "\n".join(
            ["import torch", "", "", "def model(depth):", f"    width = {64 * (number + 1)}", "    return [width] * depth"]) + "\n")
        put(address, identity, "code/data.py", "def data():\n    return []\n")
        printed = [f"epoch {epoch} loss {1 / (epoch + 1 + number):.3f}\n" for epoch in range(30)]
        if number:
            printed.insert(12, "warning: a batch was skipped\n")
        lines = [{"w": f"w{number}", "seq": place + 1, "t": 1700000000000 + place, "run": identity, "op": "console",
                  "stream": "stdout", "text": text} for place, text in enumerate(printed)]
        call(address, "POST", "/logbook", raw="".join(json.dumps(line) + "\n" for line in lines).encode(), kind="application/x-ndjson")
        call(address, "POST", f"/runs/{run['id']}/end", {"status": "FINISHED"})


def put(address, run, path, text):
    call(address, "PUT", f"/runs/{run}/artifacts/{path}?type=code", raw=text.encode(), kind="text/plain")
