"""A keep-alive HTTP/1.1 connection on a raw socket.

http.client costs 100 to 200 µs a request, which hides a fast server; this costs about 25, and is the same for every
server under measurement.
"""
import os
import socket


class Connection:
    def __init__(self, port, timeout=120):
        self.port = port
        self.timeout = timeout
        self.socket = None

    def open(self):
        self.socket = socket.create_connection(("127.0.0.1", self.port), timeout=self.timeout)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return self

    def close(self):
        if self.socket is not None:
            self.socket.close()
            self.socket = None

    @staticmethod
    def message(method, path, body=b"", kind="application/json"):
        """A whole request as bytes, to be made before the clock starts."""
        head = (
            f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: {kind}\r\n"
            f"Content-Length: {len(body)}\r\nAccept: */*\r\n\r\n"
        )
        return head.encode() + body

    def send(self, message):
        """Sends a whole request; returns (status, body)."""
        if self.socket is None:
            self.open()
        self.socket.sendall(message)
        return self.answer()

    def request(self, method, path, body=b"", kind="application/json"):
        return self.send(self.message(method, path, body, kind))

    def upload(self, path, file, size):
        """PUTs a file without its bytes passing through this process."""
        if self.socket is None:
            self.open()
        head = (
            f"PUT {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/octet-stream\r\n"
            f"Content-Length: {size}\r\n\r\n"
        )
        self.socket.sendall(head.encode())
        self.socket.setblocking(True)
        at = 0
        with open(file, "rb") as source:
            while at < size:
                at += os.sendfile(self.socket.fileno(), source.fileno(), at, min(1 << 22, size - at))
        return self.answer()

    def download(self, path):
        """GETs, counts the body's bytes and throws them away; returns (status, count)."""
        if self.socket is None:
            self.open()
        self.socket.sendall(self.message("GET", path))
        return self.answer(counting=True)

    def answer(self, counting=False):
        buffer = b""
        while (end := buffer.find(b"\r\n\r\n")) < 0:
            got = self.socket.recv(1 << 18)
            if not got:
                raise ConnectionError("closed before the answer")
            buffer += got
        head, body = buffer[:end], buffer[end + 4 :]
        status = int(head[9:12])
        lower = head.lower()
        at = lower.find(b"content-length:")
        if at >= 0:
            stop = lower.find(b"\r\n", at)
            body = self.rest(body, int(lower[at + 15 : stop if stop >= 0 else None]), counting)
        elif b"transfer-encoding: chunked" in lower:
            body = self.chunks(body)
        if b"connection: close" in lower:
            self.close()
        return status, body

    def rest(self, start, size, counting):
        if counting:
            got, buffer = len(start), bytearray(1 << 20)
            while got < size:
                count = self.socket.recv_into(buffer)
                if not count:
                    raise ConnectionError("short body")
                got += count
            return got
        if len(start) >= size:
            return start[:size]
        body = bytearray(size)
        body[: len(start)] = start
        at, view = len(start), memoryview(body)
        while at < size:
            count = self.socket.recv_into(view[at:])
            if not count:
                raise ConnectionError("short body")
            at += count
        return bytes(body)

    def chunks(self, start):
        buffer, body = bytearray(start), bytearray()

        def more():
            got = self.socket.recv(1 << 18)
            if not got:
                raise ConnectionError("short chunked body")
            buffer.extend(got)

        while True:
            while (line := buffer.find(b"\r\n")) < 0:
                more()
            size = int(bytes(buffer[:line]).split(b";")[0], 16)
            while len(buffer) < line + 4 + size:
                more()
            body += buffer[line + 2 : line + 2 + size]
            del buffer[: line + 4 + size]
            if size == 0:
                return bytes(body)
