"""The calls of one push or find: all begun before one deadline, none after a wish for quiet."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, TypeVar

from syncworkers.connectors.base import NOT_STARTED, Outcome, Verdict
from syncworkers.connectors.quiet import Quiet
from syncworkers.connectors.shopify.answers import CHANGES, LOOKS, READS, shaped
from syncworkers.connectors.shopify.shop import PATIENCE, Reply
from syncworkers.errors import RetryableError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from syncworkers.connectors.base import Deadline
    from syncworkers.connectors.shopify.answers import Ending, Meaning, Refusal
    from syncworkers.connectors.shopify.shop import Shop
    from syncworkers.errors import Violation

THREADS = 4
"""Changes under way at a time: Shopify takes one fulfilment in one call."""

T = TypeVar("T")
R = TypeVar("R")


class UnansweredError(Exception):
    """A read brought nothing; `outcome` is what that means for who waited for it."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__(outcome.error)
        self.outcome = outcome


class Calls:
    """Calls one shop, from several threads; `finds` says that its reads are look-ups."""

    def __init__(self, shop: Shop, deadline: Deadline, *, finds: bool) -> None:
        self._shop = shop
        self._deadline = deadline
        self._reads = LOOKS if finds else READS
        self._quiet = Quiet()

    def read(
        self, name: str, variables: Mapping[str, Any], understand: Callable[[Any], T]
    ) -> tuple[T, Reply]:
        """Return what `understand` makes of the data; raises `UnansweredError`."""
        reply = self._call(name, variables, change=False)
        if reply is None:
            raise UnansweredError(NOT_STARTED)
        if reply.refusal is not None:
            raise UnansweredError(_refused(reply, reply.refusal, self._reads))
        try:
            with shaped():
                return understand(reply.data), reply
        except RetryableError as error:
            strange = outcome(reply, Verdict.RETRY, after=error.after, error=str(error))
            raise UnansweredError(strange) from None

    def change(
        self, name: str, variables: Mapping[str, Any], understand: Callable[[Reply], T]
    ) -> T | Outcome:
        """Make one change; return what `understand` makes of the answer, or what came instead."""
        reply = self._call(name, variables, change=True)
        if reply is None:
            return NOT_STARTED
        if reply.refusal is not None:
            return _refused(reply, reply.refusal, CHANGES)
        try:
            with shaped():
                return understand(reply)
        except RetryableError as error:
            return outcome(reply, Verdict.UNKNOWN, error=str(error), answer=reply.answer)

    def _call(self, name: str, variables: Mapping[str, Any], *, change: bool) -> Reply | None:
        if self._quiet.wanted or self._deadline.passed():
            return None
        patience = min(PATIENCE, self._deadline.remaining())
        reply = self._shop.call(name, variables, change=change, patience=patience)
        self._quiet.note(answered=reply.status is not None)
        if reply.refusal is not None and READS[reply.refusal.meaning].pause:
            self._quiet.ask()
        return reply


def outcome(reply: Reply, verdict: Verdict, **more: Any) -> Outcome:
    """Make an outcome that names the call it comes from."""
    return Outcome(
        verdict=verdict,
        call=reply.call,
        status=reply.status,
        duration_ms=reply.duration_ms,
        **more,
    )


def rejected(
    reply: Reply, violations: Sequence[Violation], *, answer: str | None = None
) -> Outcome:
    """Refuse for good, with the reasons."""
    told = "; ".join(one.message for one in violations)
    return outcome(reply, Verdict.REJECTED, violations=tuple(violations), error=told, answer=answer)


def together(work: Callable[[T], R], items: Sequence[T]) -> list[R]:
    """Do the work on a few threads; the results stand in the order of the items."""
    if len(items) <= 1:
        return [work(item) for item in items]
    with ThreadPoolExecutor(min(THREADS, len(items))) as pool:
        return list(pool.map(work, items))


def _refused(reply: Reply, refusal: Refusal, endings: Mapping[Meaning, Ending]) -> Outcome:
    ending = endings[refusal.meaning]
    return outcome(
        reply,
        ending.verdict,
        after=ending.after if refusal.after is None else refusal.after,
        pause=ending.pause,
        credentials=ending.credentials,
        violations=refusal.violations if ending.verdict is Verdict.REJECTED else (),
        error=refusal.text,
        answer=reply.answer,
    )
