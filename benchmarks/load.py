"""Signed order webhooks over keep-alive connections, as fast as they are answered."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import socket
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from syncworkers.sandbox.shopify.maker import OrderMaker
from syncworkers.supervisor.simulators import SECRETS, SHOP

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

SIZE = 8800
"""Bytes of an order: what a real shop's webhook has."""
PLACED = "2026-01-05T10:00:00-05:00"


@dataclass(frozen=True, slots=True, kw_only=True)
class Acks:
    """How the webhooks were answered; latencies in milliseconds, sorted."""

    seconds: float
    latencies: list[float]

    @property
    def per_second(self) -> float:
        """Return answers a second."""
        return len(self.latencies) / self.seconds

    def percentile(self, share: float) -> float:
        """Return a latency."""
        return percentile(self.latencies, share)


def percentile(values: Sequence[float], share: float) -> float:
    """Return the value below which a share of the sorted values lies."""
    return values[min(len(values) - 1, int(len(values) * share))]


def bodies(count: int, seed: int) -> list[bytes]:
    """Make different orders that can be booked, each of `SIZE` bytes."""
    return [_padded(order) for order, _ in zip(_sound(seed), range(count), strict=False)]


def _sound(seed: int) -> Iterator[dict[str, object]]:
    maker = OrderMaker(seed)
    while True:
        order = maker.make(PLACED)
        if order["shipping_address"] and not order["taxes_included"]:
            yield order


def _padded(order: dict[str, object]) -> bytes:
    attributes = [{"name": f"attribute {number}", "value": "x" * 60} for number in range(100)]
    kept = dict(order, note_attributes=[])
    missing = SIZE - len(json.dumps(kept))
    size = len(json.dumps(attributes[50])) + 2
    kept["note_attributes"] = attributes[: max(0, missing // size)]
    return json.dumps(kept).encode()


def requests(orders: Sequence[bytes], run: str) -> list[bytes]:
    """Write the signed requests."""
    return [_request(body, f"{run}-{number}") for number, body in enumerate(orders)]


def _request(body: bytes, webhook_id: str) -> bytes:
    secret = SECRETS["SHOPIFY_US_CLIENT_SECRET"].encode()
    digest = base64.b64encode(hmac.new(secret, body, hashlib.sha256).digest()).decode()
    head = (
        "POST /webhooks/shopify-us HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\n"
        f"X-Shopify-Topic: orders/create\r\nX-Shopify-Hmac-Sha256: {digest}\r\n"
        f"X-Shopify-Shop-Domain: {SHOP}\r\nX-Shopify-API-Version: 2026-07\r\n"
        f"X-Shopify-Webhook-Id: {webhook_id}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


class Connection:
    """One keep-alive connection that knows just enough of HTTP."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=30)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def ask(self, request: bytes) -> int:
        """Send a request; return the status once the answer is read."""
        self._socket.sendall(request)
        received = b""
        while b"\r\n\r\n" not in received:
            received += self._more()
        head, _, rest = received.partition(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n", 1)[0])
        while len(rest) < length:
            rest += self._more()
        return int(head[9:12])

    def _more(self) -> bytes:
        data = self._socket.recv(65536)
        if not data:
            raise ConnectionError("the gateway hung up")
        return data

    def close(self) -> None:
        """Hang up."""
        self._socket.close()


def send(port: int, wanted: Sequence[bytes], connections: int = 16) -> Acks:
    """Send all requests; raises when one is not answered with 200."""
    latencies: list[list[float]] = [[] for _ in range(connections)]
    wrong: list[object] = []

    def work(place: int) -> None:
        connection = Connection(port)
        try:
            for request in wanted[place::connections]:
                begun = time.perf_counter()
                status = connection.ask(request)
                latencies[place].append((time.perf_counter() - begun) * 1000)
                if status != 200:
                    wrong.append(status)
        except (OSError, ValueError) as error:
            wrong.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=work, args=(place,)) for place in range(connections)]
    begun = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seconds = time.perf_counter() - begun
    if wrong:
        raise RuntimeError(f"{len(wrong)} webhooks were not accepted: {wrong[0]!r}")
    return Acks(seconds=seconds, latencies=sorted(one for some in latencies for one in some))
