"""The same 1,500 runs in MLflow, TensorBoard and Aim, each filled by its own client, served by its own server, in the same browser."""
import importlib.metadata
import json
import os
import shutil
import subprocess
import sys
import time

import fixtures
import report
import servers
from browser import first_paint

BIN = os.path.dirname(sys.executable)


class Martlet:
    """A server that runs, and how it is asked."""

    def __init__(self, server):
        self.server = server
        self.address = f"http://127.0.0.1:{server.port}"

    def ask(self, method, path, value=None):
        connection = self.server.connection()  # a kept one would be closed between two pages
        try:
            return fixtures.ask(connection, method, path, value)
        finally:
            connection.close()


def versions():
    return {name: importlib.metadata.version(name) for name in ("mlflow", "tensorboard", "aim", "playwright")}


def once(folder, fill):
    """Fills a folder in a process of its own, unless it is there; trackers keep state that must not meet another's."""
    if os.path.exists(os.path.join(folder, "full")):
        return
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    begin = time.monotonic()
    code = f"import sys; sys.path[:0] = {sys.path[:3]!r}; import peers; peers.{fill}({folder!r})"
    subprocess.run([sys.executable, "-c", code], check=True, stdout=subprocess.DEVNULL)
    open(os.path.join(folder, "full"), "w").close()
    print(f"web: {os.path.basename(folder)} made in {time.monotonic() - begin:.0f} s", file=sys.stderr)


