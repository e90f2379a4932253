"""What a user does first with a packed Martlet, tried on the system that this runs on: standard library, Python 3.9.

    python visit.py COMMAND…     such as `visit.py /opt/venv/bin/martlet`

Serves a store, asks for its health and its first page, logs a run by the package where there is one, reads it back,
and finds the server by a name of /etc/hosts and by one that only a name server knows.
"""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def get(address):
    with urllib.request.urlopen(address, timeout=10) as answer:
        return answer.status, answer.read()


class Served:
    """`martlet serve` on a folder, until the block ends; it must then end by itself, and well."""

    def __init__(self, command, folder, environment=None, more=()):
        self.port = free_port()
        self.address = "http://127.0.0.1:%d" % self.port
        self.log = tempfile.TemporaryFile()
        self.process = subprocess.Popen(
            [*command, "serve", "--host", "127.0.0.1", "--port", str(self.port), "--data", folder,
             "--allowed-hosts", "martlet-by-hosts,tracking.cluster.test", *more],
            stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log, env=environment)

    def said(self):
        self.log.seek(0)
        return self.log.read().decode(errors="replace")

    def __enter__(self):
        end = time.monotonic() + 30
        while True:
            try:
                if self.is_ready():
                    return self
            except OSError:
                pass
            if self.process.poll() is not None or time.monotonic() > end:
                self.process.kill()
                raise AssertionError("the server did not come up (%s):\n%s" % (self.process.wait(), self.said()))
            time.sleep(0.05)

    def is_ready(self):
        return get(self.address + "/health")[0] == 200

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGTERM)
        try:
            code = self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise
        assert code == 0, "the server ended with %d:\n%s" % (code, self.said())


class ServedByTLS(Served):
    """The same with a certificate that this Python need not trust."""

    def is_ready(self):
        socket.create_connection(("127.0.0.1", self.port), 1).close()
        return True


def run(command, *arguments, environment=None):
    done = subprocess.run([*command, *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, timeout=60, env=environment)
    text = done.stdout.decode(errors="replace")
    assert done.returncode == 0, "%s ended with %d:\n%s" % (" ".join(arguments), done.returncode, text)
    return text


def look(served):
    """The pages, as a browser would begin: the first one, the scripts that it names, and those that these begin with."""
    status, page = get(served.address + "/")
    assert status == 200 and b"<title>" in page, page[:200]
    waiting = [name.decode().lstrip("./") for name in re.findall(rb'<script[^>]+src="([^"]+)"', page)]
    sizes = {}
    while waiting:
        name = waiting.pop()
        if name in sizes:
            continue
        status, script = get(served.address + "/" + name)
        assert status == 200, (name, status)
        sizes[name] = len(script)
        waiting += ["assets/" + part.decode() for part in re.findall(rb'(?:from|import)"\./([^"]+\.js)"', script)]
    assert sum(sizes.values()) > 100_000, sizes


def log_and_read(place, experiment, count=50):
    """A run logged by the package and read back by it, point by point."""
    import martlet

    with martlet.start_run(experiment=experiment, uri=place, params={"lr": 0.1}) as run:
        for step in range(count):
            run.log({"loss": 1 / (step + 1)})
    with martlet.Client(place) as client:
        history = client.history(experiment=experiment, metrics=["loss"])
        (_, name, steps, _, values), = history.series
    assert name == "loss" and list(steps) == list(range(count)), steps
    assert list(values) == [1 / (step + 1) for step in range(count)]


class NameServer:
    """Answers each question for an IPv4 address with 127.0.0.1, and others with nothing; on port 53 of this machine."""

    def __enter__(self):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 53))
        self.asked = []
        threading.Thread(target=self.answer, daemon=True).start()
        return self

    def answer(self):
        while True:
            try:
                question, client = self.socket.recvfrom(512)
            except OSError:
                return
            end = question.index(b"\0", 12) + 5
            self.asked.append(question[12:end])
            is_address = question[end - 4:end - 2] == b"\0\1"
            record = b"\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4\x7f\0\0\1" if is_address else b""
            self.socket.sendto(
                question[:2] + b"\x81\x80\0\1" + (b"\0\1" if is_address else b"\0\0") + b"\0\0\0\0"
                + question[12:end] + record, client)

    def __exit__(self, *_):
        self.socket.close()


def process_name(served):
    with open("/proc/%d/comm" % served.process.pid) as file:
        return file.read().strip()


def main(command):
    command = [os.path.abspath(command[0]), *command[1:]]
    home = tempfile.mkdtemp()
    os.environ.update(HOME=home, MARTLET_QUIET="1", MARTLET_CAPTURE="none", NO_COLOR="1")
    os.chdir(home)
    try:
        import martlet
    except ImportError:
        martlet = None
    system = os.uname()
    print("system:   ", system.sysname, system.release, os.confstr("CS_GNU_LIBC_VERSION"), "user", os.getuid())
    print("version:  ", run(command, "--version").strip())
    assert "Usage: martlet" in run(command, "--help")
    with Served(command, os.path.join(home, "store")) as served:
        print("process:  ", process_name(served))
        look(served)
        print("pages:     yes")
        if martlet is None:
            request = urllib.request.Request(
                served.address + "/api/v1/experiments", json.dumps({"name": "digits"}).encode(),
                {"Content-Type": "application/json"})
            urllib.request.urlopen(request, timeout=10).close()
        else:
            log_and_read(served.address, "digits")
            print("SDK:       to the server and back, yes")
        names = ["127.0.0.1", "localhost"]
        with open("/etc/hosts") as file:
            names += ["martlet-by-hosts"] if "martlet-by-hosts" in file.read() else []
        for name in names:
            assert "digits" in run(command, "experiments", "list", "--uri", "http://%s:%d" % (name, served.port))
        if os.environ.get("VISIT_NAME_SERVER"):
            try:
                with NameServer() as server:
                    address = "http://tracking.cluster.test:%d" % served.port
                    listed = run(command, "experiments", "list", "--uri", address)
                    assert "digits" in listed and server.asked
                names.append("tracking.cluster.test by a name server")
            except PermissionError:
                pass
        print("names:    ", ", ".join(names))
    place = os.environ.get("VISIT_TLS")
    if place:
        files = ("--tls-cert", place + ".pem", "--tls-key", place + ".key")
        with ServedByTLS(command, os.path.join(home, "tls"), more=files) as served:
            run(command, "experiments", "list", "--uri", "https://localhost:%d" % served.port)
        print("TLS:       served, and trusted by the authorities of the system, yes")
    if martlet is not None:
        folder = os.path.join(home, "folder")
        log_and_read(folder, "folder")
        with martlet.Client(folder) as client:
            runs = client.runs("metrics.loss < 0.5 AND params.lr = 0.1", experiment="folder")
            assert len(list(runs)) == 1
        print("folder:    written without a server, read with a filter by the program that came along, yes")
    print("all of it worked")


if __name__ == "__main__":
    main(sys.argv[1:])
