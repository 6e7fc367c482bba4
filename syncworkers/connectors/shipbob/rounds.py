"""The calls of one push or find: none begins late, or once the partner has asked for quiet."""

from __future__ import annotations

import time
import uuid
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from syncworkers.connectors.base import NOT_STARTED, Outcome, Verdict
from syncworkers.connectors.exact_json import load_json
from syncworkers.connectors.quiet import Quiet
from syncworkers.connectors.secrets import evidence
from syncworkers.connectors.shipbob.answers import Refusal, lost, read_refusal, refuse
from syncworkers.connectors.shipbob.wire import fields
from syncworkers.errors import SyncError

if TYPE_CHECKING:
    from syncworkers.connectors.base import Deadline
    from syncworkers.connectors.http import Answer, Call
    from syncworkers.connectors.shipbob.account import Account


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What came of one call.

    `failure` is the outcome of whoever the call was for, when no success came; `refusal` is what
    ShipBob said then, if it said anything. `value` is the JSON of a success, `text` its evidence.
    """

    call: str = ""
    status: int | None = None
    duration_ms: int = 0
    value: Any = None
    text: str = ""
    failure: Outcome | None = None
    refusal: Refusal | None = None

    @property
    def fields(self) -> dict[str, Any]:
        """Return the fields of the answer; none where it is no object."""
        return fields(self.value)

    def sign(self, outcome: Outcome) -> Outcome:
        """Return an outcome as this call's: which it was, how long it took, what was answered."""
        return replace(
            outcome,
            call=self.call,
            status=self.status,
            duration_ms=self.duration_ms,
            answer=outcome.answer or self.text or None,
        )


class Round:
    """One push or find; its calls may come from several threads."""

    def __init__(self, account: Account, deadline: Deadline) -> None:
        self.account = account
        self._deadline = deadline
        self._quiet = Quiet()

    def call(self, call: Call, *, of_order: bool = False) -> Reply:
        """Make one call, if there is still time; never raises.

        `of_order` says that the call changes one order or shipment, which may be missing there.
        """
        if self._quiet.wanted or self._deadline.passed() or self.account.admit(self._deadline):
            return Reply(failure=NOT_STARTED)
        name = uuid.uuid4().hex
        begun = time.monotonic()
        try:
            answer = self.account.send(replace(call, correlation=name))
        except SyncError as error:
            reply = Reply(call=name, failure=lost(error))
        else:
            reply = self._read(call, answer, of_order=of_order)
        milliseconds = round((time.monotonic() - begun) * 1000)
        reply = replace(reply, call=name, duration_ms=milliseconds)
        self._quiet.note(answered=reply.status is not None)
        if reply.failure is None:
            return reply
        if reply.failure.pause:
            self._quiet.ask()
        return replace(reply, failure=reply.sign(reply.failure))

    def _read(self, call: Call, answer: Answer, *, of_order: bool) -> Reply:
        status, secrets = answer.status, self.account.settings.secrets
        if not 200 <= status < 300:
            refusal = read_refusal(answer, secrets, of_order=of_order)
            failure = refuse(refusal, is_read=call.read)
            return Reply(status=status, failure=failure, refusal=refusal)
        try:
            value = load_json(answer.body)
        except ValueError:
            verdict = Verdict.RETRY if call.read else Verdict.UNKNOWN
            told = f"ShipBob answers {status}, but no JSON"
            return Reply(status=status, failure=Outcome(verdict=verdict, error=told))
        return Reply(
            status=status, value=value, text="" if call.read else evidence(answer.text, secrets)
        )
