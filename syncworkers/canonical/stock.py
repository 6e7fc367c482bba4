"""What a warehouse says of its stock: documents of movements, and counts of everything it has."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum


class Movement(StrEnum):
    """Which kind of document tells of movements."""

    RECEIPT = "receipt"
    ADJUSTMENT = "adjustment"


class Reason(StrEnum):
    """Why stock moved."""

    RECEIVED = "received"
    COUNTED = "counted"
    DAMAGED = "damaged"
    EXPIRED = "expired"
    LOST = "lost"
    FOUND = "found"
    RETURNED = "returned"
    TRANSFERRED = "transferred"
    SCRAPPED = "scrapped"
    HELD = "held"
    RELEASED = "released"
    """No longer held."""
    CORRECTED = "corrected"
    UNKNOWN = "unknown"
    """A code that no table of ours knows: booked in suspense until a person names it."""


class Condition(StrEnum):
    """How goods came; of those that are short none came."""

    GOOD = "good"
    DAMAGED = "damaged"
    HELD = "held"
    OVER = "over"
    SHORT = "short"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class StockMovement:
    """One line of a document; `quantity` is signed, by `unit`, `code` is the warehouse's own word.

    `place` names the segment, for messages; the same line in another file is the same line.
    """

    line: int
    sku: str
    quantity: Decimal
    unit: str
    reason: Reason
    condition: Condition = Condition.GOOD
    code: str = ""
    lot: str = ""
    place: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class StockReport:
    """One document of movements; `kind` and `number` name it for ever.

    `occurred_at` is aware UTC. `reference` is ours, as of a transfer order; `shipment` names the
    delivery that was received.
    """

    kind: Movement
    number: str
    occurred_at: dt.datetime
    warehouse: str
    movements: tuple[StockMovement, ...]
    reference: str = ""
    shipment: str = ""


class Counted(StrEnum):
    """What of a SKU is counted: the fields of `StockRow`."""

    ON_HAND = "on_hand"
    AVAILABLE = "available"
    ALLOCATED = "allocated"
    HELD = "held"
    DAMAGED = "damaged"
    INCOMING = "incoming"


@dataclass(frozen=True, slots=True, kw_only=True)
class StockRow:
    """One SKU as it was counted, by `unit`; None is what nobody said."""

    sku: str
    unit: str
    on_hand: Decimal | None = None
    available: Decimal | None = None
    allocated: Decimal | None = None
    held: Decimal | None = None
    damaged: Decimal | None = None
    incoming: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StockSnapshot:
    """All that a warehouse has at one moment, each SKU once; a SKU that is missing is unknown.

    `as_of` is aware UTC; None where the document itself does not say it.
    """

    warehouse: str
    as_of: dt.datetime | None
    rows: tuple[StockRow, ...]
    reference: str = ""
