"""Deliver: claim, commit, talk, record. No transaction is open while a partner is on the line."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import structlog

from syncworkers.engine import breaker, lanes, lines
from syncworkers.engine.attend import Look, attend
from syncworkers.engine.halving import run_halved
from syncworkers.flows import sending
from syncworkers.flows.lanes import OPEN_CASES, deliver_lane
from syncworkers.flows.outcomes import LineRecord, judge
from syncworkers.flows.recording import record
from syncworkers.store import fleet as fleet_state
from syncworkers.store import identity, outbox

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.orm import Session

    from syncworkers.engine.lanes import LaneHandle
    from syncworkers.flows.fleet import Fleet, Partner
    from syncworkers.flows.sending import Step

log = structlog.get_logger(__name__)


def deliver_due(fleet: Fleet, partner: str) -> int:
    """Send what is due to one partner, entity by entity in order; return how many lines moved."""
    known = fleet.partners[partner]
    lane = fleet.lanes[deliver_lane(known.policy)]
    look = partial(_look, fleet, lane, known)
    return attend(lane, fleet.waker, look, who=fleet.worker)


def _look(fleet: Fleet, lane: LaneHandle, partner: Partner) -> Look:
    with fleet.session() as session:
        claimed = lines.claim(session, lane, worker=fleet.worker)
        rows = [row for line in claimed.lines for row in line.rows]
        entities = {sending.entity(row) for row in rows}
        links = identity.links(session, partner.policy.name, entities)
        states = outbox.states(session, {key for row in rows for key in row["after"]})
        claimed_at = fleet_state.now(session)
    if claimed.full:
        fleet.waker.notify([lane.name])
    if not claimed.lines:
        return Look(0)
    works = sending.begin(partner, claimed.lines, links, states)
    sending.send(partner, works, claimed.remaining())
    records = [judge(partner, work, claimed_at) for work in works]
    run_halved(
        records,
        partial(_record, fleet, claimed, partner),
        lambda bad, error: log.error(
            "outcome not recorded; its lease ends and it is looked up",
            line=bad.key,
            error=str(error),
        ),
    )
    return Look(len(claimed.lines))


def _record(
    fleet: Fleet, claimed: lines.Claim, partner: Partner, records: Sequence[LineRecord]
) -> None:
    with fleet.session() as session:
        pending = lines.fence(session, claimed, [one.line for one in records])
        ours = [one for one in records if one.key in pending]
        cases, woken = record(session, fleet, partner, ours)
        more = lines.settle(session, claimed, pending, [one.result(cases) for one in ours])
        _note_answers(session, claimed.lane.id, partner, [s for one in ours for s in one.steps])
        quiet = max((one.pause for one in ours), default=0.0)
        if quiet > 0:
            lanes.pause(
                session,
                claimed.lane.id,
                seconds=quiet,
                reason=next(one.pause_reason for one in ours if one.pause == quiet),
                actor="syncworkers",
            )
    wake = [lane.name for lane in fleet.lanes.values() if lane.id in woken]
    if more and not quiet:
        wake.append(claimed.lane.name)
    fleet.waker.notify([*wake, OPEN_CASES] if cases else wake)


def _note_answers(session: Session, lane: int, partner: Partner, steps: Sequence[Step]) -> None:
    """Tell the breaker whether the partner answered at all."""
    outcomes = [step.outcome for step in steps if step.outcome.call]
    if any(outcome.status is not None and outcome.status < 500 for outcome in outcomes):
        breaker.answered(session, lane)
    elif outcomes:
        policy = partner.policy.lane
        reason = f"no answer: {outcomes[-1].error}"
        breaker.silent(
            session, lane, first=policy.backoff_first, limit=policy.backoff_limit, reason=reason
        )
