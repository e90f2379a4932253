"""Access: open on this machine, closed everywhere else, and every refusal says how to be let in."""

import base64
import re

import pytest

import asking
import logbooks
from serving import martlet, wait_for


@pytest.fixture
def guarded(start_server):
    """A server on all addresses, and the link that its first start prints."""
    server = start_server(host="0.0.0.0")
    link = wait_for("the one-time link", lambda: re.search(r"(https?://\S*login#(\S+))", server.log), 5)
    server.invitation = link.group(2)
    return server


def bearer(secret):
    return {"Authorization": f"Bearer {secret}"}


def basic(name, secret):
    return {"Authorization": "Basic " + base64.b64encode(f"{name}:{secret}".encode()).decode()}


@pytest.fixture
def session(guarded):
    """The first admin's cookie."""
    answer = guarded.post("/api/v1/session", {"invitation": guarded.invitation}).expect(200)
    return {"Cookie": answer.headers["set-cookie"].split(";")[0]}


@pytest.fixture
def people(guarded, session):
    """A token each for a reader, a writer and an admin."""
    secrets = {}
    for role in ("read", "write", "admin"):
        guarded.ask("PUT", f"/api/v1/users/user-{role}", {"role": role}, session).expect(201)
        answer = guarded.post("/api/v1/tokens", {"user": f"user-{role}", "label": "test"}, session).expect(201)
        secrets[role] = answer.json["secret"]
    return secrets


def test_the_first_start_off_loopback_prints_a_link_once_and_lets_nobody_in_without_a_token(guarded):
    assert guarded.log.count("login#") == 1
    for method, target in (
            ("GET", "/api/v1/experiments"), ("GET", "/api/v1/runs/search"), ("POST", "/api/v1/experiments"),
            ("GET", "/api/v1/users"), ("GET", "/api/v1/changes"), ("GET", "/api/v1/me"), ("POST", "/api/v1/logbook")):
        answer = guarded.ask(method, target, {"name": "a"} if method == "POST" else None)
        answer.refused(401, "MARTLET_TOKEN")
        assert "www-authenticate" in answer.headers
    for target in ("/health", "/version"):
        guarded.get(target).expect(200)
    # Its own log has no secret: the link is for the terminal that started it.
    listed = [line for line in guarded.log.splitlines() if guarded.invitation in line]
    assert len(listed) == 1


def test_the_link_opens_one_session_and_no_second_one(guarded):
    answer = guarded.post("/api/v1/session", {"invitation": guarded.invitation}).expect(200)
    cookie = answer.headers["set-cookie"]
    flags = {part.strip().lower() for part in cookie.split(";")[1:]}
    assert {"httponly", "samesite=strict", "path=/"} <= flags, cookie
    assert "secure" not in flags, "over plain HTTP a browser would throw it away"
    session = {"Cookie": cookie.split(";")[0]}
    me = guarded.get("/api/v1/me", session).expect(200).json
    assert me["role"] == "admin"
    guarded.post("/api/v1/session", {"invitation": guarded.invitation}).refused(401)
    guarded.post("/api/v1/session", {"invitation": "mlt_" + "a" * 44}).refused(401)
    # Logged out, the cookie is worth nothing.
    guarded.ask("DELETE", "/api/v1/session", headers=session).expect(204)
    guarded.get("/api/v1/me", session).refused(401)


def test_a_token_is_taken_as_bearer_and_as_the_password_of_basic(guarded, people):
    for headers in (bearer(people["write"]), basic("anyone", people["write"]), basic("", people["write"])):
        assert guarded.get("/api/v1/me", headers).expect(200).json["principal"] == "user-write"
    for headers in (bearer("mlt_" + "x" * 44), bearer(""), basic("user-write", "password"),
                    {"Authorization": "Basic %%%"}, {"Authorization": "Digest " + people["write"]},
                    bearer(people["write"] + "x"),
                    bearer(people["write"][:-1]), bearer("a" * 5000)):
        guarded.get("/api/v1/me", headers).refused(401, "MARTLET_TOKEN")
    # In an address it is not taken: those end up in logs.
    guarded.get(f"/api/v1/me?token={people['write']}").refused(401)


def test_each_role_may_do_what_it_says_and_not_more(guarded, people):
    reader, writer, admin = (bearer(people[role]) for role in ("read", "write", "admin"))
    experiment = guarded.post("/api/v1/experiments", {"name": "rights"}, writer).expect(201).json["id"]
    run = guarded.post(f"/api/v1/experiments/{experiment}/runs", {"name": "r"}, writer).expect(201).json["id"]
    metrics = {"metrics": {"loss": 0.5}, "step": 1}
    artifact = f"/api/v1/runs/{run}/artifacts/a.txt"
    reading = [("GET", "/api/v1/experiments", None), ("GET", f"/api/v1/runs/{run}", None),
               ("GET", "/api/v1/runs/search", None), ("GET", f"/api/v1/runs/{run}/metrics", None)]
    writing = [("POST", f"/api/v1/runs/{run}/metrics", metrics), ("PUT", artifact, b"a"),
               ("POST", f"/api/v1/runs/{run}/params", {"params": {"lr": 0.1}}),
               ("PATCH", f"/api/v1/runs/{run}", {"name": "renamed"}), ("DELETE", artifact, None),
               ("POST", "/api/v1/experiments", {"name": "more"})]
    ruling = [("GET", "/api/v1/users", None), ("PUT", "/api/v1/users/new", {"role": "read"})]
    for method, target, body in reading:
        for who in (reader, writer, admin):
            guarded.ask(method, target, body, who).expect(200)
    for method, target, body in writing:
        answer = guarded.ask(method, target, body, reader)
        answer.refused(403)
        assert "write" in answer.text, answer
        for who in (writer, admin):
            assert guarded.ask(method, target, body, who).status in (200, 201, 204, 404)
    for method, target, body in ruling:
        for who in (reader, writer):
            answer = guarded.ask(method, target, body, who).refused(403)
            assert "admin" in answer.text, answer
        assert guarded.ask(method, target, body, admin).status in (200, 201)
    shown = guarded.get(f"/api/v1/runs/{run}", reader).json
    assert shown["metrics"] == {"loss": 0.5}
    # A reader logs nothing by a logbook or a stream either.
    line = logbooks.line("w-reader", 1, run, "metrics", step=2, m={"loss": 1}) + "\n"
    answer = guarded.post("/api/v1/logbook", line, {"Content-Type": "application/x-ndjson", **reader})
    assert answer.status in (200, 403)
    assert guarded.get(f"/api/v1/runs/{run}", reader).json["metrics"] == {"loss": 0.5}


