"""What the documents about one part come to, line by line, however the warehouse cut them.

The first document that says something of a line of a shipment counts. A repeat counts once, one
about other lines adds, and one that says otherwise is a correction: it edits nothing, because what
was told of the first has been shipped and billed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING

from syncworkers.canonical.advices import CLOSING, LineState
from syncworkers.canonical.shipments import (
    PackedGoods,
    ReportedShipment,
    WarehouseReport,
    WarehouseState,
)
from syncworkers.errors import RejectedError, Violation

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable, Sequence

    from syncworkers.canonical.advices import AdvisedLine, ShipAdvice
    from syncworkers.canonical.parts import PartLine

NOTHING = Decimal(0)
SILENT = frozenset({LineState.BACKORDERED, LineState.ON_HOLD, LineState.UNKNOWN})
"""With nothing shipped these are remarks: they contradict nothing, and nothing contradicts them."""


class Standing(StrEnum):
    """What one line of a part has come to."""

    SHIPPED = "shipped"
    SHORT = "short"
    SUBSTITUTED = "substituted"
    CANCELLED = "cancelled"
    BACKORDERED = "backordered"
    ON_HOLD = "on hold"
    OPEN = "open"


STILL_OPEN = frozenset({Standing.BACKORDERED, Standing.ON_HOLD, Standing.OPEN})


@dataclass(frozen=True, slots=True, kw_only=True)
class FoldedLine:
    """A line of a part: what left and what is still to come, by the warehouse's own unit."""

    number: int
    state: Standing
    shipped: Decimal
    open: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Folded:
    """A part as its documents leave it; `corrections` are those that a person must look at."""

    lines: tuple[FoldedLine, ...]
    report: WarehouseReport
    corrections: tuple[ShipAdvice, ...]


Advised = Mapping[int, tuple["AdvisedLine", ...]]
"""What one document says, by the number of the part's line."""


@dataclass(slots=True)
class _Taken:
    """What was taken so far, of one shipment or of all."""

    said: dict[int, Counter[tuple[object, ...]]] = field(default_factory=dict)
    shipments: int = 0


def fold(lines: Sequence[PartLine], advices: Sequence[ShipAdvice]) -> Folded:
    """Add up the documents about one part, at least one, in the order in which they came.

    What left and what is open does not depend on that order; which of two that contradict each
    other counts, and what a second document about a shipment is called, does. Raises
    `RejectedError` for goods of no line and for other units, naming the place.
    """
    resolved = _resolve(lines, advices)
    taken: dict[str, _Taken] = {}
    heard: list[tuple[ShipAdvice, AdvisedLine, int]] = []
    shipments: list[ReportedShipment] = []
    corrections: list[ShipAdvice] = []
    for advice, advised in zip(advices, resolved, strict=True):
        shipment = taken.setdefault(advice.external_id, _Taken())
        if advice.corrects or _contradicts(shipment, advised):
            corrections.append(advice)
            continue
        new = {number: said for number, said in advised.items() if _is_new(shipment, number, said)}
        shipment.said |= {number: _content(said) for number, said in new.items() if _counts(said)}
        heard += ((advice, one, number) for number, said in new.items() for one in said)
        goods = _goods(lines, new)
        if goods:
            name = _name(advice, new, first=not shipment.shipments)
            shipments.append(_shipment(advice, name, new, goods))
            shipment.shipments += 1
    folded = tuple(_line(line, heard) for line in lines)
    report = _report(folded, advices, tuple(shipments))
    return Folded(lines=folded, report=report, corrections=tuple(corrections))


def told(lines: Sequence[PartLine], folded: Folded) -> tuple[str, ...]:
    """Say in words what each line came to, as in `2 of 10 TEA short`."""
    by_number = {one.number: one for one in folded.lines}
    return tuple(
        f"{_plain(by_number[line.number].shipped)} of {_plain(line.counted)} {line.sku}"
        f" {by_number[line.number].state}"
        for line in lines
    )


def _resolve(lines: Sequence[PartLine], advices: Sequence[ShipAdvice]) -> list[Advised]:
    """Find the line of the part that each line of a document is about."""
    violations: list[Violation] = []
    found: list[Advised] = []
    for advice in advices:
        by_number: dict[int, tuple[AdvisedLine, ...]] = {}
        for one in advice.lines:
            about = _about(lines, one)
            wrong = _wrong(one, about)
            if wrong is not None:
                violations.append(wrong)
            else:
                number = about[0].number
                by_number[number] = (*by_number.get(number, ()), one)
        found.append(by_number)
    if violations:
        text = "; ".join(f"{one.path}: {one.message}" for one in violations[:5])
        raise RejectedError(f"advised what cannot be counted: {text}", violations=violations)
    return found


def _about(lines: Sequence[PartLine], one: AdvisedLine) -> list[PartLine]:
    """Return the line by its number, else those of its goods."""
    numbered = [line for line in lines if line.number == one.number]
    return numbered or [line for line in lines if one.sku in {line.item, line.sku}]


