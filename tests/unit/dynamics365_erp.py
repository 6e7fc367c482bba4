"""An ERP that answers as it is told, over real HTTP, and the requests to send it."""

from __future__ import annotations

import json
import re
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

from syncworkers.connectors.base import Ports, Request
from syncworkers.connectors.dynamics365 import Dynamics365
from syncworkers.engine.budgets import LocalBudget
from syncworkers.policy.partners import LanePolicy, PartnerPolicy

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from syncworkers.connectors.base import TokenFetch

    Connect = Callable[..., Dynamics365]

SECRET = "s3cret/+value"
NO_SET = '{"error":{"code":"","message":"Entity set not found."}}'
OPERATION = re.compile(
    r"^(?P<method>GET|POST|PATCH) (?P<path>\S+) HTTP/1.1\r\n(?P<head>.*?)\r\n\r\n(?P<body>[^\r]*)",
    re.MULTILINE | re.DOTALL,
)


@dataclass
class Sent:
    """One operation as the ERP received it."""

    method: str
    path: str
    head: str
    fields: dict[str, Any]


@dataclass
class Whole:
    """An answer to a whole call."""

    status: int
    body: str = ""
    headers: dict[str, str] = field(default_factory=dict)


def reply(status: int, fields: dict[str, Any] | None = None, etag: str = "") -> str:
    tag = f"ETag: {etag}\r\n" if etag else ""
    body = "" if fields is None else json.dumps(fields)
    return f"HTTP/1.1 {status} T\r\n{tag}Content-Type: application/json\r\n\r\n{body}"


def refusal(status: int, message: str) -> str:
    inner = {"message": message, "type": "X.AxODataWriteException", "stacktrace": "at X()"}
    return reply(status, {"error": {"message": "An error.", "innererror": inner}})


def rows(*found: dict[str, Any]) -> str:
    return reply(200, {"value": list(found)})


def created(operations: list[Sent]) -> list[str]:
    """Take a change set as it was sent."""
    return [reply(201, one.fields, 'W/"1"') for one in operations]


