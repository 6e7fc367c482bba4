"""Process: claimed messages become accepted versions of objects, and deliveries owed."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import structlog

from syncworkers.canonical.kinds import Kind
from syncworkers.engine import lines, parking
from syncworkers.engine.attend import Look, attend
from syncworkers.engine.halving import run_halved
from syncworkers.engine.renewal import renewed
from syncworkers.errors import RejectedError, Violation
from syncworkers.flows.applying import Batch, LinePlan, refuse_head
from syncworkers.flows.charges import Charges
from syncworkers.flows.files import Files
from syncworkers.flows.invoices import Invoices
from syncworkers.flows.lanes import INBOX, OPEN_CASES, PROCESS
from syncworkers.flows.orders import Orders
from syncworkers.flows.reading import read
from syncworkers.flows.shipments import Shipments
from syncworkers.flows.stock import Stock
from syncworkers.store import inbox

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from sqlalchemy.orm import Session

    from syncworkers.engine.lanes import LaneHandle
    from syncworkers.flows.applying import Decider
    from syncworkers.flows.fleet import Fleet
    from syncworkers.flows.writes import Writes

log = structlog.get_logger(__name__)

DECIDERS: Mapping[str, Callable[[Fleet, Session, Writes], Decider]] = {
    Kind.ORDER: Orders,
    Kind.SHIPMENT: Shipments,
    Kind.INVOICE: Invoices,
    Kind.FILE: Files,
    Kind.STOCK: Stock,
    Kind.CHARGE: Charges,
}
"""By kind of message: who decides about it."""


def process_due(fleet: Fleet, kind: str) -> int:
    """Work through the inbox of one kind; return how many lines moved."""
    lane = fleet.lanes[PROCESS[kind]]
    return attend(lane, fleet.waker, partial(_look, fleet, lane, kind), who=fleet.worker)


def _look(fleet: Fleet, lane: LaneHandle, kind: str) -> Look:
    with fleet.session() as session:
        claimed = lines.claim(session, lane, worker=fleet.worker)
    if claimed.full:
        fleet.waker.notify([lane.name])
    if not claimed.lines:
        return Look(0)
    with renewed(fleet.session, claimed):
        _work(fleet, kind, claimed)
    return Look(len(claimed.lines))


def _work(fleet: Fleet, kind: str, claimed: lines.Claim) -> None:
    with fleet.session() as session:
        claimed = lines.read(session, claimed)
        ids = [row["id"] for line in claimed.lines for row in line.rows]
        bodies = inbox.bodies(session, ids)
    readings = read(fleet, claimed.lines, bodies)
    plans = [LinePlan(line=line, readings=readings[line.key]) for line in claimed.lines]
    apply = partial(_apply, fleet, claimed, kind)
    run_halved(plans, apply, partial(_give_up, apply))


def _apply(fleet: Fleet, claimed: lines.Claim, kind: str, plans: Sequence[LinePlan]) -> None:
    with fleet.session() as session:
        pending = lines.fence(session, claimed, [plan.line for plan in plans])
        ours = [plan for plan in plans if plan.line.key in pending]
        batch = Batch(fleet, session, DECIDERS[kind], ours)
        results = batch.apply()
        more = lines.settle(session, claimed, pending, results)
    wake = [claimed.lane.name] if more else []
    cases = [OPEN_CASES] if batch.has_cases else []
    fleet.waker.notify([*wake, *batch.touched, *_wake_parked(fleet, batch.awaited), *cases])


def _wake_parked(fleet: Fleet, keys: Sequence[str]) -> list[str]:
    """Bring back what waited for what has arrived.

    In a transaction of its own: with the locks of the arrival it could meet a worker that holds
    such a line and wants the same order. Lost, it costs time only: their due time is the guarantee.
    """
    if not keys:
        return []
    with fleet.session() as session:
        woken = parking.wake(session, INBOX, keys)
    return [lane.name for lane in fleet.lanes.values() if lane.id in woken]


def _give_up(apply: Callable[[Sequence[LinePlan]], None], plan: LinePlan, error: Exception) -> None:
    """The transaction of this one line fails whatever we do: its head message becomes a case."""
    log.error("message cannot be stored", message=plan.readings[0].row["id"], exc_info=error)
    bug = RejectedError(
        f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}",
        violations=[
            Violation(
                path="",
                code="bug",
                message="the message could not be stored; this is a fault of ours: report it with "
                "the case's payload, then retry",
            )
        ],
    )
    apply([refuse_head(plan, bug)])
