"""Choose the fulfilment orders that a parcel is taken from: its lines exactly, from one location.

Contract: all fulfilment orders of one fulfilment must have the same location; one named without
lines would go whole, so lines are always named.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Any

from syncworkers.errors import Violation

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from syncworkers.connectors.shopify.standing import FulfilmentOrder, Standing

Group = dict[str, Any]
"""An entry of `lineItemsByFulfillmentOrder`."""


def allocate(wanted: Mapping[str, int], standing: Standing) -> list[Group] | Violation:
    """Return what to take from which fulfilment order, or why that cannot be."""
    if standing.cancelled:
        return _not_fulfillable("the order is cancelled in the store")
    left = _left(standing.orders)
    unseen = [line for line in wanted if line not in left]
    if unseen:
        return _not_fulfillable(
            f"no fulfilment order that we may see has line {_told(unseen)}: look whether it ships,"
            " and whether the app's fulfilment scopes cover its location"
        )
    if any(left[line] < units for line, units in wanted.items()):
        remains = ", ".join(
            f"line {_short(line)}: {units} to ship, {left[line]} left"
            for line, units in wanted.items()
        )
        return Violation(path="lines", code="store.already_fulfilled", message=remains)
    ready = [order for order in standing.orders if order.may_fulfil]
    by_location: dict[str, list[FulfilmentOrder]] = defaultdict(list)
    for order in ready:
        by_location[order.location].append(order)
    for orders in by_location.values():
        if _covers(orders, wanted):
            return list(_take(orders, wanted))
    if _covers(ready, wanted):
        return _several(wanted, ready)
    return _blocked(wanted, standing.orders)


def _left(orders: Iterable[FulfilmentOrder]) -> Counter[str]:
    left: Counter[str] = Counter()
    for order in orders:
        for one in order.lines:
            left[one.line] += one.remaining
    return left


def _covers(orders: Iterable[FulfilmentOrder], wanted: Mapping[str, int]) -> bool:
    left = _left(orders)
    return all(left[line] >= units for line, units in wanted.items())


def _take(orders: Sequence[FulfilmentOrder], wanted: Mapping[str, int]) -> Iterable[Group]:
    needed = Counter(wanted)
    for order in orders:
        taken = []
        for one in order.lines:
            units = min(needed[one.line], one.remaining)
            if units > 0:
                needed[one.line] -= units
                taken.append({"id": one.id, "quantity": units})
        if taken:
            yield {"fulfillmentOrderId": order.id, "fulfillmentOrderLineItems": taken}


def _several(wanted: Mapping[str, int], orders: Sequence[FulfilmentOrder]) -> Violation:
    places = sorted({order.place for order in orders if _holds(order, wanted)})
    return Violation(
        path="lines",
        code="store.several_locations",
        message=f"the lines are assigned to several locations ({', '.join(places)}): move them"
        " to one in the store, then retry",
    )


def _blocked(wanted: Mapping[str, int], orders: Sequence[FulfilmentOrder]) -> Violation:
    told = ", ".join(
        f"{_short(order.id)} is {order.status}"
        for order in orders
        if not order.may_fulfil and _holds(order, wanted)
    )
    return _not_fulfillable(f"fulfilment order {told}: release it in the store, then retry")


def _holds(order: FulfilmentOrder, wanted: Mapping[str, int]) -> bool:
    return any(one.line in wanted and one.remaining > 0 for one in order.lines)


def _not_fulfillable(message: str) -> Violation:
    return Violation(path="lines", code="store.not_fulfillable", message=message)


def _told(lines: Iterable[str]) -> str:
    return ", ".join(_short(line) for line in lines)


def _short(one: str) -> str:
    return one.rpartition("/")[2]