def _wrong(one: AdvisedLine, about: Sequence[PartLine]) -> Violation | None:
    if not about:
        message = (
            f"SKU {one.sku} is of no line of this part: ask the warehouse what it shipped, or"
            " correct its items in config/fulfilment.toml"
        )
        return Violation(path=one.place, code="shipment.unknown_item", message=message)
    if len(about) > 1:
        numbers = ", ".join(str(line.number) for line in about)
        message = (
            f"SKU {one.sku} is of the lines {numbers}: the warehouse must say which it means, by"
            " the line number we gave it"
        )
        return Violation(path=one.place, code="shipment.line_unclear", message=message)
    if one.shipped and one.unit != about[0].unit:
        message = (
            f"{one.shipped} {one.unit} left of SKU {one.sku}, which the part counts by"
            f" {about[0].unit}: ask the warehouse, or correct [kept] in config/units.toml"
        )
        return Violation(path=one.place, code="units.unmapped", message=message)
    return None


def _content(said: Iterable[AdvisedLine]) -> Counter[tuple[object, ...]]:
    """Return what tells a repeat from a contradiction: how it is cut and numbered does not."""
    return Counter((one.sku, one.state, one.shipped, one.unit, one.lot) for one in said)


def _counts(said: Iterable[AdvisedLine]) -> bool:
    return any(one.shipped or one.state not in SILENT for one in said)


def _contradicts(shipment: _Taken, advised: Advised) -> bool:
    return any(
        number in shipment.said and _counts(said) and _content(said) != shipment.said[number]
        for number, said in advised.items()
    )


def _is_new(shipment: _Taken, number: int, said: Iterable[AdvisedLine]) -> bool:
    return number not in shipment.said or not _counts(said)


def _goods(lines: Iterable[PartLine], advised: Advised) -> tuple[PackedGoods, ...]:
    """Return what left: as goods of the line that was ordered, under the SKU it really has."""
    items = {line.number: line.item for line in lines}
    return tuple(
        PackedGoods(item=items[number], sku=one.sku, quantity=one.shipped)
        for number, said in sorted(advised.items())
        for one in said
        if one.shipped
    )


def _name(advice: ShipAdvice, new: Advised, *, first: bool) -> str:
    """Return the id of the shipment; what came later of the same one has its lowest line behind."""
    lowest = min(number for number, said in new.items() if any(one.shipped for one in said))
    return advice.external_id if first else f"{advice.external_id}/{lowest}"


def _shipment(
    advice: ShipAdvice, name: str, new: Advised, goods: tuple[PackedGoods, ...]
) -> ReportedShipment:
    codes = sorted({one.code for said in new.values() for one in said})
    return ReportedShipment(
        external_id=name,
        state=WarehouseState.SHIPPED,
        code=", ".join(codes),
        detail="",
        carrier=advice.carrier,
        service=advice.service,
        tracking_number=advice.tracking_number,
        tracking_url="",
        shipped_at=advice.shipped_at,
        goods=goods,
        milestones=(),
    )


def _line(line: PartLine, heard: Iterable[tuple[ShipAdvice, AdvisedLine, int]]) -> FoldedLine:
    about = [(advice.advised_at, one) for advice, one, number in heard if number == line.number]
    shipped = sum((one.shipped for _, one in about), NOTHING)
    state = _standing(line, shipped, about)
    rest = max(line.counted - shipped, NOTHING) if state in STILL_OPEN else NOTHING
    return FoldedLine(number=line.number, state=state, shipped=shipped, open=rest)


def _standing(
    line: PartLine, shipped: Decimal, about: Sequence[tuple[dt.datetime, AdvisedLine]]
) -> Standing:
    """Say what a line came to: an end wins over what is to follow, whichever came first."""
    states = {one.state for _, one in about}
    whole = shipped >= line.counted
    if whole or states & CLOSING:
        return _ending(states, shipped, whole=whole)
    newest = max((at for at, _ in about), default=None)
    if any(at == newest and one.state is LineState.ON_HOLD for at, one in about):
        return Standing.ON_HOLD
    return Standing.BACKORDERED if LineState.BACKORDERED in states else Standing.OPEN


def _ending(states: set[LineState], shipped: Decimal, *, whole: bool) -> Standing:
    """Say how a line ended; where less left than was asked for, a warehouse's "all of it" is not.

    That happens where it says so of each of several documents.
    """
    if LineState.SUBSTITUTED in states:
        return Standing.SUBSTITUTED
    if whole:
        return Standing.SHIPPED
    if LineState.CANCELLED in states and not shipped:
        return Standing.CANCELLED
    return Standing.SHORT


def _report(
    lines: Sequence[FoldedLine],
    advices: Sequence[ShipAdvice],
    shipments: tuple[ReportedShipment, ...],
) -> WarehouseReport:
    counted = Counter(line.state for line in lines)
    reference = advices[0].reference
    return WarehouseReport(
        external_id=reference,
        reference=reference,
        state=_state(lines),
        code=", ".join(f"{counted[one]} {one}" for one in Standing if counted[one]),
        updated_at=max(one.advised_at for one in advices),
        shipments=shipments,
        more_follows=any(line.open for line in lines),
    )


def _state(lines: Sequence[FoldedLine]) -> WarehouseState:
    waiting = {line.state for line in lines} & STILL_OPEN
    if Standing.ON_HOLD in waiting:
        return WarehouseState.ON_HOLD
    if waiting:
        return WarehouseState.ACCEPTED
    left = any(line.shipped for line in lines)
    return WarehouseState.SHIPPED if left else WarehouseState.CANCELLED


def _plain(quantity: Decimal) -> str:
    return f"{quantity.normalize():f}"
