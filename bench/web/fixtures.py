"""What the web app is looked at with: made once from a seed, through the real API, and kept in a folder.

Each part is an experiment or a few; a list beside the store says which parts it has, so that a run that was cut short goes on.
"""
import hashlib
import json
import math
import os
import random
import struct
import sys
import time
import zlib

import bodies

WIDE_RUNS, WIDE_METRICS, WIDE_STEPS = 1_500, 150, 3
MANY_RUNS = 100_000
LONG_CURVES, LONG_POINTS, LONG_BATCH = 100, 1_000_000, 50_000
PICTURES, PICTURE_KEYS = 10_000, 25
TASK_CONFIGS, TASK_SEEDS, TASK_STEPS, CHART_COUNT = 6, 5, 400, 1_500
PEER_RUNS, PEER_METRICS, PEER_STEPS = 1_500, 10, 20


def send(connection, method, path, body, kind="application/json"):
    status, answer = connection.request(method, path, body, kind)
    if not 200 <= status < 300:
        raise RuntimeError(f"{method} {path}: {status} {answer[:300]!r}")
    return json.loads(answer) if answer else None


def ask(connection, method, path, value=None):
    return send(connection, method, "/api/v1" + path, b"" if value is None else json.dumps(value).encode())


def logbook(connection, lines):
    send(connection, "POST", "/api/v1/logbook", lines, "application/x-ndjson")


def wide(connection, number):
    """1,500 runs with 150 metrics in ten groups, three steps each."""
    names = [f"group{key // 15}/metric{key % 15:02d}" for key in range(WIDE_METRICS)]
    chance = random.Random(1000 + number)
    texts = [f"{chance.random():.6f}" for _ in range(5000)]
    for start in range(0, WIDE_RUNS, 100):
        lines = []
        for place in range(start, start + 100):
            run = f"{(number + 1) << 40 | place + 1:032x}"
            writer, rest = f'{{"w":"{run}","seq":', f'"t":{1700000000000 + place * 1000},"run":"{run}","op":'
            params = ",".join(f'"p{key}":{chance.randrange(8)}' for key in range(10))
            lines.append(f'{writer}1,{rest}"run","experiment":"wide-{number:02d}"}}\n{writer}2,{rest}"params","p":{{{params}}}}}\n')
            for step in range(WIDE_STEPS):
                at = chance.randrange(4800)
                measured = ",".join(f'"{name}":{texts[at + key]}' for key, name in enumerate(names))
                lines.append(f'{writer}{step + 3},{rest}"metrics","step":{step},"m":{{{measured}}}}}\n')
            lines.append(f'{writer}{WIDE_STEPS + 3},{rest}"state","status":"FINISHED"}}\n')
        logbook(connection, "".join(lines).encode())


def many(connection, count):
    """One experiment with 100,000 runs, 10 params, 10 metrics and a tag each."""
    for start in range(0, count, 2000):
        logbook(connection, bodies.experiment_lines("many", start, min(2000, count - start), 10, 10, 1))


