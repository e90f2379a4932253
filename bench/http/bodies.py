"""Requests with 1,000 points each, in every shape that a client may choose, made before any clock starts."""
import json
import random

from connection import Connection

CHANCE = random.Random(7)
# Full doubles, as a loss has them: 17 digits are the hardest to read.
VALUES = [CHANCE.random() for _ in range(1000)]
TEXTS = [repr(value) for value in VALUES]
NAMES = [f"train/metric_{key}" for key in range(1000)]
TEN = NAMES[:10]


def columnar(run, number):
    steps = ",".join(map(str, range(number * 100, number * 100 + 100)))
    series = ",".join(
        f'{{"metric":"{name}","steps":[{steps}],"values":[{",".join(TEXTS[key * 100:key * 100 + 100])}]}}'
        for key, name in enumerate(TEN)
    )
    return Connection.message("POST", f"/api/v1/runs/{run}/metrics", f'{{"series":[{series}]}}'.encode())


def array(run, number):
    objects = ",".join(
        f'{{"step":{number * 100 + row},"metrics":{{{_ten(row)}}}}}' for row in range(100)
    )
    return Connection.message("POST", f"/api/v1/runs/{run}/metrics", f"[{objects}]".encode())


def map_of_names(run, number):
    pairs = ",".join(f'"{name}":{TEXTS[key]}' for key, name in enumerate(NAMES))
    body = f'{{"step":{number},"metrics":{{{pairs}}}}}'
    return Connection.message("POST", f"/api/v1/runs/{run}/metrics", body.encode())


def logbook(run, number):
    lines = "".join(
        f'{{"w":"{run}","seq":{number * 100 + row + 1},"t":1700000000000,"run":"{run}","op":"metrics",'
        f'"step":{number * 100 + row},"m":{{{_ten(row)}}}}}\n'
        for row in range(100)
    )
    return Connection.message("POST", "/api/v1/logbook", lines.encode(), "application/x-ndjson")


def _ten(row):
    return ",".join(f'"{name}":{TEXTS[row * 10 + key]}' for key, name in enumerate(TEN))


SHAPES = {"columnar": columnar, "array": array, "map": map_of_names, "logbook": logbook}


def point(run, step):
    return Connection.message(
        "POST", f"/api/v1/runs/{run}/metrics", f'{{"metrics":{{"loss":{TEXTS[step % 1000]}}},"step":{step}}}'.encode())


def point_for_mlflow(run, step):
    body = {"run_id": run, "key": "loss", "value": VALUES[step % 1000], "timestamp": 1700000000000 + step, "step": step}
    return Connection.message("POST", "/api/2.0/mlflow/runs/log-metric", json.dumps(body).encode())


def experiment_lines(experiment, first, count, params, metrics, tags):
    """Logbook lines of whole runs: started, described, measured, ended."""
    lines = []
    for number in range(first, first + count):
        run = f"{number + 1:032x}"
        writer = f'{{"w":"{run}","seq":'
        rest = f'"t":{1700000000000 + number},"run":"{run}","op":'
        chance = random.Random(number)
        described = ",".join(f'"p{key}":{chance.randrange(10)}' for key in range(params))
        measured = ",".join(f'"m{key}":{chance.random()!r}' for key in range(metrics))
        tagged = ",".join(f'"t{key}":"v{chance.randrange(1000)}"' for key in range(tags))
        lines.append(f'{writer}1,{rest}"run","experiment":"{experiment}","tags":{{{tagged}}}}}\n')
        lines.append(f'{writer}2,{rest}"params","p":{{{described}}}}}\n')
        lines.append(f'{writer}3,{rest}"metrics","step":1,"m":{{{measured}}}}}\n')
        lines.append(f'{writer}4,{rest}"state","status":"FINISHED"}}\n')
    return "".join(lines).encode()
