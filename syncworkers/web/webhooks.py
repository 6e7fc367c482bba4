"""`POST /webhooks/<partner>`: the raw body to the flow, the receipt back as a status."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from flask import Blueprint, Response, jsonify, request
from werkzeug.exceptions import MethodNotAllowed, RequestEntityTooLarge

from syncworkers.connectors.base import ANSWERS, Greets, Receipt
from syncworkers.flows.receive import Door, UnknownPartnerError
from syncworkers.web.answers import problem

if TYPE_CHECKING:
    from prometheus_client import Counter

    from syncworkers.flows.fleet import Fleet

LONGEST_GREETING = 1000
ERRORS: dict[Receipt, tuple[str, str]] = {
    Receipt.FORGED: (
        "the proof of the sender is missing or wrong",
        "Compare the secret of this partner with the one the webhook is signed with.",
    ),
    Receipt.TOO_LARGE: ("the body is too large", "Send a smaller body."),
    Receipt.UNAVAILABLE: (
        "not stored: the database, or what proves the sender, is away",
        "Send the same again after the seconds in Retry-After.",
    ),
}


def blueprint(fleet: Fleet, receipts: Counter, max_body: int) -> Blueprint:
    """Build the route; `receipts` counts by partner and receipt, `max_body` is in bytes."""
    routes = Blueprint("webhooks", __name__)
    door = Door(fleet)

    @routes.post("/webhooks/<partner>", defaults={"path": ""})
    @routes.post("/webhooks/<partner>/<path>")
    def receive(partner: str, path: str) -> Response:
        """Answer 2xx only after the commit; a path is for partners whose proof is a secret one."""
        try:
            receipt = _receive(fleet, door, partner, path, max_body)
        except UnknownPartnerError:
            return problem(404, "no such partner", "Look at the partner's name in the address.")
        receipts.labels(os.getpid(), partner, receipt.value).inc()
        return _answer(fleet, partner, receipt)

    @routes.get("/webhooks/<partner>", defaults={"path": ""})
    @routes.get("/webhooks/<partner>/<path>")
    def greet(partner: str, path: str) -> Response:  # noqa: ARG001 - its proof comes with what it sends
        """Answer a partner that asks whether it may send; to all others this is no method."""
        known = fleet.partners.get(partner)
        greets = known is not None and isinstance(known.connection, Greets)
        said = known.connection.greet(request.args) if known is not None and greets else None
        if said is None:
            raise MethodNotAllowed(valid_methods=["OPTIONS", "POST"])
        return Response(said[:LONGEST_GREETING], content_type="text/plain; charset=utf-8")

    return routes


def _receive(fleet: Fleet, door: Door, partner: str, path: str, max_body: int) -> Receipt:
    known = fleet.partners.get(partner)
    if known is None or not hasattr(known.connection, "receive"):
        raise UnknownPartnerError(partner)
    try:
        body = request.get_data(cache=False)
    except RequestEntityTooLarge:
        return Receipt.TOO_LARGE
    if len(body) > max_body:
        return Receipt.TOO_LARGE
    headers = {name.lower(): value for name, value in request.headers.items()}
    return door.receive(partner, headers, body, path)


def _answer(fleet: Fleet, partner: str, receipt: Receipt) -> Response:
    table = fleet.partners[partner].connection.answers
    status = table.get(receipt, ANSWERS[receipt])
    if receipt in ERRORS:
        return problem(status, *ERRORS[receipt])
    response = jsonify({"receipt": receipt.value})
    response.status_code = status
    return response
