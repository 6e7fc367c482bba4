"""The control face of the simulated warehouse: work its floor by hand, read its books."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from flask import Flask, Response, jsonify, request

from syncworkers.sandbox.shipbob import catalogue
from syncworkers.sandbox.shipbob.views import order_books

if TYPE_CHECKING:
    from syncworkers.sandbox.calls import CallLog
    from syncworkers.sandbox.faults import FaultPlan
    from syncworkers.sandbox.shipbob.books import Books, Shipment
    from syncworkers.sandbox.shipbob.floor import Floor
    from syncworkers.sandbox.shipbob.webhooks import Webhooks

Answered = tuple[Response, int]
STEPS = ("accept", "label", "ship", "hold", "fail", "cancel")


def serve_floor(app: Flask, floor: Floor) -> None:
    """Offer the steps of the floor, by our reference."""

    @app.post("/_sandbox/orders/<path:reference>/<any({}):step>".format(", ".join(STEPS)))
    def work(reference: str, step: str) -> Answered:
        """Take the next shipment a step further; `ship` may name `lines`, units by SKU."""
        lines = _given().get("lines")
        if step == "ship":
            return _done(done=floor.ship(reference, lines))
        return _done(done=getattr(floor, step)(reference))

    @app.post("/_sandbox/orders/foreign")
    def foreign() -> Answered:
        """Ship an order that nobody of ours sent."""
        order = floor.foreign(_given().get("sku") or next(iter(catalogue.INVENTORY)))
        return jsonify({"id": order.id, "reference": order.reference}), 201


def serve_carriers(app: Flask, floor: Floor) -> None:
    """Offer what carriers say, by shipment."""

    @app.post("/_sandbox/shipments/<int:shipment_id>/milestone")
    def milestone(shipment_id: int) -> Answered:
        """Let a carrier say `status`, and perhaps `substatus`, `location`, `at`."""
        given = _given()
        at = dt.datetime.fromisoformat(given["at"]) if given.get("at") else None
        done = floor.move(
            shipment_id,
            str(given.get("status")),
            substatus=given.get("substatus") or "",
            location=given.get("location") or "",
            at=at,
        )
        return _done(done=done)


def serve_webhooks(app: Flask, books: Books, floor: Floor, webhooks: Webhooks) -> None:
    """Offer to send any webhook, and to change the secret that signs them."""

    @app.post("/_sandbox/shipments/<int:shipment_id>/notify")
    def notify(shipment_id: int) -> Answered:
        """Send a webhook on any `topic` to everybody, signed with `secret` if that is given."""
        given = _given()
        with books.lock:
            shipment = books.shipments.get(shipment_id)
            if shipment is not None:
                topic, secret = str(given.get("topic")), given.get("secret") or ""
                floor.tell(topic, shipment, to_all=True, secret=secret)
        return _done(done=shipment is not None)

    @app.post("/_sandbox/webhooks/rotate")
    def rotate() -> Answered:
        """Sign with a new `secret`, and for now with the former one too."""
        webhooks.rotate(_given()["secret"])
        return _done(done=True)


def _given() -> dict[str, Any]:
    given = request.get_json(force=True, silent=True)
    return given if isinstance(given, dict) else {}


def _done(*, done: bool) -> Answered:
    return jsonify({"ok": done}), 202 if done else 404


def serve_books(
    app: Flask, books: Books, floor: Floor, webhooks: Webhooks, calls: CallLog, plan: FaultPlan
) -> None:
    """Offer the books and how far everything is."""

    @app.get("/_sandbox/books")
    def show() -> Response:
        with books.lock:
            whole = {
                "orders": [order_books(one) for one in books.orders.values()],
                "duplicate_attempts": books.duplicate_attempts,
                "cancel_answers": dict(sorted(books.cancel_answers.items())),
            }
        return jsonify(whole | calls.books() | {"faults": plan.counts()})

    @app.get("/_sandbox/progress")
    def progress() -> Response:
        with books.lock:
            orders = list(books.orders.values())
            shipments = list(books.shipments.values())
            whole = {
                "orders": len(orders),
                "open": sum(any(map(_is_open, order.shipments)) for order in orders),
                "shipped_shipments": sum(one.shipped_at is not None for one in shipments),
                "delivered": sum(one.delivered_at is not None for one in shipments),
            }
        return jsonify(
            {
                **whole,
                "busy": floor.busy,
                "webhooks_pending": webhooks.pending(),
                "webhooks_delivered": webhooks.delivered,
                "webhooks_given_up": webhooks.given_up,
                "faults": plan.counts(),
            }
        )


def _is_open(shipment: Shipment) -> bool:
    return shipment.status != "Cancelled" and shipment.delivered_at is None
