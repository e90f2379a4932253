"""Webhooks made by MLflow's own client, heard by a real receiver that checks them as MLflow's documentation shows."""

import base64
import hashlib
import hmac
import json
import ssl
import subprocess
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException

from serving import wait_for

pytestmark = pytest.mark.newest
SECRET = "between you and me"


def verified(body, headers, secret=SECRET):
    """What MLflow's documentation tells receivers to do."""
    signature, delivery = headers["X-MLflow-Signature"], headers["X-MLflow-Delivery-Id"]
    timestamp = headers["X-MLflow-Timestamp"]
    if not signature.startswith("v1,") or abs(time.time() - int(timestamp)) > 300:
        return False
    expected = hmac.new(secret.encode(), f"{delivery}.{timestamp}.{body}".encode(), hashlib.sha256).digest()
    return hmac.compare_digest(base64.b64encode(expected).decode(), signature.removeprefix("v1,"))


class Receiver:
    """Hears what is posted. `answers` says what it answers first, by path; then it takes everything."""

    def __init__(self, context=None):
        self.heard, self.answers, receiver = [], {}, self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                receiver.heard.append((self.path, body, dict(self.headers)))
                left = receiver.answers.get(self.path, [])
                status, more = left.pop(0) if left else (200, {})
                self.send_response(status)
                for name, value in {"Content-Length": "5", **more}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(b"heard")

            do_GET = do_POST

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        if context:
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def url(self, path="/hook", host="127.0.0.1", scheme="http"):
        return f"{scheme}://{host}:{self.port}{path}"

    def wait(self, count):
        wait_for(f"{count} deliveries", lambda: len(self.heard) >= count, 15)
        return [json.loads(body) for _, body, _ in self.heard]

    def close(self):
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def receiver():
    receiver = Receiver()
    yield receiver
    receiver.close()


@pytest.fixture
def server(start_server):
    return start_server("--egress-allow", "127.0.0.1")


@pytest.fixture
def api(client):
    return MlflowClient()


def test_everything_that_happens_to_a_model_is_heard_once_and_can_be_verified(api, receiver, server):
    from mlflow.entities.webhook import WebhookStatus

    webhook = api.create_webhook(
        name="deploy", url=receiver.url(), secret=SECRET, description="To the deployer",
        events=["registered_model.created", "model_version.created", "model_version_tag.set",
                "model_version_tag.deleted", "model_version_alias.created", "model_version_alias.deleted"])
    assert webhook.status == WebhookStatus.ACTIVE and webhook.secret is None
    api.create_registered_model("churn", tags={"team": "crm"}, description="Who leaves")
    api.create_model_version("churn", source="s3://models/churn/1", run_id="1234567890abcdef")
    api.set_model_version_tag("churn", "1", "checked", "yes")
    api.delete_model_version_tag("churn", "1", "checked")
    api.set_registered_model_alias("churn", "champion", "1")
    api.delete_registered_model_alias("churn", "champion")
    heard = receiver.wait(6)
    assert [(one["entity"], one["action"], one["data"]) for one in heard] == [
        ("registered_model", "created", {"name": "churn", "tags": {"team": "crm"}, "description": "Who leaves"}),
        ("model_version", "created", {
            "name": "churn", "version": "1", "source": "s3://models/churn/1", "run_id": "1234567890abcdef", "tags": {},
            "description": None}),
        ("model_version_tag", "set", {"name": "churn", "version": "1", "key": "checked", "value": "yes"}),
        ("model_version_tag", "deleted", {"name": "churn", "version": "1", "key": "checked"}),
        ("model_version_alias", "created", {"name": "churn", "alias": "champion", "version": "1"}),
        ("model_version_alias", "deleted", {"name": "churn", "alias": "champion"}),
    ]
    for _, body, headers in receiver.heard:
        assert verified(body, headers) and not verified(body + " ", headers) and not verified(body, headers, "other")
        assert headers["Content-Type"] == "application/json"
    assert len({headers["X-MLflow-Delivery-Id"] for _, _, headers in receiver.heard}) == 6
    # What the product's own face does is heard as well.
    server.post("/api/v1/models/churn/versions", {"source": "s3://models/churn/2"}).expect(201)
    assert receiver.wait(7)[6]["data"]["version"] == "2"


def test_webhooks_are_listed_changed_switched_off_and_deleted(api, receiver, server):
    made = [api.create_webhook(name=f"h{n}", url=receiver.url(), events=["registered_model.created"]) for n in range(3)]
    assert {one.name for one in api.list_webhooks()} == {"h0", "h1", "h2"}
    page = api.list_webhooks(max_results=2)
    assert len(page) == 2 and len(api.list_webhooks(max_results=2, page_token=page.token)) == 1
    changed = api.update_webhook(made[0].webhook_id, name="other", status="DISABLED", events=["prompt.created"])
    assert (changed.name, str(changed.status), [str(event) for event in changed.events]) == (
        "other", "DISABLED", ["prompt.created"])
    assert api.get_webhook(made[0].webhook_id).name == "other"
    api.delete_webhook(made[1].webhook_id)
    with pytest.raises(MlflowException, match=f"Webhook with ID {made[1].webhook_id} not found"):
        api.get_webhook(made[1].webhook_id)
    api.create_registered_model("churn")
    receiver.wait(1)
    time.sleep(0.3)
    assert len(receiver.heard) == 1
    native = server.get("/api/v1/webhooks").expect(200).json["webhooks"]
    assert [(one["name"], one["active"], one["signed"]) for one in native] == [
        ("other", False, False), ("h2", True, False)]


