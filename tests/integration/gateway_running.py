"""A gateway over a real socket and a real database, and a shop that calls it."""

from __future__ import annotations

import hashlib
import hmac
import http.client
import json
import logging
import socket
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa
import structlog
from sqlalchemy.orm import Session
from werkzeug.serving import WSGIRequestHandler, make_server

from syncworkers import bootstrap, logs
from syncworkers.connectors.base import ANSWERS, ProofError, Receipt, Received
from syncworkers.flows.fleet import Fleet, Partner
from syncworkers.flows.lanes import open_lanes
from syncworkers.policy.fulfilment import FulfilmentPolicy
from syncworkers.policy.partners import PartnerPolicy
from syncworkers.policy.policy import Policy
from syncworkers.web import create_app

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

SECRET = b"shared with the shop"
MAX_BODY = 20_000
LONG = hashlib.shake_256(b"a name").hexdigest(4000)
"""Does not compress, so no index takes it."""


class Shop:
    """A partner that signs its bodies, names each message in a header, and answers 202 when new."""

    answers: Mapping[Receipt, int] = {**ANSWERS, Receipt.ACCEPTED: 202}
    handled = frozenset({"orders/create"})
    reread: frozenset[str] = frozenset()

    def receive(self, headers: Mapping[str, str], body: bytes, path: str = "") -> Received:
        proof = headers.get("x-shop-proof", "").encode("utf-8", "replace")
        if not hmac.compare_digest(proof, sign(body).encode()):
            message = "the signature does not match"
            raise ProofError(message)
        try:
            entity = str(json.loads(body)["id"])
        except (ValueError, TypeError, KeyError, RecursionError):
            entity = "unreadable"
        return Received(
            external_id=headers.get("x-shop-message", hashlib.sha256(body).hexdigest()),
            topic=headers.get("x-shop-topic", "orders/create"),
            kind="order",
            entity=entity,
        )


class Silent:
    """A partner that never calls us."""


@dataclass
class Heard:
    """A waker that remembers what it was told."""

    lanes: list[str] = field(default_factory=list)

    def notify(self, lanes: Any) -> None:
        self.lanes.extend(lanes)

    def look(self, lane: str, who: str) -> None: ...

    def attend(self, lane: str, who: str) -> bool:
        return False

    def rest(self, lane: str, seconds: float) -> None: ...

    def leave(self, lane: str, who: str) -> None: ...

    def close(self) -> None: ...


def sign(body: bytes) -> str:
    return hmac.new(SECRET, body, hashlib.sha256).hexdigest()


@pytest.fixture(autouse=True)
def production_logs() -> Iterator[None]:
    """Log as production does; a traceback drawn for people costs a second."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    logs.configure("production")
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.captureWarnings(capture=False)
    structlog.reset_defaults()


@pytest.fixture(name="fleet")
def open_fleet(clean_database: sa.Engine, database_url: str) -> Iterator[Fleet]:
    """A fleet of one shop and one partner that never calls, on an empty database."""
    database = bootstrap.connect(database_url)
    partners = {
        "shop": Partner(policy=policy("shop", "store"), connection=Shop(), reads={}, writes={}),
        "erp": Partner(policy=policy("erp", "erp"), connection=Silent(), reads={}, writes={}),
    }
    with Session(database) as session, session.begin():
        lanes = open_lanes(session, [one.policy for one in partners.values()])
    whole = Policy(
        partners={name: one.policy for name, one in partners.items()},
        bookings={},
        fulfilment=FulfilmentPolicy(stores={}, warehouses={}, carriers={}),
        expectations={},
    )
    yield Fleet(
        worker="gateway",
        database=database,
        policy=whole,
        partners=partners,
        lanes=lanes,
        waker=Heard(),
    )
    database.dispose()


def policy(name: str, role: str) -> PartnerPolicy:
    return PartnerPolicy(name=name, connector="toy", role=role, brand="acme", connection={})


class Quiet(WSGIRequestHandler):
    protocol_version = "HTTP/1.1"

    def log(self, type: str, message: str, *args: Any) -> None:  # noqa: A002
        """Say nothing."""


@contextmanager
def serving(application: Any) -> Iterator[int]:
    """Serve on a loopback port."""
    server = make_server("127.0.0.1", 0, application, threaded=True, request_handler=Quiet)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture(name="gateway")
def open_gateway(fleet: Fleet) -> Iterator[int]:
    with serving(create_app(fleet, max_body=MAX_BODY)) as port:
        yield port


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


def call(
    port: int,
    method: str,
    path: str,
    body: Any = None,
    headers: Mapping[str, str] | None = None,
    *,
    chunked: bool = False,
) -> Answer:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request(method, path, body, dict(headers or {}), encode_chunked=chunked)
        answer = connection.getresponse()
        named = {name.lower(): value for name, value in answer.getheaders()}
        return Answer(answer.status, named, answer.read())
    finally:
        connection.close()


def post(port: int, body: bytes, partner: str = "shop", **headers: str) -> Answer:
    named = {f"X-Shop-{name.title()}": value for name, value in headers.items()}
    return call(port, "POST", f"/webhooks/{partner}", body, {"X-Shop-Proof": sign(body), **named})


def speak(port: int, data: bytes) -> bytes:
    """Send raw bytes; return what comes back until the server closes or is silent."""
    with socket.create_connection(("127.0.0.1", port), timeout=2) as raw:
        answer = b""
        try:
            raw.sendall(data)
            while piece := raw.recv(65536):
                answer += piece
        except OSError:
            pass
        return answer


def stored(fleet: Fleet) -> list[Any]:
    with fleet.session() as session:
        return list(
            session.execute(
                sa.text(
                    "SELECT m.topic, m.entity, m.state, m.duplicates, b.body FROM message m"
                    " JOIN message_body b ON b.message_id = m.id ORDER BY m.id"
                )
            ).all()
        )
