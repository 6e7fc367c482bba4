"""Connections whose whole exchange keeps one time limit, and that know whether they have spoken.

A socket's own time-out starts anew with every read, so a server that drips one byte at a time could
hold a call for ever. Here every read is given only what is left of the whole call.
"""

from __future__ import annotations

import io
import threading
import time
from http.client import HTTPResponse
from typing import TYPE_CHECKING, Any

from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

if TYPE_CHECKING:
    import socket


class Exchange(threading.local):
    """What this thread's present call has done so far."""

    spoken = False
    """Some of the request may have left us."""
    end = 0.0
    """When the call must be over, in monotonic seconds."""

    def begin(self, end: float) -> None:
        """Start a new call."""
        self.spoken = False
        self.end = end

    def left(self) -> float:
        """Return the seconds left for the call; raises `TimeoutError` when there are none."""
        left = self.end - time.monotonic()
        if left <= 0:
            raise TimeoutError("timed out")
        return left


exchange = Exchange()


class _TimedReader(io.RawIOBase):
    """Reads a socket, each read limited to what is left of the whole exchange."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._raw: Any = sock.makefile("rb", buffering=0)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        self._sock.settimeout(exchange.left())
        count: int | None = self._raw.readinto(buffer)
        return count

    def close(self) -> None:
        self._raw.close()
        super().close()


class _TimedResponse(HTTPResponse):
    """A response read through a timed reader."""

    def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        self.fp.close()
        self.fp = io.BufferedReader(_TimedReader(sock), 65536)


class _Timed:
    """What we add to a connection, plain or encrypted."""

    sock: Any

    def send(self, data: Any) -> None:
        if self.sock is None:
            self.connect()  # type: ignore[attr-defined]
        self.sock.settimeout(exchange.left())
        exchange.spoken = True
        super().send(data)  # type: ignore[misc]


class _Plain(_Timed, HTTPConnection):
    response_class: Any = _TimedResponse


class _Encrypted(_Timed, HTTPSConnection):
    response_class: Any = _TimedResponse


class _PlainPool(HTTPConnectionPool):
    ConnectionCls = _Plain


class _EncryptedPool(HTTPSConnectionPool):
    ConnectionCls = _Encrypted


class TimedAdapter(HTTPAdapter):
    """A keep-alive pool of timed connections; never repeats a request by itself."""

    def __init__(self, connections: int) -> None:
        super().__init__(pool_connections=4, pool_maxsize=connections, max_retries=0)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """Build the pools from our connections."""
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": _PlainPool, "https": _EncryptedPool}
