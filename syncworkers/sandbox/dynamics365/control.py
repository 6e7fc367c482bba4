"""The control face of the simulated environment: its books, and switches for tests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import Flask, Response, jsonify, request

from syncworkers.sandbox.dynamics365 import numbers
from syncworkers.sandbox.dynamics365.books import Books, Master

if TYPE_CHECKING:
    from syncworkers.sandbox.calls import CallLog
    from syncworkers.sandbox.faults import FaultPlan


def serve_control(app: Flask, books: Books, calls: CallLog, plan: FaultPlan) -> None:
    """Offer books, progress, and what may be set."""

    @app.get("/_sandbox/books")
    def show() -> Response:
        with books.lock:
            whole = {
                "orders": [order_view(books, key) for key in books.sets["SalesOrderHeadersV2"]]
            }
        whole |= calls.books() | {"faults": plan.counts()}
        return Response(numbers.dumps(whole), content_type="application/json")

    @app.get("/_sandbox/progress")
    def progress() -> Response:
        with books.lock:
            orders = list(books.sets["SalesOrderHeadersV2"].values())
            cancelled = sum(one["SalesOrderStatus"] == "Canceled" for one in orders)
        return jsonify({"orders": len(orders), "cancelled": cancelled, "faults": plan.counts()})

    @app.post("/_sandbox/picked")
    def picked() -> tuple[Response, int]:
        """The warehouse began: the order can no longer change."""
        number = request.get_json(force=True).get("number")
        with books.lock:
            found = [
                one
                for one in books.sets["SalesOrderHeadersV2"].values()
                if one["SalesOrderNumber"] == number
            ]
            for one in found:
                one["SalesOrderProcessingStatus"] = "Picked"
        return jsonify({"picked": len(found)}), 200 if found else 404

    @app.post("/_sandbox/master")
    def master() -> Response:
        """Say which items, customers and warehouses exist; what is left out accepts anything."""
        given = request.get_json(force=True)
        books.master = Master(
            items=None if given.get("items") is None else frozenset(given["items"]),
            customers=None if given.get("customers") is None else frozenset(given["customers"]),
            warehouses=given.get("warehouses"),
        )
        return jsonify({"ok": True})


def order_view(books: Books, key: tuple[str, ...]) -> dict[str, Any]:
    """Show an order with its lines, charges and address."""
    header = books.sets["SalesOrderHeadersV2"][key]
    lines, charges = books.lines_of(header), books.charges_of(header)
    total = sum(one["LineAmount"] for one in lines) + sum(
        one["FixedChargeAmount"] for one in charges
    )
    return {
        "number": header["SalesOrderNumber"],
        "reference": header["CustomersOrderReference"],
        "company": header["dataAreaId"],
        "customer": header["OrderingCustomerAccountNumber"],
        "currency": header["CurrencyCode"],
        "total": str(total),
        "status": header["SalesOrderStatus"],
        "created_at": books.created_at[key],
        "lines": [
            {
                "reference": one["ExternalItemNumber"],
                "item": one["ItemNumber"],
                "quantity": str(one["OrderedSalesQuantity"]),
                "price": str(one["SalesPrice"]),
                "amount": str(one["LineAmount"]),
            }
            for one in lines
        ],
        "charges": [
            {"code": one["SalesChargeCode"], "amount": str(one["FixedChargeAmount"])}
            for one in charges
        ],
        "address": {
            "city": header["DeliveryAddressCity"],
            "zip": header["DeliveryAddressZipCode"],
            "state": header["DeliveryAddressStateId"],
        },
    }
