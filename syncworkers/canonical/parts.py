"""The part of an order that one warehouse ships: what we ask of it."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal

from syncworkers.canonical.orders import Address


@dataclass(frozen=True, slots=True, kw_only=True)
class PartLine:
    """Goods to ship for an order line; a kit is several lines of one `reference`.

    `reference` is the store's id of the order line, `number` its place in the part from 1, `sku`
    and `item` are what the warehouse keeps, `item` being its own id. `quantity` is in sales units
    of the order line; `unit_price` is of one of what is packed, None where nobody knows it.
    """

    reference: str
    number: int
    sku: str
    item: str
    title: str
    quantity: int
    unit_price: Decimal | None
    sold_unit: str = "each"
    packed: Decimal | None = None
    """How many of the warehouse's own `unit` that is; None, before it was kept: as many."""
    unit: str = "each"
    kit: str = ""
    """The SKU that was sold, where it is a kit; empty: the goods were sold as they are."""

    @property
    def counted(self) -> Decimal:
        """Return how many the warehouse is to pack, by its own unit."""
        return Decimal(self.quantity) if self.packed is None else self.packed

    @property
    def sold_sku(self) -> str:
        """Return the SKU of the order line."""
        return self.kit or self.sku


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """An order part under our own reference, which the warehouse keeps unique.

    `reference` follows from store, order id and the part's number alone; `order_number` is what
    people call the order; `shipping_method` is the warehouse's own word.
    """

    reference: str
    order_number: str
    placed_at: dt.datetime
    shipping_method: str
    email: str
    address: Address
    lines: tuple[PartLine, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """What was promised of a part when it was accepted; all times are aware UTC.

    `ship_by` and `promised_at` are ends of days; without transit days nothing is promised.
    """

    release_at: dt.datetime
    ship_by: dt.datetime
    promised_at: dt.datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PartAddressChange:
    """A part that is with the warehouse must go elsewhere."""

    reference: str
    email: str
    address: Address


@dataclass(frozen=True, slots=True, kw_only=True)
class PartCancellation:
    """A part must not be shipped any more; the warehouse decides whether that is in time."""

    reference: str
    reason: str
