"""Orders in the simulated shop, what is to be told of them, and its books; for tests."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from mappings.shopify.invoices import dump_invoices
from mappings.shopify.shipments import dump_shipment, dump_tracking
from syncworkers.canonical.invoices import InvoiceNotice, InvoiceSummary
from syncworkers.canonical.shipments import Shipment, ShippedLine
from syncworkers.connectors.base import Deadline, Outcome, Request, Verdict
from syncworkers.sandbox.shopify.books import now_text

if TYPE_CHECKING:
    from syncworkers.connectors.shopify import Shopify
    from syncworkers.sandbox.shopify.app import Shop


def place(shop: Shop, number: int, *quantities: int, **changes: Any) -> str:
    """Place an order with a line of each quantity: `<number>1`, `<number>2` …; return its id."""
    lines = [
        {
            "id": int(f"{number}{position}"),
            "sku": f"SKU-{position}",
            "title": "Tea",
            "quantity": quantity,
            "current_quantity": quantity,
            "price": "5.00",
        }
        for position, quantity in enumerate(quantities, start=1)
    ]
    order = {
        "id": number,
        "name": f"#{number}",
        "created_at": now_text(),
        "updated_at": now_text(),
        "cancelled_at": None,
        "currency": "USD",
        "total_price": "10.00",
        "total_tax": "0.00",
        "fulfillment_status": None,
        "shipping_address": {"city": "Eugene"},
        "line_items": lines,
    }
    shop.customers.place({**order, **changes}, topic=None)
    return str(number)


def shipment(number: int, lines: dict[int, int], **changes: Any) -> Shipment:
    """A shipment of units by line position."""
    fields: dict[str, Any] = {
        "reference": f"shipbob-west/{number}-{'-'.join(map(str, lines))}",
        "store_order": str(number),
        "company": "usmf",
        "erp_number": f"US{number}",
        "shipped_at": dt.datetime(2026, 11, 24, tzinfo=dt.UTC),
        "carrier": "UPS",
        "service": "Ground",
        "tracking_number": f"1Z{number}",
        "tracking_url": f"https://ups.example.com/1Z{number}",
        "notify_customer": True,
        "lines": tuple(
            ShippedLine(reference=f"{number}{position}", sku="SKU", quantity=units)
            for position, units in lines.items()
        ),
    }
    return Shipment(**{**fields, **changes})


def create(number: int, lines: dict[int, int], **changes: Any) -> Request:
    shipped = shipment(number, lines, **changes)
    payload = dump_shipment(shipped)
    return Request(operation="shipment.create", reference=shipped.reference, payload=payload)


def track(number: int, fulfilment: str | None, **changes: Any) -> Request:
    shipped = shipment(number, {1: 1}, **changes)
    return Request(
        operation="shipment.track",
        reference=shipped.reference,
        payload=dump_tracking(shipped),
        external_id=fulfilment,
    )


def note(number: int, *numbers: str) -> Request:
    invoices = tuple(
        InvoiceSummary(
            number=one,
            date=dt.date(2026, 11, 25),
            amount=Decimal("10.50"),
            currency="USD",
            url="https://erp.example.com/1",
        )
        for one in numbers
    )
    notice = InvoiceNotice(reference=f"us/{number}", store_order=str(number), invoices=invoices)
    return Request(
        operation="invoice.note", reference=notice.reference, payload=dump_invoices(notice)
    )


def push(made: Shopify, *wanted: Request) -> list[Outcome]:
    return made.push(wanted, Deadline(5))


def find(made: Shopify, *wanted: Request) -> list[Outcome]:
    return made.find(wanted, Deadline(5))


def verdicts(outcomes: list[Outcome]) -> list[Verdict]:
    return [one.verdict for one in outcomes]


def codes(outcome: Outcome) -> list[str]:
    return [one.code for one in outcome.violations]


def sent_off(shop: Shop, number: int) -> list[dict[str, Any]]:
    """The fulfilments of an order as its books tell them, without ids and times."""
    return [
        {key: one[key] for key in ("status", "tracking", "lines", "notified")}
        for one in book(shop, number)["fulfillments"]
    ]


def book(shop: Shop, number: int) -> dict[str, Any]:
    return next(one for one in shop.books.audited() if one["id"] == str(number))


def calls(shop: Shop) -> dict[str, int]:
    counts: dict[str, int] = dict(shop.calls.books()["calls_by_operation"])
    return {name: count for name, count in counts.items() if name != "token"}
