"""What the connector suite needs to know of one kind of partner.

A kind joins with one file, `<kind>_bench.py`: a class with these members over the kind's simulator,
and a line in `BENCHES`. Everything is over real sockets; the suite itself knows no partner.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

    from syncworkers.connectors.base import Request, TokenCache
    from syncworkers.sandbox.calls import CallLog
    from syncworkers.sandbox.faults import FaultPlan

DEADLINE = 2.0
"""Seconds a call may take where answers are lost or drip."""


class Bench(Protocol):
    """One simulated partner, and how a connector is made for it.

    `program` is its WSGI application. A thing is told by a number, which the bench makes everything
    of: order, part, shipment.
    """

    secrets: tuple[str, ...]
    """What must never show."""
    plan: FaultPlan
    calls: CallLog
    program: Any
    looks_first: int
    """Reads that a create makes before it makes anything."""
    kind: str
    """What is polled and read by id."""
    an_id: str
    """An id that such a thing could have."""

    def connect(self, url: str, tokens: TokenCache, *, wrong_secret: bool = False) -> Any:
        """Make a connector whose calls take `DEADLINE` seconds at most."""
        ...

    def create(self, number: int) -> Request:
        """Return the request that makes a thing; what it needs is put in place."""
        ...

    def effects(self, number: int) -> int:
        """Return how often that thing stands in the partner's books."""
        ...

    def refused(self, number: int) -> Request:
        """Return a request that the partner refuses for good."""
        ...

    def fill(self, count: int) -> set[str]:
        """Put so many things in place that a poll lists; return their ids."""
        ...

    def bodies(self, made: Any) -> Mapping[str, bytes]:
        """Return a body of every topic that the kind's mappings read, as the partner has it."""
        ...

    def tokens_issued(self) -> int | None:
        """Return how many access tokens were given out; None where none expire."""
        ...

    def expire_tokens(self) -> None:
        """Make every token old."""
        ...

    def signed(self, body: bytes) -> tuple[Mapping[str, str], str]:
        """Return headers and path that prove a body, headers in lower case."""
        ...

    def forged(self, body: bytes) -> tuple[Mapping[str, str], str]:
        """Return headers and path that somebody else would send."""
        ...
