"""Process: claimed messages become accepted versions of orders, and deliveries owed."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import structlog

from syncworkers.engine import lines
from syncworkers.engine.attend import Look, attend
from syncworkers.engine.halving import run_halved
from syncworkers.errors import RejectedError, Violation
from syncworkers.flows.applying import Batch, LinePlan, refuse_head
from syncworkers.flows.lanes import OPEN_CASES, PROCESS_ORDERS
from syncworkers.flows.reading import read
from syncworkers.store import inbox

if TYPE_CHECKING:
    from collections.abc import Sequence

    from syncworkers.engine.lanes import LaneHandle
    from syncworkers.flows.fleet import Fleet

log = structlog.get_logger(__name__)


def process_due(fleet: Fleet) -> int:
    """Work through the inbox of orders; return how many lines moved."""
    lane = fleet.lanes[PROCESS_ORDERS]
    return attend(lane, fleet.waker, partial(_look, fleet, lane), who=fleet.worker)


def _look(fleet: Fleet, lane: LaneHandle) -> Look:
    with fleet.session() as session:
        claimed = lines.claim(session, lane, worker=fleet.worker)
        ids = [row["id"] for line in claimed.lines for row in line.rows]
        bodies = inbox.bodies(session, ids)
    if claimed.full:
        fleet.waker.notify([lane.name])
    if not claimed.lines:
        return Look(0)
    readings = read(fleet, claimed.lines, bodies)
    plans = [LinePlan(line=line, readings=readings[line.key]) for line in claimed.lines]
    run_halved(plans, partial(_apply, fleet, claimed), partial(_give_up, fleet, claimed))
    return Look(len(claimed.lines))


def _apply(fleet: Fleet, claimed: lines.Claim, plans: Sequence[LinePlan]) -> None:
    with fleet.session() as session:
        pending = lines.fence(session, claimed, [plan.line for plan in plans])
        batch = Batch(fleet, session, [plan for plan in plans if plan.line.key in pending])
        results = batch.apply()
        more = lines.settle(session, claimed, pending, results)
    wake = [claimed.lane.name] if more else []
    fleet.waker.notify([*wake, *batch.touched, *([OPEN_CASES] if batch.has_cases else [])])


def _give_up(fleet: Fleet, claimed: lines.Claim, plan: LinePlan, error: Exception) -> None:
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
    _apply(fleet, claimed, [refuse_head(plan, bug)])
