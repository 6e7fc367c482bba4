"""Send requests as `$batch` calls, as many in one as fit, and read one result for each."""

from __future__ import annotations

import time
import uuid
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from syncworkers.connectors.base import Outcome, Verdict
from syncworkers.connectors.dynamics365 import batch, orders
from syncworkers.connectors.dynamics365.answers import Meaning, Refusal, read_refusal, refuse
from syncworkers.connectors.http import Call
from syncworkers.errors import CredentialsError, RetryableError, SyncError, UnknownOutcomeError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from syncworkers.connectors.base import Deadline, Request
    from syncworkers.connectors.dynamics365.environment import Environment
    from syncworkers.connectors.dynamics365.settings import Settings
    from syncworkers.connectors.http import Answer

OPERATIONS_LIMIT = 5000
"""F&O takes no more operations in one batch."""
PREFER = "odata.continue-on-error"
"""Without it a server may stop a batch at the first change set it refuses."""
OPERATION_BYTES = 400
"""About what an operation adds to its own body."""
TOO_MUCH = frozenset({400, 413})
"""A whole batch refused so was not begun: one of its orders may be to blame."""
NOT_STARTED = Outcome(verdict=Verdict.NOT_STARTED)
VERSION_UNKNOWN = Refusal(status=412, meaning=Meaning.MOVED, text="its version is not known here")

Result = Outcome | Refusal


@dataclass(frozen=True, slots=True)
class _Item:
    """One request, where it stands in the caller's list, and its operations."""

    position: int
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


class Rounds:
    """The calls of one push or find, all begun before one deadline."""

    def __init__(
        self, environment: Environment, settings: Settings, deadline: Deadline, *, orders_limit: int
    ) -> None:
        self._environment = environment
        self._settings = settings
        self._deadline = deadline
        self._orders_limit = orders_limit
        self.quiet = False
        """The partner asked for quiet: no further call is begun."""
        self.calls: dict[str, tuple[str, int]] = {}
        """By reference: the last call that was made for it, and its milliseconds."""

    def push(self, requests: Sequence[Request]) -> list[Result]:
        """Make the effects. A change without a version is not sent blindly: it counts as moved."""
        results: list[Result] = [VERSION_UNKNOWN] * len(requests)
        items = [
            _Item(position, request, orders.change_groups(self._settings, request))
            for position, request in enumerate(requests)
            if request.operation == orders.CREATE or request.external_version is not None
        ]
        self._run(items, results, is_read=False)
        return results

    def find(self, requests: Sequence[Request]) -> list[Outcome]:
        """Look the effects up."""
        results: list[Result] = [NOT_STARTED] * len(requests)
        items = [
            _Item(position, request, orders.look_groups(self._settings, request))
            for position, request in enumerate(requests)
        ]
        self._run(items, results, is_read=True)
        return [settle(result, is_read=True) for result in results]

    def _run(self, items: Sequence[_Item], results: list[Result], *, is_read: bool) -> None:
        for chunk in self._chunks(items):
            self._send(chunk, results, is_read=is_read)

    def _chunks(self, items: Sequence[_Item]) -> Iterator[list[_Item]]:
        chunk: list[_Item] = []
        operations = size = 0
        for item in items:
            full = (
                len(chunk) >= self._orders_limit
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

    def _send(self, chunk: Sequence[_Item], results: list[Result], *, is_read: bool) -> None:
        if self.quiet or self._deadline.passed():
            for item in chunk:
                results[item.position] = NOT_STARTED
            return
        groups = [group for item in chunk for group in item.groups]
        name = uuid.uuid4().hex
        begun = time.monotonic()
        try:
            answer = self._environment.call(_call(name, groups, is_read=is_read))
        except SyncError as error:
            answers: list[Result] = [_lost(error)] * len(chunk)
        else:
            if answer.status in TOO_MUCH and len(chunk) > 1:
                middle = len(chunk) // 2
                self._send(chunk[:middle], results, is_read=is_read)
                self._send(chunk[middle:], results, is_read=is_read)
                return
            answers = self._judge(chunk, groups, answer, is_read=is_read)
        milliseconds = round((time.monotonic() - begun) * 1000)
        for item, one in zip(chunk, answers, strict=True):
            outcome = settle(one, is_read=is_read)
            self.quiet = self.quiet or outcome.pause
            results[item.position] = one
            self.calls[item.request.reference] = (name, milliseconds)

    def _judge(
        self,
        chunk: Sequence[_Item],
        groups: Sequence[batch.Group],
        answer: Answer,
        *,
        is_read: bool,
    ) -> list[Result]:
        if not 200 <= answer.status < 300:
            return [_refused(answer)] * len(chunk)
        try:
            replies = batch.read(answer.headers.get("Content-Type", ""), answer.body, groups)
        except batch.BatchError as error:
            verdict = Verdict.RETRY if is_read else Verdict.UNKNOWN
            return [Outcome(verdict=verdict, error=str(error), status=answer.status)] * len(chunk)
        judge = orders.judge_look if is_read else orders.judge_change
        results = []
        first = 0
        for item in chunk:
            mine = replies[first : first + len(item.groups)]
            first += len(item.groups)
            results.append(judge(self._settings, item.request, mine))
        return results


def _call(name: str, groups: Sequence[batch.Group], *, is_read: bool) -> Call:
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


def _refused(answer: Answer) -> Refusal:
    """Classify the refusal of a whole call."""
    refusal = read_refusal(answer.status, answer.body, after=answer.retry_after)
    if refusal.meaning is Meaning.REFUSED and answer.status not in TOO_MUCH:
        # It refuses the way we call, no order's content: nobody's order may die of that.
        return replace(refusal, meaning=Meaning.DRIFT)
    return refusal


def settle(result: Result, *, is_read: bool = False) -> Outcome:
    """Take a result as it is: a refusal becomes its outcome."""
    return refuse(result, is_read=is_read) if isinstance(result, Refusal) else result


def _lost(error: SyncError) -> Outcome:
    """Turn what the transport says into an outcome."""
    text = str(error)
    if isinstance(error, UnknownOutcomeError):
        return Outcome(verdict=Verdict.UNKNOWN, error=text)
    if isinstance(error, CredentialsError):
        return Outcome(verdict=Verdict.RETRY, pause=True, credentials=True, error=text)
    if isinstance(error, RetryableError):
        return Outcome(verdict=Verdict.RETRY, after=error.after, pause=error.throttled, error=text)
    raise error
