"""What an answer of ShipBob means: one table by status, one by code, for all its error shapes.

Contract: partner page, section 5. How refusals are worded is unverified: of their texts only the
seconds of a 429 are read here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum, auto
from typing import TYPE_CHECKING, Any, NoReturn

from syncworkers.connectors.base import Outcome, Verdict
from syncworkers.connectors.exact_json import load_json
from syncworkers.connectors.http import http_date, parse_retry_after
from syncworkers.connectors.secrets import evidence
from syncworkers.connectors.shipbob.wire import clean
from syncworkers.errors import (
    CredentialsError,
    RejectedError,
    RetryableError,
    UnknownOutcomeError,
    Violation,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from syncworkers.connectors.http import Answer
    from syncworkers.errors import SyncError


class Meaning(Enum):
    """What to do about an answer that is no success."""

    BUSY = auto()
    """It wants quiet, all of it."""
    CREDENTIALS = auto()
    """Our token is refused, or may not do this; nothing can be renewed by itself."""
    OPEN = auto()
    """Nobody knows whether it happened."""
    DRIFT = auto()
    """The address does not exist there: a setting is wrong or their version ended."""
    GONE = auto()
    """The order to change is not there."""
    LATE = auto()
    """The warehouse is too far with it."""
    REFUSED = auto()
    """Refused for what it says: a person must look."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """The outcome of a meaning; `after` is used where the answer itself says nothing of it."""

    verdict: Verdict
    code: str = ""
    after: float | None = None
    pause: bool = False
    credentials: bool = False


ENDINGS: Mapping[Meaning, Ending] = {
    Meaning.BUSY: Ending(verdict=Verdict.RETRY, after=30.0, pause=True),
    Meaning.CREDENTIALS: Ending(verdict=Verdict.RETRY, pause=True, credentials=True),
    Meaning.OPEN: Ending(verdict=Verdict.UNKNOWN),
    Meaning.DRIFT: Ending(verdict=Verdict.RETRY, after=300.0, pause=True),
    Meaning.GONE: Ending(verdict=Verdict.REJECTED, code="warehouse.order_missing"),
    Meaning.LATE: Ending(verdict=Verdict.REJECTED, code="warehouse.too_late"),
    Meaning.REFUSED: Ending(verdict=Verdict.REJECTED, code="warehouse.refused"),
}
"""What a change comes to when no further look is taken; a read that fails is only done again."""

BY_STATUS: Mapping[int, Meaning] = {
    400: Meaning.REFUSED,
    401: Meaning.CREDENTIALS,
    403: Meaning.CREDENTIALS,
    408: Meaning.OPEN,
    409: Meaning.REFUSED,
    413: Meaning.REFUSED,
    422: Meaning.REFUSED,
    429: Meaning.BUSY,
}
"""Every other 4xx is drift: it refuses the way we call, and no order may die of that."""

BY_CODE: Mapping[str, Meaning] = {
    "INVALID_PARAMETER": Meaning.REFUSED,
    "VALIDATION_ERROR": Meaning.REFUSED,
    "DATABASE_UPDATE_ERROR": Meaning.OPEN,
    "REPROCESSING_ERROR": Meaning.OPEN,
    "DEALLOCATE_ERROR": Meaning.OPEN,
    "NOT_FOUND": Meaning.GONE,
    "CONFLICT": Meaning.LATE,
}
"""The codes of changes to a shipment."""

TEXTS: Mapping[int, str] = {
    401: "ShipBob refuses our token (401): make a new access token and put it where access_token"
    " of the partner file points",
    403: "ShipBob forbids this (403): the token lacks a scope, or channel_id is not its channel",
    404: "ShipBob knows no such address (404)",
}
"""What is told where an answer says nothing; 401 and 403 have no body."""
SERVER_WAIT = 2.0
COMPLAINTS_LIMIT = 50
_SECONDS = re.compile(r"\bin\s+(\d{1,6}(?:\.\d{1,6})?)\s+seconds?\b", re.IGNORECASE)
_TOLD = ("message", "detail", "title")
"""In which key an object says what is wrong, the most telling first."""
_SILENT = frozenset(
    "$type code content_types declared_type details error errors formatters instance stackTrace"
    " status statusCode status_code type value".split()
)
"""Keys that are no name of a field that was refused."""
_NESTED = ("errors", "error", "value")

Complaint = tuple[str, str]
"""Path, which may be empty, and text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """An answer that is no success, read once."""

    status: int
    meaning: Meaning
    text: str
    complaints: tuple[Complaint, ...] = ()
    after: float | None = None


def read_refusal(answer: Answer, secrets: Sequence[str], *, of_order: bool = False) -> Refusal:
    """Classify an answer. `of_order` says that it answers a change of one order or shipment."""
    told = complaints(answer.body)
    hidden = [(evidence(path, secrets, 100), evidence(text, secrets, 1000)) for path, text in told]
    others = Meaning.DRIFT if 400 <= answer.status < 500 else Meaning.OPEN
    meaning = BY_STATUS.get(answer.status, others)
    if of_order and answer.status == 404:
        meaning = Meaning.GONE
    elif of_order and meaning is Meaning.REFUSED:
        meaning = BY_CODE.get(_code(answer.body), meaning)
    fallback = TEXTS.get(answer.status, f"ShipBob answers {answer.status}")
    return Refusal(
        status=answer.status,
        meaning=meaning,
        text=evidence("; ".join(_shown(*one) for one in hidden)) or fallback,
        complaints=tuple(hidden),
        after=wait_of(answer),
    )


