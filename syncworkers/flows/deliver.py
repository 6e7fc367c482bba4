"""Deliver: claim, commit, talk, record. No transaction is open while a partner is on the line."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import structlog

from syncworkers.canonical.kinds import Kind
from syncworkers.engine import breaker, lanes, lines
from syncworkers.engine.attend import Look, attend
from syncworkers.engine.halving import run_halved
from syncworkers.flows import observe, sending
from syncworkers.flows.lanes import OPEN_CASES, deliver_lane
from syncworkers.flows.outcomes import judge
from syncworkers.flows.recording import record
from syncworkers.rules import effects
from syncworkers.store import fleet as fleet_state
from syncworkers.store import identity, outbox, partner_state, shipments
from syncworkers.store.partner_state import Mode

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Sequence

    from sqlalchemy.orm import Session

    from syncworkers.engine.lanes import LaneHandle
    from syncworkers.flows.fleet import Fleet, Partner
    from syncworkers.flows.sending import Step

    Write = Callable[[Sequence[sending.LineWork]], None]

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
        claimed_at = fleet_state.now(session)
    if claimed.full:
        fleet.waker.notify([lane.name])
    if not claimed.lines:
        return Look(0)
    with fleet.session() as session:
        claimed = lines.read(session, claimed)
        rows = [row for line in claimed.lines for row in line.rows]
        siblings = _siblings(session, claimed.lines)
        entities = {sending.entity(row) for row in rows}.union(*siblings.values())
        links = identity.links(session, partner.policy.name, entities)
        imported = identity.imported(session, partner.policy.name, entities & links.keys())
        states = outbox.states(session, {key for row in rows for key in row["after"]})
        # Read after the lease was committed: whoever changes the mode sees the lease, or we see it.
        mode = partner_state.mode(session, partner.policy.name)
    if mode is not Mode.LIVE:
        known = observe.Known(links=links, imported=imported, claimed_at=claimed_at)
        observe.plan(fleet, claimed, partner, known)
        return Look(len(claimed.lines))
    works = sending.begin(
        partner, claimed.lines, claimed_at, links, states, siblings, imported=imported
    )
    deadline = observe.LiveDeadline(fleet, partner.policy.name, claimed.remaining())
    sending.send(partner, works, deadline)
    write = partial(_record, fleet, claimed, partner, claimed_at)
    run_halved(works, write, partial(_record_apart, fleet, partner, write))
    return Look(len(claimed.lines))


def _siblings(
    session: Session, claimed: Sequence[lines.ClaimedLine]
) -> dict[int, list[sending.Entity]]:
    """Return by line the parcels of an order of which one is to be told."""
    orders = {
        line.key
        for line in claimed
        for row in line.rows
        if row["operation"] == effects.SHIPMENT_CREATE
    }
    found = shipments.ids_of_orders(session, orders)
    return {order: [(Kind.SHIPMENT, one) for one in ids] for order, ids in found.items()}


def _record_apart(
    fleet: Fleet, partner: Partner, write: Write, work: sending.LineWork, error: Exception
) -> None:
    """The transaction of this one line fails: say so where it is the partner's answer."""
    if not isinstance(error, identity.TakenError):
        log.error(
            "outcome not recorded; its lease ends and it is looked up",
            line=work.line.key,
            error=str(error),
        )
        return
    ids = {(kind, known) for (kind, _), (known, _) in work.links.items() if known is not None}
    with fleet.session() as session:
        owners = identity.owners(session, partner.policy.name, ids)
    sending.refuse_taken(work, owners)
    write([work])


def _record(
    fleet: Fleet,
    claimed: lines.Claim,
    partner: Partner,
    claimed_at: dt.datetime,
    works: Sequence[sending.LineWork],
) -> None:
    with fleet.session() as session:
        pending = lines.fence(session, claimed, [work.line for work in works])
        ours = [judge(partner, work, claimed_at) for work in works if work.line.key in pending]
        cases, woken = record(session, fleet, partner, claimed_at, ours)
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
