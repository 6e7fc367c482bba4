"""An order at the ERP and at the warehouse: there once, and as the shop sold it."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from syncworkers.sandbox.audit.books import MADE_UP, booked_address, destination, units_by_sku

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from syncworkers.sandbox.audit.books import OrderBooks, Wrong


def check(books: OrderBooks) -> Iterator[Wrong]:
    """Yield what is wrong with the order itself."""
    erp = books.booking.erp
    for partner, found in ((erp, books.booked), (books.warehouse, books.released)):
        if len(found) > 1:
            yield books.duplicated(f"{len(found)} times at {partner}")
    if not books.booked and not books.cancelled:
        yield books.lost(f"not at {erp}")
    if not books.released and not books.cancelled and books.goods:
        yield books.lost(f"not at {books.warehouse}")
    for document in books.booked[:1]:
        yield from _differences(books, erp, _at_erp(books, document))
    for part in books.released[:1]:
        yield from _differences(books, books.warehouse, _at_warehouse(books, part))


def latency(books: OrderBooks) -> float | None:
    """Return the seconds until both had it, None if one of them has not."""
    if not books.booked or (books.goods and not books.released):
        return None
    accepted = max(one["created_at"] for one in (*books.booked, *books.released))
    return float(accepted) - float(books.order["placed_at"])


def _differences(
    books: OrderBooks, partner: str, fields: Mapping[str, tuple[object, object]]
) -> Iterator[Wrong]:
    for field, (expected, found) in fields.items():
        if expected != found:
            yield books.differs(partner, field, expected, found)


def _at_erp(books: OrderBooks, document: Mapping[str, Any]) -> dict[str, tuple[object, object]]:
    order, policy = books.order, books.booking
    fields: dict[str, tuple[object, object]] = {
        "number": (f"{policy.order_prefix}{order['id']}", document["number"]),
        "company": (policy.company, document["company"].lower()),
        "currency": (order["currency"], document["currency"]),
        "total": (Decimal(order["total"]), Decimal(document["total"])),
        "lines": (_sold(books), _booked(document)),
        # What a warehouse shipped in spite of the cancel, the ERP must keep.
        "cancelled": (books.cancelled and not books.shipped, document["status"] == "Canceled"),
    }
    if not books.is_late_at_erp(document):
        fields["address"] = (books.booked_address, booked_address(document))
    return fields


def _sold(books: OrderBooks) -> Counter[tuple[object, ...]]:
    policy = books.booking
    return Counter(
        (
            str(line["id"]),
            policy.gift_card_item if line.get("gift_card") else policy.items.get(line["sku"]),
            int(line["quantity"]),
            Decimal(line["price"]),
        )
        for line in books.order["lines"]
    )


def _booked(document: Mapping[str, Any]) -> Counter[tuple[object, ...]]:
    return Counter(
        (line["reference"], line["item"], int(Decimal(line["quantity"])), Decimal(line["price"]))
        for line in document["lines"]
    )


def _at_warehouse(books: OrderBooks, part: Mapping[str, Any]) -> dict[str, tuple[object, object]]:
    order = books.order
    method = order.get("shipping_method") or ""
    fields: dict[str, tuple[object, object]] = {
        "goods": (units_by_sku(books.goods), units_by_sku(part["products"])),
        "shipping method": (books.tables.shipping_methods.get(method), part["shipping_method"]),
    }
    if books.cancelled and not books.shipped:
        fields["cancelled"] = (True, bool(part["cancelled"]))
    for one in part["shipments"]:
        if one["status"] not in {*MADE_UP, "Cancelled"}:
            fields[f"address of {one['id']}"] = (books.destination, destination(one))
    return fields
