"""What is measured over HTTP. Each case yields (id, samples, note)."""
import json
import os
import subprocess
import time
from urllib.parse import quote

import bodies
import feed
import load
import servers


class Bench:
    def __init__(self, binary, folder, fasttrackml, quick):
        self.binary = binary
        self.folder = folder
        self.fasttrackml = fasttrackml
        self.quick = quick
        self.rounds = 2 if quick else 3

    def martlet(self, name, fresh=True):
        return servers.martlet(self.binary, os.path.join(self.folder, name), fresh)


def ask(connection, method, path, value=None):
    body = b"" if value is None else json.dumps(value).encode()
    status, answer = connection.request(method, path, body)
    if not 200 <= status < 300:
        raise RuntimeError(f"{method} {path}: {status} {answer[:300]!r}")
    return json.loads(answer) if answer else None


def make_runs(server, experiment, count):
    connection = server.connection()
    ask(connection, "POST", "/api/v1/experiments", {"name": experiment})
    runs = [ask(connection, "POST", f"/api/v1/experiments/{experiment}/runs", {})["run_id"] for _ in range(count)]
    connection.close()
    return runs


def latencies(connection, method, path, count, value=None):
    """In milliseconds, ordered; every answer must be a good one."""
    message = connection.message(method, path, b"" if value is None else json.dumps(value).encode())
    found = []
    for _ in range(count):
        before = time.perf_counter()
        status, body = connection.send(message)
        found.append((time.perf_counter() - before) * 1000)
        if status != 200:
            raise RuntimeError(f"{path}: {status} {body[:300]!r}")
    return sorted(found)


def start(bench):
    """From nothing to the first answer, and what a server weighs that does nothing."""
    times, weights = [], []
    for number in range(bench.rounds + 2):
        with bench.martlet("start", fresh=number == 0) as server:
            times.append(server.started_in * 1000)
            time.sleep(0.3)
            weights.append(server.resident_mb())
    yield "http.cold_start_ms", times, "the first one makes the store"
    yield "http.idle_mb", weights, None


def points(bench):
    """Batches of 1,000 points: how many points a second are on disk and acknowledged."""
    seconds = 1.0 if bench.quick else 2.0
    for shape, make in bodies.SHAPES.items():
        for clients in (1, 4):
            rates, costs = [], []
            for number in range(bench.rounds):
                # A new store each time: some rounds would fill the journal beyond the mark at which a store asks to wait.
                with bench.martlet("points") as server:
                    runs = make_runs(server, "points", clients)
                    count = int((600 if shape == "logbook" else 1200) * seconds / clients)
                    made = [[make(run, one) for one in range(count)] for run in runs]
                    cpu = server.cpu_seconds()
                    outcome = load.run(server.port, made, seconds).check(f"{shape} at {clients}")
                    rates.append(outcome.rate * 1000)
                    costs.append(outcome.answered * 1000 / max(0.01, server.cpu_seconds() - cpu))
            note = f"{middle(costs) / 1e6:.2f} M points in a second of the server's CPU"
            yield f"http.points.{shape}.{clients}", rates, note


