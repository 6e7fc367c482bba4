"""An order at the ERP and at the warehouse: there once, and as the shop sold it."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from syncworkers.sandbox.audit.books import MADE_UP, booked_address, destination

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from syncworkers.sandbox.audit.books import Case, Wrong


def check(case: Case) -> Iterator[Wrong]:
    """Yield what is wrong with the order itself."""
    erp = case.booking.erp
    for partner, found in ((erp, case.booked), (case.warehouse, case.released)):
        if len(found) > 1:
            yield case.duplicated(f"{len(found)} times at {partner}")
    if not case.booked and not case.cancelled:
        yield case.lost(f"not at {erp}")
    if not case.released and not case.cancelled and case.goods:
        yield case.lost(f"not at {case.warehouse}")
    for document in case.booked[:1]:
        yield from _differences(case, erp, _at_erp(case, document))
    for part in case.released[:1]:
        yield from _differences(case, case.warehouse, _at_warehouse(case, part))


def latency(case: Case) -> float | None:
    """Return the seconds until both had it, None if one of them has not."""
    if not case.booked or (case.goods and not case.released):
        return None
    accepted = max(one["created_at"] for one in (*case.booked, *case.released))
    return float(accepted) - float(case.order["placed_at"])


def _differences(
    case: Case, partner: str, fields: Mapping[str, tuple[object, object]]
) -> Iterator[Wrong]:
    for field, (expected, found) in fields.items():
        if expected != found:
            yield case.differs(partner, field, expected, found)


def _at_erp(case: Case, document: Mapping[str, Any]) -> dict[str, tuple[object, object]]:
    order, policy = case.order, case.booking
    fields: dict[str, tuple[object, object]] = {
        "number": (f"{policy.order_prefix}{order['id']}", document["number"]),
        "company": (policy.company, document["company"].lower()),
        "currency": (order["currency"], document["currency"]),
        "total": (Decimal(order["total"]), Decimal(document["total"])),
        "lines": (_sold(case), _booked(document)),
        # What a warehouse shipped in spite of the cancel, the ERP must keep.
        "cancelled": (case.cancelled and not case.shipped, document["status"] == "Canceled"),
    }
    if not case.is_late_at_erp(document):
        fields["address"] = (case.booked_address, booked_address(document))
    return fields


def _sold(case: Case) -> Counter[tuple[object, ...]]:
    policy = case.booking
    return Counter(
        (
            str(line["id"]),
            policy.gift_card_item if line.get("gift_card") else policy.items.get(line["sku"]),
            int(line["quantity"]),
            Decimal(line["price"]),
        )
        for line in case.order["lines"]
    )


def _booked(document: Mapping[str, Any]) -> Counter[tuple[object, ...]]:
    return Counter(
        (line["reference"], line["item"], int(Decimal(line["quantity"])), Decimal(line["price"]))
        for line in document["lines"]
    )


def _at_warehouse(case: Case, part: Mapping[str, Any]) -> dict[str, tuple[object, object]]:
    order = case.order
    method = order.get("shipping_method") or ""
    fields: dict[str, tuple[object, object]] = {
        "goods": (
            Counter({line["sku"]: int(line["quantity"]) for line in case.goods}),
            Counter({line["sku"]: int(line["quantity"]) for line in part["products"]}),
        ),
        "shipping method": (case.tables.shipping_methods.get(method), part["shipping_method"]),
    }
    if case.cancelled and not case.shipped:
        fields["cancelled"] = (True, bool(part["cancelled"]))
    for one in part["shipments"]:
        if one["status"] not in {*MADE_UP, "Cancelled"}:
            fields[f"address of {one['id']}"] = (case.destination, destination(one))
    return fields
