"""Audit the partners' own books: what the shop sold against what stands in the ERP.

It reads nothing of ours but the tables people wrote (SKU → item, prefix), so it can be trusted
about everything in between. All amounts are compared exactly.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from syncworkers.policy.booking import BookingPolicy


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One thing that does not agree."""

    order: str
    field: str
    shop: str
    erp: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Audit:
    """The result, by order name; every list is empty when all is well."""

    orders: int
    confirmed: int
    lost: tuple[str, ...]
    duplicated: tuple[str, ...]
    unexpected: tuple[str, ...]
    """In the ERP and not in the shop, or called off there before anybody could book it."""
    mismatched: tuple[Difference, ...]
    latencies: tuple[float, ...]
    """Seconds from placed to booked, per booked order."""

    @property
    def ok(self) -> bool:
        """Say whether the books agree."""
        return not (self.lost or self.duplicated or self.unexpected or self.mismatched)


def audit(
    shop: Mapping[str, Any], erp: Mapping[str, Any], store: str, policy: BookingPolicy
) -> Audit:
    """Compare the books of one store with those of its ERP."""
    booked: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for document in erp["orders"]:
        booked[document["reference"]].append(document)
    sold = {f"{store}/{order['id']}": order for order in shop["orders"]}
    lost = [
        order["name"]
        for reference, order in sold.items()
        if reference not in booked and not order["cancelled"]
    ]
    pairs = [
        (order, booked[reference][0]) for reference, order in sold.items() if reference in booked
    ]
    differences = [
        found for order, document in pairs for found in _compare(order, document, policy)
    ]
    wrong = {difference.order for difference in differences}
    return Audit(
        orders=len(sold),
        confirmed=sum(order["name"] not in wrong for order, _ in pairs)
        + sum(order["cancelled"] for ref, order in sold.items() if ref not in booked),
        lost=tuple(lost),
        duplicated=tuple(reference for reference, found in booked.items() if len(found) > 1),
        unexpected=tuple(reference for reference in booked if reference not in sold),
        mismatched=tuple(differences),
        latencies=tuple(document["created_at"] - order["placed_at"] for order, document in pairs),
    )


def _compare(
    order: Mapping[str, Any], document: Mapping[str, Any], policy: BookingPolicy
) -> Iterator[Difference]:
    expected = {
        "number": (f"{policy.order_prefix}{order['id']}", document["number"]),
        "company": (policy.company, document["company"].lower()),
        "currency": (order["currency"], document["currency"]),
        "total": (Decimal(order["total"]), Decimal(document["total"])),
        "cancelled": (bool(order["cancelled"]), document["status"] == "Canceled"),
        "lines": (_shop_lines(order, policy), _erp_lines(document)),
        "address": (_shop_address(order), _erp_address(document)),
    }
    for field, (theirs, ours) in expected.items():
        if theirs != ours:
            yield Difference(order=order["name"], field=field, shop=str(theirs), erp=str(ours))


def _shop_lines(order: Mapping[str, Any], policy: BookingPolicy) -> Counter[tuple[object, ...]]:
    return Counter(
        (
            str(line["id"]),
            policy.gift_card_item if line.get("gift_card") else policy.items.get(line["sku"]),
            int(line["quantity"]),
            Decimal(line["price"]),
        )
        for line in order["lines"]
    )


def _erp_lines(document: Mapping[str, Any]) -> Counter[tuple[object, ...]]:
    return Counter(
        (line["reference"], line["item"], int(Decimal(line["quantity"])), Decimal(line["price"]))
        for line in document["lines"]
    )


def _shop_address(order: Mapping[str, Any]) -> Sequence[str]:
    address = order.get("shipping_address") or order.get("billing_address") or {}
    return [address.get(part) or "" for part in ("city", "zip", "province_code")]


def _erp_address(document: Mapping[str, Any]) -> Sequence[str]:
    address = document["address"]
    return [address.get(part) or "" for part in ("city", "zip", "state")]