def middle(samples):
    return sorted(samples)[len(samples) // 2]


def single_points(bench):
    """One point a request at eight clients, acknowledged when it is on disk; FastTrackML, which does not sync, in turns."""
    clients, seconds = 8, 1.5 if bench.quick else 3.0
    rates, peers, ratios, waits = [], [], [], []
    with bench.martlet("single") as ours, servers.fasttrackml(
        bench.fasttrackml, os.path.join(bench.folder, "fasttrackml")
    ) as theirs:
        for number in range(bench.rounds + 1):
            runs = make_runs(ours, "single", clients)
            made = [[bodies.point(run, step) for step in range(int(4000 * seconds))] for run in runs]
            one = load.run(ours.port, made, seconds).check("single points")
            connection = theirs.connection()
            runs = [
                ask(connection, "POST", "/api/2.0/mlflow/runs/create", {"experiment_id": "0"})["run"]["info"]["run_id"]
                for _ in range(clients)
            ]
            connection.close()
            made = [[bodies.point_for_mlflow(run, step) for step in range(int(4000 * seconds))] for run in runs]
            other = load.run(theirs.port, made, seconds).check("FastTrackML")
            if number == 0:
                continue
            rates.append(one.rate)
            peers.append(other.rate)
            ratios.append(one.rate / other.rate)
            waits.append(load.percentile(one.latencies, 0.99) * 1000)
        yield "http.single_over_fasttrackml", ratios, f"{middle(rates):.0f}/s against {middle(peers):.0f}/s"
        yield "http.single_p99_ms", waits, None


def search(bench):
    """10,000 runs in one experiment, a filter, an order and a page of 100; then the weight of 100,000 runs."""
    total = 20_000 if bench.quick else 100_000
    with bench.martlet("search") as server:
        connection = server.connection()
        seed(connection, "ten", 0, 10_000)
        question = {
            "experiment_name": "ten", "filter": "metrics.m1 > 0.5 AND params.p1 = '3'", "order_by": ["metrics.m2 DESC"],
            "limit": 100,
        }
        latencies(connection, "POST", "/api/v1/runs/search", 5, question)
        found = latencies(connection, "POST", "/api/v1/runs/search", 200, question)
        yield "http.search_p50_ms", found, f"p99 {load.percentile(found, 0.99):.1f} ms; four params, metrics and a tag each"
        begin = time.perf_counter()
        seed(connection, "rest", 10_000, total - 10_000)
        took = time.perf_counter() - begin
        question["experiment_name"] = "rest"
        latencies(connection, "POST", "/api/v1/runs/search", 5, question)
        note = f"{total} runs by logbook, {(total - 10_000) / took:.0f} runs/s; after a search over them"
        yield "http.runs_mb", [server.resident_mb()], note
        connection.close()


def seed(connection, experiment, first, count):
    for start in range(first, first + count, 2000):
        lines = bodies.experiment_lines(experiment, start, min(2000, first + count - start), 4, 4, 1)
        status, answer = connection.request("POST", "/api/v1/logbook", lines, "application/x-ndjson")
        if status != 200:
            raise RuntimeError(f"logbook: {status} {answer[:300]!r}")


def history(bench):
    """A curve of a million points in as many buckets as a chart has pixels, before and after compaction."""
    count = 200_000 if bench.quick else 1_000_000
    with bench.martlet("history") as server:
        run = make_runs(server, "history", 1)[0]
        connection = server.connection()
        for start in range(0, count, 10_000):
            values = ",".join(bodies.TEXTS[step % 1000] for step in range(start, start + 10_000))
            steps = ",".join(map(str, range(start, start + 10_000)))
            body = f'{{"series":[{{"metric":"loss","steps":[{steps}],"values":[{values}]}}]}}'
            status, answer = connection.request("POST", f"/api/v1/runs/{run}/metrics", body.encode())
            if status >= 300:
                raise RuntimeError(f"metrics: {status} {answer[:300]!r}")
        path = f"/api/v1/runs/{run}/history?metric=loss&buckets=1000"
        fresh = latencies(connection, "GET", path, 10)
        yield "http.history_fresh_p50_ms", fresh, f"{count} points, still in the journal"
        ask(connection, "POST", f"/api/v1/runs/{run}/end", {})
        end = time.monotonic() + 40
        while time.monotonic() < end:
            time.sleep(0.5)
            if latencies(connection, "GET", path, 3)[1] < fresh[len(fresh) // 2] / 3:
                break
        yield "http.history_p50_ms", latencies(connection, "GET", path, 100), f"{count} points in 1,000 buckets"
        connection.close()


def artifacts(bench):
    """A large file in and out, against cp through a pipe that ends on disk too."""
    size = (256 if bench.quick else 1024) << 20
    source = os.path.join(bench.folder, "large")
    copy = os.path.join(bench.folder, "copy")
    with open(source, "wb") as file:
        block = os.urandom(1 << 20)
        for number in range(size >> 20):
            file.write(number.to_bytes(8, "little") + block[8:])
        os.fsync(file.fileno())
    ins, outs, growth, seconds = [], [], [], []
    with bench.martlet("artifacts") as server:
        run = make_runs(server, "artifacts", 1)[0]
        connection = server.connection()
        before = server.resident_mb()
        server.forget_peak()
        for number in range(bench.rounds):
            # Other bytes each time: the same ones are stored once.
            with open(source, "r+b") as file:
                file.write(os.urandom(32))
                file.flush()
                os.fsync(file.fileno())
            upload = clock(lambda: expect(connection.upload(f"/api/v1/runs/{run}/artifacts/file{number}", source, size)))
            cp = clock(lambda: shell(f"cat {quote(source)} | dd of={quote(copy)} bs=1M iflag=fullblock conv=fsync status=none"))
            os.unlink(copy)
            download = clock(lambda: expect(connection.download(f"/api/v1/runs/{run}/artifacts/file{number}"), size))
            cat = clock(lambda: shell(f"cat {quote(source)} | cat >/dev/null"))
            ins.append(upload / cp)
            outs.append(download / cat)
            growth.append(server.peak_mb() - before)
            seconds.append((upload, cp, download, cat))
        connection.close()
        upload, cp, download, cat = (f"{size / 1e6 / min(times):.0f} MB/s" for times in zip(*seconds))
        yield "http.upload_over_cp", ins, f"at best {upload} with SHA-256, cp {cp}, both to the disk"
        yield "http.download_over_cp", outs, f"at best {download}, cat {cat}"
        yield "http.artifact_growth_mb", growth, f"over {before:.0f} MB; {size >> 20} MiB in and out"
    os.unlink(source)


def clock(body):
    begin = time.perf_counter()
    body()
    return time.perf_counter() - begin


def expect(answer, size=None):
    status, body = answer
    if not 200 <= status < 300 or size is not None and body != size:
        raise RuntimeError(f"{status} {str(body)[:300]}")


def shell(line):
    subprocess.run(["sh", "-c", line], check=True)


def followers(bench):
    """A search beside 1,000 long polls and 64 writers."""
    with bench.martlet("followers") as server:
        runs = make_runs(server, "followed", 64)
        found, polls, writes = feed.search_beside(server.port, runs, 1000, 4.0 if bench.quick else 8.0)
        note = f"p50 {load.percentile(found, 0.5):.1f} ms; {polls} polls answered, {writes} points written meanwhile"
        yield "http.search_beside_p99_ms", [load.percentile(found, 0.99)], note


ALL = [start, points, single_points, search, history, artifacts, followers]
