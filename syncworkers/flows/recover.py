"""Recover: after the database went back in time, nothing is sent again that is there already.

What was done in the lost time stands at the partners and in no row of ours. So whatever could have
been sent is looked up first, by our permanent references; and what was read is read again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from syncworkers.errors import RejectedError, Violation
from syncworkers.store import attention, edi_files, recovery
from syncworkers.store import fleet as fleet_state

if TYPE_CHECKING:
    import datetime as dt

    from syncworkers.flows.fleet import Fleet

WATCH = 3600.0
"""Seconds in which new deliveries are mistrusted too: until polls have read all that was lost."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovered:
    """What was done: deliveries to look up, cursors that went back, and until when we mistrust."""

    since: dt.datetime
    deliveries: int
    cursors: int
    until: dt.datetime


def recover(fleet: Fleet, since: dt.datetime, *, actor: str, watch: float = WATCH) -> Recovered:
    """Prepare a database that went back to `since`; may be run again.

    Raises `RejectedError` for a time in the future, and while workers hold leases.
    """
    with fleet.session() as session:
        now = fleet_state.now(session)
        if since > now:
            message = f"--since {since.isoformat()} lies in the future; it is {now.isoformat()}"
            raise _refusal("recover.in_future", message)
        lines, seconds = recovery.leased(session)
        if lines:
            message = (
                f"workers hold {lines} lines: stop all workers first; what died with the database "
                f"lets go within {seconds:.0f} s"
            )
            raise _refusal("recover.workers_run", message)
        recovered = Recovered(
            since=since,
            deliveries=recovery.mistrust_deliveries(session),
            cursors=recovery.rewind_cursors(session, since),
            until=recovery.begin(session, since=since, watch=watch, actor=actor),
        )
        edi_files.leap(session)
        attention.audit(
            session,
            actor=actor,
            act="recover",
            about="database",
            about_id=None,
            since=since.isoformat(),
            deliveries=recovered.deliveries,
            cursors=recovered.cursors,
        )
    return recovered


def _refusal(code: str, message: str) -> RejectedError:
    return RejectedError(message, violations=[Violation(path="since", code=code, message=message)])
