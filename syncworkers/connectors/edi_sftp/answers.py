"""What became of a cancel: that it lies there says nothing, the warehouse's own documents do.

Until then the order is live. Source: X12 004010, 940 with W05-01 F, answered by a 945 or never.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from syncworkers.connectors.base import Outcome, Verdict
from syncworkers.errors import Violation

if TYPE_CHECKING:
    import datetime as dt

    from syncworkers.x12.ledger import Frozen

REFUSED = "warehouse.cancel_refused"
PARTIAL = "warehouse.cancel_partial"
UNANSWERED = "warehouse.cancel_unanswered"
RESTORED = "edi.sent_or_not"
LEFT = {
    "shipped": (REFUSED, "the goods have left: have them returned, or settle it"),
    "partial": (PARTIAL, "a part of it had left: have that returned, or settle it"),
}
"""By what the warehouse has said of the part: the code of the case, and what to do."""


def to_cancel(frozen: Frozen, patience: float) -> Outcome:
    """Judge a cancel that lies there by what the warehouse has said of the part since.

    After `patience` seconds of silence it is for a person.
    """
    if frozen.answer == "cancelled":
        return Outcome(verdict=Verdict.CONFIRMED, external_id=frozen.reference, call=frozen.name)
    if frozen.answer is not None:
        return _rejected(frozen, *LEFT[frozen.answer])
    if frozen.waiting > patience:
        told = f"no answer for {frozen.waiting / 3600:.0f} hours: ask the warehouse by telephone"
        return _rejected(frozen, UNANSWERED, told)
    return Outcome(
        verdict=Verdict.PENDING, error="the warehouse has not answered", call=frozen.name
    )


def unreadable(frozen: Frozen) -> Outcome:
    """Judge a cancel that the warehouse could not read."""
    told = f"the warehouse could not read it ({frozen.detail}): tell it by telephone"
    return _rejected(frozen, REFUSED, told)


def never_there(create: Frozen) -> Outcome:
    """Judge a cancel of what the warehouse refused: there is nothing that could be shipped."""
    told = f"the warehouse refused the part itself, sent as {create.number}/{create.place:04}"
    return Outcome(verdict=Verdict.CONFIRMED, external_id=create.reference, answer=told)


def lost(reference: str, placed: dt.datetime, restored: dt.datetime) -> Outcome:
    """Judge an order that the ledger does not know, and perhaps only forgot."""
    if placed > restored:
        return Outcome(verdict=Verdict.ABSENT)
    when = f"{restored:%Y-%m-%d %H:%M} UTC"
    told = (
        f"{reference} may have been sent before the database was restored at {when}: ask the"
        " warehouse whether it has it; if it has not, retry"
    )
    violation = Violation(path="", code=RESTORED, message=told)
    return Outcome(verdict=Verdict.REJECTED, error=told, violations=(violation,))


def _rejected(frozen: Frozen, code: str, message: str) -> Outcome:
    told = f"cancel of {frozen.reference}, sent as {frozen.number}/{frozen.place:04}: {message}"
    violation = Violation(path="", code=code, message=told)
    return Outcome(verdict=Verdict.REJECTED, error=told, violations=(violation,), call=frozen.name)
