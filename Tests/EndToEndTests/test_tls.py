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


def test_a_server_with_a_certificate_answers_https_and_nothing_else(certificate, start_server, tmp_path):
    pem, key = certificate
    server = start_server("--tls-cert", pem, "--tls-key", key, start=False)
    server.launch()
    context = ssl.create_default_context(cafile=pem)

    def get(target):
        connection = http.client.HTTPSConnection("127.0.0.1", server.port, context=context, timeout=10)
        try:
            connection.request("GET", target)
            answer = connection.getresponse()
            return answer.status, answer.read()
        except OSError:
            return None
        finally:
            connection.close()

    wait_for("an answer over TLS", lambda: get("/health"), 20)
    assert get("/health")[0] == 200
    assert f"https://127.0.0.1:{server.port}" in server.log
    with Wire(server.port, timeout=10) as wire:
        wire.send("GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n")
        answer = wire.answer()
        assert answer is None or answer.status >= 400, answer
        assert wire.is_closed()
    # Who does not trust the certificate hears why, and what to look at.
    done = serving.martlet("experiments", "list", uri=f"https://127.0.0.1:{server.port}", home=tmp_path)
    assert done.returncode == 4 and "certificate" in done.stderr, done.stderr
    assert get("/health")[0] == 200


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
