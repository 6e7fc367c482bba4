"""The control face of the simulated environment: its books, and switches for tests."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from flask import Flask, Response, jsonify, request

from syncworkers.sandbox.dynamics365 import numbers
from syncworkers.sandbox.dynamics365.books import Books, Master
from syncworkers.sandbox.dynamics365.invoicing import QuantityError

if TYPE_CHECKING:
    from syncworkers.sandbox.dynamics365.app import Environment
    from syncworkers.sandbox.dynamics365.books import Posted, Slip


def serve_books(app: Flask, environment: Environment) -> None:
    """Offer books and progress."""
    books, plan = environment.books, environment.plan

    @app.get("/_sandbox/books")
    def show() -> Response:
        with books.lock:
            keys = list(books.sets["SalesOrderHeadersV2"])
            whole: dict[str, Any] = {
                "customers": _customers(books),
                "early_slips": environment.slips.early,
            }
        whole["orders"] = [_locked_view(books, key) for key in keys]
        return jsonify(whole | environment.calls.books() | {"faults": plan.counts()})

    @app.get("/_sandbox/progress")
    def progress() -> Response:
        with books.lock:
            orders = list(books.sets["SalesOrderHeadersV2"].values())
            # In this order: an invoice on its way to its event must not fall between the two.
            awaited, events = environment.invoicing.pending(), environment.sender.pending()
            told = {
                "orders": len(orders),
                "cancelled": sum(one["SalesOrderStatus"] == "Canceled" for one in orders),
                "slips": sum(map(len, books.slips.values())),
                "invoices": sum(map(len, books.invoices.values())),
                "busy": bool(awaited or events),
                "events_pending": events,
            }
        return jsonify(told | {"faults": plan.counts()})


def serve_switches(app: Flask, environment: Environment) -> None:
    """Offer what may be set."""
    books, invoicing = environment.books, environment.invoicing

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
        """Say which items, customers, groups, warehouses exist; what is left out accepts all."""
        given = request.get_json(force=True)
        named = {
            name: None if given.get(name) is None else frozenset(given[name])
            for name in ("items", "customers", "customer_groups")
        }
        books.master = Master(**named, warehouses=given.get("warehouses"))
        return jsonify({"ok": True})

    @app.post("/_sandbox/invoicing")
    def switch_invoicing() -> Response:
        """Say whether packing slips are followed by invoices."""
        invoicing.automatic = bool(request.get_json(force=True)["automatic"])
        return jsonify({"automatic": invoicing.automatic})


def serve_invoices(app: Flask, environment: Environment) -> None:
    """Offer to invoice by hand, as people there would."""

    @app.post("/_sandbox/invoices")
    def invoice() -> tuple[Response, int]:
        """Invoice an order by hand: some lines, or all that is left; also before any slip."""
        given = numbers.loads(request.get_data())
        header = _order(environment.books, str(given["number"]))
        if header is None or header["SalesOrderStatus"] == "Canceled":
            return jsonify({"error": "no such order, or it is canceled"}), 404
        lines = {
            str(line["externalItemNumber"]): Decimal(line["quantity"])
            for line in given.get("lines", ())
        }
        try:
            posted = environment.invoicing.post(header, lines or None)
        except QuantityError as error:
            return jsonify({"error": str(error)}), 400
        return jsonify({"invoice": posted.header["InvoiceNumber"]}), 201


def _order(books: Books, number: str) -> dict[str, Any] | None:
    with books.lock:
        orders = books.sets["SalesOrderHeadersV2"].values()
        return next((one for one in orders if one["SalesOrderNumber"] == number), None)


def _customers(books: Books) -> list[dict[str, Any]]:
    """Show the customers that were created through us."""
    return [
        {
            "account": one["CustomerAccount"],
            "company": one["dataAreaId"],
            "name": one["OrganizationName"]
            or " ".join(filter(None, (one["PersonFirstName"], one["PersonLastName"]))),
        }
        for key, one in books.sets["CustomersV3"].items()
        if key not in books.known_before
    ]


def _locked_view(books: Books, key: tuple[str, ...]) -> dict[str, Any]:
    """Show an order; while thousands are shown, those who work need not wait for the last."""
    with books.lock:
        return order_view(books, key)


def order_view(books: Books, key: tuple[str, ...]) -> dict[str, Any]:
    """Show an order with its lines, charges, address, packing slips and invoices."""
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
                "warehouse": one["ShippingWarehouseId"],
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
        "slips": [_slip_view(slip) for slip in books.slips[key]],
        "invoices": [_invoice_view(posted) for posted in books.invoices[key]],
    }


def _slip_view(slip: Slip) -> dict[str, Any]:
    return {
        "shipment_id": slip.shipment_id,
        "slip": slip.number,
        "posted_at": slip.posted_at,
        "tracking_number": slip.tracking_number,
        "lines": [
            {"reference": reference, "quantity": str(units)}
            for reference, units in slip.lines.items()
        ],
    }


def _invoice_view(posted: Posted) -> dict[str, Any]:
    return {
        "number": posted.header["InvoiceNumber"],
        "date": posted.header["InvoiceDate"][:10],
        "amount": str(posted.header["TotalInvoiceAmount"]),
        "currency": posted.header["CurrencyCode"],
        "posted_at": posted.posted_at,
        "lines": [
            {
                "item": line["ProductNumber"],
                "quantity": str(line["InvoicedQuantity"]),
                "amount": str(line["LineAmount"]),
            }
            for line in posted.lines
        ],
    }
