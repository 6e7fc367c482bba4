"""Milestones of a parcel: they never move backwards, whoever tells them in whatever order."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from syncworkers.canonical.shipments import Milestone
from syncworkers.rules import clock

if TYPE_CHECKING:
    from collections.abc import Iterable

    from syncworkers.canonical.shipments import MilestoneEvent

RANK = {
    Milestone.LABEL_CREATED: 10,
    Milestone.PICKUP_SCHEDULED: 15,
    Milestone.PICKED_UP: 20,
    Milestone.IN_TRANSIT: 30,
    Milestone.OUT_FOR_DELIVERY: 40,
    Milestone.DELIVERY_ATTEMPTED: 45,
    Milestone.AVAILABLE_FOR_PICKUP: 46,
    Milestone.REFUSED: 80,
    Milestone.DAMAGED: 80,
    Milestone.LOST: 80,
    Milestone.RETURNING: 85,
    Milestone.DELIVERED: 90,
    Milestone.RETURNED: 91,
    Milestone.CANCELLED: 92,
}
"""A higher rank wins, wherever it comes from, unless `NEXT` says what may follow."""
ARRIVED = frozenset({Milestone.DELIVERED, Milestone.RETURNED, Milestone.CANCELLED})
"""The carrier has done what it was to do."""
FLAGS = frozenset({Milestone.CUSTOMS_HOLD, Milestone.DELAYED, Milestone.EXCEPTION})
"""They stand beside the milestone, until the parcel moves on."""
NEXT = {
    Milestone.RETURNING: frozenset({Milestone.RETURNED}),
    Milestone.DELIVERED: frozenset({Milestone.RETURNING, Milestone.RETURNED}),
    Milestone.RETURNED: frozenset[Milestone](),
    Milestone.CANCELLED: frozenset[Milestone](),
}
"""Where a way back or an end allows a step at all, whatever the ranks say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """Where a parcel is, since when, and what holds it up."""

    milestone: Milestone
    at: dt.datetime
    flag: Milestone | None = None


def follow(
    position: Position, news: Iterable[MilestoneEvent], *, placed_at: dt.datetime, now: dt.datetime
) -> Position:
    """Take all news in; the result does not depend on their order.

    News from before the order was placed, or from the future, are kept and not believed.
    """
    believed = [
        one
        for one in news
        if placed_at <= one.occurred_at and clock.is_believable(one.occurred_at, now)
    ]
    for event in sorted(believed, key=lambda one: (one.occurred_at, RANK.get(one.milestone, 0))):
        position = _step(position, event)
    return position


def _step(position: Position, event: MilestoneEvent) -> Position:
    new = event.milestone
    if new in FLAGS:
        return replace(position, flag=new) if event.occurred_at >= position.at else position
    if new is position.milestone:
        return replace(position, at=max(position.at, event.occurred_at))
    if new not in RANK or not _may_follow(position.milestone, new):
        return position
    return Position(milestone=new, at=event.occurred_at)


def _may_follow(old: Milestone, new: Milestone) -> bool:
    if old in NEXT:
        return new in NEXT[old]
    return RANK[new] > RANK[old]
