"""What came before its order: it waits for it, and becomes a case when it waits too long."""

from __future__ import annotations

from typing import TYPE_CHECKING

from syncworkers.errors import RejectedError, SyncError, Violation, WaitingError

if TYPE_CHECKING:
    import datetime as dt

    from syncworkers.flows.reading import Reading


def await_parent(  # noqa: PLR0913 - what is missing has three sides, all named
    reading: Reading, *, key: str, code: str, what: str, now: dt.datetime, patience: float
) -> SyncError:
    """Return the verdict on a message whose parent is not here; `patience` is in seconds.

    `key` is what the parent's arrival wakes, `what` says what is missing, for people.
    """
    waited = (now - reading.row["received_at"]).total_seconds()
    if waited < patience:
        return WaitingError(f"{what} is not here yet", key=key)
    message = (
        f"{what} did not come within {patience:.0f} s: find out who made this at "
        f"{reading.partner}, then retry, or leave it as it is"
    )
    return RejectedError(
        f"{what} is not known here", violations=[Violation(path="", code=code, message=message)]
    )
