"""Closed-loop load: one process and one keep-alive connection for each client, bodies made before the clock starts.

Bounded twice: by time, and by the bodies that were made.
"""
import multiprocessing
import time

from connection import Connection

FORK = multiprocessing.get_context("fork")


class Outcome:
    def __init__(self, answered, refused, sample, seconds, latencies):
        self.answered = answered
        self.refused = refused
        self.sample = sample
        self.seconds = seconds
        self.latencies = sorted(latencies)

    @property
    def rate(self):
        return self.answered / self.seconds if self.seconds > 0 else 0.0

    def check(self, what):
        """A figure of requests that were refused is no figure."""
        if self.refused or not self.answered:
            raise RuntimeError(f"{what}: {self.refused} refused, {self.answered} answered: {self.sample}")
        return self


def percentile(ordered, share):
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else float("nan")


def _client(port, messages, seconds, gate, pipe):
    connection = Connection(port).open()
    latencies, refused, sample = [], 0, ""
    gate.wait(120)
    start = time.perf_counter()
    end = start + seconds
    last = start
    for message in messages:
        before = time.perf_counter()
        if before >= end:
            break
        status, body = connection.send(message)
        last = time.perf_counter()
        if 200 <= status < 300:
            latencies.append(last - before)
        else:
            refused += 1
            sample = sample or f"{status} {body[:300]!r}"
    pipe.send((latencies, refused, sample, start, last))
    pipe.close()
    connection.close()


def run(port, messages_of_clients, seconds):
    gate = FORK.Barrier(len(messages_of_clients))
    running = []
    for messages in messages_of_clients:
        receive, send = FORK.Pipe(False)
        process = FORK.Process(target=_client, args=(port, messages, seconds, gate, send))
        process.start()
        send.close()
        running.append((process, receive))
    got = []
    for process, receive in running:
        try:
            got.append(receive.recv())
        except EOFError:
            got.append(([], 1, "a client died", 0, 0))
        process.join()
    latencies = [one for part in got for one in part[0]]
    alive = [part for part in got if part[4]]
    wall = max((part[4] for part in alive), default=0) - min((part[3] for part in alive), default=0)
    sample = next((part[2] for part in got if part[2]), "")
    return Outcome(len(latencies), sum(part[1] for part in got), sample, wall, latencies)
