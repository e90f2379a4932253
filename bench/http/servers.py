"""Servers under measurement: started on a free port of 127.0.0.1, stopped by their process id."""
import os
import shutil
import signal
import socket
import subprocess
import time

from connection import Connection

TICK = os.sysconf("SC_CLK_TCK")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Server:
    def __init__(self, command, folder, ready, first_path):
        self.folder = folder
        self.port = free_port()
        self.log = open(folder + ".log", "ab")
        begin = time.perf_counter()
        self.process = subprocess.Popen(
            [word.replace("{port}", str(self.port)) for word in command],
            stdout=self.log, stderr=self.log, stdin=subprocess.DEVNULL, cwd=os.path.dirname(folder),
        )
        self.pid = self.process.pid
        self.started_in = self._wait(begin, ready, first_path)

    def _wait(self, begin, seconds, path):
        """Until the first request is answered; the time from the start of the process."""
        while time.perf_counter() - begin < seconds:
            if self.process.poll() is not None:
                break
            try:
                with_connection = Connection(self.port, timeout=5).open()
                status, _ = with_connection.request("GET", path)
                with_connection.close()
                if status == 200:
                    return time.perf_counter() - begin
            except OSError:
                pass
            time.sleep(0.001)
        said = self.said()
        self.stop()
        raise RuntimeError(f"the server did not answer GET {path}; it said: {said}")

    def said(self):
        with open(self.folder + ".log", "rb") as log:
            return log.read()[-600:].decode(errors="replace")

    def connection(self):
        return Connection(self.port)

    def members(self):
        """The process and its children."""
        found, todo = [], [self.pid]
        while todo:
            pid = todo.pop()
            found.append(pid)
            try:
                with open(f"/proc/{pid}/task/{pid}/children") as children:
                    todo += [int(word) for word in children.read().split()]
            except OSError:
                pass
        return found

    def _status(self, name):
        total = 0
        for pid in self.members():
            try:
                with open(f"/proc/{pid}/status") as lines:
                    total += sum(int(line.split()[1]) for line in lines if line.startswith(name + ":"))
            except OSError:
                pass
        return total * 1024 / 1e6

    def resident_mb(self):
        return self._status("VmRSS")

    def peak_mb(self):
        return self._status("VmHWM")

    def forget_peak(self):
        for pid in self.members():
            with open(f"/proc/{pid}/clear_refs", "w") as file:
                file.write("5")

    def cpu_seconds(self):
        total = 0
        for pid in self.members():
            try:
                with open(f"/proc/{pid}/stat") as file:
                    words = file.read().rsplit(")", 1)[1].split()
                total += int(words[11]) + int(words[12])
            except OSError:
                pass
        return total / TICK

    def stop(self):
        if self.process.poll() is None:
            members = self.members()
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait(10)
            # A server that leaves its workers behind would be in the next one's way.
            for pid in members[1:]:
                try:
                    os.kill(pid, signal.SIGTERM)
                except ProcessLookupError:
                    pass
        self.log.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()


def martlet(binary, folder, fresh=True):
    if fresh:
        shutil.rmtree(folder, ignore_errors=True)
    command = [binary, "serve", "--host", "127.0.0.1", "--port", "{port}", "--data", folder, "--log-level", "error"]
    return Server(command, folder, 30, "/health")


def fasttrackml(program, folder):
    """FastTrackML on SQLite, as its documentation starts it."""
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    command = [
        program, "server", "--listen-address", "127.0.0.1:{port}", "--database-uri", f"sqlite://{folder}/fasttrackml.db",
        "--default-artifact-root", f"{folder}/artifacts",
    ]
    return Server(command, folder, 60, "/health")
