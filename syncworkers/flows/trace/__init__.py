"""Trace: the story of an order as a timeline and a tree, its stage, and who must act next."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from syncworkers.flows.trace.events import Event, timeline
from syncworkers.flows.trace.stage import standing
from syncworkers.flows.trace.tree import Node, grow
from syncworkers.store import stories

if TYPE_CHECKING:
    from syncworkers.flows.fleet import Fleet
    from syncworkers.store.stories import Facts

__all__ = ["Event", "Node", "Story", "trace"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """All there is to tell of one order.

    `stage` is one of capture, ERP, allocation, warehouse, carrier, invoice, cancelled, done.
    """

    number: str
    partner: str
    correlation_id: str
    stage: str
    next_step: str
    tree: Node | None
    events: tuple[Event, ...]
    facts: Facts


def trace(fleet: Fleet, name: str) -> list[Story]:
    """Tell the story of every order of that name; empty if nobody ever spoke of it."""
    with fleet.session() as session:
        found = stories.find(session, name.removeprefix("#"))
    return [_story(facts) for facts in found]


def _story(facts: Facts) -> Story:
    first = facts.messages[0] if facts.messages else {}
    order = facts.order or {}
    stage, next_step = standing(facts)
    return Story(
        number=order.get("number") or first.get("entity", ""),
        partner=order.get("partner") or first.get("partner", ""),
        correlation_id=str(order.get("correlation_id") or first.get("correlation_id", "")),
        stage=stage,
        next_step=next_step,
        tree=grow(facts),
        events=tuple(sorted(timeline(facts), key=lambda event: event.at)),
        facts=facts,
    )
