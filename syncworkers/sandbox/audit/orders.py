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
    if len(books.booked) > 1:
        yield books.duplicated(f"{len(books.booked)} times at {erp}")
    if not books.booked and not books.cancelled:
        yield books.lost(f"not at {erp}")
    for document in books.booked[:1]:
        yield from _differences(books, erp, _at_erp(books, document))
    yield from _parts(books)


def _parts(books: OrderBooks) -> Iterator[Wrong]:
    """Compare with what the warehouses have: every unit once, and each part as it should be."""
    references = Counter(part["reference"] for part in books.released)
    for reference, times in references.items():
        if times > 1:
            yield books.duplicated(f"{reference} {times} times at warehouses")
    if not books.released and not books.cancelled and books.goods:
        yield books.lost("not at any warehouse")
    if books.released and max(references.values()) == 1:
        sold = books.packing(books.goods)
        given = units_by_sku(line for part in books.released for line in part["products"])
        # A cancel may have overtaken some parts.
        if sold != given and not (books.cancelled and given <= sold):
            yield books.differs("warehouses", "goods", sold, given)
    for part in books.released:
        yield from _differences(books, part["warehouse"], _at_warehouse(books, part))


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
    order, policy, ships_from = books.order, books.company, _ships_from(books)
    there = {line["reference"]: line["warehouse"] for line in document["lines"]}
    fields: dict[str, tuple[object, object]] = {
        "number": (f"{policy.order_prefix}{order['id']}", document["number"]),
        "company": (policy.company, document["company"].lower()),
        "currency": (order["currency"], document["currency"]),
        "total": (Decimal(order["total"]), Decimal(document["total"])),
        "lines": (_sold(books), _booked(document)),
        "ships from": (ships_from, {line: there.get(line) for line in ships_from}),
        # What a warehouse shipped in spite of the cancel, the ERP must keep.
        "cancelled": (books.cancelled and not books.shipped, document["status"] == "Canceled"),
    }
    if not books.is_late_at_erp(document):
        fields["address"] = (books.booked_address, booked_address(document))
    return fields


def _sold(books: OrderBooks) -> Counter[tuple[object, ...]]:
    policy = books.company
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


def _ships_from(books: OrderBooks) -> dict[str, str]:
    """Return by line what the ERP calls the place that has it to ship, where nodes say it."""
    found: dict[str, str] = {}
    for part in books.released:
        name = books.nodes[part["warehouse"]].erp_warehouse
        mine = [line for line in books.goods if books.node_of(line) == part["warehouse"]]
        found |= {str(line["id"]): name for line in mine if name}
    return found


def _at_warehouse(books: OrderBooks, part: Mapping[str, Any]) -> dict[str, tuple[object, object]]:
    node = books.nodes[part["warehouse"]]
    method = books.order.get("shipping_method") or ""
    fields: dict[str, tuple[object, object]] = {
        "shipping method": (node.shipping_methods.get(method), part["shipping_method"]),
        "company": (books.company.company, node.company or books.booking.company),
    }
    if books.cancelled and not any(one["shipped"] for one in part["shipments"]):
        fields["cancelled"] = (True, bool(part["cancelled"]))
    for one in part["shipments"]:
        if one["status"] not in {*MADE_UP, "Cancelled"}:
            fields[f"address of {one['id']}"] = (books.destination, destination(one))
    return fields
