"""The API of orders and shipments, as 2026-01 has it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from flask import Flask, Response, jsonify, request

from syncworkers.sandbox.shipbob import queries
from syncworkers.sandbox.shipbob.books import (
    CANCELLABLE,
    CANCELLED,
    DuplicateError,
    touch,
)
from syncworkers.sandbox.shipbob.intake import complaints
from syncworkers.sandbox.shipbob.refusals import RefusedError
from syncworkers.sandbox.shipbob.views import order_view, shipment_view, tracking_view

if TYPE_CHECKING:
    from collections.abc import Mapping

    from syncworkers.sandbox.shipbob.books import Books, Order, Shipment
    from syncworkers.sandbox.shipbob.floor import Floor

Fields = dict[str, Any]
Thing = TypeVar("Thing")
Answered = tuple[Response, int]
VERSION = "/2026-01"
CHANNEL = "shipbob_channel_id"
TRACKED_TOGETHER = 25
DUPLICATE = "Cannot insert order with existing ReferenceId"
TOO_LATE = "Shipment is already labeled"


def serve_orders(app: Flask, books: Books, floor: Floor, channel_id: int) -> None:
    """Offer orders: create, list, read, cancel."""

    @app.post(f"{VERSION}/order")
    def create() -> Answered:
        _check_channel(channel_id)
        with books.lock:
            order = _enter(books, request.get_json(force=True, silent=True))
            answer = order_view(order, channel_id)
            floor.take(order)
        return jsonify(answer), 201

    @app.get(f"{VERSION}/order")
    def orders() -> Answered:
        query = request.args.to_dict()
        with books.lock:
            found = queries.select(books.orders.values(), query)
            some, headers = queries.numbered(request.path, query, found)
            answer = jsonify([order_view(one, channel_id) for one in some])
        answer.headers.update(headers)
        return answer, 200

    @app.get(f"{VERSION}/order/<int:order_id>")
    def order(order_id: int) -> Response:
        with books.lock:
            return jsonify(order_view(_found(books.orders, order_id), channel_id))

    @app.post(f"{VERSION}/order/<int:order_id>:cancel")
    def cancel(order_id: int) -> Response:
        with books.lock:
            found = _found(books.orders, order_id)
            return jsonify(_cancelled(books, floor, found, channel_id))


def _check_channel(channel_id: int) -> None:
    given = request.headers.get(CHANNEL, "")
    if not given.isdecimal():
        raise RefusedError(400, {CHANNEL: [f"The {CHANNEL} field is required."]})
    if int(given) != channel_id:
        raise RefusedError(403)


def _enter(books: Books, body: Any) -> Order:
    wrong = complaints(body)
    if wrong:
        raise RefusedError(400, wrong)
    try:
        return books.enter(body)
    except DuplicateError:
        raise RefusedError(422, {"errors": [DUPLICATE]}) from None


def _found(known: Mapping[int, Thing], number: int) -> Thing:
    if number not in known:
        raise RefusedError(404)
    return known[number]


def _cancelled(books: Books, floor: Floor, order: Order, channel_id: int) -> Fields:
    if order.status == CANCELLED:
        books.cancel_answers["Refused"] += 1
        raise RefusedError(422, {"errors": ["Order is already cancelled"]})
    status, results = books.cancel(order)
    for shipment, is_done in results:
        if is_done:
            floor.tell("order.shipment.cancelled", shipment)
    return {
        "order_id": order.id,
        "order": order_view(order, channel_id),
        "status": status,
        "canceled_shipment_results": [
            {
                "action": "Cancel",
                "shipment_id": shipment.id,
                "is_success": is_done,
                "reason": "Order cancelled" if is_done else TOO_LATE,
            }
            for shipment, is_done in results
        ],
    }


def serve_shipments(app: Flask, books: Books, floor: Floor) -> None:
    """Offer shipments: cancel, readdress, track."""

    @app.post(f"{VERSION}/shipment/<int:shipment_id>:cancel")
    def cancel_shipment(shipment_id: int) -> Response:
        with books.lock:
            shipment = _found(books.shipments, shipment_id)
            if shipment.status not in CANCELLABLE:
                raise RefusedError(422, {"errors": [TOO_LATE]})
            shipment.status = CANCELLED
            touch(shipment)
            floor.tell("order.shipment.cancelled", shipment)
            method = books.orders[shipment.order_id].method
            return jsonify(shipment_view(shipment, method))

    @app.put(f"{VERSION}/shipment/<int:shipment_id>:updateAddress")
    def readdress(shipment_id: int) -> Response:
        sent = request.get_json(force=True, silent=True)
        with books.lock:
            return jsonify(_readdressed(books, shipment_id, sent))

    @app.get(f"{VERSION}/shipments-tracking")
    def tracking() -> Response:
        ids = queries.shipment_ids(request.args.to_dict(), TRACKED_TOGETHER)
        with books.lock:
            found = [tracking_view(books.shipments[one]) for one in ids if one in books.shipments]
        return jsonify([one for one in found if one is not None])


def _readdressed(books: Books, shipment_id: int, sent: Any) -> Fields:
    shipment = books.shipments.get(shipment_id)
    if shipment is None:
        raise RefusedError(400, {"code": "NOT_FOUND", "message": "Shipment not found"})
    if not _is_address(sent):
        told = "street_address1 and city are required"
        raise RefusedError(400, {"code": "VALIDATION_ERROR", "message": told})
    if shipment.status not in CANCELLABLE:
        error = {"code": "CONFLICT", "message": TOO_LATE}
        return {"id": shipment_id, "is_success": False, "error": error}
    _readdress(shipment, sent)
    return {"id": shipment_id, "is_success": True}


def _is_address(sent: Any) -> bool:
    names = ("street_address1", "city")
    return isinstance(sent, dict) and all(str(sent.get(name) or "").strip() for name in names)


def _readdress(shipment: Shipment, sent: Fields) -> None:
    """Put what was sent in the place of what stood there; null changes nothing."""
    given = {name: value for name, value in sent.items() if value is not None}
    names = {
        "address1": "street_address1",
        "address2": "street_address2",
        "company_name": "company_name",
        "city": "city",
        "state": "state",
        "zip_code": "zip_code",
        "country": "country_code",
    }
    former = shipment.recipient
    address = {ours: given[theirs] for ours, theirs in names.items() if theirs in given}
    shipment.recipient = {
        "name": given.get("recipient_name", former["name"]),
        "email": given.get("email", former.get("email")),
        "phone_number": given.get("phone_number", former.get("phone_number")),
        "address": {**former["address"], **address},
    }
    touch(shipment)
