"""Asking a store: a server as it is, a folder through a server of this process's own on the loopback address.

Writing needs none of this; it goes through `martlet.start_run`.
"""

from __future__ import annotations

import atexit
import json
import os
import subprocess
import sys
import threading
import urllib.error
import urllib.parse
import urllib.request

from martlet import MartletError
from martlet import _where
from martlet._say import say

START_SECONDS = 30
ASK_SECONDS = 60
PIECE = 4 << 20
# Settings of another server that this one must not take for its own.
_NOT_OURS = ("HOST", "PORT", "AUTH_MODE", "COMPAT_PORTS", "DEBUG", "LOG_LEVEL")

try:
    from martlet import RunNotFound
except ImportError:

    class RunNotFound(MartletError, LookupError):
        """There is no run of that id or name."""


class NotFound(MartletError, LookupError):
    """There is no experiment, model or file of that name."""


class Unreachable(MartletError):
    """Nobody answers at the store's address, or there is no program that could open its folder."""


def binary():
    """The program `martlet`: named by MARTLET_BINARY, in the package, on the path, or just built."""
    given = os.environ.get("MARTLET_BINARY")
    if given:
        return given
    import martlet
    from martlet import _program

    home = os.path.dirname(os.path.abspath(martlet.__file__))
    built = os.path.normpath(os.path.join(home, "..", "..", ".build", "release", "martlet"))
    for path in (_program.find(), built):
        if path and os.path.isfile(path) and os.access(path, os.X_OK):
            return path
    raise Unreachable(
        "Reading a store's folder needs the program martlet, and there is none on the path. Install it, name it in "
        "MARTLET_BINARY, or set MARTLET_TRACKING_URI to a server.")


def _beginning(path):
    """When a logbook begins, by which logbooks are put in order."""
    try:
        with open(path, "rb") as file:
            line = json.loads(file.readline())
        return line.get("start") or line.get("t") or 0
    except (OSError, ValueError, AttributeError):
        return 0


_stores = {}
_lock = threading.RLock()


def at(place=None):
    """The store at a place, else where runs go by themselves."""
    place = _where.find(place)
    with _lock:
        if place not in _stores:
            _stores[place] = Store(place)
        return _stores[place]


