"""The lanes of the fleet. A lane's name is the Celery task that works it, and its partner."""

from __future__ import annotations

from typing import TYPE_CHECKING

from syncworkers.engine.lanes import LaneHandle, LaneSpec, register
from syncworkers.engine.work import WorkTable
from syncworkers.store.inbox import Message
from syncworkers.store.outbox import Delivery

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy.orm import Session

    from syncworkers.policy.partners import PartnerPolicy

PROCESS_ORDERS = "orders.process"
OPEN_CASES = "dead_letter.open_cases"
"""Not a lane of lines: a wake-up for the task that announces new cases."""

INBOX = WorkTable.of(Message, effects=False)
OUTBOX = WorkTable.of(Delivery, effects=True)
WORKS = (INBOX, OUTBOX)


def deliver_orders(partner: str) -> str:
    """Name the lane of orders owed to one partner."""
    return f"orders.deliver:{partner}"


def specs(partners: Iterable[PartnerPolicy]) -> list[tuple[LaneSpec, WorkTable]]:
    """Spell out every lane: processing, and one outbound lane per ERP."""
    process = LaneSpec(name=PROCESS_ORDERS, priority=0, slots=4, batch=100)
    outbound = [
        LaneSpec(
            name=deliver_orders(partner.name),
            priority=1,
            slots=partner.lane.slots,
            batch=partner.lane.batch,
            gather_ms=partner.lane.gather_ms,
            work_budget=partner.lane.work_budget,
            call_deadline=partner.lane.call_deadline,
            settle=partner.lane.settle,
        )
        for partner in partners
        if partner.role == "erp"
    ]
    return [(process, INBOX), *((spec, OUTBOX) for spec in outbound)]


def open_lanes(session: Session, partners: Iterable[PartnerPolicy]) -> dict[str, LaneHandle]:
    """Register the lanes in the database and return them by name."""
    wanted = specs(partners)
    ids = register(session, [spec for spec, _ in wanted])
    return {spec.name: LaneHandle(id=ids[spec.name], spec=spec, work=work) for spec, work in wanted}
