"""What a warehouse says that it shipped, a document each: several about one part add up."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum


class LineState(StrEnum):
    """What a document says of one line of a part."""

    SHIPPED = "shipped"
    """All of it that was asked for; nothing follows."""
    SHORT = "short"
    """What is missing does not follow."""
    SUBSTITUTED = "substituted"
    """Other goods left in its place; nothing follows."""
    CANCELLED = "cancelled"
    BACKORDERED = "backordered"
    """What is missing follows."""
    ON_HOLD = "on_hold"
    UNKNOWN = "unknown"
    """A code that no table of ours knows."""


CLOSING = frozenset(
    {LineState.SHIPPED, LineState.SHORT, LineState.SUBSTITUTED, LineState.CANCELLED}
)
"""After these nothing more of a line is to come."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AdvisedLine:
    """One line of a document.

    `number` is the line of the part, as we gave it, None where it is not said; `sku` is what really
    left; `shipped` is by `unit`. `place` names the segment, for messages.
    """

    number: int | None
    sku: str
    state: LineState
    code: str
    """The warehouse's own word for the state."""
    shipped: Decimal
    unit: str
    place: str
    lot: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ShipAdvice:
    """One document about one part. `external_id` is the warehouse's id of the shipment.

    `advised_at` is when the document was written, `shipped_at` when the goods left; both are aware
    UTC. `corrects` says that it replaces what was said of the same shipment.
    """

    external_id: str
    reference: str
    corrects: bool
    advised_at: dt.datetime
    shipped_at: dt.datetime
    carrier: str
    service: str
    tracking_number: str
    lines: tuple[AdvisedLine, ...]

    def repeats(self, other: ShipAdvice) -> bool:
        """Say whether it tells the same, wherever and whenever it was written."""
        return self._told() == other._told()

    def _told(self) -> ShipAdvice:
        lines = tuple(replace(one, place="") for one in self.lines)
        return replace(self, advised_at=self.shipped_at, lines=lines)
