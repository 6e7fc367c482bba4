"""The lanes of the fleet. A lane's name is the Celery task that works it, and its partner."""

from __future__ import annotations

from typing import TYPE_CHECKING

from syncworkers.canonical.kinds import Kind
from syncworkers.engine.lanes import LaneHandle, LaneSpec, register
from syncworkers.engine.work import WorkTable
from syncworkers.store.inbox import Message
from syncworkers.store.outbox import Delivery

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from sqlalchemy.orm import Session

    from syncworkers.policy.partners import PartnerPolicy

PROCESS: Mapping[str, str] = {
    Kind.ORDER: "orders.process",
    Kind.SHIPMENT: "shipments.process",
    Kind.INVOICE: "invoices.process",
    Kind.FILE: "files.process",
    Kind.STOCK: "inventory.process",
    Kind.CHARGE: "invoices.process_charges",
}
"""By kind of message: the inbound lanes."""
DELIVER: Mapping[str, str] = {
    "erp": "orders.deliver",
    "warehouse": "orders.deliver",
    "store": "shipments.deliver",
}
"""By a partner's role: what its outbound lane mostly carries.

A partner has one lane for everything that follows from an order, so that one line keeps the
order's create, its shipments and its invoices in sequence there.
"""
OPEN_CASES = "dead_letter.open_cases"
"""Not a lane of lines: a wake-up for the task that announces new cases."""
LARGE_TAKES = 900.0
"""Seconds that the largest file may take: while somebody works it, its lease is renewed."""
HINT_GATHER_MS = 5000
"""Messages that are only hints are read again together, so a moment is waited for more of them."""

INBOX = WorkTable.of(Message, effects=False)
OUTBOX = WorkTable.of(Delivery, effects=True)
WORKS = (INBOX, OUTBOX)


def process_lane(kind: str) -> str:
    """Name the lane of a kind; what has no lane of its own waits with the orders."""
    return PROCESS.get(kind, PROCESS[Kind.ORDER])


def deliver_lane(partner: PartnerPolicy) -> str:
    """Name the lane of what is owed to one partner."""
    return f"{DELIVER[partner.role]}:{partner.name}"


def specs(partners: Iterable[PartnerPolicy]) -> list[tuple[LaneSpec, WorkTable]]:
    """Spell out every lane: one per kind of message, and one outbound lane per partner."""
    inbound = [
        LaneSpec(name=PROCESS[Kind.ORDER], priority=0, slots=4, batch=100),
        _hints(PROCESS[Kind.SHIPMENT], priority=2),
        _hints(PROCESS[Kind.INVOICE], priority=3),
        # A file may be huge: one at a time, and its documents are worked in their own lanes.
        LaneSpec(name=PROCESS[Kind.FILE], priority=4, slots=1, batch=1, longest=LARGE_TAKES),
        # Counts may be huge as well, and what a partner says of its stock is taken in turn.
        LaneSpec(
            name=PROCESS[Kind.STOCK],
            priority=5,
            slots=1,
            batch=10,
            depth=2,
            longest=LARGE_TAKES,
        ),
        LaneSpec(name=PROCESS[Kind.CHARGE], priority=6, slots=1, batch=100),
    ]
    outbound = [
        LaneSpec(
            name=deliver_lane(partner),
            priority=1,
            slots=partner.lane.slots,
            batch=partner.lane.batch,
            gather_ms=partner.lane.gather_ms,
            work_budget=partner.lane.work_budget,
            call_deadline=partner.lane.call_deadline,
            settle=partner.lane.settle,
            linger=max(2.0, partner.lane.gather_ms / 1000 + 1.0),
        )
        for partner in partners
    ]
    return [*((spec, INBOX) for spec in inbound), *((spec, OUTBOX) for spec in outbound)]


def _hints(name: str, *, priority: int) -> LaneSpec:
    return LaneSpec(
        name=name,
        priority=priority,
        slots=2,
        batch=100,
        gather_ms=HINT_GATHER_MS,
        linger=HINT_GATHER_MS / 1000 + 1.0,
    )


def open_lanes(session: Session, partners: Iterable[PartnerPolicy]) -> dict[str, LaneHandle]:
    """Register the lanes in the database and return them by name."""
    wanted = specs(partners)
    ids = register(session, [spec for spec, _ in wanted])
    return {spec.name: LaneHandle(id=ids[spec.name], spec=spec, work=work) for spec, work in wanted}
