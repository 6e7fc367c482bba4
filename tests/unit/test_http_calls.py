"""What becomes of a call when the other side misbehaves, over real loopback sockets."""

from __future__ import annotations

import os
import socket
import struct
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from syncworkers.connectors.http import Call, HttpClient
from syncworkers.errors import RetryableError, UnknownOutcomeError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Behaviour = Callable[[socket.socket, bytes], None]

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


class Peer:
    """A server that plays one behaviour per request, the last one for ever."""

    def __init__(self, *behaviours: Behaviour) -> None:
        self.behaviours = list(behaviours)
        self.requests: list[bytes] = []
        self.connections = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}/data/orders"
        self._open: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self._start(self._accept)

    def _start(self, target: Callable[..., None], *args: object) -> None:
        thread = threading.Thread(target=target, args=args)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            self._open.append(connection)
            self._start(self._serve, connection)

    def _serve(self, connection: socket.socket) -> None:
        with connection:
            while True:
                try:
                    request = _read(connection)
                    if not request:
                        return
                    self.requests.append(request)
                    step = self.behaviours[0]
                    if len(self.behaviours) > 1:
                        self.behaviours.pop(0)
                    step(connection, request)
                except OSError:
                    return

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for connection in self._open:
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue
        for thread in self._threads:
            thread.join(5)


def _read(connection: socket.socket) -> bytes:
    data = b""
    while b"\r\n\r\n" not in data:
        part = connection.recv(65536)
        if not part:
            return b""
        data += part
    head, _, body = data.partition(b"\r\n\r\n")
    length = next(
        (int(line.split(b":")[1]) for line in head.split(b"\r\n") if b"ontent-Length" in line), 0
    )
    while len(body) < length:
        body += connection.recv(65536)
    return head + b"\r\n\r\n" + body


def answer_ok(connection: socket.socket, _: bytes) -> None:
    connection.sendall(OK)


def answer(data: bytes) -> Behaviour:
    return lambda connection, _: connection.sendall(data)


def close(connection: socket.socket, _: bytes) -> None:
    connection.shutdown(socket.SHUT_RDWR)
    connection.close()


def reset(connection: socket.socket, _: bytes) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def silent(_: socket.socket, __: bytes) -> None:
    threading.Event().wait(1.0)


def drip(data: bytes) -> Behaviour:
    def behave(connection: socket.socket, _: bytes) -> None:
        for position in range(len(data)):
            connection.sendall(data[position : position + 1])
            threading.Event().wait(0.05)

    return behave


@contextmanager
def talk(*behaviours: Behaviour, answer_limit: int = 1000) -> Iterator[tuple[HttpClient, Peer]]:
    peer = Peer(*behaviours)
    http = HttpClient(answer_limit=answer_limit)
    try:
        yield http, peer
    finally:
        http.close()
        peer.close()


def post(peer: Peer, *, read: bool = False) -> Call:
    return Call(method="POST", url=peer.url, body=b"{}", read=read, correlation="abc123")


def test_an_answer_of_any_status_is_an_answer_and_the_connection_is_kept():
    refusal = b"HTTP/1.1 503 Busy\r\nContent-Length: 4\r\nRetry-After: 2.5\r\n\r\nbusy"

    with talk(answer(refusal), answer_ok) as (http, peer):
        first = http.send(post(peer), 2.0)
        second = http.send(post(peer), 2.0)

    assert (first.status, first.body, first.retry_after) == (503, b"busy", 2.5)
    assert (second.status, second.text) == (200, "ok")
    assert peer.connections == 1
    assert b"X-Correlation-ID: abc123" in peer.requests[0]


def test_refused_connection_is_retryable():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    call = Call(method="POST", url=f"http://127.0.0.1:{port}/data?secret=hush", body=b"{}")

    with pytest.raises(RetryableError) as raised:
        HttpClient().send(call, 2.0)

    assert str(raised.value) == "POST 127.0.0.1/data: Connection refused; nothing was sent"


def test_a_name_that_does_not_exist_is_retryable():
    call = Call(method="POST", url="http://partner.invalid/data", body=b"{}")

    with pytest.raises(RetryableError, match="nothing was sent"):
        HttpClient().send(call, 5.0)


