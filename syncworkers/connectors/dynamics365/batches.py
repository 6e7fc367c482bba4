"""Requests as OData operations in `$batch` calls: changes in one, looks in another."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from syncworkers.connectors.base import NOT_STARTED, Outcome, Verdict
from syncworkers.connectors.dynamics365 import batch
from syncworkers.connectors.dynamics365.answers import Meaning, Refusal, Result, settle
from syncworkers.connectors.dynamics365.operations import BATCHED
from syncworkers.connectors.http import Call

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from syncworkers.connectors.base import Request
    from syncworkers.connectors.dynamics365.rounds import Rounds
    from syncworkers.connectors.dynamics365.settings import Settings
    from syncworkers.connectors.http import Answer

OPERATIONS_LIMIT = 5000
"""F&O takes no more operations in one batch."""
PREFER = "odata.continue-on-error"
"""Without it a server may stop a batch at the first change set it refuses."""
OPERATION_BYTES = 400
"""About what an operation adds to its own body."""
LOOK_FIRST = frozenset({Meaning.EXISTS, Meaning.MOVED, Meaning.FAILED})
"""Refusals that a look at the object can settle."""
VERSION_UNKNOWN = Refusal(status=412, meaning=Meaning.MOVED, text="its version is not known here")


def batch_call(name: str, groups: Sequence[batch.Group], *, is_read: bool) -> Call:
    """Return the call that carries operations; `name` is its id in logs, theirs and ours."""
    boundary = f"batch_{name}"
    return Call(
        method="POST",
        url="data/$batch",
        headers={
            "Accept": "multipart/mixed, application/json",
            "Content-Type": f"multipart/mixed; boundary={boundary}",
            "Prefer": PREFER,
        },
        body=batch.write(groups, boundary),
        correlation=name,
        read=is_read,
    )


@dataclass(frozen=True, slots=True)
class _Item:
    """One request and its operations."""

    request: Request
    groups: tuple[batch.Group, ...]

    @property
    def operations(self) -> int:
        return sum(len(group.operations) for group in self.groups)

    @property
    def size(self) -> int:
        return sum(
            OPERATION_BYTES + len(one.body or "")
            for group in self.groups
            for one in group.operations
        )


class Batches:
    """The way of requests in `$batch` calls: as changes, or as looks."""

    def __init__(self, settings: Settings, *, limit: int, is_read: bool) -> None:
        self._settings = settings
        self._limit = limit
        self.is_read = is_read

    def chunks(self, requests: Sequence[Request]) -> Iterator[list[_Item]]:
        """Yield as many requests as one call may carry, by number, operations and bytes."""
        chunk: list[_Item] = []
        operations = size = 0
        for item in map(self._item, requests):
            full = (
                len(chunk) >= self._limit
                or operations + item.operations > OPERATIONS_LIMIT
                or size + item.size > self._settings.batch_bytes
            )
            if chunk and full:
                yield chunk
                chunk, operations, size = [], 0, 0
            chunk.append(item)
            operations += item.operations
            size += item.size
        if chunk:
            yield chunk

    def _item(self, request: Request) -> _Item:
        family = BATCHED[request.operation]
        groups = family.look_groups if self.is_read else family.change_groups
        return _Item(request, groups(self._settings, request))

    def call(self, name: str, chunk: Sequence[_Item]) -> Call:
        """Return the call of some requests."""
        return batch_call(name, _groups(chunk), is_read=self.is_read)

    def judge(self, chunk: Sequence[_Item], answer: Answer) -> list[Result]:
        """Read one result for each request."""
        kind = answer.headers.get("Content-Type", "")
        try:
            replies = batch.read(kind, answer.body, _groups(chunk))
        except batch.BatchError as error:
            verdict = Verdict.RETRY if self.is_read else Verdict.UNKNOWN
            return [Outcome(verdict=verdict, error=str(error), status=answer.status)] * len(chunk)
        results: list[Result] = []
        first = 0
        for item in chunk:
            mine = replies[first : first + len(item.groups)]
            first += len(item.groups)
            family = BATCHED[item.request.operation]
            judge = family.judge_look if self.is_read else family.judge_change
            results.append(judge(self._settings, item.request, mine))
        return results

    def explain(self, refusal: Refusal) -> Refusal:
        """Add nothing: the answer says it all."""
        return refusal


def _groups(chunk: Sequence[_Item]) -> list[batch.Group]:
    return [group for item in chunk for group in item.groups]


def find(rounds: Rounds, looks: Batches, requests: Sequence[Request]) -> list[Outcome]:
    """Look the effects up."""
    return [settle(result, is_read=True) for result in rounds.run(looks, requests)]


def push(
    rounds: Rounds, changes: Batches, looks: Batches, requests: Sequence[Request]
) -> list[Outcome]:
    """Make the effects; what a look can settle is looked up and repeated once."""
    results = _change(rounds, changes, requests)
    unsettled = [
        position
        for position, result in enumerate(results)
        if isinstance(result, Refusal) and result.meaning in LOOK_FIRST
    ]
    if unsettled:
        found = find(rounds, looks, [requests[position] for position in unsettled])
        again = _settle_by_look(requests, results, dict(zip(unsettled, found, strict=True)))
        repeated = _change(rounds, changes, list(again.values()))
        _adopt_repeats(results, dict(zip(again, repeated, strict=True)))
    return [settle(result) for result in results]


def _change(rounds: Rounds, changes: Batches, requests: Sequence[Request]) -> list[Result]:
    """Send the changes. One without a version is not sent blindly: it counts as moved."""
    results: list[Result] = [VERSION_UNKNOWN] * len(requests)
    sent = {
        position: one
        for position, one in enumerate(requests)
        if BATCHED[one.operation].is_create(one) or one.external_version is not None
    }
    for position, result in zip(sent, rounds.run(changes, list(sent.values())), strict=True):
        results[position] = result
    return results


def _settle_by_look(
    requests: Sequence[Request], results: list[Result], looks: dict[int, Outcome]
) -> dict[int, Request]:
    """Take what the looks say, by position; return what to repeat, with a fresh version."""
    again: dict[int, Request] = {}
    for position, look in looks.items():
        if look.verdict in {Verdict.ADOPTED, Verdict.REJECTED}:
            results[position] = look
        elif look.verdict is Verdict.ABSENT and not _exists(results[position]):
            again[position] = replace(requests[position], external_version=look.external_version)
        elif _unchanged(results[position], look):
            results[position] = look
    return again


def _adopt_repeats(results: list[Result], repeated: dict[int, Result]) -> None:
    for position, result in repeated.items():
        if isinstance(result, Refusal) and result.meaning is Meaning.FAILED:
            # Looked up, repeated, refused again: a business refusal.
            results[position] = replace(result, meaning=Meaning.REFUSED)
        elif result is not NOT_STARTED or results[position] is VERSION_UNKNOWN:
            results[position] = result


def _unchanged(result: Result, look: Outcome) -> bool:
    """Say whether the failed look may speak for the request: surely nothing happened to it.

    A create that was refused by a failure stays unknown instead.
    """
    moved = isinstance(result, Refusal) and result.meaning is Meaning.MOVED
    return moved and (look is not NOT_STARTED or result is VERSION_UNKNOWN)


def _exists(result: Result) -> bool:
    return isinstance(result, Refusal) and result.meaning is Meaning.EXISTS
