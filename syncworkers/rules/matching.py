"""Match invoices to what was shipped: a pure function of all of both, so order never matters."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence

    from syncworkers.canonical.invoices import Invoice, InvoiceLine


@dataclass(frozen=True, slots=True, kw_only=True)
class BookedLine:
    """An order line as it was booked; `reference` is the store's id of it."""

    reference: str
    item: str
    net_price: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class ShippedUnits:
    """Units of one order line that left with one shipment."""

    shipment: int
    shipped_at: dt.datetime
    reference: str
    quantity: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """Units of one invoice line, placed; None where no order line, or no shipment yet, fits.

    `certain` is false where something else would fit as well.
    """

    invoice: str
    line: int
    reference: str | None
    shipment: int | None
    quantity: Decimal
    certain: bool


@dataclass(slots=True, kw_only=True)
class _Lot:
    """Shipped units that no invoice has claimed yet."""

    shipment: int
    booked: BookedLine
    left: Decimal


def match(
    booked: Sequence[BookedLine], shipped: Sequence[ShippedUnits], invoices: Sequence[Invoice]
) -> list[Match]:
    """Place every unit of every invoice line.

    An invoice that bills exactly what one shipment carried belongs to it. What is left is placed
    unit by unit: same item, same price first, the oldest shipment first.
    """
    lines = {line.reference: line for line in booked}
    lots = [
        _Lot(shipment=one.shipment, booked=lines[one.reference], left=Decimal(one.quantity))
        for one in sorted(shipped, key=lambda one: (one.shipped_at, one.shipment, one.reference))
        if one.reference in lines
    ]
    ordered = sorted(invoices, key=lambda one: (one.date, one.external_id))
    whole = _pair(lots, ordered)
    # Whole pairs first, so that nobody else takes their units.
    ordered.sort(key=lambda one: one.external_id not in whole)
    found: list[Match] = []
    for invoice in ordered:
        shipment, certain = whole.get(invoice.external_id, (None, None))
        mine = [lot for lot in lots if shipment in {None, lot.shipment}]
        for line in invoice.lines:
            found += _place(invoice, line, mine, booked, certain=certain)
    return found


def _pair(lots: Sequence[_Lot], invoices: Sequence[Invoice]) -> dict[str, tuple[int, bool]]:
    """Find for each invoice the shipment of exactly its content, and whether it is the only one."""
    contents: dict[int, dict[str, Decimal]] = {lot.shipment: defaultdict(Decimal) for lot in lots}
    for lot in lots:
        contents[lot.shipment][lot.booked.item] += lot.left
    taken: set[int] = set()
    pairs: dict[str, tuple[int, bool]] = {}
    for invoice in invoices:
        wanted: dict[str, Decimal] = defaultdict(Decimal)
        for line in invoice.lines:
            wanted[line.item] += line.quantity
        equal = [shipment for shipment, content in contents.items() if content == wanted]
        free = [shipment for shipment in equal if shipment not in taken]
        if free:
            taken.add(free[0])
            pairs[invoice.external_id] = (free[0], len(equal) == 1)
    return pairs


def _place(
    invoice: Invoice,
    line: InvoiceLine,
    lots: Sequence[_Lot],
    booked: Sequence[BookedLine],
    *,
    certain: bool | None,
) -> list[Match]:
    fitting = [lot for lot in lots if lot.booked.item == line.item and lot.left > 0]
    fitting.sort(key=lambda lot: lot.booked.net_price != line.unit_price)
    if certain is None:
        certain = len(fitting) == 1 or sum(lot.left for lot in fitting) == line.quantity
    found: list[Match] = []
    rest = line.quantity
    for lot in fitting:
        units = min(rest, lot.left)
        if units > 0:
            lot.left -= units
            rest -= units
            placed = (lot.booked.reference, lot.shipment)
            found.append(_match(invoice, line, placed, units, certain=certain))
    if rest:
        found.append(_unshipped(invoice, line, booked, rest))
    return found


def _unshipped(
    invoice: Invoice, line: InvoiceLine, booked: Sequence[BookedLine], rest: Decimal
) -> Match:
    """Place what is billed before it left, or was credited: on its order line alone."""
    fitting = [one for one in booked if one.item == line.item]
    fitting.sort(key=lambda one: one.net_price != line.unit_price)
    reference = fitting[0].reference if fitting else None
    return _match(invoice, line, (reference, None), rest, certain=len(fitting) == 1)


def _match(
    invoice: Invoice,
    line: InvoiceLine,
    placed: tuple[str | None, int | None],
    quantity: Decimal,
    *,
    certain: bool,
) -> Match:
    return Match(
        invoice=invoice.external_id,
        line=line.number,
        reference=placed[0],
        shipment=placed[1],
        quantity=quantity,
        certain=certain,
    )