@pytest.mark.parametrize("behaviour", [close, reset], ids=["closed", "reset"])
def test_a_write_without_an_answer_has_an_unknown_outcome_and_is_not_repeated(behaviour: Behaviour):
    with talk(behaviour) as (http, peer):
        with pytest.raises(UnknownOutcomeError, match="it may have reached the partner"):
            http.send(post(peer), 2.0)

        assert len(peer.requests) == 1


def test_a_write_after_the_connection_went_stale_is_unknown_only_when_it_was_sent():
    with talk(answer_ok, answer_ok) as (http, peer):
        http.send(post(peer), 2.0)
        for connection in peer._open:
            connection.shutdown(socket.SHUT_RDWR)
        threading.Event().wait(0.05)

        assert http.send(post(peer), 2.0).status == 200

        assert (peer.connections, len(peer.requests)) == (2, 2)


def test_a_read_on_a_connection_that_proves_stale_is_repeated_once():
    with talk(close, answer_ok) as (http, peer):
        assert http.send(post(peer, read=True), 2.0).status == 200

        assert len(peer.requests) == 2


def test_a_read_that_fails_twice_is_retryable():
    with talk(reset) as (http, peer):
        with pytest.raises(RetryableError, match="nothing changed"):
            http.send(post(peer, read=True), 2.0)

        assert len(peer.requests) == 2


@pytest.mark.parametrize(
    "behaviour",
    [
        pytest.param(silent, id="silent"),
        pytest.param(drip(OK + b" " * 100), id="dripping head"),
        pytest.param(drip(b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 100), id="dripping body"),
        pytest.param(
            drip(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"1\r\nx\r\n" * 50),
            id="dripping chunks",
        ),
    ],
)
def test_no_server_can_stretch_the_deadline(behaviour: Behaviour):
    with talk(behaviour) as (http, peer):
        begun = time.monotonic()
        with pytest.raises(UnknownOutcomeError, match="timed out"):
            http.send(post(peer), 0.3)

        assert 0.29 <= time.monotonic() - begun < 0.45


def test_an_incomplete_answer_is_no_answer():
    cut = b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhalf"

    def behave(connection: socket.socket, request: bytes) -> None:
        connection.sendall(cut)
        close(connection, request)

    with talk(behave) as (http, peer), pytest.raises(UnknownOutcomeError):
        http.send(post(peer), 2.0)


def test_an_answer_without_end_is_not_read_to_its_end():
    long = b"HTTP/1.1 200 OK\r\nContent-Length: 1001\r\n\r\n" + b"x" * 1001

    with (
        talk(answer(long)) as (http, peer),
        pytest.raises(UnknownOutcomeError, match="answer over 1000 bytes"),
    ):
        http.send(post(peer), 2.0)


def test_what_is_no_http_is_no_answer():
    hello = answer(b"SSH-2.0-hello\r\n\r\n")

    with talk(hello) as (http, peer), pytest.raises(UnknownOutcomeError):
        http.send(post(peer), 2.0)


def test_redirects_are_answers_and_cookies_are_not_kept():
    moved = (
        b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\n"
        b"Set-Cookie: session=1\r\nContent-Length: 0\r\n\r\n"
    )

    with talk(answer(moved), answer_ok) as (http, peer):
        assert http.send(post(peer), 2.0).status == 302
        assert http.send(post(peer), 2.0).status == 200

    assert b"ookie" not in peer.requests[1]


def test_proxies_of_the_environment_are_ignored(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")

    with talk(answer_ok) as (http, peer):
        assert http.send(post(peer), 2.0).status == 200


def test_no_time_left_sends_nothing():
    with talk(answer_ok) as (http, peer):
        with pytest.raises(RetryableError, match="timed out; nothing was sent"):
            http.send(post(peer), 0.0)

        assert peer.requests == []


def test_threads_share_the_client():
    with talk(answer_ok) as (http, peer):
        statuses: list[int] = []
        threads = [
            threading.Thread(target=lambda: statuses.append(http.send(post(peer), 5.0).status))
            for _ in range(8)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert statuses == [200] * 8


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_child_process_opens_connections_of_its_own():
    with talk(answer_ok) as (http, peer):
        http.send(post(peer), 2.0)
        child = os.fork()
        if child == 0:
            status = http.send(post(peer), 2.0).status
            os._exit(0 if status == 200 else 1)
        _, code = os.waitpid(child, 0)
        again = http.send(post(peer), 2.0)

        assert (code, again.status) == (0, 200)
        assert (peer.connections, len(peer.requests)) == (2, 3)
