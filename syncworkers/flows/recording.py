"""Record what happened to deliveries, and what follows from it, in the transaction of the fence."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from typing import TYPE_CHECKING, Any

from syncworkers.canonical.kinds import Kind
from syncworkers.engine import lines
from syncworkers.flows.sending import SUCCESSES, entity
from syncworkers.rules import calendars, effects, expectations
from syncworkers.store import attention, customers, identity, outbox

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from sqlalchemy.orm import Session

    from syncworkers.flows.fleet import Fleet, Partner
    from syncworkers.flows.outcomes import LineRecord
    from syncworkers.flows.sending import Step


def record(
    session: Session,
    fleet: Fleet,
    partner: Partner,
    claimed_at: dt.datetime,
    records: Sequence[LineRecord],
) -> tuple[dict[int, int], set[int]]:
    """Write what happened to lines that are still ours.

    Returns the opened cases by delivery id, and the lanes whose waiting lines may go now.
    """
    outbox.change(session, [change for one in records for change in one.changes])
    steps = [step for one in records for step in one.steps]
    outbox.add_attempts(session, _attempts(fleet.worker, steps))
    identity.link(session, list(_links(partner, records)))
    customers.record_accounts(session, partner.policy.name, list(_accounts(records)))
    _note_expectations(session, fleet, partner, claimed_at, records)
    retried = [row["id"] for one in records for row in one.confirmed if row["retries"]]
    attention.resolve_by_success(session, "delivery", retried)
    cases = [case for one in records for case in one.cases]
    opened = attention.open_cases(session, cases)
    woken = lines.hasten(session, outbox.dependents(session, list(_settled(records))))
    return {case.about_id: number for case, number in zip(cases, opened, strict=True)}, woken


def _links(partner: Partner, records: Iterable[LineRecord]) -> Iterator[identity.NewLink]:
    for one in records:
        for kind, key in {entity(row) for row in one.confirmed}:
            external_id, version = one.links[kind, key]
            if external_id is not None:
                yield identity.NewLink(
                    kind=kind,
                    entity_id=key,
                    partner=partner.policy.name,
                    external_id=external_id,
                    external_version=version,
                )


def _accounts(records: Iterable[LineRecord]) -> Iterator[tuple[int, str, str]]:
    for one in records:
        for row in one.confirmed:
            if row["operation"] == effects.CUSTOMER_CREATE:
                yield row["entity_id"], row["body"]["company"], row["body"]["number"]


def _settled(records: Iterable[LineRecord]) -> Iterator[str]:
    """Name the deliveries that ended, as far as others may wait for them.

    One that rests is passed by what waits for it at another observed partner.
    """
    for one in records:
        for row in (*one.confirmed, *one.called_off, *one.pointless, *one.dead, *one.resting):
            if row["operation"] in effects.AWAITED:
                yield row["idempotency_key"]


def _note_expectations(
    session: Session,
    fleet: Fleet,
    partner: Partner,
    claimed_at: dt.datetime,
    records: Sequence[LineRecord],
) -> None:
    ended: dict[tuple[str, str, str], list[int]] = defaultdict(list)
    begun: list[attention.NewExpectation] = []
    for one in records:
        for row in one.confirmed:
            met = expectations.MEETS.get((partner.policy.role, row["operation"]))
            if met is not None:
                ended[row["entity_kind"], met, "met"].append(row["entity_id"])
            for name in expectations.ENDS.get(row["operation"], ()):
                ended[row["entity_kind"], name, "cancelled"].append(row["entity_id"])
            begun += [
                _expected(fleet, partner, claimed_at, row, name)
                for name in expectations.BEGINS.get(row["operation"], ())
            ]
        for row in (*one.called_off, *one.pointless):
            met = expectations.MEETS.get((partner.policy.role, row["operation"]))
            if met is not None:
                ended[row["entity_kind"], met, "cancelled"].append(row["entity_id"])
    attention.expect(session, begun)
    for (kind, name, state), entities in sorted(ended.items()):
        attention.end_expectations(session, kind, entities, name, state=state)


def _expected(
    fleet: Fleet, partner: Partner, now: dt.datetime, row: Mapping[str, Any], name: str
) -> attention.NewExpectation:
    """Expect what must follow; the time runs only while the warehouse works."""
    within = fleet.policy.expectations[name]
    calendar = fleet.policy.calendars.get(partner.policy.name)
    if calendar is not None:
        within = (calendars.working_end(calendar, now, within) - now).total_seconds()
    return attention.NewExpectation(
        name=name,
        entity_kind=Kind(row["entity_kind"]),
        entity_id=row["entity_id"],
        partner=partner.policy.name,
        within=within,
        correlation_id=row["correlation_id"],
    )


def _attempts(worker: str, steps: Sequence[Step]) -> list[dict[str, Any]]:
    """Fold the steps of one call that ended alike into one row, in the order of the calls."""
    alike: dict[tuple[Any, ...], list[Step]] = {}
    for step in steps:
        outcome = step.outcome
        key = (outcome.call or id(step), step.action, outcome.verdict, outcome.status)
        alike.setdefault((*key, outcome.error, outcome.answer), []).append(step)
    return [_attempt(worker, together) for together in alike.values()]


def _attempt(worker: str, steps: Sequence[Step]) -> dict[str, Any]:
    outcome = steps[0].outcome
    evidence = outcome.verdict not in SUCCESSES
    return {
        "delivery_ids": [step.row["id"] for step in steps],
        "action": steps[0].action,
        "verdict": outcome.verdict.value,
        "call": outcome.call,
        "status": outcome.status,
        "duration_ms": outcome.duration_ms,
        "error": outcome.error,
        "sent_hashes": [
            hashlib.sha256((step.outcome.sent or "").encode()).hexdigest() for step in steps
        ],
        "sent": outcome.sent if evidence else None,
        "answer": outcome.answer if evidence else None,
        "worker": worker,
    }
