"""Servers that are reached by a proxy: by its own words for http, through a tunnel for https, and never for this machine."""

import http.client
import selectors
import socket
import ssl
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import martlet
import pytest
from martlet import _http, _proxy
from serving import wait_for

NAME = "tracking.example"  # nobody knows this name but the proxy
VARIABLES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")


@pytest.fixture(autouse=True)
def no_others(monkeypatch):
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def _admits(self):
        self.server.asked.append((self.command, self.path))
        wanted = self.server.password
        if wanted is None or self.headers.get("Proxy-Authorization") == wanted:
            return True
        self.send_response(407)
        self.send_header("Content-Length", "0")
        self.end_headers()
        self.close_connection = True
        return False

    def do_CONNECT(self):
        if not self._admits():
            return
        assert self.path == NAME + ":443"
        self.close_connection = True
        with socket.create_connection(("127.0.0.1", self.server.port_behind), 10) as far:
            self.send_response(200)
            self.end_headers()
            ways = {self.connection: far, far: self.connection}
            with selectors.DefaultSelector() as selector:
                for each in ways:
                    selector.register(each, selectors.EVENT_READ)
                while True:
                    for key, _ in selector.select():
                        data = key.fileobj.recv(1 << 16)
                        if not data:
                            return
                        ways[key.fileobj].sendall(data)

    def _forward(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if not self._admits():
            return
        start = "http://%s" % NAME
        assert self.path.startswith(start + "/")
        far = http.client.HTTPConnection("127.0.0.1", self.server.port_behind, timeout=10)
        headers = {name: value for name, value in self.headers.items() if not name.startswith("Proxy-")}
        far.request(self.command, self.path[len(start):], body, headers)
        answer = far.getresponse()
        content = answer.read()
        self.send_response(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in ("content-length", "connection", "transfer-encoding", "date"):
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)
        far.close()

    do_GET = do_POST = do_PUT = do_PATCH = _forward


@pytest.fixture
def proxy():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.asked, server.password, server.port_behind = [], None, None
    server.address = "http://127.0.0.1:%d" % server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def secured(start_server, tmp_path):
    key, pem = tmp_path / "key.pem", tmp_path / "cert.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=" + NAME,
         "-addext", "subjectAltName=DNS:" + NAME, "-keyout", key, "-out", pem], check=True, capture_output=True, timeout=60)
    server = start_server("--tls-cert", pem, "--tls-key", key, "--allowed-hosts", NAME, start=False)
    server.launch()
    context = ssl.create_default_context(cafile=pem)

    def answers():
        try:
            with socket.create_connection(("127.0.0.1", server.port), 5) as plain:
                with context.wrap_socket(plain, server_hostname=NAME):
                    return True
        except OSError:
            return False

    wait_for("a server with a certificate", answers, 20)
    server.pem = pem
    return server


def one_run(address):
    with martlet.start_run("behind", uri=address, strict=True, params={"lr": 1}) as run:
        for step in range(100):
            run.log({"loss": step})
        run.log_text("hello", "notes.txt")
    with martlet.Client(address) as client:
        assert client.history(run_ids=[run.id], tidy=False).of("loss")[1] == list(range(100))
        assert client.download(run.id, "notes.txt", to=False) == b"hello"
    return run


def test_a_server_is_reached_by_an_http_proxy(proxy, start_server, monkeypatch):
    server = start_server("--allowed-hosts", NAME)
    proxy.port_behind = server.port
    monkeypatch.setenv("HTTP_PROXY", proxy.address)
    one_run("http://" + NAME)
    assert {"POST", "PUT", "GET"} <= {command for command, _ in proxy.asked}
    assert ("POST", f"http://{NAME}/api/v1/logbook") in proxy.asked


