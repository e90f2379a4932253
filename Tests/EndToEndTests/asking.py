"""Requests to a server: a plain one over http.client, and one byte by byte over a socket."""

import contextlib
import http.client
import json
import socket
import ssl
import struct
import time


class Answer:
    """What came back: status, headers (names in lower case) and body."""

    def __init__(self, status, headers, body, asked=""):
        self.status = status
        self.headers = {name.lower(): value for name, value in headers}
        self.all_headers = [(name.lower(), value) for name, value in headers]
        self.body = body
        self.asked = asked

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def text(self):
        return self.body.decode(errors="replace")

    @property
    def error(self):
        return self.json["error"]

    def expect(self, *statuses):
        assert self.status in statuses, f"{self.asked}: {self.status}, expected {statuses}\n{self.text[:2000]}"
        return self

    def refused(self, status, *words):
        """That it is a refusal as the API promises one: a status, a code, a sentence, a remedy, the request's id."""
        self.expect(status)
        error = self.error
        assert error["code"] and error["message"] and error["remedy"] and error["request_id"], self.text
        for word in words:
            assert word in error["message"] + " " + error["remedy"], f"“{word}” is not said: {self.text}"
        return self

    def __repr__(self):
        return f"<{self.asked}: {self.status} {self.text[:200]}>"


def ask(port, method, target, body=None, headers=None, timeout=30):
    """One request on a connection of its own. A dict or list is sent as JSON, bytes and files as they are."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)
    with contextlib.closing(connection):
        return ask_on(connection, method, target, body, headers)


def ask_on(connection, method, target, body=None, headers=None):
    headers = dict(headers or {})
    if isinstance(body, (dict, list)):
        body = json.dumps(body).encode()
        headers.setdefault("Content-Type", "application/json")
    elif isinstance(body, str):
        body = body.encode()
    connection.request(method, target, body, headers)
    response = connection.getresponse()
    return Answer(response.status, response.getheaders(), response.read(), f"{method} {target}")


class Wire:
    """A socket to a server, for what no well-behaved client would send."""

    def __init__(self, port, timeout=20, host="127.0.0.1", tls=None):
        self.socket = socket.create_connection((host, port), timeout)
        if tls:
            self.socket = tls.wrap_socket(self.socket, server_hostname=host)
        self.buffer = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def send(self, data):
        self.socket.sendall(data.encode() if isinstance(data, str) else data)
        return self

    def close(self):
        self.socket.close()

    def vanish(self):
        """Leaves without a word: a reset instead of an end."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()

    def more(self):
        try:
            data = self.socket.recv(65536)
        except (ConnectionResetError, BrokenPipeError, ssl.SSLEOFError):
            data = b""
        self.buffer += data
        return data

    def answer(self):
        """The next answer, or None when the connection ends before one has come."""
        while True:
            head, mark, rest = self.buffer.partition(b"\r\n\r\n")
            if mark:
                break
            if not self.more():
                return None
        lines = head.decode("latin-1").split("\r\n")
        status = int(lines[0].split()[1])
        headers = [tuple(part.strip() for part in line.split(":", 1)) for line in lines[1:]]
        answer = Answer(status, headers, b"", lines[0])
        if 100 <= status < 200:
            self.buffer = rest
            return answer if status == 101 else self.answer()
        self.buffer = rest
        answer.body = self.body(answer)
        return answer

    def body(self, answer):
        if answer.headers.get("transfer-encoding") == "chunked":
            body = b""
            while True:
                size = int(self.line().split(b";")[0], 16)
                piece = self.exactly(size)
                self.line()
                if size == 0:
                    return body
                body += piece
        length = answer.headers.get("content-length")
        if length is not None:
            return self.exactly(int(length))
        while self.more():
            pass
        body, self.buffer = self.buffer, b""
        return body

    def line(self):
        while b"\n" not in self.buffer:
            if not self.more():
                raise EOFError("the connection ended within a line")
        line, _, self.buffer = self.buffer.partition(b"\n")
        return line.rstrip(b"\r")

    def exactly(self, count):
        while len(self.buffer) < count:
            if not self.more():
                raise EOFError(f"the connection ended after {len(self.buffer)} of {count} bytes")
        data, self.buffer = self.buffer[:count], self.buffer[count:]
        return data

    def is_closed(self, seconds=5):
        """Whether the other side closes within that time; what it still says is kept."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            self.socket.settimeout(max(0.01, deadline - time.monotonic()))
            try:
                if not self.more():
                    return True
            except TimeoutError:
                return False
        return False
