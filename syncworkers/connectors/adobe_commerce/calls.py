"""The calls of one push or find: none begins late, or once the shop has asked for quiet."""

from __future__ import annotations

import time
import uuid
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from syncworkers.connectors.adobe_commerce.answers import (
    Refusal,
    lost,
    outcome_of,
    read_refusal,
)
from syncworkers.connectors.base import NOT_STARTED, Outcome, Verdict
from syncworkers.connectors.exact_json import load_json
from syncworkers.connectors.quiet import Quiet
from syncworkers.connectors.secrets import evidence
from syncworkers.errors import SyncError, UnknownOutcomeError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from syncworkers.connectors.adobe_commerce.instance import Fields, Filter, Instance
    from syncworkers.connectors.base import Deadline
    from syncworkers.connectors.http import Answer


CHUNK = 50
"""Values in one search."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What came of one change: its JSON, or the outcome of whoever it was for."""

    call: str = ""
    status: int | None = None
    duration_ms: int = 0
    value: Any = None
    text: str = ""
    failure: Outcome | None = None
    refusal: Refusal | None = None

    def sign(self, outcome: Outcome) -> Outcome:
        """Return an outcome as this call's: which it was, how long it took, what was answered."""
        return replace(
            outcome,
            call=self.call,
            status=self.status,
            duration_ms=self.duration_ms,
            answer=outcome.answer or self.text or None,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What a search brought, and the call that it came by."""

    rows: list[Fields]
    reply: Reply


class Calls:
    """Calls to one instance within one deadline; never raises."""

    def __init__(self, instance: Instance, deadline: Deadline) -> None:
        self.instance = instance
        self._deadline = deadline
        self._quiet = Quiet()

    def search(self, path: str, filters: Sequence[Filter]) -> Look | Outcome:
        """Read all rows of a search, or say what that comes to for whoever waits for them."""
        if self._quiet.wanted or self._deadline.passed():
            return NOT_STARTED
        begun = time.monotonic()
        name = uuid.uuid4().hex
        try:
            rows = [row for page in self.instance.search(path, filters) for row in page]
        except SyncError as error:
            failed = lost(error)
            self._note(answered=not isinstance(error, UnknownOutcomeError), outcome=failed)
            # A look-up that is refused says nothing of what it looks for.
            verdict = Verdict.RETRY if failed.verdict is Verdict.REJECTED else failed.verdict
            milliseconds = round((time.monotonic() - begun) * 1000)
            return replace(
                failed, verdict=verdict, violations=(), call=name, duration_ms=milliseconds
            )
        self._note(answered=True)
        milliseconds = round((time.monotonic() - begun) * 1000)
        return Look(rows=rows, reply=Reply(call=name, status=200, duration_ms=milliseconds))

    def search_in(self, path: str, field: str, values: Iterable[str]) -> Look | Outcome:
        """Read all rows whose field has one of these values."""
        found, reply = [], Reply()
        wanted = sorted(set(values))
        for first in range(0, len(wanted), CHUNK):
            named = (field, "in", ",".join(wanted[first : first + CHUNK]))
            look = self.search(path, [named])
            if isinstance(look, Outcome):
                return look
            found += look.rows
            reply = look.reply
        return Look(rows=found, reply=reply)

    def change(self, method: str, path: str, body: Any) -> Reply:
        """Make one change, if there is still time."""
        if self._quiet.wanted or self._deadline.passed() or self.instance.admit(self._deadline):
            return Reply(failure=NOT_STARTED)
        name, begun = uuid.uuid4().hex, time.monotonic()
        try:
            answer = self.instance.send(method, path, body, correlation=name)
        except SyncError as error:
            reply = Reply(failure=lost(error))
        else:
            reply = self._read(answer)
        milliseconds = round((time.monotonic() - begun) * 1000)
        reply = replace(reply, call=name, duration_ms=milliseconds)
        self._note(answered=reply.status is not None, outcome=reply.failure)
        if reply.failure is None:
            return reply
        return replace(reply, failure=reply.sign(reply.failure))

    def _read(self, answer: Answer) -> Reply:
        secrets = self.instance.settings.secrets
        text = evidence(answer.text, secrets)
        if not 200 <= answer.status < 300:
            refusal = read_refusal(answer, secrets)
            failure = outcome_of(refusal, is_read=False)
            return Reply(status=answer.status, text=text, failure=failure, refusal=refusal)
        try:
            return Reply(status=answer.status, text=text, value=load_json(answer.body))
        except ValueError:
            told = f"Adobe Commerce answers {answer.status}, but no JSON"
            failure = Outcome(verdict=Verdict.UNKNOWN, error=told)
            return Reply(status=answer.status, text=text, failure=failure)

    def _note(self, *, answered: bool, outcome: Outcome | None = None) -> None:
        self._quiet.note(answered=answered)
        if outcome is not None and outcome.pause:
            self._quiet.ask()
