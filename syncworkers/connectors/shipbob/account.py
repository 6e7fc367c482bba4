"""Calls to one ShipBob account: token, channel, rate allowance, deadline, paging."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from syncworkers.connectors.base import Deadline
from syncworkers.connectors.exact_json import dump_json, load_json
from syncworkers.connectors.http import Call, HttpClient
from syncworkers.connectors.shipbob.answers import (
    ENDINGS,
    SERVER_WAIT,
    Meaning,
    raise_refusal,
    read_refusal,
    wait_of,
)
from syncworkers.connectors.shipbob.wire import address, fields, rows
from syncworkers.errors import RetryableError, UnknownOutcomeError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from syncworkers.connectors.base import Budget
    from syncworkers.connectors.http import Answer
    from syncworkers.connectors.shipbob.settings import Settings
    from syncworkers.policy.partners import BudgetPolicy

Fields = dict[str, Any]
PAGE = 250
PATIENCE = 5.0
"""Seconds for which a read waits for its turn; for a longer wait we come back."""
LOW = 10.0
"""So few calls left, by the partner's count, that our bucket adopts the number."""
RESERVE = 20.0
"""Sweeps slow down from here on, so that orders keep going."""
SWEEP_WAIT = 1.5
UNTOLD_WAIT = ENDINGS[Meaning.BUSY].after or 0.0
GATE_LIMIT = 300.0
"""Seconds that one 429 may close the bucket for everybody, whatever it says."""
_LEFT = ("x-remaining-calls", "X-RateLimit-Remaining")
"""How many calls are left: ShipBob's pages name the header in two ways."""


class Account:
    """One ShipBob account; safe to use from many threads."""

    def __init__(
        self, settings: Settings, budget: Budget, pace: BudgetPolicy, *, call_deadline: float
    ) -> None:
        self.settings = settings
        self._budget = budget
        self._pace = pace
        self._call_deadline = call_deadline
        self._http = HttpClient()
        self._few_left_until = 0.0
        self.channel = {"shipbob_channel_id": str(settings.channel_id)}
        """The header that says for which channel an order is."""

    @property
    def ahead(self) -> float | None:
        """Return the seconds by which ShipBob's clock was ahead of ours, if it showed one."""
        return self._http.ahead

    def admit(self, deadline: Deadline) -> float:
        """Take one call of the allowance, waiting for it while the deadline lets us.

        Returns 0, or the seconds still lacking (nothing taken).
        """
        while (wait := self._budget.take()) > 0:
            if wait > deadline.remaining():
                return wait
            rest(wait)
        return 0.0

    def send(self, call: Call) -> Answer:
        """Make an admitted call; `call.url` follows the version. Raises the transport's verdicts.

        A refused token is an answer like any other: a personal access token cannot be renewed.
        """
        headers = {
            "Accept": "application/json",
            "Authorization": f"Bearer {self.settings.access_token}",
            **call.headers,
        }
        if call.body is not None:
            headers["Content-Type"] = "application/json"
        whole = replace(call, url=f"{self.settings.base}/{call.url}", headers=headers)
        answer = self._http.send(whole, self._call_deadline)
        self._learn(answer)
        return answer

    def read(
        self,
        path: str,
        query: Mapping[str, object],
        *,
        in_channel: bool = False,
        is_sweep: bool = False,
    ) -> tuple[Any, Answer]:
        """Read JSON; return it with its answer.

        Raises `RetryableError`, `CredentialsError` (401, 403) or `RejectedError`.
        """
        if is_sweep:
            rest(self._few_left_until - time.monotonic())
        headers = self.channel if in_channel else {}
        return self._ask(Call(method="GET", url=address(path, query), headers=headers, read=True))

    def post(self, path: str, body: Mapping[str, Any]) -> Any:
        """Create something beside orders; the errors of `read`, a lost answer is retryable."""
        try:
            return self._ask(Call(method="POST", url=path, body=dump_json(body).encode()))[0]
        except UnknownOutcomeError as error:
            raise RetryableError(str(error)) from None

    def _ask(self, call: Call) -> tuple[Any, Answer]:
        lacking = self.admit(Deadline(PATIENCE))
        if lacking:
            raise RetryableError("the rate allowance is used up", after=lacking, throttled=True)
        answer = self.send(call)
        if not 200 <= answer.status < 300:
            raise_refusal(read_refusal(answer, self.settings.secrets))
        try:
            return load_json(answer.body), answer
        except ValueError:
            told = f"ShipBob answers {answer.status}, but no JSON"
            raise RetryableError(told, after=SERVER_WAIT) from None

    def numbered(
        self,
        path: str,
        query: Mapping[str, object],
        *,
        in_channel: bool = False,
        is_sweep: bool = False,
    ) -> Iterator[list[Fields]]:
        """Read pages that are bare arrays, numbered from 1; ends where a page repeats as well."""
        page, former = 1, b""
        while True:
            numbers = {"Page": page, "Limit": PAGE}
            found, answer = self.read(
                path, {**query, **numbers}, in_channel=in_channel, is_sweep=is_sweep
            )
            page_rows = listed(found)
            if not found or answer.body == former:
                return
            yield page_rows
            if len(found) < PAGE and not answer.headers.get("next-page"):
                return
            page, former = page + 1, answer.body

    def linked(self, path: str) -> Iterator[list[Fields]]:
        """Read pages of `items` that name the next one; ends where a name repeats as well."""
        cursors = {""}
        query: dict[str, object] = {"RecordsPerPage": PAGE}
        while True:
            found, _ = self.read(path, query)
            yield listed(fields(found).get("items"))
            cursor = _cursor(fields(found).get("next"))
            if cursor in cursors:
                return
            cursors.add(cursor)
            query["Cursor"] = cursor

    def close(self) -> None:
        """Close the connections; the next call opens new ones."""
        self._http.close()

    def _learn(self, answer: Answer) -> None:
        """Adopt what ShipBob says of the calls left: one gate for all workers of the account."""
        left = next((n for n in map(answer.headers.get, _LEFT) if n and n.isdecimal()), None)
        if answer.status == 429:
            wait = wait_of(answer)
            wait = UNTOLD_WAIT if wait is None else min(wait, GATE_LIMIT)
            self._set_level(1.0 - wait * self._pace.per_second)
        elif left is not None and float(left) < LOW:
            self._set_level(float(left))
        if left is not None and float(left) < RESERVE:
            self._few_left_until = time.monotonic() + SWEEP_WAIT

    def _set_level(self, available: float) -> None:
        self._budget.correct(
            available=available,
            restore_rate=self._pace.per_second,
            maximum=self._pace.burst,
        )


def rest(seconds: float) -> None:
    """Let this thread wait, if there is anything to wait for."""
    if seconds > 0:
        threading.Event().wait(seconds)


def listed(value: Any) -> list[Fields]:
    """Return the objects of a list; raises `RetryableError` for what is no list."""
    if not isinstance(value, list):
        raise RetryableError("ShipBob answers no list", after=SERVER_WAIT)
    return rows(value)


def _cursor(following: Any) -> str:
    """Return what names the next page, out of an address or a token; empty on the last page.

    Only the name is taken: an address could lead elsewhere, and our token with it.
    """
    if not isinstance(following, str):
        return ""
    if not following.startswith(("/", "?", "http:", "https:")):
        return following
    named = {key.lower(): value for key, value in parse_qsl(following.partition("?")[2])}
    return named.get("cursor", "")
