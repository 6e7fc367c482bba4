"""What a warehouse's report means: which order lines left, and whether that can be right."""

from __future__ import annotations

from typing import TYPE_CHECKING

from syncworkers.canonical.shipments import ShippedLine, WarehouseState
from syncworkers.errors import RejectedError, Violation

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from syncworkers.canonical.parts import PartLine
    from syncworkers.canonical.shipments import PackedGoods, WarehouseReport

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


def shipped(shipments: Iterable[Sequence[ShippedLine]]) -> dict[str, int]:
    """Add up what left, in units by order line."""
    total: dict[str, int] = {}
    for lines in shipments:
        for line in lines:
            total[line.reference] = total.get(line.reference, 0) + line.quantity
    return total


def is_complete(lines: Iterable[PartLine], left: Mapping[str, int]) -> bool:
    """Say whether everything of a part has left."""
    return all(left.get(line.reference, 0) >= line.quantity for line in lines)


def allot(
    lines: Sequence[PartLine], left: Mapping[str, int], goods: Sequence[PackedGoods], path: str
) -> tuple[ShippedLine, ...]:
    """Give packed goods to the order lines that still wait for them, in the lines' order.

    `left` is what left before, by order line. `path` says where in the report the goods stand.
    Raises `RejectedError` for goods that nobody asked for, for more than was asked for, and where
    the warehouse does not say what it packed.
    """
    if not goods:
        message = "a parcel that left must say what is in it: have the warehouse correct it"
        empty = Violation(path=f"{path}.goods", code="shipment.empty", message=message)
        raise RejectedError("shipped nothing", violations=[empty])
    open_units = {line.reference: line.quantity - left.get(line.reference, 0) for line in lines}
    found: dict[str, ShippedLine] = {}
    violations: list[Violation] = []
    for place, packed in enumerate(goods):
        wanted = [line for line in lines if line.item == packed.item]
        rest = packed.quantity
        for line in wanted:
            units = min(rest, open_units[line.reference])
            if units > 0:
                open_units[line.reference] -= units
                rest -= units
                before = found[line.reference].quantity if line.reference in found else 0
                found[line.reference] = ShippedLine(
                    reference=line.reference, sku=line.sku, quantity=before + units
                )
        if rest:
            violations.append(_excess(f"{path}.goods[{place}]", packed, rest, known=bool(wanted)))
    if violations:
        raise RejectedError("shipped what was not ordered", violations=violations)
    return tuple(found.values())


def _excess(path: str, packed: PackedGoods, rest: int, *, known: bool) -> Violation:
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
    if left and not complete and {one.state for one in report.shipments} <= through:
        return WarehouseState.CANCELLED, "only a part of it left, and nothing more is to follow"
    return report.state, report.code
