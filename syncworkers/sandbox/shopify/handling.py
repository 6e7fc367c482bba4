"""How far an order is: where its lines lie, what of it was fulfilled, what apps noted at it.

Imitates fulfilment orders as Shopify makes them, one for each location that has lines to ship.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

Order = dict[str, Any]
HOME = 1
"""The location where lines lie unless somebody moved them."""
LOCATION_NAMES = {HOME: "Shop location"}
LIVE = "SUCCESS"
CANCELLED = "CANCELLED"


@dataclass(slots=True, kw_only=True)
class Fulfilment:
    """Units of one order on their way; `lines` is units by line id, `created_at` epoch seconds."""

    id: str
    location: int
    created_at: float
    tracking: Mapping[str, str | None]
    lines: Mapping[str, int]
    status: str = LIVE
    notified: int = 0
    """How often the customer was written to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Metafield:
    """A value that an app keeps at an order."""

    id: str
    namespace: str
    key: str
    type: str
    value: str


@dataclass(slots=True)
class Handling:
    """What became of one order."""

    locations: dict[str, int] = field(default_factory=dict)
    """By line id, where it is not the home location."""
    held: bool = False
    fulfilments: list[Fulfilment] = field(default_factory=list)
    metafields: dict[tuple[str, str], Metafield] = field(default_factory=dict)
    """By namespace and key."""

    def fulfilled(self, line: str) -> int:
        """Return how many units of a line are on their way."""
        return sum(one.lines.get(line, 0) for one in self.fulfilments if one.status == LIVE)

    @property
    def begun(self) -> bool:
        """Say whether anything is on its way."""
        return any(one.status == LIVE for one in self.fulfilments)


@dataclass(frozen=True, slots=True, kw_only=True)
class FulfilmentLine:
    """Units of one order line in a fulfilment order."""

    id: str
    line: str
    total: int
    remaining: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FulfilmentOrder:
    """What one location is to ship of an order."""

    id: str
    location: int
    status: str
    lines: tuple[FulfilmentLine, ...]

    @property
    def actions(self) -> tuple[str, ...]:
        """Return what may be done with it now."""
        return {
            "OPEN": ("CREATE_FULFILLMENT", "MOVE", "HOLD"),
            "IN_PROGRESS": ("CREATE_FULFILLMENT", "MOVE", "HOLD"),
            "ON_HOLD": ("RELEASE_HOLD",),
        }.get(self.status, ())


def fulfilment_orders(order: Order, handling: Handling) -> list[FulfilmentOrder]:
    """Return what each location is to ship, the home location first."""
    lines = [line for line in order["line_items"] if ships(line)]
    places = sorted({_place(handling, line) for line in lines})
    return [
        _fulfilment_order(
            order, handling, place, [line for line in lines if _place(handling, line) == place]
        )
        for place in places
    ]


def ships(line: Mapping[str, Any]) -> bool:
    """Say whether a line is goods, and no gift card or download."""
    return bool(line.get("requires_shipping", True)) and not line.get("gift_card")


def remaining(handling: Handling, line: Mapping[str, Any]) -> int:
    """Return the units of a line that are owed and not on their way."""
    current = line.get("current_quantity")
    owed = int(line["quantity"] if current is None else current)
    return max(0, owed - handling.fulfilled(str(line["id"])))


def owes_nothing(order: Order, handling: Handling) -> bool:
    """Say whether everything that ships is on its way."""
    return handling.begun and not any(
        remaining(handling, line) for line in order["line_items"] if ships(line)
    )


def _place(handling: Handling, line: Mapping[str, Any]) -> int:
    return handling.locations.get(str(line["id"]), HOME)


def _fulfilment_order(
    order: Order, handling: Handling, place: int, lines: list[dict[str, Any]]
) -> FulfilmentOrder:
    parts = tuple(
        FulfilmentLine(
            id=f"{line['id']}{place}",
            line=str(line["id"]),
            total=int(line["quantity"]),
            remaining=remaining(handling, line),
        )
        for line in lines
    )
    return FulfilmentOrder(
        id=f"{order['id']}{place}",
        location=place,
        status=_status(order, handling, parts),
        lines=parts,
    )


def _status(order: Order, handling: Handling, lines: tuple[FulfilmentLine, ...]) -> str:
    if order.get("cancelled_at") or not any(line.remaining for line in lines):
        return "CLOSED"
    if handling.held:
        return "ON_HOLD"
    begun = any(handling.fulfilled(line.line) for line in lines)
    return "IN_PROGRESS" if begun else "OPEN"


def location_name(place: int) -> str:
    """Return what people call a location."""
    return LOCATION_NAMES.get(place, f"Location {place}")
