"""What every connector offers, and the values that cross its edge.

A connector speaks a partner's raw payloads over its real protocol and classifies every answer once,
into a verdict. It knows nothing of canonical objects, rows or lanes.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterator, Mapping, Sequence

    from syncworkers.errors import Violation
    from syncworkers.x12.ledger import Ledger


class Verdict(StrEnum):
    """What an answer means for the work it answers."""

    CONFIRMED = "confirmed"
    """Done, seen by us."""
    ADOPTED = "adopted"
    """It was already there, under our reference and with our content."""
    RETRY = "retry"
    """Nothing happened there; again later."""
    UNKNOWN = "unknown"
    """It may have happened or may still: look it up before a repeat."""
    ABSENT = "absent"
    """The answer to a look-up: the partner does not have it."""
    REJECTED = "rejected"
    """Refused for good; a person must look."""
    PENDING = "pending"
    """It is there, and its answer comes another way: nobody's fault, however long that takes."""
    NOT_STARTED = "not_started"
    """No call was made for it (the budget or deadline was used up)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One effect wanted at a partner.

    `reference` is ours and permanent; `payload` is the partner's raw form; `external_id` and
    `external_version` are what the link knows of the object (its id and ETag), if anything. `taken`
    are ids of the order's other objects of this kind: what has one of them is not what is wanted.
    `imported` says that an earlier integration made the object: it bears another reference and
    number than ours, and is known by `external_id` alone. `readdressed` says that a later request
    changes its address, so that the one which stands there need not be this one's. `insisted` says
    that a person had it tried again, who knows what was told of it.
    """

    operation: str
    reference: str
    payload: Mapping[str, Any]
    external_id: str | None = None
    external_version: str | None = None
    taken: frozenset[str] = frozenset()
    imported: bool = False
    readdressed: bool = False
    insisted: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """The answer to one request.

    `after` is in seconds. `pause` says that the whole partner wants quiet for `after` seconds,
    which burns no attempt. `sent` and `answer` are evidence for a case: texts without secrets, at
    most a few thousand characters. Requests answered by one call share its `call` (a uuid in hex).
    `differences` name the fields of what was found there that are not as wanted, one text each.
    """

    verdict: Verdict
    external_id: str | None = None
    external_version: str | None = None
    after: float | None = None
    pause: bool = False
    credentials: bool = False
    violations: tuple[Violation, ...] = ()
    error: str | None = None
    status: int | None = None
    duration_ms: int = 0
    call: str = ""
    sent: str | None = None
    answer: str | None = None
    differences: tuple[str, ...] = ()


NOT_STARTED = Outcome(verdict=Verdict.NOT_STARTED)
"""What becomes of a request that no call was begun for."""


class Deadline:
    """A limit on a whole piece of work, in monotonic seconds from now."""

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds

    def remaining(self) -> float:
        """Return the seconds left, never below zero."""
        return max(0.0, self._end - time.monotonic())

    def passed(self) -> bool:
        """Say whether the time is used up."""
        return self.remaining() <= 0


class Checks(Protocol):
    """What every connector offers, whatever else it does."""

    @property
    def shipment_strategy(self) -> str:
        """How shipments reach the partner, in plain words; empty where there is no choice."""
        ...

    def check(self) -> list[str]:
        """Read what must work before the first order; return what does not, with a remedy.

        Never raises an error of the partner: it is one of the findings.
        """
        ...

    def close(self) -> None:
        """Close the connections; the next call opens new ones."""
        ...


class Pushes(Protocol):
    """A connector that makes effects.

    Both methods answer one outcome per request, in order, and never raise. No call is started after
    `deadline`; each call has a deadline of its own.
    """

    def push(self, requests: Sequence[Request], deadline: Deadline) -> list[Outcome]:
        """Make the effects, in as few calls as the partner allows."""
        ...

    def find(self, requests: Sequence[Request], deadline: Deadline) -> list[Outcome]:
        """Look each effect up by our reference.

        ADOPTED, ABSENT, REJECTED (there, but different and beyond repair), RETRY or UNKNOWN (the
        look-up itself failed).
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """The identity of one polled object: its partner's id and when it last changed there.

    `body` is the whole object, where the partner's list tells it anyway.
    """

    external_id: str
    updated_at: dt.datetime
    body: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One object as read from the partner; `body` is the raw answer text.

    `updated_at` is when it last changed there, where that is asked for.
    """

    external_id: str
    body: str
    updated_at: dt.datetime | None = None