def test_a_server_with_https_is_reached_through_a_tunnel(proxy, secured, monkeypatch):
    proxy.port_behind = secured.port
    proxy.password = "Basic YWxpY2U6cEBzcw=="
    monkeypatch.setenv("SSL_CERT_FILE", str(secured.pem))
    monkeypatch.setenv("HTTPS_PROXY", proxy.address.replace("//", "//alice:p%40ss@"))
    one_run("https://" + NAME)
    assert {command for command, _ in proxy.asked} == {"CONNECT"}


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_proxy_that_wants_a_password_is_named_and_the_run_goes_on(proxy, scheme, program):
    proxy.password = "Basic none"
    told = program("""
        import sys, martlet
        run = martlet.start_run("behind", uri=sys.argv[1])
        run.log({"loss": 1.0})
        run.flush(2)
        run.finish(seconds=1)
        print("went on")
    """, scheme + "://" + NAME, environment={"ALL_PROXY": proxy.address})
    assert proxy.asked and "went on" in told.stdout
    assert proxy.address in told.stderr and ("password" in told.stderr if scheme == "http" else "407" in told.stderr)


def test_this_machine_is_never_asked_for_by_a_proxy(proxy, remote, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", proxy.address)
    with martlet.start_run("near", uri=remote.server.address) as run:
        run.log({"loss": 1.0})
    remote.run(run.id)
    assert proxy.asked == []


@pytest.mark.parametrize("address, variables, expected", [
    ("http://far.example", {"HTTP_PROXY": "http://p:1"}, "http://p:1"),
    ("http://far.example", {"http_proxy": "p:1"}, "http://p:1"),
    ("http://far.example", {"HTTP_PROXY": "http://p:1", "http_proxy": ""}, None),
    ("http://far.example", {"HTTPS_PROXY": "http://p:1"}, None),
    ("https://far.example", {"HTTPS_PROXY": "http://p:1", "HTTP_PROXY": "http://q:1"}, "http://p:1"),
    ("https://far.example", {"ALL_PROXY": "http://p"}, "http://p:80"),
    ("http://far.example", {"HTTP_PROXY": "http://p:1", "REQUEST_METHOD": "GET"}, None),
    ("http://far.example", {"HTTP_PROXY": "http://p:1", "NO_PROXY": "*"}, None),
    ("http://a.far.example", {"HTTP_PROXY": "http://p:1", "NO_PROXY": "other, far.example"}, None),
    ("http://a.far.example", {"HTTP_PROXY": "http://p:1", "NO_PROXY": ".FAR.example"}, None),
    ("http://notfar.example", {"HTTP_PROXY": "http://p:1", "NO_PROXY": "far.example"}, "http://p:1"),
    ("http://far.example:8003", {"HTTP_PROXY": "http://p:1", "NO_PROXY": "far.example:8003"}, None),
    ("http://far.example", {"HTTP_PROXY": "http://p:1", "NO_PROXY": "far.example:8003"}, "http://p:1"),
    ("http://10.1.2.3", {"HTTP_PROXY": "http://p:1", "NO_PROXY": "10.0.0.0/8"}, None),
    ("http://11.1.2.3", {"HTTP_PROXY": "http://p:1", "NO_PROXY": "10.0.0.0/8,x"}, "http://p:1"),
    ("http://[fd00::1]", {"HTTP_PROXY": "http://p:1", "NO_PROXY": "fd00::/8"}, None),
    ("http://localhost:8003", {"HTTP_PROXY": "http://p:1"}, None),
    ("http://127.9.9.9", {"HTTP_PROXY": "http://p:1"}, None),
    ("http://[::1]:1", {"HTTP_PROXY": "http://p:1"}, None),
])
def test_the_variables_say_which_proxy(address, variables, expected, monkeypatch):
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    found = _http.Connection(address).proxy
    assert (None if found is None else str(found)) == expected


@pytest.mark.parametrize("text", ["socks5://u:secret@p:1", "https://u:secret@p:1", "http://u:secret@p:port"])
def test_a_proxy_that_is_spoken_to_otherwise_is_told_of_without_its_password(text):
    found = _proxy.Proxy(text)
    assert "***@p:" in found.problem and "secret" not in found.problem