def fill_mlflow(folder):
    """By MLflow's own client on its SQLite store, a batch for each run; the runs of the ten tasks come along."""
    from mlflow import MlflowClient
    from PIL import Image
    from mlflow.entities import Metric, Param, RunTag

    client = MlflowClient(f"sqlite:///{folder}/mlflow.db")
    places = {name: client.create_experiment(name, artifact_location=f"file://{folder}/artifacts/{name}") for name in ("peers", "tasks", "charts")}

    def log(place, name, params, metrics, status="FINISHED"):
        run = client.create_run(places[place], run_name=name).info.run_id
        points = [Metric(metric, value, 1700000000000 + step, step) for metric, values in metrics.items() for step, value in enumerate(values)]
        client.log_batch(run, points[:1000], [Param(key, str(value)) for key, value in params.items()], [RunTag("mlflow.source.name", "train.py")])
        for start in range(1000, len(points), 1000):
            client.log_batch(run, points[start:start + 1000])
        return run

    for name, params, metrics in fixtures.peer_runs():
        client.set_terminated(log("peers", name, params, metrics))
    for number, (name, params, metrics, fails) in enumerate(fixtures.seeds_of_tasks()):
        run = log("tasks", name, params, metrics)
        if number % 10 == 9:
            for step in fixtures.IMAGE_STEPS:
                file = os.path.join(folder, "picture.png")
                with open(file, "wb") as out:
                    out.write(fixtures.picture(128, 96, 60 + number * 6, 8 + step // 10))
                client.log_image(run, Image.open(file), key="samples", step=step)
        if fails:
            client.log_text(run, "".join(fixtures.LAST_WORDS), "stderr.txt")
        client.set_terminated(run, "FAILED" if fails else "FINISHED")
    log("charts", "wide", {}, {name: [key % 7 / 7 + step for step in range(3)] for key, name in enumerate(fixtures.chart_names())})
    with open(os.path.join(folder, "places.json"), "w") as file:
        json.dump(places, file)


def fill_tensorboard(folder):
    from tensorboardX import SummaryWriter

    for name, _, metrics in fixtures.peer_runs():
        writer = SummaryWriter(os.path.join(folder, "events", name), max_queue=10_000)
        for metric, values in metrics.items():
            for step, value in enumerate(values):
                writer.add_scalar(metric, value, step)
        writer.close()


def fill_aim(folder):
    from aim import Run

    for name, params, metrics in fixtures.peer_runs():
        run = Run(repo=folder, experiment="peers", system_tracking_interval=None, log_system_params=False, capture_terminal_logs=False)
        run.name = name
        run["hparams"] = params
        for step in range(fixtures.PEER_STEPS):
            run.track({metric: values[step] for metric, values in metrics.items()}, step=step)
        run.close()


def mlflow(folder):
    """`mlflow ui` as its documentation starts it, on SQLite."""
    command = [os.path.join(BIN, "mlflow"), "ui", "--backend-store-uri", f"sqlite:///{folder}/mlflow.db",
               "--default-artifact-root", f"file://{folder}/artifacts", "--host", "127.0.0.1", "--port", "{port}"]
    return servers.Server(command, os.path.join(folder, "server"), 120, "/health")


def tensorboard(folder):
    command = [os.path.join(BIN, "tensorboard"), "--logdir", f"{folder}/events", "--host", "127.0.0.1", "--port", "{port}", "--load_fast", "auto"]
    return servers.Server(command, os.path.join(folder, "server"), 120, "/data/environment")


def aim(folder):
    return servers.Server([os.path.join(BIN, "aim"), "up", "--repo", folder, "--host", "127.0.0.1", "--port", "{port}"], os.path.join(folder, "server"), 120, "/")


# Useful is a page on which the names of runs stand, and a page with curves when a first one is drawn.
NAMES = "() => new Set(document.body?.innerText.match(/run-\\d{4}/g) ?? []).size > 5"
CURVES = "() => document.querySelector('.js-plotly-plot .trace') && /run-\\d{4}/.test(document.body.innerText)"
OURS = {
    "names": ("table", "/experiments/peers/table", NAMES),
    "curves": ("workspace", "/experiments/peers", "() => /run-\\d{4}/.test(document.body?.innerText) && document.querySelector('.panel .chart canvas')?.width > 20"),
}
THEIRS = [
    ("mlflow", mlflow, "/#/experiments/{peers}/runs", "names", NAMES),
    ("mlflow, charts", mlflow, "/#/experiments/{peers}/runs?compareRunsMode=CHART", "curves", CURVES),
    ("tensorboard", tensorboard, "/#timeseries", "names", NAMES),
    ("aim", aim, "/runs", "names", NAMES),
]


def side_by_side(browser, ours, folder, rounds, quiet, problems):
    """A round asks each in turn; every server has been asked once before. Milliseconds, and those of the page's main thread."""
    for name in ("tensorboard", "mlflow", "aim"):
        once(os.path.join(folder, name), "fill_" + name)
    with open(os.path.join(folder, "mlflow", "places.json")) as file:
        places = json.load(file)
    found = []
    for name, serve, path, kind, until in THEIRS:
        mine, my_path, my_until = OURS[kind]
        row = {"peer": name, "page": path.split("?")[0].replace("{peers}", "…"), "against": mine, "kind": kind, "ms": [], "thread_ms": [], "ours_ms": [], "ours_thread_ms": []}
        try:
            with serve(os.path.join(folder, name.split(",")[0])) as server:
                address = f"http://127.0.0.1:{server.port}{path.format(**places)}"
                for number in range(rounds + 1):
                    for key, target, wanted in (("ours_", ours.address + my_path, my_until), ("", address, until)):
                        quiet()
                        milliseconds, thread = first_paint(browser, target, wanted, 240, thread=True)
                        if number:
                            row[key + "ms"].append(round(milliseconds))
                            row[key + "thread_ms"].append(round(thread))
                row["server_mb"] = round(server.resident_mb())
        except Exception as error:
            problems.append((name, str(error).split("\n")[0]))
            continue
        row["ratio"] = round(report.median(row["ms"]) / report.median(row["ours_ms"]), 1)
        found.append(row)
    return found


def show(rows):
    for row in rows:
        print(f"{row['peer']} {row['page']}: {report.median(row['ms']):,.0f} ms, Martlet's {row['against']} {report.median(row['ours_ms']):,.0f} ms, {row['ratio']} times; "
              f"main thread {report.median(row['thread_ms']):,.0f} against {report.median(row['ours_thread_ms']):,.0f} ms")
