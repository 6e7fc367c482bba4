"""A tiny, fast ERP: a token, OData `$batch` creates for the product, one create for the plain way.

It keeps no books but when each order came; it answers what was sent, after a fixed time, so that
both ways meet the same.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import time

_LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)
_BOUNDARY = re.compile(rb"content-type: *multipart/mixed; *boundary=([^\s;]+)", re.IGNORECASE)
_NUMBER = re.compile(rb"Content-ID: (\d+)")
_TOKEN = json.dumps({"access_token": "stub", "expires_in": 3599, "token_type": "Bearer"}).encode()
_PLAIN = json.dumps({"number": "SO-1"}).encode()


class Books:
    """What was asked of it."""

    def __init__(self) -> None:
        self.calls = 0
        self.came: list[float] = []
        """When each order came, by the clock that all processes share."""


class Caller(asyncio.Protocol):
    """One keep-alive connection."""

    def __init__(self, books: Books, seconds: float) -> None:
        self._books = books
        self._seconds = seconds
        self._received = b""
        self._transport: asyncio.WriteTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        assert isinstance(transport, asyncio.WriteTransport)  # noqa: S101 - for the types
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Answer every request that is whole."""
        self._received += data
        while True:
            head, mark, rest = self._received.partition(b"\r\n\r\n")
            if not mark:
                return
            found = _LENGTH.search(head)
            size = int(found[1]) if found else 0
            if len(rest) < size:
                return
            self._received = rest[size:]
            answer, waits = self._answer(head, rest[:size])
            if waits and self._seconds:
                asyncio.get_running_loop().call_later(self._seconds, self._write, answer)
            else:
                self._write(answer)

    def _write(self, answer: bytes) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(answer)

    def _answer(self, head: bytes, body: bytes) -> tuple[bytes, bool]:
        path = head.split(b" ", 2)[1]
        if path.endswith(b"/token"):
            return _json(200, _TOKEN), False
        if path == b"/_stub":
            told = {"calls": self._books.calls, "came": self._books.came}
            return _json(200, json.dumps(told).encode()), False
        self._books.calls += 1
        if path.endswith(b"$batch"):
            return self._batch(head, body), True
        self._books.came.append(time.perf_counter())
        return _json(201, _PLAIN), True

    def _batch(self, head: bytes, body: bytes) -> bytes:
        found = _BOUNDARY.search(head)
        if found is None:
            return _json(400, b"{}")
        now = time.perf_counter()
        parts = [b""]
        mark = b"--" + found[1]
        # A change set's own boundary is the outer one and its position.
        for position, piece in enumerate(body.split(mark + b"\r\n")[1:]):
            self._books.came.append(now)
            inner = b"--" + found[1] + b"_%d\r\n" % position
            answer = b"answer_%d" % position
            parts.append(b"--answer\r\nContent-Type: multipart/mixed; boundary=%s\r\n" % answer)
            parts += [_part(answer, one) for one in piece.split(inner)[1:]]
            parts.append(b"--%s--" % answer)
        parts += [b"--answer--", b""]
        text = b"\r\n".join(parts)
        return _http(200, b"multipart/mixed; boundary=answer", text)


def _part(boundary: bytes, operation: bytes) -> bytes:
    head, _, rest = operation.partition(b"\r\n\r\n")
    _, _, body = rest.partition(b"\r\n\r\n")
    body = body.partition(b"\r\n")[0]
    found = _NUMBER.search(head)
    number = found[1] if found else b"0"
    return (
        b"--%s\r\nContent-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n"
        b"Content-ID: %s\r\n\r\nHTTP/1.1 201 Created\r\nContent-Type: application/json\r\n"
        b'OData-Version: 4.0\r\nETag: W/"1"\r\n\r\n{"@odata.etag":"W/\\"1\\"",%s'
        % (boundary, number, body[1:])
    )


def _json(status: int, body: bytes) -> bytes:
    return _http(status, b"application/json", body)


def _http(status: int, kind: bytes, body: bytes) -> bytes:
    return (
        b"HTTP/1.1 %d OK\r\nContent-Type: %s\r\nOData-Version: 4.0\r\nContent-Length: %d\r\n\r\n%s"
        % (status, kind, len(body), body)
    )


async def serve(port: int, seconds: float) -> None:
    """Serve until the process ends."""
    books = Books()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Caller(books, seconds), "127.0.0.1", port)
    await server.serve_forever()


if __name__ == "__main__":
    flags = argparse.ArgumentParser()
    flags.add_argument("--port", type=int, required=True)
    flags.add_argument("--latency-ms", type=float, default=0.0)
    told = flags.parse_args()
    asyncio.run(serve(told.port, told.latency_ms / 1000))
