"""Which proxy stands between this machine and a server, as the usual variables say: HTTPS_PROXY, HTTP_PROXY, ALL_PROXY, NO_PROXY."""

from __future__ import annotations

import os
import re
from base64 import b64encode
from urllib.parse import unquote, urlsplit


class Proxy:
    """A proxy that speaks HTTP."""

    def __init__(self, text):
        text = text if "://" in text else "http://" + text
        self.headers = {}
        self.problem = "a proxy is given as http://HOST:PORT, and “%s” is set" % re.sub("//[^/]*@", "//***@", text)
        try:
            parts = urlsplit(text)
            self.host, self.port = parts.hostname or "", parts.port or 80
        except ValueError:
            self.host, self.port = "", 0
            return
        if parts.scheme == "http" and self.host:
            self.problem = None
        if parts.username is not None:
            pair = "%s:%s" % (unquote(parts.username), unquote(parts.password or ""))
            self.headers["Proxy-Authorization"] = "Basic " + b64encode(pair.encode()).decode()

    def __str__(self):
        return "http://%s:%d" % (self.host, self.port)


def find(is_secure, host, port, environment=None):
    """The proxy for a server, or None. This machine is never asked for by a proxy."""
    environment = os.environ if environment is None else environment
    if is_loopback(host):
        return None
    names = ["https_proxy"] if is_secure else ["http_proxy"]
    text = next((value for value in (_value(environment, name) for name in names + ["all_proxy"]) if value), None)
    if not text or _is_exempt(host, port, _value(environment, "no_proxy") or ""):
        return None
    return Proxy(text)


def is_loopback(host):
    host = host.lower().rstrip(".")
    if host == "localhost" or host.endswith(".localhost"):
        return True
    address = _address(host)
    return address is not None and address.is_loopback


def _value(environment, name):
    """Lower case counts first. HTTP_PROXY is not looked at in a CGI program, where a request's header `Proxy` sets it."""
    if name in environment:
        return environment[name].strip()
    if name == "http_proxy" and "REQUEST_METHOD" in environment:
        return None
    return environment.get(name.upper(), "").strip()


def _is_exempt(host, port, listed):
    """Whether NO_PROXY names it: `*`, a name with what lies below it, an address, a network, each with a port or without."""
    host = host.lower().rstrip(".")
    address = _address(host)
    for entry in listed.lower().replace(" ", ",").split(","):
        if not entry:
            continue
        if entry == "*":
            return True
        name, mark, digits = entry.rpartition(":")
        if mark and digits.isdigit() and (":" not in name or name.startswith("[")):
            if int(digits) != port:
                continue
            entry = name
        entry = entry.strip("[]")
        if address is not None:
            if _is_within(address, entry):
                return True
        elif host == entry.lstrip("*.") or host.endswith("." + entry.lstrip("*.")):
            return True
    return False


def _address(host):
    if ":" not in host and not host[-1:].isdigit():
        return None  # a name, as most are
    import ipaddress

    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def _is_within(address, entry):
    import ipaddress

    try:
        return address in ipaddress.ip_network(entry, strict=False)
    except ValueError:
        return False

