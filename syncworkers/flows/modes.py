"""Modes: a person has a partner observed, goes live with it, pauses what it is sent, or resumes."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from syncworkers.engine import lanes, lines, slots
from syncworkers.engine.halving import run_halved
from syncworkers.errors import RejectedError, Violation
from syncworkers.flows.lanes import deliver_lane
from syncworkers.flows.subscribe import audit_entry
from syncworkers.store import attention, partner_state
from syncworkers.store.partner_state import Mode

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.orm import Session

    from syncworkers.engine.lanes import LaneHandle
    from syncworkers.flows.fleet import Fleet, Partner

WATCH = 3600.0
"""Seconds after going live in which new deliveries are looked up first: an earlier integration may
have done last what we read late."""
LOOK_EVERY = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class ModeChange:
    """What came of it.

    `released` deliveries are looked up, and sent where they are not there. `under_way` batches,
    begun while the partner was live, had not ended when we stopped waiting.
    """

    partner: str
    mode: Mode
    changed: bool
    released: int = 0
    under_way: int = 0


def named(fleet: Fleet, partner: str) -> Partner:
    """Return a partner by its name; raises `RejectedError` where there is none."""
    found = fleet.partners.get(partner)
    if found is None:
        message = f"there is no partner {partner!r}; there are {', '.join(sorted(fleet.partners))}"
        violation = Violation(path="partner", code="partner.unknown", message=message)
        raise RejectedError(message, violations=[violation])
    return found


def observe(
    fleet: Fleet, partner: str, *, actor: str, reason: str, patience: float | None = None
) -> ModeChange:
    """Write nothing more to a partner, and return once nothing begun before can still be written.

    Batches under way end at their next call; they are waited for `patience` seconds, by default as
    long as a lease lasts.
    """
    lane = fleet.lanes[deliver_lane(named(fleet, partner).policy)]
    with fleet.session() as session:
        before = partner_state.lock(session, partner)
        changed = before is None or before.mode != Mode.OBSERVE
        if changed:
            partner_state.change(
                session, partner, Mode.OBSERVE, actor=actor, reason=reason, mistrust=0.0
            )
            _audit(session, partner, "partners.mode", actor, reason, mode=Mode.OBSERVE.value)
    left = _drain(fleet, partner, lane, lane.spec.lease if patience is None else patience)
    return ModeChange(partner=partner, mode=Mode.OBSERVE, changed=changed, under_way=left)


def _drain(fleet: Fleet, partner: str, lane: LaneHandle, patience: float) -> int:
    """Wait for the batches that may have read the former mode; return how many are left.

    Those that are claimed from now on read the new one, so only present owners count.
    """
    end = time.monotonic() + patience
    with fleet.session() as session:
        owners = lines.owners(session, lane.id)
    while True:
        with fleet.session() as session:
            left = len(owners & lines.owners(session, lane.id))
            left += slots.is_held(session, audit_entry(partner))
        if not left or time.monotonic() >= end:
            return left
        threading.Event().wait(LOOK_EVERY)


def go_live(
    fleet: Fleet, partner: str, *, actor: str, reason: str, watch: float = WATCH
) -> ModeChange:
    """Send what is still owed, unless a look shows that it is there already.

    All that rests is looked up first, by link, reference and content; and so is what is new within
    `watch` seconds.
    """
    lane = fleet.lanes[deliver_lane(named(fleet, partner).policy)]
    released: list[int] = []

    def release(_: Sequence[str]) -> None:
        released[:] = []
        with fleet.session() as session:
            before = partner_state.lock(session, partner)
            if before is None or before.mode == Mode.LIVE:
                return
            partner_state.change(
                session, partner, Mode.LIVE, actor=actor, reason=reason, mistrust=watch
            )
            count = partner_state.release(session, partner)
            partner_state.renew_expectations(session, partner, fleet.policy.expectations)
            told = {"mode": Mode.LIVE.value, "released": count}
            _audit(session, partner, "partners.mode", actor, reason, **told)
        released.append(count)

    # Rows and lines of a whole week are locked at once: a deadlock with a worker runs it again.
    run_halved([partner], release, _raise)
    if not released:
        return ModeChange(partner=partner, mode=Mode.LIVE, changed=False)
    fleet.waker.notify([lane.name])
    return ModeChange(partner=partner, mode=Mode.LIVE, changed=True, released=released[0])


def _raise(partner: str, error: Exception) -> None:  # noqa: ARG001 - as `run_halved` calls it
    raise error


def pause(
    fleet: Fleet, partner: str, *, actor: str, reason: str, seconds: float | None = None
) -> None:
    """Send a partner nothing for some seconds, or until it is resumed; reading goes on.

    A batch under way ends as it would have.
    """
    lane = fleet.lanes[deliver_lane(named(fleet, partner).policy)]
    with fleet.session() as session:
        lanes.pause(session, lane.id, seconds=seconds, reason=reason, actor=actor)
        _audit(session, partner, "partners.pause", actor, reason, seconds=seconds)


def resume(fleet: Fleet, partner: str, *, actor: str, reason: str) -> None:
    """Let a partner be sent what it is owed again, whoever had paused it."""
    lane = fleet.lanes[deliver_lane(named(fleet, partner).policy)]
    with fleet.session() as session:
        lanes.resume(session, lane.id)
        _audit(session, partner, "partners.resume", actor, reason)
    fleet.waker.notify([lane.name])


def _audit(
    session: Session, partner: str, act: str, actor: str, reason: str, **more: object
) -> None:
    attention.audit(
        session,
        actor=actor,
        act=act,
        about="partner",
        about_id=None,
        partner=partner,
        reason=reason,
        **more,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How a partner stands; `planned` deliveries rest until it goes live, `open` ones are owed."""

    partner: str
    connector: str
    role: str
    mode: Mode
    since: str | None
    changed_by: str | None
    reason: str | None
    paused: str | None
    planned: int
    open: int
    blocked: int


def standings(fleet: Fleet) -> Sequence[Standing]:
    """Say how every partner stands."""
    with fleet.session() as session:
        states = partner_state.modes(session)
        resting = partner_state.resting(session)
        loads = {one.name: one for one in lanes.loads(session)}
    found = []
    for name, partner in sorted(fleet.partners.items()):
        state = states.get(name)
        load = loads[deliver_lane(partner.policy)]
        found.append(
            Standing(
                partner=name,
                connector=partner.policy.connector,
                role=partner.policy.role,
                mode=Mode(state.mode) if state else Mode.LIVE,
                since=state.since.isoformat() if state else None,
                changed_by=state.changed_by if state else None,
                reason=state.reason if state else None,
                paused=load.paused_reason,
                planned=resting.get(name, 0),
                open=load.rows,
                blocked=load.blocked,
            )
        )
    return found