class Erp(ThreadingHTTPServer):
    """Plays one answer per batch call, in order."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        self.script: list[Any] = []
        self.batches: list[list[Sent]] = []
        self.prefer: list[str | None] = []
        self.tokens = 0
        self.refused_tokens = 0
        self.token_answer: Whole | None = None
        self.sets: dict[str, Whole] = {}
        self.addresses: list[str] = []
        """Of each single read."""
        self.service: list[Whole] = []
        """What the packing slip service answers, in order."""
        self.asked: list[tuple[str, Any]] = []
        """Operation and request of each of its calls."""


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Erp

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        if self.path == "/token":
            self._token()
        elif self.headers["Authorization"] != f"Bearer token-{self.server.tokens}" or (
            self.server.tokens <= self.server.refused_tokens
        ):
            self._answer(Whole(401))
        elif self.path.startswith("/api/services/"):
            self.server.asked.append((self.path.rpartition("/")[2], json.loads(body)["_request"]))
            self._answer(self.server.service.pop(0))
        else:
            operations = [
                Sent(one["method"], one["path"], one["head"], json.loads(one["body"] or "{}"))
                for one in OPERATION.finditer(body)
            ]
            self.server.batches.append(operations)
            self.server.prefer.append(self.headers["Prefer"])
            self._play(self.server.script.pop(0), operations)

    def do_GET(self) -> None:
        self.server.addresses.append(self.path)
        entity_set = self.path.removeprefix("/data/").partition("?")[0]
        self._answer(self.server.sets.get(entity_set, Whole(404, NO_SET)))

    def _token(self) -> None:
        self.server.tokens += 1
        token = {"access_token": f"token-{self.server.tokens}", "expires_in": "3599"}
        self._answer(self.server.token_answer or Whole(200, json.dumps(token)))

    def _play(self, step: Any, operations: list[Sent]) -> None:
        if step == "hang up":
            self.close_connection = True
            self.connection.close()
            return
        if isinstance(step, Whole):
            self._answer(step)
            return
        parts = []
        for position, group in enumerate(step(operations) if callable(step) else step):
            inner = [group] if isinstance(group, str) else group
            kind = "application/http\r\nContent-Transfer-Encoding: binary"
            told = "".join(f"--i{position}\r\nContent-Type: {kind}\r\n\r\n{o}\r\n" for o in inner)
            if isinstance(group, str):
                parts.append(f"--b\r\nContent-Type: {kind}\r\n\r\n{group}\r\n")
            else:
                head = f"Content-Type: multipart/mixed; boundary=i{position}"
                parts.append(f"--b\r\n{head}\r\n\r\n{told}--i{position}--\r\n")
        self._answer(
            Whole(200, "".join(parts) + "--b--", {"Content-Type": "multipart/mixed; boundary=b"})
        )

    def _answer(self, answer: Whole) -> None:
        data = answer.body.encode()
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        pass


class Tokens:
    """Tokens of this process alone."""

    def __init__(self) -> None:
        self._kept: dict[str, str] = {}

    def get(self, name: str, fetch: TokenFetch) -> str:
        if name not in self._kept:
            self._kept[name] = fetch().value
        return self._kept[name]

    def drop(self, name: str, token: str) -> None:
        if self._kept.get(name) == token:
            del self._kept[name]


@contextmanager
def serve() -> Iterator[Erp]:
    server = Erp()
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def connecting(erp: Erp) -> Iterator[Connect]:
    """Offer a function that makes connectors to the ERP."""
    opened = []

    def make(
        *, batch: int = 50, budget: LocalBudget | None = None, **connection: Any
    ) -> Dynamics365:
        policy = PartnerPolicy(
            name="d365-main",
            connector="dynamics365",
            role="erp",
            brand="acme",
            connection={
                "url": erp.url,
                "token_url": f"{erp.url}/token",
                "client_id": "id",
                "client_secret": SECRET,
                "default_company": "usmf",
                **connection,
            },
            lane=LanePolicy(batch=batch, call_deadline=2.0),
        )
        connector = Dynamics365(
            policy, Ports(tokens=Tokens(), budget=budget or LocalBudget(maximum=99.0, rate=99.0))
        )
        opened.append(connector)
        return connector

    try:
        yield make
    finally:
        for connector in opened:
            connector.close()


def header(number: str, **more: Any) -> dict[str, Any]:
    return {
        "dataAreaId": "usmf",
        "SalesOrderNumber": number,
        "CustomersOrderReference": f"shop/{number}",
        "CurrencyCode": "USD",
        **more,
    }


def line(number: str, **more: Any) -> dict[str, Any]:
    return {
        "dataAreaId": "usmf",
        "SalesOrderNumber": number,
        "ExternalItemNumber": "1",
        "ItemNumber": "T-01",
        "OrderedSalesQuantity": 2,
        "SalesPrice": Decimal("9.90"),
        **more,
    }


def create(number: str) -> Request:
    return Request(
        operation="order.create",
        reference=f"shop/{number}",
        payload={"header": header(number), "lines": [line(number)], "charges": []},
    )


def readdress(number: str, etag: str | None = 'W/"1"') -> Request:
    return Request(
        operation="order.readdress",
        reference=f"shop/{number}",
        payload={"header": header(number, DeliveryAddressCity="Oslo")},
        external_id=number,
        external_version=etag,
    )


def cancel(number: str) -> Request:
    return Request(
        operation="order.cancel",
        reference=f"shop/{number}",
        payload={
            "header": {
                "dataAreaId": "usmf",
                "SalesOrderNumber": number,
                "CustomersOrderReference": f"shop/{number}",
            }
        },
        external_id=number,
        external_version='W/"1"',
    )


def stands(number: str, **more: Any) -> dict[str, Any]:
    return {"@odata.etag": 'W/"9"', **header(number), **more}


def standing_line(number: str, **more: Any) -> dict[str, Any]:
    return json.loads(json.dumps({**line(number), "SalesPrice": 9.9, **more}))
