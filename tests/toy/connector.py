"""The transport to a toyshop: a key in a header, references that stay unique there."""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import json
import time
import uuid
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from syncworkers.connectors.base import (
    ANSWERS,
    NOT_STARTED,
    Header,
    Outcome,
    ProofError,
    Received,
    Record,
    Verdict,
)
from syncworkers.connectors.http import Call, HttpClient
from syncworkers.errors import (
    CredentialsError,
    RejectedError,
    RetryableError,
    SyncError,
    UnknownOutcomeError,
    Violation,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from syncworkers.connectors.base import Deadline, Ports, Request
    from syncworkers.connectors.http import Answer
    from syncworkers.policy.partners import PartnerPolicy

SOLD = "toy/sold"
MOST_PAGES = 1000


class ToyShop:
    """Offers `Checks`, `Receives`, `Pulls` and `Pushes`."""

    answers = ANSWERS
    handled = frozenset({SOLD})
    reread: frozenset[str] = frozenset()
    read_topics: Mapping[str, str] = {"order": SOLD}
    shipment_strategy = ""

    def __init__(self, policy: PartnerPolicy, ports: Ports) -> None:
        self._url = policy.connection["url"]
        self._key = _Key(policy.connection["key"])
        self._seconds = policy.lane.call_deadline
        self._http = HttpClient()

    def check(self) -> list[str]:
        try:
            self._read("/orders")
        except SyncError as error:
            return [f"the toyshop cannot be read: {error}"]
        return []

    def close(self) -> None:
        self._http.close()

    def receive(self, headers: Mapping[str, str], body: bytes, path: str = "") -> Received:
        wanted = hmac.new(self._key.value.encode(), body, hashlib.sha256).hexdigest()
        if not hmac.compare_digest(wanted, headers.get("x-toy-signature", "")):
            raise ProofError("the signature is wrong")
        try:
            entity = str(json.loads(body)["id"])
        except (ValueError, TypeError, KeyError, RecursionError):
            entity = "unreadable"
        name = hashlib.sha256(body).hexdigest()
        return Received(external_id=name, topic=SOLD, kind="order", entity=entity)

    def changed(self, kind: str, since: dt.datetime, until: dt.datetime) -> Iterator[list[Header]]:
        seen: set[str] = set()
        for page in range(1, MOST_PAGES):
            told = self._read(f"/orders?page={page}")
            new = [one for one in told["orders"] if one["id"] not in seen]
            seen |= {one["id"] for one in new}
            if new:
                yield [
                    Header(
                        external_id=one["id"],
                        updated_at=dt.datetime.fromtimestamp(one["changed"], dt.UTC),
                        body=json.dumps(one),
                    )
                    for one in new
                ]
            if not told["more"] or not new:
                return

    def fetch(self, kind: str, external_ids: Sequence[str]) -> list[Record]:
        found = []
        for one in external_ids:
            try:
                body = self._read(f"/orders/{one}")
            except RejectedError:
                continue
            found.append(Record(external_id=one, body=json.dumps(body)))
        return found

    def push(self, requests: Sequence[Request], deadline: Deadline) -> list[Outcome]:
        return [
            NOT_STARTED if deadline.passed() else self._sent(one, self._push(one))
            for one in requests
        ]

    def find(self, requests: Sequence[Request], deadline: Deadline) -> list[Outcome]:
        return [NOT_STARTED if deadline.passed() else self._find(one) for one in requests]

    def _push(self, request: Request) -> Outcome:
        if request.operation == "invoice.note":  # the whole list each time: a repeat is harmless
            path = f"/orders/{request.payload['order']}/notes"
            return self._change("PUT", path, request.payload["notes"])
        body = {**request.payload, "reference": request.reference}
        return self._change("POST", "/shipments", body)

    def _find(self, request: Request) -> Outcome:
        if request.operation == "invoice.note":
            return Outcome(verdict=Verdict.ABSENT)
        try:
            made = self._read(f"/shipments/{request.reference}")
        except RejectedError:
            return Outcome(verdict=Verdict.ABSENT, call=uuid.uuid4().hex, status=404)
        except SyncError as error:
            return Outcome(verdict=Verdict.RETRY, error=str(error))
        return Outcome(
            verdict=Verdict.ADOPTED, external_id=made["id"], call=uuid.uuid4().hex, status=200
        )

    def _change(self, method: str, path: str, body: Any) -> Outcome:
        call, begun = uuid.uuid4().hex, time.monotonic()
        try:
            answer = self._call(method, path, body)
        except UnknownOutcomeError as error:
            return Outcome(verdict=Verdict.UNKNOWN, error=str(error), call=call)
        except RetryableError as error:
            return Outcome(verdict=Verdict.RETRY, error=str(error), call=call)
        milliseconds = round((time.monotonic() - begun) * 1000)
        return replace(_judge(answer), call=call, status=answer.status, duration_ms=milliseconds)

    def _sent(self, request: Request, outcome: Outcome) -> Outcome:
        return replace(outcome, sent=json.dumps(request.payload))

    def _read(self, path: str) -> Any:
        answer = self._call("GET", path, None)
        if answer.status == 401:
            raise CredentialsError("the toyshop does not know our key")
        if answer.status == 404:
            raise RejectedError("not there", violations=[])
        if answer.status != 200:
            raise RetryableError(f"the toyshop answers {answer.status}")
        try:
            return json.loads(answer.body)
        except ValueError:
            raise RetryableError("the toyshop answers no JSON") from None

    def _call(self, method: str, path: str, body: Any) -> Answer:
        call = Call(
            method=method,
            url=f"{self._url}{path}",
            headers={"X-Key": self._key.value},
            body=None if body is None else json.dumps(body).encode(),
            read=method == "GET",
        )
        return self._http.send(call, self._seconds)


class _Key:
    """A secret that does not show."""

    def __init__(self, value: str) -> None:
        self.value = value


def _judge(answer: Answer) -> Outcome:
    if answer.status in {200, 201, 409}:
        made = json.loads(answer.body)
        verdict = Verdict.ADOPTED if answer.status == 409 else Verdict.CONFIRMED
        return Outcome(verdict=verdict, external_id=made.get("id"))
    if answer.status == 401:
        return Outcome(verdict=Verdict.RETRY, pause=True, credentials=True, error="our key")
    if answer.status == 429:
        return Outcome(verdict=Verdict.RETRY, pause=True, after=answer.retry_after)
    if answer.status >= 500:
        return Outcome(verdict=Verdict.UNKNOWN, error=str(answer.status))
    message = f"the toyshop refuses it: {json.loads(answer.body)['error']}"
    violation = Violation(path="lines", code="toy.refused", message=message)
    return Outcome(verdict=Verdict.REJECTED, error=message, violations=(violation,))