def test_a_prompt_is_heard_as_a_prompt(api, receiver):
    api.create_webhook(
        name="p", url=receiver.url(), events=["prompt.created", "prompt_version.created", "registered_model.created"])
    api.create_prompt("greet", description="Warmly", tags={"tone": "warm"})
    api.create_prompt_version("greet", "Hello {{name}}!")
    heard = receiver.wait(2)
    assert [one["entity"] for one in heard] == ["prompt", "prompt_version"]
    assert heard[0]["data"] == {"name": "greet", "tags": {"tone": "warm"}, "description": "Warmly"}
    assert heard[1]["data"]["template"] == "Hello {{name}}!"


def test_a_trial_brings_back_the_answer(api, receiver):
    webhook = api.create_webhook(name="t", url=receiver.url(), events=["model_version.created"], secret=SECRET)
    result = api.test_webhook(webhook.webhook_id)
    assert (result.success, result.response_status, result.response_body) == (True, 200, "heard")
    assert receiver.wait(1)[0]["data"]["source"] == "models:/123"
    assert verified(*receiver.heard[0][1:])
    receiver.answers["/hook"] = [(401, {})]
    result = api.test_webhook(webhook.webhook_id, event="model_version.created")
    assert (result.success, result.response_status) == (False, 401)


def test_a_receiver_that_falls_is_tried_again_and_one_that_stays_down_is_in_the_log(api, receiver, server):
    receiver.answers["/flaky?key=hidden"] = [(500, {}), (503, {"Retry-After": "1"})]
    receiver.answers["/never"] = [(400, {})]
    api.create_webhook(
        name="flaky", url=receiver.url("/flaky?key=hidden"), events=["registered_model.created"], secret=SECRET)
    api.create_webhook(name="never", url=receiver.url("/never"), events=["registered_model.created"])
    api.create_registered_model("churn")
    receiver.wait(4)
    flaky = [headers for path, _, headers in receiver.heard if path.startswith("/flaky")]
    assert len(flaky) == 3 and len({headers["X-MLflow-Delivery-Id"] for headers in flaky}) == 1
    wait_for("the log line", lambda: "not told of registered_model.created" in server.log, 5)
    assert "it answered 400" in server.log and "never (http://127.0.0.1" in server.log
    assert "hidden" not in server.log and SECRET not in server.log


def test_nothing_of_this_machine_is_called_unless_the_operator_allows_it(start_server, receiver, client):
    bare = start_server()
    api = MlflowClient(bare.address, bare.address)
    for url in (receiver.url(), receiver.url(host="localhost"), receiver.url(host="2130706433"),
                receiver.url(host="[::ffff:127.0.0.1]"), "http://169.254.169.254/latest/meta-data", "ftp://example.org/"):
        with pytest.raises(MlflowException, match="public address|Invalid webhook URL scheme"):
            api.create_webhook(name="inner", url=url, events=["registered_model.created"])
    allowed = start_server(environment={"MARTLET_EGRESS_ALLOW": f"hooks.invalid, localhost:{receiver.port}"})
    api = MlflowClient(allowed.address, allowed.address)
    api.create_webhook(name="inner", url=receiver.url(host="localhost"), events=["registered_model.created"])
    with pytest.raises(MlflowException, match="public address"):
        api.create_webhook(name="other", url="http://localhost:1/", events=["registered_model.created"])
    api.create_registered_model("churn")
    assert receiver.wait(1)[0]["data"]["name"] == "churn"


def test_a_redirect_leaves_no_host_and_a_certificate_must_be_right(api, receiver, tmp_path, server):
    receiver.answers["/away"] = [(307, {"Location": f"http://localhost:{receiver.port}/inner"})]
    away = api.create_webhook(name="away", url=receiver.url("/away"), events=["registered_model.created"])
    result = api.test_webhook(away.webhook_id)
    assert not result.success and "redirects to" in result.error_message
    assert [path for path, _, _ in receiver.heard] == ["/away"]
    key, pem = tmp_path / "key.pem", tmp_path / "cert.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost",
         "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", pem],
        check=True, capture_output=True, timeout=60)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem, key)
    private = Receiver(context)
    try:
        webhook = api.create_webhook(
            name="tls", url=private.url(scheme="https"), events=["registered_model.created"])
        result = api.test_webhook(webhook.webhook_id)
        assert not result.success and "is not trusted" in result.error_message and not private.heard
    finally:
        private.close()
