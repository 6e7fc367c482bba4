"""The control face of the simulated shop: have orders placed and changed, read its books."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING

from flask import Flask, Response, jsonify, request

from syncworkers.sandbox.shopify.customers import Customers, Plan

if TYPE_CHECKING:
    from syncworkers.sandbox.calls import CallLog
    from syncworkers.sandbox.faults import FaultPlan
    from syncworkers.sandbox.shopify.books import Books
    from syncworkers.sandbox.shopify.staff import Staff
    from syncworkers.sandbox.shopify.webhooks import WebhookSender


def serve_orders(app: Flask, books: Books, customers: Customers, sender: WebhookSender) -> None:
    """Offer what people do in a shop, and the sending of webhooks."""
    _serve_changes(app, customers)

    @app.post("/_sandbox/orders")
    def place() -> tuple[Response, int]:
        given = request.get_json(force=True)
        unknown = given.keys() - {field.name for field in fields(Plan)}
        if unknown or not isinstance(given.get("count"), int):
            return jsonify({"error": f"give a count; unknown: {sorted(unknown)}"}), 400
        customers.start(Plan(**given))
        return jsonify({"ok": True}), 202

    @app.post("/_sandbox/orders/raw")
    def raw() -> tuple[Response, int]:
        """Put one REST-shaped order into the shop; `?topic=` also sends its webhook."""
        customers.place(request.get_json(force=True), topic=request.args.get("topic"))
        return jsonify({"ok": True}), 201

    @app.post("/_sandbox/orders/<order_id>/send")
    def send(order_id: str) -> tuple[Response, int]:
        """Send an order's webhook again, `times` times, under one id or new ones."""
        order, given = books.get(order_id), request.get_json(force=True)
        if order is None:
            return jsonify({"error": "no such order"}), 404
        for _ in range(int(given.get("times", 1))):
            topic = given.get("topic", "orders/updated")
            sender.send(topic, order, webhook_id=given.get("webhook_id"))
        return jsonify({"ok": True}), 202


def serve_subscriptions(app: Flask, sender: WebhookSender) -> None:
    """Offer to look at subscriptions, and to lose them as Shopify does after failures."""

    @app.get("/_sandbox/subscriptions")
    def subscriptions() -> Response:
        return jsonify([{"topic": one.topic, "url": one.url} for one in sender.subscriptions()])

    @app.post("/_sandbox/unsubscribe")
    def unsubscribe() -> Response:
        topic = request.get_json(force=True).get("topic")
        return jsonify({"unsubscribed": sender.unsubscribe(topic)})


def _serve_changes(app: Flask, customers: Customers) -> None:
    @app.post("/_sandbox/orders/<order_id>/cancel")
    def cancel(order_id: str) -> tuple[Response, int]:
        return _done(is_done=customers.cancel(order_id))

    @app.post("/_sandbox/orders/<order_id>/readdress")
    def readdress(order_id: str) -> tuple[Response, int]:
        return _done(is_done=customers.readdress(order_id, request.get_json(force=True)))


def serve_staff(app: Flask, staff: Staff) -> None:
    """Offer what the shop's own people do with orders on their way."""

    @app.post("/_sandbox/orders/<order_id>/hold")
    def hold(order_id: str) -> tuple[Response, int]:
        """Hold an order; `{"held": false}` lets it go."""
        held = bool(request.get_json(force=True).get("held", True))
        return _done(is_done=staff.hold(order_id, held=held))

    @app.post("/_sandbox/orders/<order_id>/move")
    def move(order_id: str) -> tuple[Response, int]:
        """Let lines be shipped from elsewhere: `{"lines": {"<line id>": 2}}`."""
        return _done(is_done=staff.move(order_id, request.get_json(force=True)["lines"]))

    @app.post("/_sandbox/fulfillments/<fulfilment_id>/cancel")
    def call_back(fulfilment_id: str) -> tuple[Response, int]:
        return _done(is_done=staff.call_back(fulfilment_id))


def _done(*, is_done: bool) -> tuple[Response, int]:
    return jsonify({"ok": is_done}), 202 if is_done else 404


def serve_books(
    app: Flask,
    books: Books,
    calls: CallLog,
    plan: FaultPlan,
    customers: Customers,
    sender: WebhookSender,
) -> None:
    """Offer the books and how far everything is."""

    @app.get("/_sandbox/books")
    def show() -> Response:
        whole = {"orders": books.audited(), "faults": plan.counts(), **calls.books()}
        return jsonify(whole)

    @app.get("/_sandbox/progress")
    def progress() -> Response:
        return jsonify(
            {
                "placed": books.count(),
                "fulfillments": books.fulfilments(),
                "noted": books.noted(),
                "busy": customers.busy,
                "webhooks_pending": sender.pending(),
                "webhooks_delivered": sender.delivered,
                "webhooks_given_up": sender.given_up,
                "faults": plan.counts(),
            }
        )
