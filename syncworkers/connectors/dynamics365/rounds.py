"""Send requests as calls, as many in one as fit, and read one result for each."""

from __future__ import annotations

import time
import uuid
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol, TypeVar

from syncworkers.connectors.base import NOT_STARTED
from syncworkers.connectors.dynamics365.answers import (
    TOO_MUCH,
    Result,
    lose,
    read_whole_refusal,
    settle,
)
from syncworkers.errors import SyncError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from syncworkers.connectors.base import Deadline, Request
    from syncworkers.connectors.dynamics365.answers import Refusal
    from syncworkers.connectors.dynamics365.environment import Environment
    from syncworkers.connectors.http import Answer, Call

Item = TypeVar("Item")


class Way(Protocol[Item]):
    """How requests travel: several in one call. An item is a request, made ready."""

    is_read: bool

    def chunks(self, requests: Sequence[Request]) -> Iterator[list[Item]]:
        """Yield what goes together in one call, in order."""
        ...

    def call(self, name: str, chunk: Sequence[Item]) -> Call:
        """Return the call of some items; `name` is the id by which logs know it."""
        ...

    def judge(self, chunk: Sequence[Item], answer: Answer) -> list[Result]:
        """Read an answer of success: one result for each item, in order."""
        ...

    def explain(self, refusal: Refusal) -> Refusal:
        """Say more of the refusal of a whole call, as which setting to look at."""
        ...


class Rounds:
    """The calls of one push or find, all begun before one deadline."""

    def __init__(self, environment: Environment, deadline: Deadline) -> None:
        self._environment = environment
        self._deadline = deadline
        self._quiet = False
        """The partner asked for quiet: no further call is begun."""

    def run(self, way: Way[Item], requests: Sequence[Request]) -> list[Result]:
        """Send all requests; return one result for each, in order."""
        return [one for chunk in way.chunks(requests) for one in self._send(way, chunk)]

    def _send(self, way: Way[Item], chunk: list[Item]) -> list[Result]:
        if self._quiet or self._deadline.passed():
            return [NOT_STARTED] * len(chunk)
        name = uuid.uuid4().hex
        begun = time.monotonic()
        results: list[Result]
        try:
            answer = self._environment.call(way.call(name, chunk))
        except SyncError as error:
            results = [lose(error)] * len(chunk)
        else:
            if answer.status in TOO_MUCH and len(chunk) > 1:
                middle = len(chunk) // 2
                return self._send(way, chunk[:middle]) + self._send(way, chunk[middle:])
            results = _read(way, chunk, answer)
        milliseconds = round((time.monotonic() - begun) * 1000)
        told: list[Result] = []
        for one in results:
            self._quiet = self._quiet or settle(one, is_read=way.is_read).pause
            told.append(replace(one, call=name, duration_ms=milliseconds))
        return told


def _read(way: Way[Item], chunk: Sequence[Item], answer: Answer) -> list[Result]:
    if 200 <= answer.status < 300:
        return way.judge(chunk, answer)
    return [way.explain(read_whole_refusal(answer))] * len(chunk)
