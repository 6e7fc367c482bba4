"""Audit the partners' own books: what the shop sold, what was shipped, booked, told and invoiced.

It reads nothing of ours but the tables people wrote (SKU → item, prefixes), so it can be trusted
about everything in between. All amounts are compared exactly.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from syncworkers.sandbox.audit import files, goods, invoices, orders
from syncworkers.sandbox.audit.books import Difference, OrderBooks, Wrong

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from syncworkers.policy.policy import Policy

__all__ = ["Audit", "Difference", "audit"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Audit:
    """The result, by order name; every list of things that are wrong is empty when all is well."""

    orders: int
    shipments: int
    """Parcels that left the warehouse."""
    invoices: int
    confirmed: int
    """Orders that agree in every book."""
    lost: tuple[str, ...]
    """Orders, shipments and invoices that somebody should know of and does not."""
    duplicated: tuple[str, ...]
    """What stands somewhere twice."""
    unexpected: tuple[str, ...]
    """What stands somewhere without a reason, and packing slips that came before their order."""
    mismatched: tuple[Difference, ...]
    for_people: frozenset[str]
    """Orders that a person must look at, because a partner refused in time what it was asked."""
    files_for_people: int
    """Groups of documents that were refused, because a warehouse damaged them."""
    latencies: tuple[float, ...]
    """Seconds from placed to accepted by ERP and warehouse, per order accepted by all of them."""

    @property
    def ok(self) -> bool:
        """Say whether the books agree."""
        return not (self.lost or self.duplicated or self.unexpected or self.mismatched)


def audit(books: Mapping[str, Mapping[str, Any]], policy: Policy) -> Audit:
    """Compare the books of all stores, their ERP and all warehouses, given by partner name."""
    sold = list(_by_order(books, policy))
    found = [
        one
        for order in sold
        for check in (orders.check, goods.check, invoices.check)
        for one in check(order)
    ]
    found += _strangers(books, policy, sold)
    warehouses = {name: books[name] for name in policy.fulfilment.warehouses if name in books}
    found += [one for name, book in warehouses.items() for one in files.check(name, book)]
    by_kind: dict[str, list[Wrong]] = defaultdict(list)
    for one in found:
        by_kind[one.kind].append(one)
    wrong = {one.order for one in found}
    return Audit(
        orders=len(sold),
        shipments=sum(len(order.shipped) for order in sold),
        invoices=sum(len(one["invoices"]) for order in sold for one in order.booked),
        confirmed=sum(order.name not in wrong for order in sold),
        lost=tuple(one.what for one in by_kind["lost"]),
        duplicated=tuple(one.what for one in by_kind["duplicated"]),
        unexpected=tuple(one.what for one in by_kind["unexpected"]),
        mismatched=tuple(one.difference for one in by_kind["mismatched"] if one.difference),
        for_people=frozenset(order.name for order in sold if order.is_for_people),
        files_for_people=sum(map(files.refused, warehouses.values())),
        latencies=tuple(filter(None, map(orders.latency, sold))),
    )


def _by_order(books: Mapping[str, Mapping[str, Any]], policy: Policy) -> Iterator[OrderBooks]:
    """Gather, order by order, what stands of it in each book."""
    booked: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for erp in _erps(books, policy):
        for document in books[erp]["orders"]:
            booked[document["reference"]].append(document)
    released: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for warehouse in policy.fulfilment.warehouses.keys() & books.keys():
        for one in books[warehouse]["orders"]:
            order, _, _ = one["reference"].rpartition("-")
            released[order].append({**one, "warehouse": warehouse})
    for store in sorted(policy.bookings.keys() & books.keys()):
        for order in books[store]["orders"]:
            yield OrderBooks(
                order=order,
                booking=policy.bookings[store],
                nodes=policy.fulfilment.warehouses,
                booked=tuple(booked.get(f"{store}/{order['id']}", ())),
                released=tuple(released.get(f"{store}-{order['id']}", ())),
                units=policy.units,
            )


def _erps(books: Mapping[str, Mapping[str, Any]], policy: Policy) -> set[str]:
    return {one.erp for one in policy.bookings.values()} & books.keys()


def _strangers(
    books: Mapping[str, Mapping[str, Any]], policy: Policy, sold: list[OrderBooks]
) -> Iterator[Wrong]:
    """Find what stands in a book and belongs to no order of any store."""
    erps = _erps(books, policy)
    known = {one["reference"] for order in sold for one in (*order.booked, *order.released)}
    for partner in sorted(erps | (policy.fulfilment.warehouses.keys() & books.keys())):
        for one in books[partner]["orders"]:
            if one["reference"] not in known:
                yield _stranger(f"{partner} has {one['reference']}")
    for erp in sorted(erps):
        for _ in range(books[erp].get("early_slips", 0)):
            yield _stranger(f"{erp} got a packing slip before its order")


def _stranger(what: str) -> Wrong:
    return Wrong(kind="unexpected", order="", what=what)