class Store:
    def __init__(self, place):
        self.place = place
        self.is_remote = _where.is_address(place)
        self._server = None
        self._pid = None
        self._address = place if self.is_remote else None
        self._delivered = {}  # logbook → bytes that the server has
        self._turn = threading.RLock()
        self.handles = []  # runs of this process that the store may not have all of yet

    def catch_up(self):
        """Waits until all that this process logged can be read."""
        for handle in list(self.handles):
            handle.settle()

    @property
    def address(self):
        """Where it can be asked; for a folder, a server is started on the first use and ends with this process."""
        if self.is_remote:
            return self._address
        with self._turn:
            if self._server is None or self._pid != os.getpid() or self._server.poll() is not None:
                self._start()
            return self._address

    def _start(self):
        environment = {name: value for name, value in os.environ.items() if name not in _NOT_OURS}
        os.makedirs(self.place, exist_ok=True)
        try:
            self._server = subprocess.Popen(
                [binary(), "serve", "--host", "127.0.0.1", "--port", "0", "--data", self.place, "--log-level", "error"],
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=environment, text=True,
                preexec_fn=_end_with_parent if sys.platform == "linux" else None)
        except OSError as error:
            raise Unreachable("The program %s did not start: %s" % (binary(), error)) from None
        self._pid = os.getpid()
        said = []
        timer = threading.Timer(START_SECONDS, self._server.kill)
        timer.start()
        for line in self._server.stdout:
            said.append(line.strip())
            if "http://" in line:
                self._address = "http://" + line.split("http://", 1)[1].split()[0].rstrip("/.")
                break
        timer.cancel()
        if self._server.poll() is not None or not said or "http://" not in said[-1]:
            self._server.kill()
            raise Unreachable("The store %s could not be opened: %s" % (self.place, " ".join(said)[-500:]))
        # What it says later must not fill the pipe and stop it.
        threading.Thread(target=_drain, args=(self._server.stdout,), daemon=True).start()
        self._delivered = {}
        atexit.register(self.close)
        self._take_in()

    def _take_in(self):
        """What other writers have left here. The server looks for itself, but a question should not come before that."""
        live = os.path.join(self.place, "logbooks", "live")
        names = os.listdir(live) if os.path.isdir(live) else []
        for path in sorted((os.path.join(live, name) for name in names), key=_beginning):
            try:
                self._deliver(self._address, path)
            except MartletError as error:
                say("the logbook %s waits: %s" % (path, error))

    def close(self):
        """Ends the server of this process, if one was started."""
        with self._turn:
            server, self._server = self._server, None
            if self._pid != os.getpid():
                return  # a fork's parent still has it
        if server is not None and server.poll() is None:
            server.terminate()
            try:
                server.wait(15)
            except subprocess.TimeoutExpired:
                server.kill()

    def deliver(self, path):
        """Sees to it that the server has all of a logbook that this process writes."""
        if not self.is_remote:
            self._deliver(self.address, path)

    def _deliver(self, address, path):
        # Lines count once however often they are handed in, so the server's own look at the folder may come before.
        if not path.endswith(".jsonl"):
            return
        try:
            with open(path, "rb") as file:
                file.seek(self._delivered.get(path, 0))
                while True:
                    data = file.read(PIECE) + file.readline()
                    whole = data[:data.rfind(b"\n") + 1]
                    if not whole:
                        return
                    self._send("POST", address + "/api/v1/logbook", whole, "application/x-ndjson")
                    self._delivered[path] = self._delivered.get(path, 0) + len(whole)
        except FileNotFoundError:
            return  # put away by now, which means that it was read to its end

    def ask(self, method, *parts, query=None, body=None, data=None, raw=False):
        """One request under /api/v1; parts of the path are quoted. Gives the answer's JSON, or its bytes."""
        url = self.address + "/api/v1/" + "/".join(urllib.parse.quote(str(part), safe="") for part in parts)
        pairs = [(key, value) for key, value in (query or {}).items() if value is not None]
        if pairs:
            url += "?" + urllib.parse.urlencode(pairs, doseq=True)
        kind = "application/octet-stream" if data is not None else "application/json"
        if body is not None:
            data = json.dumps(body).encode()
        answer = self._send(method, url, data, kind, is_run=parts[0] == "runs")
        return answer if raw else json.loads(answer) if answer else None

    def _send(self, method, url, data, kind, is_run=False):
        request = urllib.request.Request(url, data=data, method=method)
        if data is not None:
            request.add_header("Content-Type", kind)
        token = _where.token_for(self._address)
        if token:
            request.add_header("Authorization", "Bearer " + token)
        try:
            with _opener(url).open(request, timeout=ASK_SECONDS) as answer:
                return answer.read()
        except urllib.error.HTTPError as error:
            words = _words(error)
            if error.code == 404:
                raise (RunNotFound if is_run else NotFound)(words) from None
            raise MartletError(words) from None
        except (urllib.error.URLError, OSError) as error:
            raise Unreachable("%s does not answer: %s" % (self._address, getattr(error, "reason", error))) from None

    def pages(self, key, *parts, query):
        """All things of a list, page by page as they are asked for."""
        token = None
        while True:
            page = self.ask("GET", *parts, query={**query, "page_token": token})
            yield from page[key]
            token = page.get("next_page_token")
            if not token:
                return


_direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
_usual = urllib.request.build_opener()


def _opener(address):
    """A proxy has no business between this process and a store on its own machine."""
    host = urllib.parse.urlsplit(address).hostname or ""
    return _direct if host in ("localhost", "::1") or host.startswith("127.") else _usual


def _words(error):
    text = error.read()
    try:
        told = json.loads(text)["error"]
        return " ".join(part for part in (told.get("message"), told.get("remedy")) if part)
    except (ValueError, KeyError, TypeError):
        return "%s %s: %s" % (error.code, error.reason, text[:200].decode("utf-8", "replace"))


def _end_with_parent():
    """In the child: the kernel ends it when the thread that made it is gone, however that happened."""
    import ctypes
    import signal

    ctypes.CDLL(None).prctl(1, signal.SIGTERM)


def _drain(stream):
    for line in stream:
        text = line.strip()
        if text and "error" in text.lower():
            say(text)
