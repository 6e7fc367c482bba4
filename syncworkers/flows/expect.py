"""Expectations: what should have followed and did not becomes a case by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from syncworkers.flows.lanes import OPEN_CASES
from syncworkers.flows.silence import watch_files
from syncworkers.store import attention

if TYPE_CHECKING:
    from syncworkers.flows.fleet import Fleet


def check_expectations(fleet: Fleet) -> int:
    """Open a case for each expectation whose time has passed; return how many."""
    with fleet.session() as session:
        overdue = attention.mark_overdue(session)
        attention.open_cases(
            session,
            [
                attention.NewCase(
                    about="expectation",
                    about_id=one.id,
                    partner=one.partner,
                    entity_kind=one.entity_kind,
                    entity=entity,
                    code=f"overdue.{one.name}",
                    error=f"{one.name} was due at {one.due_at:%Y-%m-%d %H:%M:%S} UTC",
                    violations=(),
                    payload=None,
                    correlation_id=one.correlation_id,
                )
                for one, entity in overdue
            ],
        )
    opened = len(overdue) + watch_files(fleet)
    if opened:
        fleet.waker.notify([OPEN_CASES])
    return opened
