"""Retry: a person has the row of a case tried again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa

from syncworkers.engine import lines
from syncworkers.errors import RejectedError, Violation
from syncworkers.store import attention, cases

if TYPE_CHECKING:
    from syncworkers.flows.fleet import Fleet


def retry(fleet: Fleet, case_id: int, *, actor: str) -> None:
    """Open the row of a case again, unblock what the case blocks, and note who did it.

    A delivery keeps its idempotency key, and what may have happened before is looked up first.
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
        lines.enqueue(session, row.lane, [row.line])
        if not cases.reopen(session, row):
            raise _refusal("case.moved_on", f"its {case.about} is {row.state} by now")
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
        lane_name = session.execute(
            sa.text("SELECT name FROM lane WHERE id = :id"), {"id": row.lane}
        ).scalar_one()
    fleet.waker.notify([lane_name])


def _refusal(code: str, message: str) -> RejectedError:
    return RejectedError(message, violations=[Violation(path="", code=code, message=message)])
