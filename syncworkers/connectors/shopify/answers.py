"""What an answer of Shopify means: one table by status, one by GraphQL error code.

Contract: partner page, section 5. The meaning is the same for all calls; what it comes to differs,
because a read may be repeated and a change may have happened: one table for each use.
"""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum, auto
from typing import TYPE_CHECKING, Any

from syncworkers.connectors.base import Verdict
from syncworkers.connectors.secrets import evidence
from syncworkers.errors import CredentialsError, RejectedError, RetryableError, Violation

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from syncworkers.connectors.http import Answer
    from syncworkers.errors import SyncError

THROTTLE_WAIT = 2.0
SERVER_WAIT = 2.0
CLOSED_WAIT = 300.0
LOOK_WAIT = 60.0


class Meaning(Enum):
    """What an answer that is no success says of the call."""

    QUIET = auto()
    """It wants quiet and did nothing."""
    CLOSED = auto()
    """The whole shop, for longer: nothing is worth trying for minutes."""
    CREDENTIALS = auto()
    """Our token or registration is refused."""
    AGAIN = auto()
    """Nothing happened, this time."""
    OPEN = auto()
    """Nobody knows whether it happened."""
    REFUSED = auto()
    """Not with these rights, or not at this address."""
    TOO_BIG = auto()
    """It costs more than one request may."""
    CONTRACT = auto()
    """The way we ask is refused."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """What a meaning comes to; `after` is used where the answer itself says nothing of it."""

    verdict: Verdict
    after: float | None = None
    pause: bool = False
    credentials: bool = False


_PAUSES: Mapping[Meaning, Ending] = {
    Meaning.QUIET: Ending(verdict=Verdict.RETRY, after=THROTTLE_WAIT, pause=True),
    Meaning.CLOSED: Ending(verdict=Verdict.RETRY, after=CLOSED_WAIT, pause=True),
    Meaning.CREDENTIALS: Ending(verdict=Verdict.RETRY, pause=True, credentials=True),
}
READS: Mapping[Meaning, Ending] = {
    **_PAUSES,
    Meaning.AGAIN: Ending(verdict=Verdict.RETRY),
    Meaning.OPEN: Ending(verdict=Verdict.RETRY, after=SERVER_WAIT),
    Meaning.REFUSED: Ending(verdict=Verdict.REJECTED),
    Meaning.TOO_BIG: Ending(verdict=Verdict.REJECTED),
    Meaning.CONTRACT: Ending(verdict=Verdict.REJECTED),
}
"""A read changes nothing: it may always be done again."""
LOOKS: Mapping[Meaning, Ending] = {
    **READS,
    Meaning.REFUSED: Ending(verdict=Verdict.RETRY, after=LOOK_WAIT),
    Meaning.TOO_BIG: Ending(verdict=Verdict.RETRY, after=LOOK_WAIT),
    Meaning.CONTRACT: Ending(verdict=Verdict.RETRY, after=LOOK_WAIT),
}
"""A look-up that is refused says nothing of what it looks for, and must not decide over it."""
CHANGES: Mapping[Meaning, Ending] = {
    **_PAUSES,
    Meaning.AGAIN: Ending(verdict=Verdict.RETRY, after=SERVER_WAIT),
    Meaning.OPEN: Ending(verdict=Verdict.UNKNOWN),
    Meaning.REFUSED: Ending(verdict=Verdict.REJECTED),
    Meaning.TOO_BIG: Ending(verdict=Verdict.REJECTED),
    Meaning.CONTRACT: Ending(verdict=Verdict.REJECTED),
}
"""Shopify keeps no key of a change: what may have happened is looked up before it is repeated."""

BY_STATUS: Mapping[int, tuple[Meaning, str]] = {
    401: (Meaning.CREDENTIALS, "Shopify refuses our token (401)"),
    402: (Meaning.CLOSED, "the shop is frozen (402)"),
    403: (Meaning.REFUSED, "Shopify answers 403: look at the app's scopes"),
    404: (Meaning.REFUSED, "Shopify answers 404: look at url and api_version"),
    423: (Meaning.CLOSED, "the shop is locked (423)"),
    429: (Meaning.QUIET, "Shopify wants quiet (429)"),
    430: (Meaning.CLOSED, "the shop is refused for security (430)"),
}
BY_CODE: Mapping[str, Meaning] = {
    "THROTTLED": Meaning.QUIET,
    "INTERNAL_SERVER_ERROR": Meaning.OPEN,
    "TIMEOUT": Meaning.OPEN,
    "MAX_COST_EXCEEDED": Meaning.TOO_BIG,
}
"""Top-level errors; the first that stands here and in the answer counts."""
CODES: Mapping[Meaning, str] = {
    Meaning.REFUSED: "partner.refused",
    Meaning.TOO_BIG: "partner.query_too_big",
    Meaning.CONTRACT: "partner.contract",
}
"""What a refusal for good is called in a case."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """An answer that is no success, or the lack of one; `after` as Shopify says it."""

    meaning: Meaning
    text: str
    after: float | None = None

    @property
    def violations(self) -> tuple[Violation, ...]:
        """Return the reason for a case, where it is refused for good."""
        code = CODES.get(self.meaning)
        return (Violation(path="", code=code, message=self.text),) if code else ()


def judge(answer: Answer, *, change: bool) -> dict[str, Any] | Refusal:
    """Return the whole GraphQL answer, `data` and `extensions`, or why there is none."""
    if answer.status in BY_STATUS:
        meaning, text = BY_STATUS[answer.status]
        return Refusal(meaning=meaning, text=text, after=_wait(meaning, answer))
    whole = _object(answer)
    if answer.status != 200 or whole is None:
        text = f"Shopify answers {answer.status}, not GraphQL"
        # A failure says nothing of what was done before it; a refusal does.
        refused = 300 <= answer.status < 500 and answer.status != 408
        meaning = Meaning.AGAIN if change and refused else Meaning.OPEN
        return Refusal(meaning=meaning, text=text, after=answer.retry_after or None)
    if whole.get("errors"):
        return _judge_errors(whole, change=change)
    if not isinstance(whole.get("data"), dict):
        return Refusal(meaning=Meaning.OPEN, text="Shopify's answer has no data")
    return whole


def as_error(refusal: Refusal) -> SyncError:
    """Turn the refusal of a read into the verdict it is."""
    ending = READS[refusal.meaning]
    if ending.credentials:
        return CredentialsError(refusal.text)
    if ending.verdict is Verdict.REJECTED:
        return RejectedError(refusal.text, violations=refusal.violations)
    after = ending.after if refusal.after is None else refusal.after
    return RetryableError(refusal.text, after=after, throttled=ending.pause)


@contextmanager
def shaped() -> Iterator[None]:
    """Read an answer inside; raises `RetryableError` where it is not as we asked for it."""
    try:
        yield
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        text = f"Shopify's answer has another shape than we asked for: {type(error).__name__}"
        raise RetryableError(text, after=SERVER_WAIT) from None


def _wait(meaning: Meaning, answer: Answer) -> float | None:
    return answer.retry_after if meaning is Meaning.QUIET else None


def _object(answer: Answer) -> dict[str, Any] | None:
    try:
        whole = json.loads(answer.body)
    except (ValueError, RecursionError):
        return None
    return whole if isinstance(whole, dict) else None


def _judge_errors(whole: dict[str, Any], *, change: bool) -> Refusal:
    """Classify top-level errors; data that came along is not used."""
    errors = whole["errors"] if isinstance(whole["errors"], list) else [whole["errors"]]
    told = evidence("; ".join(_message(error) for error in errors), limit=500)
    codes = {_code(error) for error in errors}
    known = [meaning for code, meaning in BY_CODE.items() if code in codes]
    meaning = known[0] if known else Meaning.CONTRACT
    if change and not known and _did_something(whole.get("data")):
        meaning = Meaning.OPEN
    if meaning is Meaning.QUIET:
        return Refusal(meaning=meaning, text=told, after=wait_for_points(whole))
    if meaning in CODES:
        told = f"Shopify refuses our query: {told}"
    return Refusal(meaning=meaning, text=told)


def _did_something(data: Any) -> bool:
    """Say whether a change was made that the errors beside it complain of."""
    return isinstance(data, dict) and any(value is not None for value in data.values())


def _code(error: Any) -> str:
    extensions = error.get("extensions") if isinstance(error, dict) else None
    return str(extensions.get("code", "")) if isinstance(extensions, dict) else ""


def _message(error: Any) -> str:
    return str(error.get("message", error)) if isinstance(error, dict) else str(error)


def wait_for_points(whole: dict[str, Any]) -> float:
    """Return the seconds until the bucket holds what the query costs."""
    try:
        cost = whole["extensions"]["cost"]
        status = cost["throttleStatus"]
        lacking = float(cost["requestedQueryCost"]) - float(status["currentlyAvailable"])
        return min(CLOSED_WAIT, max(0.1, lacking / float(status["restoreRate"])))
    except (KeyError, TypeError, ValueError, ArithmeticError):
        return THROTTLE_WAIT
