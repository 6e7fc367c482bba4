"""What an answer of Adobe Commerce means.

Contract: partner page, section 5. A message is a template with `%1` or `%name` and its parameters a
list or an object; where it comes from a front, it is HTML.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum, auto
from typing import TYPE_CHECKING, Any

from syncworkers.connectors.base import Outcome, Verdict
from syncworkers.connectors.exact_json import load_json
from syncworkers.connectors.secrets import evidence
from syncworkers.errors import (
    CredentialsError,
    RejectedError,
    RetryableError,
    UnknownOutcomeError,
    Violation,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from syncworkers.connectors.http import Answer
    from syncworkers.errors import SyncError

BUSY_WAIT = 30.0
SERVER_WAIT = 2.0
CODE = "store.refused"
NO_PRODUCTS = "You can't create a shipment without products"
"""Of a bundle that is shipped together, only the bundle itself can be shipped."""
_AGAIN = ("nonce_used", "timestamp_refused", "oauth_problem=nonce", "oauth_problem=timestamp")
_BEARER_OFF = "isn't authorized to access"
_DEADLOCK = re.compile(r"(?i)deadlock|lock wait timeout|\b(?:1213|1205)\b")
_PLACE = re.compile(r"%(\w+)")


class Meaning(Enum):
    """What an answer that is no success says of the call."""

    BUSY = auto()
    """It wants quiet, and did nothing."""
    SIGN_AGAIN = auto()
    """The signature was used before or is out of time: nothing happened."""
    CREDENTIALS = auto()
    UNDONE = auto()
    """The database gave it up whole."""
    OPEN = auto()
    """Nobody knows whether it happened."""
    MISSING = auto()
    REFUSED = auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """An answer that is no success, in words that may be shown."""

    meaning: Meaning
    text: str
    after: float | None = None
    violations: tuple[Violation, ...] = ()


def read_refusal(answer: Answer, secrets: Iterable[str]) -> Refusal:
    """Say what an answer that is not 2xx means."""
    fields = _fields(answer)
    told = _told(fields) if fields else ""
    text = evidence(f"Adobe Commerce answers {answer.status}: {told or 'no reason'}", secrets, 500)
    meaning = _meaning(answer.status, told, known=bool(fields))
    if meaning is Meaning.CREDENTIALS and _BEARER_OFF in told:
        text += "; allow OAuth access tokens as bearer tokens there, or grant the resource"
    violations = (Violation(path="", code=CODE, message=text),)
    return Refusal(meaning=meaning, text=text, after=answer.retry_after, violations=violations)


def _meaning(status: int, told: str, *, known: bool) -> Meaning:
    if status == 429:
        return Meaning.BUSY
    if status in {400, 401, 403} and any(one in told for one in _AGAIN):
        return Meaning.SIGN_AGAIN
    if status in {401, 403}:
        return Meaning.CREDENTIALS
    if _DEADLOCK.search(told):
        return Meaning.UNDONE
    if status >= 500 or status == 408 or not known:
        return Meaning.OPEN
    return Meaning.MISSING if status == 404 else Meaning.REFUSED


def outcome_of(refusal: Refusal, *, is_read: bool) -> Outcome:
    """Say what a refusal comes to for whoever the call was for."""
    match refusal.meaning:
        case Meaning.BUSY:
            after = BUSY_WAIT if refusal.after is None else refusal.after
            return Outcome(verdict=Verdict.RETRY, after=after, pause=True, error=refusal.text)
        case Meaning.CREDENTIALS:
            return Outcome(verdict=Verdict.RETRY, pause=True, credentials=True, error=refusal.text)
        case Meaning.SIGN_AGAIN | Meaning.UNDONE:
            return Outcome(verdict=Verdict.RETRY, after=refusal.after, error=refusal.text)
        case Meaning.OPEN:
            verdict = Verdict.RETRY if is_read else Verdict.UNKNOWN
            return Outcome(verdict=verdict, after=refusal.after, error=refusal.text)
        case Meaning.MISSING | Meaning.REFUSED:
            return Outcome(
                verdict=Verdict.REJECTED, error=refusal.text, violations=refusal.violations
            )


def error_of(refusal: Refusal) -> SyncError:
    """Turn the refusal of a read into the verdict it is."""
    if refusal.meaning is Meaning.CREDENTIALS:
        return CredentialsError(refusal.text)
    if refusal.meaning in {Meaning.MISSING, Meaning.REFUSED}:
        return RejectedError(refusal.text, violations=refusal.violations)
    busy = refusal.meaning is Meaning.BUSY
    after = refusal.after if refusal.after is not None else (BUSY_WAIT if busy else SERVER_WAIT)
    return RetryableError(refusal.text, after=after, throttled=busy)


def lost(error: SyncError) -> Outcome:
    """Say what a call comes to that brought no answer."""
    if isinstance(error, UnknownOutcomeError):
        return Outcome(verdict=Verdict.UNKNOWN, error=str(error))
    if isinstance(error, CredentialsError):
        return Outcome(verdict=Verdict.RETRY, pause=True, credentials=True, error=str(error))
    if isinstance(error, RejectedError):
        return Outcome(
            verdict=Verdict.REJECTED, error=str(error), violations=tuple(error.violations)
        )
    after = getattr(error, "after", None)
    pause = bool(getattr(error, "throttled", False))
    return Outcome(verdict=Verdict.RETRY, after=after, pause=pause, error=str(error))


def _fields(answer: Answer) -> Mapping[str, Any]:
    try:
        fields = load_json(answer.body)
    except ValueError:
        return {}
    return fields if isinstance(fields, dict) else {}


def _told(fields: Mapping[str, Any]) -> str:
    """Put a message together, with those of its single errors; its trace is nobody's business."""
    found = [_message(fields)]
    errors = fields.get("errors")
    if isinstance(errors, list):
        found += [_message(one) for one in errors if isinstance(one, dict)]
    if isinstance(fields.get("oauth_problem"), str):
        found.append(fields["oauth_problem"])
    return "; ".join(filter(None, found))


def _message(fields: Mapping[str, Any]) -> str:
    template, given = str(fields.get("message") or ""), fields.get("parameters")
    values: dict[str, Any] = {}
    if isinstance(given, list):
        values = {str(place): one for place, one in enumerate(given, start=1)}
    elif isinstance(given, dict):
        values = given
    return _PLACE.sub(lambda match: str(values.get(match[1], match[0])), template)
