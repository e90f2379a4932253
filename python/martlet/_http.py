"""One connection to a server, kept open; used by one thread."""

from __future__ import annotations

import json
from urllib.parse import quote, urlsplit


class Unreachable(OSError):
    """The server did not answer."""


class Answer:
    def __init__(self, status, headers, body):
        self.status = status
        self.headers = headers
        self.body = body

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def words(self):
        """What a refusal says."""
        try:
            error = self.json["error"]
            return "%s %s" % (error.get("message", ""), error.get("remedy", ""))
        except Exception:
            return self.body[:200].decode("utf-8", "replace")


def path(*parts, **query):
    """A target under /api/v1, every part escaped."""
    target = "/api/v1/" + "/".join(quote(part, safe="") for part in parts)
    pairs = []
    for name, value in query.items():
        for each in value if isinstance(value, (list, tuple)) else [value]:
            if each is not None:
                pairs.append("%s=%s" % (name, quote(str(each), safe="")))
    return target + ("?" + "&".join(pairs) if pairs else "")


class Connection:
    def __init__(self, address, token=None, timeout=10.0):
        parts = urlsplit(address)
        self.is_secure = parts.scheme == "https"
        self.host = parts.hostname or ""
        self.port = parts.port
        self.base = parts.path.rstrip("/")
        self.token = token
        self.timeout = timeout
        self._connection = None

    def _open(self, timeout):
        import http.client

        if self.is_secure:
            import ssl

            context = ssl.create_default_context()
            return http.client.HTTPSConnection(self.host, self.port, timeout=timeout, context=context)
        return http.client.HTTPConnection(self.host, self.port, timeout=timeout)

    def ask(self, method, target, body=None, headers=None, timeout=None):
        """The server's answer, whatever its status. A connection that was closed meanwhile is opened once more."""
        import http.client

        headers = dict(headers or {})
        if self.token:
            headers["Authorization"] = "Bearer " + self.token
        if isinstance(body, (dict, list)):
            body = json.dumps(body).encode()
            headers.setdefault("Content-Type", "application/json")
        timeout = timeout or self.timeout
        for is_last in (False, True):
            is_fresh = self._connection is None
            try:
                if is_fresh:
                    self._connection = self._open(timeout)
                elif self._connection.sock is not None:
                    self._connection.sock.settimeout(timeout)
                if hasattr(body, "seek"):
                    body.seek(0)
                self._connection.request(method, self.base + target, body, headers)
                answer = self._connection.getresponse()
                content = answer.read()
                return Answer(
                    answer.status, {name.lower(): value for name, value in answer.getheaders()}, content)
            except (OSError, http.client.HTTPException) as error:
                self.close()
                if is_last or is_fresh or isinstance(error, TimeoutError):
                    raise Unreachable("%s: %s" % (type(error).__name__, error)) from error

    def close(self):
        connection, self._connection = self._connection, None
        if connection is not None:
            try:
                connection.close()
            except OSError:
                pass

    def abandon(self):
        """In a child process: closes its copy of the socket without a word to the server."""
        connection, self._connection = self._connection, None
        if connection is not None and connection.sock is not None:
            connection.sock.close()
