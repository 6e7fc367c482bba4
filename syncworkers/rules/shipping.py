"""What a warehouse's report means: which order lines left, and whether that can be right."""

from __future__ import annotations

import math
from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING

from syncworkers.canonical.shipments import PackedGoods, ShippedLine, WarehouseState
from syncworkers.errors import RejectedError, Violation

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from syncworkers.canonical.parts import PartLine
    from syncworkers.canonical.shipments import WarehouseReport

ACKNOWLEDGED = frozenset(
    {WarehouseState.ACCEPTED, WarehouseState.LABEL_CREATED, WarehouseState.SHIPPED}
)
"""The warehouse has the part and will do it, or has done it."""
TROUBLE: Mapping[WarehouseState, str] = {
    WarehouseState.EXCEPTION: "warehouse.exception",
    WarehouseState.ON_HOLD: "warehouse.on_hold",
    WarehouseState.CANCELLED: "warehouse.cancelled",
    WarehouseState.UNKNOWN: "warehouse.state_unknown",
}
"""States that a person must look at, by the code of their case."""


NOTHING = Decimal(0)
Counted = Mapping[str, Decimal]
"""How many were packed, as the warehouse counts, by its own id of the goods."""


def shipped(shipments: Iterable[Sequence[ShippedLine]]) -> dict[str, int]:
    """Add up what left, in sales units by order line."""
    total: dict[str, int] = {}
    for lines in shipments:
        for line in lines:
            total[line.reference] = total.get(line.reference, 0) + line.quantity
    return total


def is_complete(lines: Iterable[PartLine], left: Mapping[str, int]) -> bool:
    """Say whether everything of a part has left."""
    return all(left.get(line.reference, 0) >= line.quantity for line in lines)


def packed(
    lines: Sequence[PartLine],
    parcels: Iterable[tuple[Sequence[ShippedLine], Sequence[PackedGoods] | None]],
) -> Counted:
    """Add up what was packed into the parcels of a part.

    Of a parcel from before that was kept (None) it is what its lines say: units were the same then.
    """
    items = {line.reference: line.item for line in lines}
    total: Counted = {}
    for told, goods in parcels:
        total = added(
            total,
            goods
            if goods is not None
            else [
                PackedGoods(item=items[one.reference], sku=one.sku, quantity=Decimal(one.quantity))
                for one in told
            ],
        )
    return total


def added(before: Counted, goods: Sequence[PackedGoods]) -> Counted:
    """Add a parcel's goods to what was packed before."""
    total = dict(before)
    for one in goods:
        total[one.item] = total.get(one.item, NOTHING) + one.quantity
    return total


def whole(lines: Sequence[PartLine], counted: Counted) -> dict[str, int]:
    """Say how many sales units of each order line are whole.

    It follows from the sum of what was packed alone: in which parcels, and in which order, does not
    matter.
    """
    found: dict[str, int] = {}
    for line, given in _given(lines, counted):
        units = line.quantity
        if line.counted:
            units = math.floor(Fraction(given) * line.quantity / Fraction(line.counted))
        found[line.reference] = min(found.get(line.reference, units), units)
    return {line.reference: found[line.reference] for line in lines}


def _given(lines: Sequence[PartLine], counted: Counted) -> Iterator[tuple[PartLine, Decimal]]:
    """Give goods to the lines in their order, those first that need nothing else to be whole."""
    rest = dict(counted)
    for line in sorted(lines, key=lambda line: (bool(line.kit), line.number)):
        given = min(rest.get(line.item, NOTHING), line.counted)
        rest[line.item] = rest.get(line.item, NOTHING) - given
        yield line, given


def allot(
    lines: Sequence[PartLine], before: Counted, goods: Sequence[PackedGoods], path: str
) -> tuple[ShippedLine, ...]:
    """Return the sales units that a parcel makes whole; it may be none.

    `before` is what was packed into earlier parcels. `path` says where in the report the goods
    stand. Raises `RejectedError` for goods that nobody asked for, for more than was asked for, and
    where the warehouse does not say what it packed.
    """
    if not goods:
        message = "a parcel that left must say what is in it: have the warehouse correct it"
        empty = Violation(path=f"{path}.goods", code="shipment.empty", message=message)
        raise RejectedError("shipped nothing", violations=[empty])
    violations = list(_unasked(lines, before, goods, path))
    if violations:
        raise RejectedError("shipped what was not ordered", violations=violations)
    old, new = whole(lines, before), whole(lines, added(before, goods))
    skus = {line.reference: line.sold_sku for line in lines}
    return tuple(
        ShippedLine(reference=reference, sku=skus[reference], quantity=units - old[reference])
        for reference, units in new.items()
        if units > old[reference]
    )


def leftover(lines: Sequence[PartLine], counted: Counted) -> list[str]:
    """Say what left without making a sales unit whole, in words."""
    told = whole(lines, counted)
    found = []
    for line, given in _given(lines, counted):
        used = Fraction(line.counted) * told[line.reference] / (line.quantity or 1)
        if given > used:
            found.append(f"{Fraction(given) - used} {line.unit} of SKU {line.sku}")
    return found


def _unasked(
    lines: Sequence[PartLine], before: Counted, goods: Sequence[PackedGoods], path: str
) -> Iterator[Violation]:
    asked: dict[str, Decimal] = {}
    for line in lines:
        asked[line.item] = asked.get(line.item, NOTHING) + line.counted
    open_counts = {item: count - before.get(item, NOTHING) for item, count in asked.items()}
    for place, one in enumerate(goods):
        still_open = max(open_counts.get(one.item, NOTHING), NOTHING)
        rest = one.quantity - still_open
        open_counts[one.item] = still_open - one.quantity
        if rest > 0:
            yield _excess(f"{path}.goods[{place}]", one, rest, known=one.item in asked)


def _excess(path: str, packed: PackedGoods, rest: Decimal, *, known: bool) -> Violation:
    if not known:
        return Violation(
            path=path,
            code="shipment.unknown_item",
            message=f"item {packed.item} ({packed.sku or 'no SKU'}) is no line of this part: ask"
            " the warehouse what it shipped, or correct its items in config/fulfilment.toml",
        )
    return Violation(
        path=path,
        code="shipment.exceeds_part",
        message=f"{rest} of {packed.quantity} units of {packed.sku or packed.item} are more than"
        " this part still waited for: ask the warehouse what it shipped",
    )


def stage(report: WarehouseReport, *, complete: bool) -> tuple[WarehouseState, str]:
    """Say how far a part is, and in the warehouse's words why: one held parcel holds the part.

    A warehouse that is through with a part of which not all has left has given the rest up.
    """
    for state in (WarehouseState.EXCEPTION, WarehouseState.ON_HOLD, WarehouseState.UNKNOWN):
        wrong = [one for one in report.shipments if one.state is state]
        if wrong:
            return state, "; ".join(one.detail or one.code for one in wrong)
    through = {WarehouseState.SHIPPED, WarehouseState.CANCELLED}
    left = any(one.state is WarehouseState.SHIPPED for one in report.shipments)
    ended = not report.more_follows and {one.state for one in report.shipments} <= through
    if left and not complete and ended:
        told = f"only a part of it left ({report.code}), and nothing more is to follow"
        return WarehouseState.CANCELLED, told
    return report.state, report.code
