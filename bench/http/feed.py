"""A thousand long polls and 64 writers, each on a connection of its own, driven by one process each; and a search."""
import json
import multiprocessing
import selectors
import time

import bodies
from connection import Connection

FORK = multiprocessing.get_context("fork")


def _poll(port, runs, count, gate, stop, pipe):
    """Holds `count` polls open; each is asked anew from its cursor as soon as it is answered."""
    selector = selectors.DefaultSelector()
    answered = 0
    for number in range(count):
        connection = Connection(port).open()
        run = runs[number % len(runs)]
        connection.path = f"/api/v1/changes?run={run}&wait=50"
        connection.socket.sendall(connection.message("GET", connection.path))
        selector.register(connection.socket, selectors.EVENT_READ, connection)
    gate.wait(120)
    while not stop.is_set():
        for key, _ in selector.select(0.2):
            connection = key.data
            status, body = connection.answer()
            if status != 200:
                pipe.send((answered, f"poll: {status} {body[:200]!r}"))
                return
            answered += 1
            cursor = json.loads(body)["cursor"]
            connection.socket.sendall(connection.message("GET", f"{connection.path}&since={cursor}"))
    pipe.send((answered, ""))


def _write(port, runs, gate, stop, pipe):
    """Each writer logs a point a second; their answers are read as they come."""
    selector = selectors.DefaultSelector()
    writers = []
    for run in runs:
        connection = Connection(port).open()
        connection.run, connection.step = run, 0
        selector.register(connection.socket, selectors.EVENT_READ, connection)
        writers.append(connection)
    gate.wait(120)
    written, turn, due = 0, 0, time.perf_counter()
    idle = set(range(len(writers)))
    while not stop.is_set():
        now = time.perf_counter()
        while due <= now:
            place = turn % len(writers)
            if place in idle:
                connection = writers[place]
                connection.step += 1
                idle.discard(place)
                connection.socket.sendall(bodies.point(connection.run, connection.step))
            turn += 1
            due += 1 / len(writers)
        for key, _ in selector.select(max(0, due - time.perf_counter())):
            status, body = key.data.answer()
            if status >= 300:
                pipe.send((written, f"write: {status} {body[:200]!r}"))
                return
            written += 1
            idle.add(writers.index(key.data))
    pipe.send((written, ""))


def search_beside(port, runs, polls, seconds):
    gate, stop = FORK.Barrier(3), FORK.Event()
    running = []
    for target, arguments in ((_poll, (port, runs, polls)), (_write, (port, runs))):
        receive, send = FORK.Pipe(False)
        process = FORK.Process(target=target, args=(*arguments, gate, stop, send))
        process.start()
        running.append((process, receive))
    connection = Connection(port).open()
    question = json.dumps({"experiment_name": "followed", "filter": "metrics.loss > 0", "limit": 20}).encode()
    message = connection.message("POST", "/api/v1/runs/search", question)
    gate.wait(120)
    found = []
    end = time.perf_counter() + seconds
    try:
        while time.perf_counter() < end:
            before = time.perf_counter()
            status, body = connection.send(message)
            found.append((time.perf_counter() - before) * 1000)
            if status != 200:
                raise RuntimeError(f"search: {status} {body[:200]!r}")
            time.sleep(0.01)
    finally:
        stop.set()
    counts = []
    for process, receive in running:
        count, problem = receive.recv() if receive.poll(60) else (0, "a client hangs")
        process.join(5)
        if process.is_alive():
            process.kill()
        if problem:
            raise RuntimeError(problem)
        counts.append(count)
    return sorted(found), counts[0], counts[1]
