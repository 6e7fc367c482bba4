"""The simulated warehouse as a web application: API, limit of calls, control face."""

from __future__ import annotations

import hmac
import math
import re
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from flask import Flask, Response, g, request

from syncworkers.sandbox.calls import CallLog
from syncworkers.sandbox.faults import CallFault
from syncworkers.sandbox.serving import control, flask_app
from syncworkers.sandbox.shipbob.account import serve_account
from syncworkers.sandbox.shipbob.api import serve_orders, serve_shipments
from syncworkers.sandbox.shipbob.books import Books
from syncworkers.sandbox.shipbob.control import (
    serve_books,
    serve_carriers,
    serve_floor,
    serve_webhooks,
)
from syncworkers.sandbox.shipbob.floor import Floor
from syncworkers.sandbox.shipbob.limits import CallLimit
from syncworkers.sandbox.shipbob.refusals import serve_refusals
from syncworkers.sandbox.shipbob.webhooks import Webhooks
from syncworkers.sandbox.transport import CONTROL, FaultyTransport

if TYPE_CHECKING:
    from syncworkers.sandbox.faults import FaultPlan

LIMIT = (150, 60.0)
"""Calls in a window of seconds, at speed 1."""
THROTTLED = '{{"statusCode":429,"message":"Rate limit is exceeded. Try again in {} seconds."}}'
_NUMBER = re.compile(r"\d+")
_NAMES = {
    "POST order": "create",
    "GET order": "orders",
    "GET order/#": "order",
    "POST order/#:cancel": "cancel",
    "POST shipment/#:cancel": "cancel_shipment",
    "PUT shipment/#:updateAddress": "readdress",
    "GET shipments-tracking": "tracking",
    "GET channel": "channels",
    "GET shipping-method": "methods",
    "GET webhook": "subscriptions",
    "POST webhook": "subscribe",
    "DELETE webhook/#": "unsubscribe",
}
"""What the log of calls names each of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Warehouse:
    """A running warehouse: its books, its floor, its switches, and the program that serves them."""

    books: Books
    floor: Floor
    webhooks: Webhooks
    plan: FaultPlan
    calls: CallLog
    limit: CallLimit
    program: Any


def build(
    plan: FaultPlan,
    *,
    token: str,
    channel_id: int,
    seed: int = 1,
    speed: float = 1.0,
    caller_deadline: float = 3.0,
    pace: float = 1.0,
    autopilot: bool = True,
    partial_share: float = 0.25,
) -> Warehouse:
    """Put a warehouse together.

    `speed` scales its limit of calls; `pace` the seconds its floor and the carriers take.
    `partial_share` of the orders with several units leave in two parcels.
    """
    books = Books(seed=seed, account=channel_id)
    calls = CallLog()
    webhooks = Webhooks(plan, seed=seed)
    floor = Floor(
        books,
        webhooks,
        channel_id=channel_id,
        seed=seed,
        pace=pace,
        autopilot=autopilot,
        partial_share=partial_share,
    )
    app = flask_app(__name__)
    warehouse = Warehouse(
        books=books,
        floor=floor,
        webhooks=webhooks,
        plan=plan,
        calls=calls,
        limit=CallLimit(LIMIT[0] * speed, LIMIT[1]),
        program=FaultyTransport(
            app, plan, calls, caller_deadline=caller_deadline, operation=_operation, refuse=_refuse
        ),
    )
    _serve_api(app, warehouse, token, channel_id)
    _serve_control(app, warehouse)
    return warehouse


def _serve_api(app: Flask, warehouse: Warehouse, token: str, channel_id: int) -> None:
    """Offer what the warehouse offers us, to those who have the token."""
    books, floor = warehouse.books, warehouse.floor
    _guard(app, token, warehouse.limit)
    serve_refusals(app)
    serve_orders(app, books, floor, channel_id)
    serve_shipments(app, books, floor)
    serve_account(app, warehouse.webhooks, channel_id)


def _serve_control(app: Flask, warehouse: Warehouse) -> None:
    """Offer what tests, the demo and people do with a simulator."""
    books, floor, webhooks = warehouse.books, warehouse.floor, warehouse.webhooks
    app.register_blueprint(control(warehouse.plan))
    serve_floor(app, floor)
    serve_carriers(app, floor)
    serve_webhooks(app, books, floor, webhooks)
    serve_books(app, books, floor, webhooks, warehouse.calls, warehouse.plan)


def _operation(environ: dict[str, Any]) -> tuple[str, bool]:
    path = environ["PATH_INFO"].split("/", 2)[-1]
    address = f"{environ['REQUEST_METHOD']} {_NUMBER.sub('#', path)}"
    return _NAMES.get(address, address), True


def _refuse(fault: CallFault) -> tuple[str, list[tuple[str, str]], bytes]:
    if fault is CallFault.THROTTLE:
        headers = [*_busy(1).items(), ("Content-Type", "application/json")]
        return "429 Too Many Requests", headers, THROTTLED.format(1).encode()
    html = b"<html><body><h1>503 Service Unavailable</h1></body></html>"
    return "503 Service Unavailable", [("Content-Type", "text/html")], html


def _busy(seconds: int) -> dict[str, str]:
    return {"x-retry-after": str(seconds), "Retry-After": str(seconds), "x-remaining-calls": "0"}


def _guard(app: Flask, token: str, limit: CallLimit) -> None:
    """Ask every call for its token, and count it; 401 has no body."""

    @app.before_request
    def admit() -> Response | None:
        if request.path.startswith(CONTROL):
            return None
        given = request.headers.get("Authorization", "").removeprefix("Bearer ")
        if not hmac.compare_digest(given.encode(), token.encode()):
            return Response(status=401)
        wait, left = limit.ask(time.monotonic())
        if wait > 0:
            seconds = math.ceil(wait)
            body = THROTTLED.format(seconds)
            return Response(body, 429, _busy(seconds), content_type="application/json")
        g.calls_left = left
        return None

    @app.after_request
    def tell(answer: Response) -> Response:
        if "calls_left" in g:
            answer.headers["x-remaining-calls"] = str(g.calls_left)
        return answer