@runtime_checkable
class Pulls(Protocol):
    """A connector that reads.

    Errors leave as `RetryableError`, `CredentialsError` or `RejectedError`.
    """

    read_topics: Mapping[str, str]
    """By kind: what we name an object that we read ourselves, after a poll or a hint."""

    def changed(self, kind: str, since: dt.datetime, until: dt.datetime) -> Iterator[list[Header]]:
        """Yield pages of what changed in a window of the partner's time, both ends included."""
        ...

    def fetch(self, kind: str, external_ids: Sequence[str]) -> list[Record]:
        """Read whole objects by id; what the partner does not have is left out."""
        ...


class Tracks(Protocol):
    """A connector that is asked where parcels are. Errors leave as those of `Pulls`."""

    tracked_topic: str
    """What we name the answer."""

    def track(self, external_ids: Sequence[str]) -> list[Record]:
        """Read the way of shipments by the warehouse's ids; `updated_at` is always given."""
        ...


@runtime_checkable
class Ships(Protocol):
    """A connector of a warehouse that tells by which methods it ships."""

    def shipping_methods(self) -> frozenset[str]:
        """Return their names; raises the errors of `Pulls`."""
        ...


@runtime_checkable
class Subscribes(Protocol):
    """A connector whose partner calls us only where it was asked to.

    Without an address of ours in its settings nothing is missing: it is arranged by hand. Raises
    the errors of `Pulls`.
    """

    def missing_subscriptions(self) -> list[str]:
        """Return our topics that nobody sends us; changes nothing."""
        ...

    def subscribe(self) -> list[str]:
        """Create the subscriptions that are missing; return their topics, none if all stand."""
        ...


class ProofError(Exception):
    """The sender did not prove who it is; `args[0]` may be shown to it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """What a proven message says of itself, before its meaning is known.

    `external_id` makes it unique at its partner and source; `entity` is the partner's id of the
    object, and with `kind` names the line that keeps its order; `topic` may be unsigned, a hint.
    """

    external_id: str
    topic: str
    kind: str
    entity: str
    event_id: str | None = None
    contract: str | None = None


class Receipt(StrEnum):
    """How a webhook ended at the door."""

    ACCEPTED = "accepted"
    DUPLICATE = "duplicate"
    FORGED = "forged"
    TOO_LARGE = "too_large"
    UNAVAILABLE = "unavailable"


ANSWERS: Mapping[Receipt, int] = {
    Receipt.ACCEPTED: 200,
    Receipt.DUPLICATE: 200,
    Receipt.FORGED: 401,
    Receipt.TOO_LARGE: 413,
    Receipt.UNAVAILABLE: 503,
}
"""Status by receipt; a connector whose partner needs others gives its own table."""


class Receives(Protocol):
    """A connector that is called by its partner."""

    answers: Mapping[Receipt, int]
    handled: frozenset[str]
    """Topics whose meaning we know; the others are kept and wait."""
    reread: frozenset[str]
    """Topics acted upon only after reading the object again: what destroys, and mere hints."""

    def receive(self, headers: Mapping[str, str], body: bytes, path: str = "") -> Received:
        """Prove the sender in constant time, then describe the message.

        Header names arrive in lower case; `path` is what followed the partner's name in the
        address, which may be a secret. Raises `ProofError`, and `RetryableError` where it cannot
        be checked just now; a proven body that cannot be parsed is described as well as possible
        and never raises.
        """
        ...


@runtime_checkable
class Greets(Protocol):
    """A connector whose partner asks, before it sends anything, whether that is wanted here."""

    def greet(self, query: Mapping[str, str]) -> str | None:
        """Return what the partner wants to read; None if this is no greeting."""
        ...


class TokenCache(Protocol):
    """Access tokens shared by all workers."""

    def get(self, name: str, fetch: TokenFetch) -> str:
        """Return the live token of that name, fetching it at most once across the fleet."""
        ...

    def drop(self, name: str, token: str) -> None:
        """Forget this token (the partner refused it), unless a newer one stands there already."""
        ...


class TokenFetch(Protocol):
    """Asks the partner for a new token."""

    def __call__(self) -> Token:
        """Return it; raises `RetryableError` or `CredentialsError`."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """An access token and the seconds it is good for."""

    value: str = field(repr=False)
    expires_in: float


class Budget(Protocol):
    """A partner's rate allowance, shared by all workers."""

    def take(self, cost: float = 1.0) -> float:
        """Take `cost` points; return 0, or the seconds to wait (nothing taken)."""
        ...

    def correct(self, *, available: float, restore_rate: float, maximum: float) -> None:
        """Adopt what the partner says of the bucket."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """What a connector is given to share with the other workers; it takes what it needs.

    `ledger` keeps the control numbers of a partner that exchanges numbered files.
    """

    tokens: TokenCache
    budget: Budget
    ledger: Ledger | None = None
