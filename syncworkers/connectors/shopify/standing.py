"""What of an order can be fulfilled and what was, as Shopify tells it. Values and their reading.

Whatever is read here raises `KeyError`, `TypeError` or `ValueError` for an answer that is not as
asked for.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    Fields = dict[str, Any]

DEAD = frozenset({"CANCELLED", "ERROR", "FAILURE"})
"""Fulfilments of these states moved nothing."""
_CREATE = "CREATE_FULFILLMENT"


@dataclass(frozen=True, slots=True, kw_only=True)
class FulfilmentOrderLine:
    """Units of one order line in a fulfilment order; `line` is the order line's gid."""

    id: str
    line: str
    remaining: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FulfilmentOrder:
    """What one location is to ship; `place` is the name people know the location by."""

    id: str
    status: str
    location: str
    place: str
    may_fulfil: bool
    lines: tuple[FulfilmentOrderLine, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fulfilment:
    """One that was made; `units` over all its lines."""

    id: str
    status: str
    units: int
    numbers: frozenset[str]

    @property
    def live(self) -> bool:
        """Say whether it counts."""
        return self.status not in DEAD


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """One order. Fulfilment orders that our rights do not show are not there."""

    order: str
    cancelled: bool
    orders: tuple[FulfilmentOrder, ...]
    fulfilments: tuple[Fulfilment, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A page of a list; `after` is where the next one begins, None at the end."""

    items: tuple[Any, ...]
    after: str | None


@dataclass(slots=True, kw_only=True)
class Head:
    """The first answer about one order, to be completed; lists may have further pages."""

    order: str
    cancelled: bool
    orders: list[tuple[FulfilmentOrder, str | None]] = field(default_factory=list)
    """Each with where its next page of lines begins."""
    after: str | None = None
    fulfilments: tuple[Fulfilment, ...] = ()


def gid(value: Any) -> str:
    """Read a global id without what Shopify may append to it."""
    if not isinstance(value, str) or not value:
        raise TypeError("no global id")
    return value.partition("?")[0]


def read_nodes(data: Fields, count: int) -> list[Fields | None]:
    """Return the objects asked for by id, in that order; None for what is not there."""
    nodes: list[Fields | None] = data["nodes"]
    if len(nodes) != count:
        raise ValueError("as many nodes as ids are expected")
    # A node of another type than asked for is empty.
    return [node or None for node in nodes]


def read_head(node: Fields) -> Head:
    """Read one order."""
    page = read_page(node["fulfillmentOrders"])
    return Head(
        order=gid(node["id"]),
        cancelled=node["cancelledAt"] is not None,
        orders=[_fulfilment_order(one) for one in page.items],
        after=page.after,
        fulfilments=tuple(_fulfilment(one) for one in node["fulfillments"]),
    )


def read_lines(connection: Fields) -> Page:
    """Read a page of lines of a fulfilment order, as `FulfilmentOrderLine`s."""
    page = read_page(connection)
    lines = tuple(
        FulfilmentOrderLine(
            id=gid(one["id"]),
            line=gid(one["lineItem"]["id"]),
            remaining=_units(one["remainingQuantity"]),
        )
        for one in page.items
    )
    return Page(items=lines, after=page.after)


def read_contents(connection: Fields) -> tuple[Counter[str], str | None]:
    """Read a page of what lies in a fulfilment: units by order line, and where more begins."""
    page = read_page(connection)
    contents: Counter[str] = Counter()
    for one in page.items:
        contents[gid(one["lineItem"]["id"])] += _units(one["quantity"])
    return contents, page.after


def read_page(connection: Fields) -> Page:
    """Read a page of any connection."""
    info = connection["pageInfo"]
    after = info["endCursor"] if info["hasNextPage"] else None
    if info["hasNextPage"] and not isinstance(after, str):
        raise TypeError("a page that is not the last must say where the next begins")
    return Page(items=tuple(connection["nodes"]), after=after)


def numbers_of(tracking: Sequence[Fields]) -> frozenset[str]:
    """Return the tracking numbers of a fulfilment."""
    return frozenset(one["number"].strip() for one in tracking if one["number"])


def _fulfilment_order(node: Fields) -> tuple[FulfilmentOrder, str | None]:
    page = read_lines(node["lineItems"])
    assigned = node["assignedLocation"]
    # A location that was deleted is still told by its name.
    location = assigned["location"]
    order = FulfilmentOrder(
        id=gid(node["id"]),
        status=str(node["status"]),
        location=gid(location["id"]) if location else str(assigned["name"]),
        place=str(assigned["name"]),
        may_fulfil=any(one["action"] == _CREATE for one in node["supportedActions"]),
        lines=page.items,
    )
    return order, page.after


def _fulfilment(node: Fields) -> Fulfilment:
    return Fulfilment(
        id=gid(node["id"]),
        status=str(node["status"]),
        units=_units(node["totalQuantity"]),
        numbers=numbers_of(node["trackingInfo"]),
    )


def _units(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError("no number of units")
    return value
