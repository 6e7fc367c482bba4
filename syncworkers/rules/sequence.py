"""Which snapshot of an order counts: the newest by the store's clock, never by arrival."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from syncworkers.canonical.orders import SalesOrder


@dataclass(frozen=True, slots=True)
class Decision:
    """Whether an arrived snapshot is superseded by what we have, and why."""

    superseded: bool
    reason: str | None = None


APPLY = Decision(superseded=False)


def decide(current: SalesOrder | None, arrived: SalesOrder) -> Decision:
    """Compare an arrived snapshot with the accepted one.

    Stores repeat, reorder and delay: an older or equal snapshot never overwrites. Of two different
    ones with one timestamp the cancelled one counts, else the later arrival.
    """
    if current is None:
        return APPLY
    if arrived.updated_at < current.updated_at:
        newer = current.updated_at.isoformat()
        return Decision(superseded=True, reason=f"we have a newer snapshot, of {newer}")
    if _same(current, arrived):
        return Decision(superseded=True, reason="says nothing new")
    if current.cancelled_at is not None and arrived.cancelled_at is None:
        return Decision(superseded=True, reason="the order is cancelled, which is final")
    return APPLY


def _same(current: SalesOrder, arrived: SalesOrder) -> bool:
    return replace(arrived, updated_at=current.updated_at) == current
