"""What an answer of Dynamics 365 means: one table by status, one by text.

Contract: partner page, section 5. A change that was refused inside a batch was rolled back whole;
what a gateway says of a whole call leaves the outcome of its changes open.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from enum import Enum, auto
from typing import TYPE_CHECKING, Any

from syncworkers.connectors.base import Outcome, Verdict
from syncworkers.connectors.exact_json import load_json
from syncworkers.connectors.secrets import evidence
from syncworkers.errors import (
    CredentialsError,
    RejectedError,
    RetryableError,
    SyncError,
    UnknownOutcomeError,
    Violation,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from syncworkers.connectors.http import Answer


class Meaning(Enum):
    """What to do about an answer that is no success."""

    BUSY = auto()
    """It wants quiet, all of it."""
    AGAIN = auto()
    """Refused for now."""
    OPEN = auto()
    """Nobody knows whether it happened."""
    CREDENTIALS = auto()
    """Our token or registration is refused."""
    DRIFT = auto()
    """Something configured does not exist there: a setting or their version changed."""
    GONE = auto()
    """The object to change is not there."""
    MOVED = auto()
    """The object changed since we read it."""
    EXISTS = auto()
    """What we create is there already."""
    FAILED = auto()
    """Refused by a failure inside: worth one repeat after a look."""
    REFUSED = auto()
    """Refused by a business rule: a person must look."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """The outcome of a meaning; `after` is used where the answer itself says nothing of it."""

    verdict: Verdict
    after: float | None = None
    pause: bool = False
    credentials: bool = False


ENDINGS: Mapping[Meaning, Ending] = {
    Meaning.BUSY: Ending(verdict=Verdict.RETRY, after=30.0, pause=True),
    Meaning.AGAIN: Ending(verdict=Verdict.RETRY, after=60.0),
    Meaning.OPEN: Ending(verdict=Verdict.UNKNOWN),
    Meaning.CREDENTIALS: Ending(verdict=Verdict.RETRY, pause=True, credentials=True),
    Meaning.DRIFT: Ending(verdict=Verdict.RETRY, after=300.0, pause=True),
    Meaning.GONE: Ending(verdict=Verdict.REJECTED),
    Meaning.MOVED: Ending(verdict=Verdict.RETRY),
    Meaning.EXISTS: Ending(verdict=Verdict.UNKNOWN),
    Meaning.FAILED: Ending(verdict=Verdict.UNKNOWN),
    Meaning.REFUSED: Ending(verdict=Verdict.REJECTED),
}
"""What a change comes to when no further look is taken; a read that fails is only done again."""

BY_STATUS: Mapping[int, Meaning] = {
    400: Meaning.REFUSED,
    401: Meaning.CREDENTIALS,
    403: Meaning.AGAIN,
    404: Meaning.DRIFT,
    408: Meaning.OPEN,
    409: Meaning.EXISTS,
    412: Meaning.MOVED,
    429: Meaning.BUSY,
    500: Meaning.FAILED,
    502: Meaning.OPEN,
    503: Meaning.OPEN,
    504: Meaning.OPEN,
}
_EXISTS = re.compile(r"already\s+exists?\b", re.IGNORECASE)
_NO_SUCH_SET = re.compile(r"entity set|for the segment|no http resource", re.IGNORECASE)

CODES: tuple[tuple[re.Pattern[str], str, str], ...] = (
    (
        re.compile(r"dimension Site is mandatory", re.IGNORECASE),
        "erp.site_missing",
        "give the warehouse a site in the ERP, or book another warehouse",
    ),
    (
        re.compile(r"is not found in the related table|does not exist", re.IGNORECASE),
        "erp.value_unknown",
        "create the value in the ERP, or correct config/booking.toml",
    ),
    (
        re.compile(r"\b(picked|released|delivered|invoiced|packing slip)\b", re.IGNORECASE),
        "erp.too_late",
        "the warehouse has the order already: settle it with them",
    ),
)
REFUSED_CODE = "erp.refused"
TOO_MUCH = frozenset({400, 413})
"""A whole call refused so was not begun: one of its requests may be to blame."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """An answer that is no success, read once; `call` and `duration_ms` are those of outcomes."""

    status: int
    meaning: Meaning
    text: str
    after: float | None = None
    call: str = ""
    duration_ms: int = 0


Result = Outcome | Refusal
"""What became of a request: a refusal may deserve a second look before it becomes an outcome."""


def read_refusal(
    status: int, body: bytes, *, change_of_key: bool = False, after: float | None = None
) -> Refusal:
    """Classify an answer. `change_of_key` says that it answers a change of one keyed object."""
    text = _text(body)
    others = Meaning.REFUSED if 400 <= status < 500 else Meaning.OPEN
    meaning = BY_STATUS.get(status, others)
    if meaning in {Meaning.REFUSED, Meaning.FAILED} and _EXISTS.search(text):
        meaning = Meaning.EXISTS
    elif meaning is Meaning.FAILED and not _is_write_refusal(body):
        meaning = Meaning.OPEN
    elif meaning is Meaning.DRIFT and change_of_key and not _NO_SUCH_SET.search(text):
        meaning = Meaning.GONE
    return Refusal(status=status, meaning=meaning, text=text or f"status {status}", after=after)


def read_whole_refusal(answer: Answer) -> Refusal:
    """Classify the refusal of a whole call that carried many requests."""
    refusal = read_refusal(answer.status, answer.body, after=answer.retry_after)
    if refusal.meaning is Meaning.REFUSED and answer.status not in TOO_MUCH:
        # It refuses the way we call, nobody's content: nobody's request may die of that.
        return replace(refusal, meaning=Meaning.DRIFT)
    return refusal


def settle(result: Result, *, is_read: bool = False) -> Outcome:
    """Take a result as it is: a refusal becomes its outcome."""
    return refuse(result, is_read=is_read) if isinstance(result, Refusal) else result


def refuse(refusal: Refusal, *, is_read: bool = False) -> Outcome:
    """Turn a refusal into the outcome of a request, as far as no further look is taken."""
    ending = ENDINGS[refusal.meaning]
    is_final = ending.verdict is Verdict.REJECTED and not is_read
    return Outcome(
        verdict=Verdict.RETRY if is_read else ending.verdict,
        after=ending.after if refusal.after is None else refusal.after,
        pause=ending.pause,
        credentials=ending.credentials,
        violations=(_violation(refusal),) if is_final else (),
        status=refusal.status,
        error=refusal.text,
        answer=refusal.text,
        call=refusal.call,
        duration_ms=refusal.duration_ms,
    )


def lose(error: SyncError) -> Outcome:
    """Turn what the transport says of a call into the outcome of its requests."""
    text = str(error)
    if isinstance(error, UnknownOutcomeError):
        return Outcome(verdict=Verdict.UNKNOWN, error=text)
    if isinstance(error, CredentialsError):
        return Outcome(verdict=Verdict.RETRY, pause=True, credentials=True, error=text)
    if isinstance(error, RetryableError):
        return Outcome(verdict=Verdict.RETRY, after=error.after, pause=error.throttled, error=text)
    raise error


def reject(code: str, message: str, *, path: str = "", status: int | None = None) -> Outcome:
    """Make the outcome that calls a person."""
    violation = Violation(path=path, code=code, message=message)
    return Outcome(verdict=Verdict.REJECTED, status=status, error=message, violations=(violation,))


def failed_read(refusal: Refusal, what: str) -> SyncError:
    """Return the error of a read that was refused; `what` names it, with the setting to look at."""
    ending = ENDINGS[refusal.meaning]
    text = f"{what}: {refusal.text}"
    if refusal.meaning is Meaning.CREDENTIALS:
        return CredentialsError(text)
    if ending.verdict is Verdict.REJECTED:
        violation = Violation(path="", code="partner.contract", message=text)
        return RejectedError(text, violations=[violation])
    after = ending.after if refusal.after is None else refusal.after
    return RetryableError(text, after=after, throttled=ending.pause)


def _violation(refusal: Refusal) -> Violation:
    if refusal.meaning is Meaning.GONE:
        message = f"the order to change is not there: {refusal.text}"
        return Violation(path="", code="erp.order_missing", message=message)
    for pattern, code, remedy in CODES:
        if pattern.search(refusal.text):
            return Violation(path="", code=code, message=f"{refusal.text} ({remedy})")
    return Violation(path="", code=REFUSED_CODE, message=refusal.text)


def _error(body: bytes) -> dict[str, Any]:
    try:
        fields = load_json(body)
    except ValueError:
        return {}
    error = fields.get("error") if isinstance(fields, dict) else None
    return error if isinstance(error, dict) else {}


def _text(body: bytes) -> str:
    """Return what it says, without its stack trace: the inner message where there is one."""
    error = _error(body)
    inner = error.get("innererror")
    if isinstance(inner, dict) and inner.get("message"):
        return evidence(str(inner["message"]))
    if error:
        return evidence(str(error.get("message") or ""))
    return evidence(body.decode("utf-8", "replace").strip(), limit=500)


def _is_write_refusal(body: bytes) -> bool:
    inner = _error(body).get("innererror")
    return isinstance(inner, dict) and "AxODataWriteException" in str(inner.get("type", ""))