def wait_of(answer: Answer) -> float | None:
    """Return the seconds a busy ShipBob asks us to wait; None where it does not say."""
    # A date is compared with the partner's own clock where it shows it.
    now = http_date(answer.headers.get("Date", "")) or 0.0
    told = parse_retry_after(answer.headers.get("x-retry-after", ""), now)
    if told is None:
        told = answer.retry_after
    if told is None and answer.status == 429:
        match = _SECONDS.search(answer.text[:1000])
        told = float(match[1]) if match else None
    return told


def refuse(refusal: Refusal, *, is_read: bool = False) -> Outcome:
    """Turn a refusal into the outcome of a request, as far as no further look is taken."""
    ending = ENDINGS[refusal.meaning]
    is_final = ending.verdict is Verdict.REJECTED and not is_read
    return Outcome(
        verdict=Verdict.RETRY if is_read else ending.verdict,
        after=ending.after if refusal.after is None else refusal.after,
        pause=ending.pause,
        credentials=ending.credentials,
        violations=_violations(ending.code, refusal) if is_final else (),
        status=refusal.status,
        error=refusal.text,
        answer=refusal.text,
    )


def raise_refusal(refusal: Refusal) -> NoReturn:
    """Raise what a refused read means.

    `RetryableError`, `CredentialsError`, or `RejectedError` where asking again cannot help.
    """
    match refusal.meaning:
        case Meaning.CREDENTIALS:
            raise CredentialsError(refusal.text)
        case Meaning.BUSY | Meaning.OPEN:
            busy = refusal.meaning is Meaning.BUSY
            after = ENDINGS[Meaning.BUSY].after if busy else SERVER_WAIT
            after = after if refusal.after is None else refusal.after
            raise RetryableError(refusal.text, after=after, throttled=busy)
        case _:
            told = f"ShipBob refuses our query: {refusal.text}; look at url and api_version"
            violation = Violation(path="", code="partner.contract", message=told)
            raise RejectedError(told, violations=[violation])


def lost(error: SyncError) -> Outcome:
    """Turn what the transport says into an outcome."""
    if isinstance(error, UnknownOutcomeError):
        return Outcome(verdict=Verdict.UNKNOWN, error=str(error))
    if isinstance(error, RetryableError):
        return Outcome(
            verdict=Verdict.RETRY, after=error.after, pause=error.throttled, error=str(error)
        )
    raise error


def reject(code: str, message: str) -> Outcome:
    """Refuse a request for one reason; the message may hold words of the warehouse."""
    message = evidence(clean(message), limit=1000)
    violation = Violation(path="", code=code, message=message)
    return Outcome(verdict=Verdict.REJECTED, error=message, violations=(violation,))


def complaints(body: bytes) -> list[Complaint]:
    """Read what an answer complains of, whatever its shape; never raises.

    Shapes: fields with their messages, `errors`, problem details, code and message, a bare text,
    no JSON at all, nothing. Stack traces are left out.
    """
    try:
        value = load_json(body)
    except ValueError:
        text = body[:2000].decode("utf-8", "replace").strip()
        return [("", text[:500])] if text else []
    return list(_complaints("", value, 0))[:COMPLAINTS_LIMIT]


def _complaints(path: str, value: Any, depth: int) -> Iterator[Complaint]:
    if depth > 4:
        return
    if isinstance(value, str) and value.strip():
        yield path, clean(value.strip())
    elif isinstance(value, list):
        for one in value:
            yield from _complaints(path, one, depth + 1)
    elif isinstance(value, dict):
        yield from _of_object(path, value, depth)


def _of_object(path: str, value: dict[str, Any], depth: int) -> Iterator[Complaint]:
    told = next((value[key] for key in _TOLD if isinstance(value.get(key), str)), "")
    if told.strip():
        code = value.get("code")
        yield path, clean(f"{code}: {told.strip()}" if isinstance(code, str) else told.strip())
    for key in _NESTED:
        yield from _complaints(path, value.get(key), depth + 1)
    for key, inner in value.items():
        if key not in _SILENT and not (key in _TOLD and isinstance(inner, str)):
            yield from _complaints(clean(key) or path, inner, depth + 1)


def _code(body: bytes) -> str:
    try:
        value = load_json(body)
    except ValueError:
        return ""
    return str(value.get("code", "")) if isinstance(value, dict) else ""


def _shown(path: str, text: str) -> str:
    return f"{path}: {text}" if path else text


def _violations(code: str, refusal: Refusal) -> tuple[Violation, ...]:
    told = refusal.complaints or (("", refusal.text),)
    return tuple(Violation(path=path, code=code, message=text) for path, text in told)
