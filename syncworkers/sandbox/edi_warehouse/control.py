"""The control face of the simulated EDI warehouse: work its floor by hand, read its books."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

from flask import Flask, Response, jsonify, request

from syncworkers.sandbox.edi_warehouse import documents
from syncworkers.sandbox.edi_warehouse.books import CANCELLED, now_ms
from syncworkers.sandbox.edi_warehouse.views import order_books
from syncworkers.sandbox.shopify.catalogue import ARTICLES

if TYPE_CHECKING:
    from syncworkers.sandbox.edi_warehouse.app import Warehouse
    from syncworkers.sandbox.edi_warehouse.books import Shipment

Answered = tuple[Response, int]
STEPS = ("accept", "ship", "short", "substitute", "hold", "cancel", "reject")
WITH_LINES = frozenset({"ship", "short", "substitute"})


def serve_floor(app: Flask, warehouse: Warehouse) -> None:
    """Offer the steps of the floor, by our reference, and what carriers say."""
    floor = warehouse.floor

    @app.post("/_sandbox/orders/<path:reference>/<any({}):step>".format(", ".join(STEPS)))
    def work(reference: str, step: str) -> Answered:
        """Take the next parcel a step further, perhaps with `lines` by SKU.

        `reject` is for an order that has not come: its 997 will refuse it.
        """
        if step == "reject":
            warehouse.intake.reject(reference)
            return _done(done=True)
        if step in WITH_LINES:
            return _done(done=getattr(floor, step)(reference, _given().get("lines")))
        return _done(done=getattr(floor, step)(reference))

    @app.post("/_sandbox/orders/foreign")
    def foreign() -> Answered:
        """Ship an order that nobody of ours sent: a `sku`, perhaps with a `reference`."""
        given = _given()
        order = floor.foreign(given.get("sku") or ARTICLES[0].sku, given.get("reference") or "")
        if order is None:
            return _done(done=False)
        return jsonify({"id": order.id, "reference": order.reference}), 201

    @app.post("/_sandbox/shipments/<int:shipment_id>/milestone")
    def milestone(shipment_id: int) -> Answered:
        """Let a carrier say `status`, a code of AT7-01, and perhaps `location`: city, state..."""
        given = _given()
        location = tuple(given.get("location") or ())
        return _done(done=floor.move(shipment_id, str(given.get("status")), location))


def serve_stock(app: Flask, warehouse: Warehouse) -> None:
    """Offer what happens to goods without an order."""
    outbox, stock, numbers = warehouse.outbox, warehouse.stock, itertools.count(1)

    @app.post("/_sandbox/adjust")
    def adjust() -> Answered:
        """Find `units`, signed, of a `sku` for a `reason`: a 947."""
        given = _given()
        sku, units = str(given["sku"]), int(given["units"])
        stock.change(sku, units)
        reason = str(given.get("reason") or "06")
        outbox.add(documents.adjustment(next(numbers), sku, units, reason, now_ms()))
        return _done(done=True)

    @app.post("/_sandbox/receive")
    def receive() -> Answered:
        """Take goods in: `lines` by SKU, and perhaps `damaged`, for a `reference`: a 944."""
        given = _given()
        damaged = given.get("damaged") or {}
        lines = {
            sku: (int(sound), int(damaged.get(sku, 0))) for sku, sound in given["lines"].items()
        }
        for sku, (sound, _) in lines.items():
            stock.change(sku, sound)
        reference = str(given.get("reference") or "")
        outbox.add(documents.receipt(next(numbers), reference, lines, now_ms()))
        return _done(done=True)

    @app.post("/_sandbox/snapshot")
    def snapshot() -> Answered:
        """Count what is there: an 846."""
        outbox.add(warehouse.count())
        return _done(done=True)


def serve_documents(app: Flask, warehouse: Warehouse) -> None:
    """Offer bills, and the next faults of files."""
    outbox, numbers = warehouse.outbox, itertools.count(1)

    @app.post("/_sandbox/invoice")
    def invoice() -> Answered:
        """Bill a `shipment` that left: an 810 for its handling and a 210 for its carriage."""
        shipment = warehouse.books.shipments.get(int(_given().get("shipment") or 0))
        if shipment is None or shipment.shipped_at is None:
            return _done(done=False)
        for write in (documents.invoice, documents.freight):
            outbox.add(write(next(numbers), shipment, now_ms()))
        return _done(done=True)

    @app.post("/_sandbox/files")
    def files() -> Answered:
        """Switch the `next` faults of files and sessions, as `/_sandbox/faults` does."""
        try:
            warehouse.plan.switch({"next": _given().get("next", [])})
        except ValueError as error:
            return jsonify({"error": str(error)}), 400
        return _done(done=True)


def serve_books(app: Flask, warehouse: Warehouse) -> None:
    """Offer the books and how far everything is."""

    @app.get("/_sandbox/books")
    def show() -> Response:
        return jsonify(_books(warehouse))

    @app.get("/_sandbox/progress")
    def progress() -> Response:
        return jsonify(_progress(warehouse))


def _books(warehouse: Warehouse) -> dict[str, Any]:
    books, outbox = warehouse.books, warehouse.outbox
    with books.lock:
        whole = {
            "orders": [order_books(one) for one in books.orders.values()],
            "duplicate_attempts": books.duplicate_attempts,
            "cancel_answers": dict(sorted(books.cancel_answers.items())),
            "changes": dict(sorted(books.changes.items())),
        }
    return {
        **whole,
        **warehouse.intake.counts,
        "unreadable_files": warehouse.inbox.unreadable,
        "unwritable_files": outbox.unwritable,
        "files_written": outbox.written,
        "acknowledged": dict(outbox.acknowledged),
        "stock": {sku: held for sku, (held, _) in warehouse.stock.counted().items()},
        **warehouse.calls.books(),
        "faults": warehouse.plan.counts(),
    }


def _progress(warehouse: Warehouse) -> dict[str, Any]:
    books = warehouse.books
    with books.lock:
        orders = list(books.orders.values())
        shipments = list(books.shipments.values())
        whole = {
            "orders": len(orders),
            "open": sum(any(map(_is_open, order.shipments)) for order in orders),
            "shipped_shipments": sum(one.shipped_at is not None for one in shipments),
            "delivered": sum(one.delivered_at is not None for one in shipments),
        }
    return {
        **whole,
        "busy": warehouse.busy,
        "uncollected_files": len(warehouse.outbox.uncollected()),
        "faults": warehouse.plan.counts(),
    }


def _is_open(shipment: Shipment) -> bool:
    return shipment.status != CANCELLED and shipment.delivered_at is None


def _given() -> dict[str, Any]:
    given = request.get_json(force=True, silent=True)
    return given if isinstance(given, dict) else {}


def _done(*, done: bool) -> Answered:
    return jsonify({"ok": done}), 202 if done else 404
