"""A real server process, and commands beside it: what every end-to-end test stands on.

Each server has a folder and a port of its own, so tests may run side by side. It is ended by its own pid, its exit code
is looked at, and its log is kept: conftest.py shows it when a test fails.
"""

import os
import signal
import socket
import subprocess
import time
from pathlib import Path

import asking

ROOT = Path(__file__).resolve().parents[2]
BINARY = Path(os.environ.get("MARTLET_BINARY", ROOT / ".build" / "release" / "martlet")).absolute()
FULL = os.environ.get("MARTLET_TEST_FULL") == "1"

START_SECONDS = 20
STOP_SECONDS = 20
# What would change a server's or a command's mind, were it inherited from whoever runs the tests.
FOREIGN = ("HOST", "PORT", "DEBUG", "LOG_LEVEL", "AUTH_MODE", "COMPAT_PORTS", "NO_PROXY", "XDG_CONFIG_HOME",
           "XDG_CACHE_HOME")


def environment(home, extra=None):
    """The environment of a command: nothing of the caller's that Martlet reads, a home of its own."""
    kept = {
        name: value for name, value in os.environ.items()
        if name not in FOREIGN and not name.startswith(("MARTLET_", "MLFLOW_")) and not name.lower().endswith("_proxy")}
    return {**kept, "HOME": str(home), "NO_COLOR": "1", **{name: str(value) for name, value in (extra or {}).items()}}


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Server:
    """`martlet serve` on a folder. Start, stop, kill and start it again: the port stays."""

    def __init__(self, folder, *arguments, host="127.0.0.1", port=None, environment_=None, logs=None):
        self.folder = Path(folder)
        self.arguments = [str(argument) for argument in arguments]
        self.host = host
        self.port = port or free_port()
        self.extra = dict(environment_ or {})
        logs = Path(logs or self.folder.parent)
        self.home = logs / f"home-{self.port}"
        self.home.mkdir(parents=True, exist_ok=True)
        self.log_path = logs / f"server-{self.port}.log"
        self.log_start = 0
        self.process = None

    @property
    def address(self):
        return f"http://127.0.0.1:{self.port}"

    @property
    def log(self):
        return self.log_path.read_text(errors="replace") if self.log_path.exists() else ""

    @property
    def is_running(self):
        return self.process is not None and self.process.poll() is None

    def command(self):
        return [str(BINARY), "serve", "--host", self.host, "--port", str(self.port), "--data", str(self.folder),
                *self.arguments]

    @property
    def last_log(self):
        """What the process that was started last has said."""
        return self.log[self.log_start:]

    def launch(self):
        """Starts the process without waiting for it to answer."""
        self.log_start = len(self.log)
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(
                self.command(), stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT,
                env=environment(self.home, self.extra))
        return self

    def start(self):
        self.launch()
        self.wait_until_it_answers()
        return self

    def wait_until_it_answers(self):
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            code = self.process.poll()
            if code is not None:
                raise AssertionError(f"the server ended with {code} at its start:\n{self.last_log}")
            try:
                if self.get("/health", timeout=5).status == 200:
                    return
            except OSError:
                pass
            time.sleep(0.02)
        raise AssertionError(f"the server did not answer within {START_SECONDS} s:\n{self.log}")

    def stop(self):
        """Asks it to end, and gives the exit code."""
        if self.process is None:
            return 0
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"the server did not end within {STOP_SECONDS} s of SIGTERM:\n{self.log[-4000:]}")

    def kill(self):
        """What a power cut or the kernel's memory killer does to it."""
        if self.is_running:
            self.process.kill()
        if self.process is not None:
            self.process.wait(STOP_SECONDS)

    def restart(self):
        assert self.stop() == 0, self.log[-4000:]
        return self.start()

    # What it takes

    def memory(self, field="VmRSS"):
        """Bytes of memory, by the kernel's account."""
        for line in Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith(field + ":"):
                return int(line.split()[1]) * 1024
        raise AssertionError(f"no {field} of process {self.process.pid}")

    def unfinished_uploads(self):
        folder = self.folder / "artifacts" / "tmp"
        return list(folder.iterdir()) if folder.exists() else []

    # Asking it

    def ask(self, method, target, body=None, headers=None, timeout=30):
        return asking.ask(self.port, method, target, body, headers, timeout)

    def get(self, target, headers=None, timeout=30):
        return self.ask("GET", target, None, headers, timeout)

    def post(self, target, body, headers=None, timeout=30):
        return self.ask("POST", target, body, headers, timeout)

    # What nearly every test needs first

    def experiment(self, name="digits"):
        return self.post("/api/v1/experiments", {"name": name}).expect(200, 201).json["id"]

    def run(self, name=None, experiment="digits", **fields):
        """A new run's id; the experiment is made when it is not there."""
        self.experiment(experiment)
        body = {"name": name, **fields} if name else fields
        return self.post(f"/api/v1/experiments/{experiment}/runs", body).expect(201).json["id"]

    def points(self, run, metric):
        """Every point of a metric as (step, value), in order, all pages."""
        points, token = [], ""
        while True:
            page = self.get(f"/api/v1/runs/{run}/history?metric={metric}&limit=10000{token}").expect(200).json
            for series in page["series"]:
                if series["metric"] == metric:
                    points += [(point["step"], number(point["value"])) for point in series["points"]]
            if not page.get("next_page_token"):
                return points
            token = "&page_token=" + page["next_page_token"]


def number(value):
    """A number as the API writes it: those that JSON does not have are texts."""
    return float(value.replace("Infinity", "inf")) if isinstance(value, str) else value


def martlet(*arguments, uri=None, cwd=None, home=None, extra=None, timeout=60, stdin=None):
    """Runs a command to its end; `uri` is a folder or a server's address."""
    command = [str(BINARY), *(["--uri", str(uri)] if uri else []), *map(str, arguments)]
    home = home or cwd or "/nonexistent"
    return subprocess.run(
        command, cwd=cwd or "/", env=environment(home, extra), capture_output=True, text=True, timeout=timeout,
        **({"input": stdin} if stdin is not None else {"stdin": subprocess.DEVNULL}))


def wait_for(what, condition, seconds=10, every=0.05):
    """What the condition gives once it is true; fails with words when that takes too long."""
    deadline = time.monotonic() + seconds
    while True:
        found = condition()
        if found:
            return found
        if time.monotonic() > deadline:
            raise AssertionError(f"{what} did not happen within {seconds} s")
        time.sleep(every)