def test_a_revoked_token_and_a_disabled_user_are_out_at_once(guarded, people, session):
    writer = bearer(people["write"])
    guarded.get("/api/v1/me", writer).expect(200)
    token = next(each for each in guarded.get("/api/v1/tokens?user=user-write", session).json["tokens"])
    assert people["write"] not in str(token), "a secret is shown once"
    guarded.ask("DELETE", f"/api/v1/tokens/{token['id']}", headers=session).expect(204)
    guarded.get("/api/v1/me", writer).refused(401, "revoked")
    reader = bearer(people["read"])
    guarded.get("/api/v1/me", reader).expect(200)
    guarded.ask("PUT", "/api/v1/users/user-read", {"disabled": True}, session).expect(200)
    guarded.get("/api/v1/me", reader).refused(401, "disabled")
    guarded.get("/api/v1/me", bearer(people["admin"])).expect(200)


def test_tokens_last_over_a_restart_and_no_second_link_is_made(guarded, people):
    guarded.restart()
    assert guarded.get("/api/v1/me", bearer(people["read"])).expect(200).json["role"] == "read"
    guarded.get("/api/v1/experiments").refused(401)
    assert guarded.log.count("login#") == 1
    database = b"".join(path.read_bytes() for path in guarded.folder.glob("martlet.db*"))
    for secret in people.values():
        assert secret.encode() not in database and secret not in guarded.log, "only a hash is kept"


def test_loopback_without_users_is_open_and_auth_mode_none_opens_the_rest(start_server):
    local = start_server()
    assert local.get("/api/v1/me").expect(200).json["mode"] == "open"
    local.post("/api/v1/experiments", {"name": "a"}).expect(201)
    opened = start_server(host="0.0.0.0", environment={"AUTH_MODE": "none"})
    opened.post("/api/v1/experiments", {"name": "a"}).expect(201)
    assert "login#" not in opened.log
    closed = start_server(environment={"AUTH_MODE": "tokens"})
    closed.get("/api/v1/experiments").refused(401)
    wrong = start_server(environment={"AUTH_MODE": "perhaps"}, start=False).launch()
    assert wrong.process.wait(20) in (2, 4)
    assert "AUTH_MODE" in wrong.log and "perhaps" in wrong.log


def test_a_stream_needs_a_token_too(guarded, people):
    writer = bearer(people["write"])
    experiment = guarded.post("/api/v1/experiments", {"name": "streams"}, writer).expect(201).json["id"]
    run = guarded.post(f"/api/v1/experiments/{experiment}/runs", {}, writer).expect(201).json["id"]
    upgrade = ("Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
               "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n")
    target = f"GET /api/v1/runs/{run}/metrics/stream HTTP/1.1\r\nHost: localhost\r\n"
    with asking.Wire(guarded.port) as wire:
        wire.send(target + upgrade + "\r\n")
        answer = wire.answer()
        if answer.status == 101:
            # Refused in a frame, then closed with a code of our own that ends like the status.
            wait_for("the refusal", lambda: b"\x11\x31" in wire.buffer or (wire.more() and False), 5)
            assert b"unauthenticated" in wire.buffer
        else:
            assert answer.status == 401
    with asking.Wire(guarded.port) as wire:
        wire.send(target + "Accept: text/event-stream\r\n\r\n")
        assert wire.answer().status == 401
    with asking.Wire(guarded.port) as wire:
        wire.send(target + upgrade + f"Authorization: Bearer {people['read']}\r\n\r\n")
        assert wire.answer().status == 101


def test_the_command_line_uses_a_token_and_says_when_it_needs_one(guarded, people, tmp_path):
    without = martlet("runs", "list", uri=guarded.address, home=tmp_path)
    assert without.returncode == 4 and "MARTLET_TOKEN" in without.stderr, without.stderr
    token = {"MARTLET_TOKEN": people["write"]}
    made = martlet(
        "log", "run", "digits", "--metric", "acc=0.9", "--name", "by token", uri=guarded.address, home=tmp_path,
        extra=token)
    assert made.returncode == 0, made.stderr
    login = martlet("login", guarded.address, home=tmp_path, stdin=people["read"] + "\n")
    assert login.returncode == 0, login.stderr
    listed = martlet("runs", "list", "digits", uri=guarded.address, home=tmp_path)
    assert listed.returncode == 0 and "by token" in listed.stdout, listed.stderr
    kept = [path for path in tmp_path.rglob("*") if path.is_file() and people["read"].encode() in path.read_bytes()]
    assert kept and all(path.stat().st_mode & 0o077 == 0 for path in kept), "only the user may read what is kept"
    refused = martlet("log", "metric", "by token", "x=1", uri=guarded.address, home=tmp_path)
    assert refused.returncode == 4 and "write" in refused.stderr, refused.stderr
