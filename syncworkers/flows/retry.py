"""Retry: a person has the row of a case tried again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from syncworkers.engine import lines
from syncworkers.errors import RejectedError, Violation
from syncworkers.store import attention, cases, outbox

if TYPE_CHECKING:
    from syncworkers.flows.fleet import Fleet


def retry(fleet: Fleet, case_id: int, *, actor: str) -> None:
    """Open the row of a case again, unblock what the case blocks, and note who did it.

    What was dropped because of it is owed again as well: the answer may be another one now. A
    delivery keeps its idempotency key, and what may have happened before is looked up first.
    Raises `RejectedError` where there is nothing to retry.
    """
    with fleet.session() as session:
        case = cases.lock(session, case_id)
        if case is None:
            raise _refusal(
                "case.unknown", f"there is no case {case_id}; `exceptions list` shows them"
            )
        row = cases.row_of(session, case)
        if row is None or case.state != "open":
            raise _refusal(
                "case.not_retryable",
                f"case {case_id} is {case.state} and about a {case.about}: nothing to try again",
            )
        session.refresh(row, with_for_update=True)
        if row.state not in {"rejected", "dead"}:
            raise _refusal("case.moved_on", f"its {case.about} is {row.state} by now")
        dropped = outbox.dropped_with(session, row) if isinstance(row, outbox.Delivery) else []
        for one in sorted([row, *dropped], key=lambda one: (one.lane, one.line)):
            lines.enqueue(session, one.lane, [one.line])
            cases.reopen(session, one)
        for lane, key in cases.blocked_by(session, case_id):
            lines.unblock(session, lane, key)
        case.state = "retried"
        attention.audit(
            session,
            actor=actor,
            act="exceptions.retry",
            about=case.about,
            about_id=case.about_id,
            case=case_id,
        )
        lanes = {one.lane for one in (row, *dropped)}
    fleet.waker.notify([lane.name for lane in fleet.lanes.values() if lane.id in lanes])


def _refusal(code: str, message: str) -> RejectedError:
    return RejectedError(message, violations=[Violation(path="", code=code, message=message)])