def long_curves(connection, curves, points):
    """A hundred runs with a loss of a million points. The noise is shared out among ten bodies, the trend is each run's own."""
    chance = random.Random(5)
    noise = [[chance.gauss(0, 0.05) for _ in range(LONG_BATCH)] for _ in range(10)]
    ask(connection, "POST", "/experiments", {"name": "long"})
    for curve in range(curves):
        run = ask(connection, "POST", "/experiments/long/runs", {"name": f"curve-{curve:03d}", "params": {"lr": 0.001 * (curve + 1)}})["id"]
        for start in range(0, points, LONG_BATCH):
            size = min(LONG_BATCH, points - start)
            base = 0.2 + 2 * math.exp(-(start + size / 2) / (points / (4 + curve % 7))) + curve * 0.002
            values = ",".join([f"{base + one:.5f}" for one in noise[(curve + start // LONG_BATCH) % 10][:size]])
            steps = ",".join(map(str, range(start, start + size)))
            body = f'{{"series":[{{"metric":"train/loss","steps":[{steps}],"values":[{values}]}}]}}'.encode()
            send(connection, "POST", f"/api/v1/runs/{run}/metrics", body)
        ask(connection, "POST", f"/runs/{run}/end", {"status": "FINISHED"})


def picture(width, height, red, wave):
    """A PNG with a ring whose radius is `wave`, so that steps can be told apart."""
    rows = bytearray()
    for y in range(height):
        rows.append(0)
        for x in range(width):
            ring = 255 if abs(math.hypot(x - width / 2, y - height / 2) - wave) < 3 else 40
            rows += bytes((red, ring, x * 255 // width))

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(bytes(rows), 6)) + chunk(b"IEND", b"")


def log_picture(connection, run, key, step, data):
    """As the Python package does it: a file under media/, and a rich value that names it. Returns the value."""
    digest = hashlib.sha256(data).hexdigest()
    path = f"media/{key}_{step}_{digest[:8]}.png"
    send(connection, "PUT", f"/api/v1/runs/{run}/artifacts/{path}?type=media", data, "image/png")
    return {"kind": "image", "step": step, "value": {}, "files": [{"sha256": digest, "size": len(data), "mime": "image/png", "path": path}]}


def pictures(connection, count):
    """A run with 10,000 images: 25 keys, 400 steps. 200 different rings, each with a text chunk that makes the bytes its own."""
    ask(connection, "POST", "/experiments", {"name": "pictures"})
    run = ask(connection, "POST", "/experiments/pictures/runs", {"name": "gallery"})["id"]
    rings = [picture(96, 96, 10 * (number % 20), 6 + number % 40) for number in range(200)]
    for key in range(PICTURE_KEYS):
        values = []
        for step in range(count // PICTURE_KEYS):
            text = b"Comment\0%d of %d" % (step, key)
            chunk = struct.pack(">I", len(text)) + b"tEXt" + text + struct.pack(">I", zlib.crc32(b"tEXt" + text))
            ring = rings[(step + key * 7) % 200]
            values.append(log_picture(connection, run, f"samples/{key:02d}", step, ring[:-12] + chunk + ring[-12:]))
        ask(connection, "POST", f"/runs/{run}/rich/samples/{key:02d}", values)
    ask(connection, "POST", f"/runs/{run}/end", {"status": "FINISHED"})


def seeds_of_tasks():
    """The runs of the ten tasks, for every tracker the same: (name, params, {metric: values}, does it fail)."""
    chance = random.Random(17)
    made = []
    for config in range(TASK_CONFIGS):
        for seed in range(TASK_SEEDS):
            rate = (0.3, 0.1, 0.03, 0.01, 0.003, 0.001)[config]
            params = {"lr": rate, "depth": 4 + config % 3, "optimizer": ("adam", "sgd")[config % 2], "batch": 128, "seed": seed}
            fails = config == 0 and seed == 3
            steps = TASK_STEPS // 2 if fails else TASK_STEPS
            floor = 0.2 + 0.05 * abs(config - 3)
            loss = [floor + 2 * math.exp(-step / (40 + 20 * config)) + chance.gauss(0, 0.02) for step in range(steps)]
            accuracy = [0.97 - floor / 4 - 0.7 * math.exp(-step / 60) + chance.gauss(0, 0.004) for step in range(steps)]
            if fails:
                loss[-5:] = [float("nan")] * 5
            made.append((f"c{config}-s{seed}", params, {"train/loss": loss, "val/accuracy": accuracy}, fails))
    return made


LAST_WORDS = ["Traceback (most recent call last):\n", '  File "train.py", line 88, in <module>\n', "    loss.backward()\n",
              "FloatingPointError: the loss is NaN at step 199, lr=0.3\n"]
IMAGE_STEPS = (0, 100, 200, 300)


def tasks(connection):
    """What the ten tasks are done on: six configurations of five seeds, images in three runs, one that died, one with 1,500 charts."""
    ask(connection, "POST", "/experiments", {"name": "tasks"})
    for number, (name, params, metrics, fails) in enumerate(seeds_of_tasks()):
        identity = f"{0xabc << 32 | number:032x}"
        ask(connection, "POST", "/experiments/tasks/runs", {"id": identity, "name": name, "params": params})
        series = [{"metric": metric, "steps": list(range(len(values))), "values": [value if value == value else "NaN" for value in values]}
                  for metric, values in metrics.items()]
        ask(connection, "POST", f"/runs/{identity}/metrics", {"series": series})
        if number % 10 == 9:
            values = [log_picture(connection, identity, "samples", step, picture(128, 96, 60 + number * 6, 8 + step // 10)) for step in IMAGE_STEPS]
            ask(connection, "POST", f"/runs/{identity}/rich/samples", values)
        if fails:
            lines = [{"w": "console", "seq": place + 1, "t": 1700000000000 + place, "run": identity, "op": "console", "stream": "stderr", "text": text}
                     for place, text in enumerate(LAST_WORDS)]
            logbook(connection, "".join(json.dumps(line) + "\n" for line in lines).encode())
        ask(connection, "POST", f"/runs/{identity}/end", {"status": "FAILED" if fails else "FINISHED"})
    ask(connection, "POST", "/experiments", {"name": "charts"})
    run = ask(connection, "POST", "/experiments/charts/runs", {"name": "wide"})["id"]
    chance = random.Random(3)
    for step in range(10):
        ask(connection, "POST", f"/runs/{run}/metrics", {"step": step, "metrics": {name: chance.random() for name in chart_names()}})
    ask(connection, "POST", f"/runs/{run}/end", {"status": "FINISHED"})


def chart_names():
    return [f"layer{number // 15:02d}/{('grad', 'weight', 'update')[number % 3]}_norm_{number % 15:02d}" for number in range(CHART_COUNT)]


def peer_runs():
    """1,500 runs with 10 metrics x 20 points and 8 params, the same for every tracker: (name, params, {metric: values})."""
    chance = random.Random(29)
    for number in range(PEER_RUNS):
        params = {f"p{key}": chance.randrange(6) for key in range(8)}
        metrics = {f"m{key}": [round(chance.random() + math.exp(-step / 5), 6) for step in range(PEER_STEPS)] for key in range(PEER_METRICS)}
        yield f"run-{number:04d}", params, metrics


def beside_peers(connection):
    ask(connection, "POST", "/experiments", {"name": "peers"})
    lines = []
    for number, (name, params, metrics) in enumerate(peer_runs()):
        run = f"{0xbee << 32 | number:032x}"
        head = {"w": run, "t": 1700000000000 + number * 1000, "run": run}
        lines.append({**head, "seq": 1, "op": "run", "experiment": "peers", "name": name})
        lines.append({**head, "seq": 2, "op": "params", "p": params})
        for step in range(PEER_STEPS):
            lines.append({**head, "seq": step + 3, "op": "metrics", "step": step, "m": {metric: values[step] for metric, values in metrics.items()}})
        lines.append({**head, "seq": PEER_STEPS + 3, "op": "state", "status": "FINISHED"})
        if len(lines) > 4000:
            logbook(connection, "".join(json.dumps(line, separators=(",", ":")) + "\n" for line in lines).encode())
            lines = []
    logbook(connection, "".join(json.dumps(line, separators=(",", ":")) + "\n" for line in lines).encode())


def parallel(connection):
    """1,000 runs with seven params that all differ, and a result: what parallel coordinates are drawn of."""
    chance = random.Random(41)
    lines = []
    for number in range(1000):
        run = f"{0xca1 << 32 | number:032x}"
        head = {"w": run, "t": 1700000000000 + number * 1000, "run": run}
        params = {f"p{key}": round(chance.random(), 4) for key in range(6)} | {"kind": chance.choice(["adam", "sgd", "lion"])}
        lines += [{**head, "seq": 1, "op": "run", "experiment": "parallel"}, {**head, "seq": 2, "op": "params", "p": params},
                  {**head, "seq": 3, "op": "metrics", "step": 1, "m": {"accuracy": chance.random()}}, {**head, "seq": 4, "op": "state", "status": "FINISHED"}]
    logbook(connection, "".join(json.dumps(line) + "\n" for line in lines).encode())


def parts(size):
    """By name, in the order in which they are made; `size` is quick or full."""
    experiments = 50 if size == "full" else 2
    runs, curves, images = (MANY_RUNS, LONG_CURVES, PICTURES) if size == "full" else (10_000, 10, 1_000)
    found = {"tasks": tasks, "peers": beside_peers, "parallel": parallel, f"pictures-{images}": lambda connection: pictures(connection, images),
             f"many-{runs}": lambda connection: many(connection, runs), f"long-{curves}": lambda connection: long_curves(connection, curves, LONG_POINTS)}
    for number in range(experiments):
        found[f"wide-{number:02d}"] = lambda connection, number=number: wide(connection, number)
    return found


def make(connection, folder, size):
    mark = folder + ".json"
    have = json.load(open(mark)) if os.path.exists(mark) else {}
    for name, fill in parts(size).items():
        if name in have:
            continue
        begin = time.monotonic()
        fill(connection)
        have[name] = round(time.monotonic() - begin, 1)
        with open(mark, "w") as file:
            json.dump(have, file)
        print(f"web: {name} made in {have[name]} s", file=sys.stderr)
    return have
