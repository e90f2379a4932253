"""One connection to a server, kept open; used by one thread."""

from __future__ import annotations

import json
from urllib.parse import quote, urlsplit

from . import _proxy


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
        self.proxy = _proxy.find(self.is_secure, self.host, self.port or (443 if self.is_secure else 80))
        self.token = token
        self.timeout = timeout
        self._connection = None

    def _open(self, timeout):
        import http.client

        proxy = self.proxy
        if proxy is not None and proxy.problem:
            raise Unreachable("%s is not asked: %s" % (self.host, proxy.problem))
        host, port = (self.host, self.port) if proxy is None else (proxy.host, proxy.port)
        if self.is_secure:
            import ssl

            context = ssl.create_default_context()
            made = http.client.HTTPSConnection(host, port, timeout=timeout, context=context)
            if proxy is not None:
                made.set_tunnel(self.host, self.port, proxy.headers)
            return made
        return http.client.HTTPConnection(host, port, timeout=timeout)

    def _through(self, target, headers):
        """The target as it is asked for: a proxy is told the whole address, unless it opens a tunnel."""
        if self.proxy is None or self.is_secure:
            return target
        headers.update(self.proxy.headers)
        host = "[%s]" % self.host if ":" in self.host else self.host
        return "http://%s%s%s" % (host, ":%d" % self.port if self.port else "", target)

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
        whole = self._through(self.base + target, headers)
        for is_last in (False, True):
            is_fresh = self._connection is None
            try:
                if is_fresh:
                    self._connection = self._open(timeout)
                elif self._connection.sock is not None:
                    self._connection.sock.settimeout(timeout)
                if hasattr(body, "seek"):
                    body.seek(0)
                self._connection.request(method, whole, body, headers)
                answer = self._connection.getresponse()
                content = answer.read()
                if answer.status == 407 and self.proxy is not None:
                    raise Unreachable("the proxy %s wants a name and a password" % self.proxy)
                return Answer(
                    answer.status, {name.lower(): value for name, value in answer.getheaders()}, content)
            except Unreachable:
                self.close()
                raise
            except (OSError, http.client.HTTPException) as error:
                self.close()
                if is_last or is_fresh or isinstance(error, TimeoutError):
                    by = " (by the proxy %s)" % self.proxy if self.proxy is not None else ""
                    raise Unreachable("%s: %s%s" % (type(error).__name__, error, by)) from error

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
