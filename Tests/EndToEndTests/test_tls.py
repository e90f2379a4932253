"""TLS with a certificate of one's own: what a small lab does that has no proxy."""

import http.client
import ssl
import subprocess

import pytest

import serving
from asking import Wire
from serving import wait_for


@pytest.fixture
def certificate(tmp_path):
    key, pem = tmp_path / "key.pem", tmp_path / "cert.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost",
         "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout", key, "-out", pem],
        check=True, capture_output=True, timeout=60)
    return pem, key


class Secure:
    """A server that speaks https with that certificate."""

    def __init__(self, start_server, certificate):
        self.pem, key = certificate
        self.context = ssl.create_default_context(cafile=self.pem)
        self.server = start_server("--tls-cert", self.pem, "--tls-key", key, start=False)
        self.server.launch()
        wait_for("an answer over TLS", self.answers, 20)

    @property
    def address(self):
        return f"https://127.0.0.1:{self.server.port}"

    def answers(self):
        connection = http.client.HTTPSConnection("127.0.0.1", self.server.port, context=self.context, timeout=10)
        try:
            connection.request("GET", "/health")
            return connection.getresponse().status == 200
        except OSError:
            return False
        finally:
            connection.close()

    def wire(self):
        return Wire(self.server.port, tls=self.context)


@pytest.fixture
def secure(start_server, certificate):
    return Secure(start_server, certificate)


def test_a_server_with_a_certificate_answers_https_and_says_so_to_who_speaks_http(secure):
    assert secure.address in secure.server.log
    with Wire(secure.server.port, timeout=10) as wire:
        wire.send("GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n")
        wire.answer().refused(400, "This port speaks https", "https://")
        assert wire.is_closed()
    # A client that sends a body without waiting still reads the answer.
    connection = http.client.HTTPConnection("127.0.0.1", secure.server.port, timeout=10)
    connection.request("POST", "/api/v1/experiments", b"a" * 3_000_000)
    assert connection.getresponse().status == 400
    connection.close()
    # One that says nothing, and one that says nonsense, get no answer and harm nobody.
    with Wire(secure.server.port) as silent, Wire(secure.server.port) as noise:
        noise.send(b"\x00\x01\x02\x03" * 100)
        assert secure.answers()
        assert noise.is_closed(30)
        silent.close()
    assert secure.answers()


def test_commands_trust_the_certificate_that_they_are_told_to(secure, tmp_path):
    def command(*arguments, **environment):
        return serving.martlet(*arguments, uri=secure.address, home=tmp_path, extra=environment)

    done = command("log", "run", "digits", "--metric", "acc=0.5", "--cacert", secure.pem)
    assert done.returncode == 0, done.stderr
    done = command("runs", "list", "digits", "--csv", MARTLET_CACERT=secure.pem)
    assert done.returncode == 0 and "run_01" in done.stdout, done.stderr
    assert command("doctor", MARTLET_CACERT=secure.pem).returncode == 0
    # Who was told nothing hears why not, and which setting there is.
    done = command("experiments", "list")
    assert done.returncode == 4 and "certificate" in done.stderr, done.stderr
    assert "self-signed" in done.stderr.lower() or "self signed" in done.stderr.lower(), done.stderr
    assert "--cacert" in done.stderr and "MARTLET_CACERT" in done.stderr
    for wrong in (tmp_path / "absent.pem", __file__):
        done = command("experiments", "list", "--cacert", wrong)
        assert done.returncode == 2 and str(wrong) in done.stderr and "MARTLET_CACERT" in done.stderr, done.stderr
    # The scheme that was forgotten.
    done = serving.martlet("experiments", "list", uri=f"http://127.0.0.1:{secure.server.port}", home=tmp_path)
    assert done.returncode != 0 and "speaks https" in done.stderr, done.stderr


def test_a_command_that_speaks_https_to_a_plain_server_hears_that(server, tmp_path):
    done = serving.martlet("experiments", "list", uri=f"https://127.0.0.1:{server.port}", home=tmp_path)
    assert done.returncode == 4 and f"http://127.0.0.1:{server.port}" in done.stderr, done.stderr


def test_a_refusal_in_the_middle_of_a_body_is_heard_over_tls(secure):
    with secure.wire() as wire:
        wire.send("POST /api/v1/experiments HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                  "Transfer-Encoding: chunked\r\n\r\n")
        try:
            for _ in range(9_000_000 // 65536 + 1):
                wire.send(b"10000\r\n" + b"a" * 65536 + b"\r\n")
        except OSError:
            pass
        answer = wire.answer()
        assert answer is not None, "the connection ended without a word"
        answer.refused(413, "8388608")
        assert wire.is_closed()
    assert secure.answers()


def test_a_refusal_before_a_body_is_heard_over_tls(secure):
    with secure.wire() as wire:
        wire.send("POST /api/v1/experiments HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                  "Content-Length: 9000000\r\n\r\n")
        try:
            for _ in range(9_000_000 // 65536):
                wire.send(b"a" * 65536)
        except OSError:
            pass
        answer = wire.answer()
        assert answer is not None and answer.status == 413, answer
    # A coding that is not spoken, found in the middle.
    with secure.wire() as wire:
        wire.send("POST /api/v1/experiments HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                  "Content-Encoding: br\r\nContent-Length: 4\r\n\r\nabcd")
        answer = wire.answer()
        assert answer is not None and answer.status == 415, answer
    assert secure.answers()


def test_what_is_given_up_for_speed_is_said_at_the_start(start_server):
    fast = start_server("--synchronous", "normal")
    assert "power cut" in fast.log
    run = fast.run("fast")
    fast.post(f"/api/v1/runs/{run}/metrics", {"metrics": {"loss": 1}, "step": 1}).expect(200, 201)
    # A crash of the server alone loses nothing.
    fast.kill()
    fast.start()
    assert fast.points(run, "loss") == [(1, 1.0)]
    assert "power cut" not in start_server().log
