"""Calls to one shop: GraphQL documents, token, cost bucket, deadline."""

from __future__ import annotations

import hashlib
import json
import math
import threading
import uuid
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any

from syncworkers.connectors.base import Deadline, Token
from syncworkers.connectors.http import Call, HttpClient
from syncworkers.connectors.oauth import TOKEN_LIFE, fetch_token
from syncworkers.connectors.secrets import evidence
from syncworkers.connectors.shopify.answers import Meaning, Refusal, as_error, judge
from syncworkers.errors import (
    CredentialsError,
    RetryableError,
    SyncError,
    UnknownOutcomeError,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from syncworkers.connectors.base import Budget, TokenCache
    from syncworkers.connectors.http import Answer
    from syncworkers.connectors.shopify.settings import Settings

FIRST_COST = 100.0
"""Points a document is taken to cost until Shopify has said it."""
PATIENCE = 5.0
"""Seconds for which points are waited for; for a longer wait we come back."""


@cache
def document(name: str) -> str:
    """Return the text of one GraphQL operation."""
    return (resources.files(__package__) / "documents" / f"{name}.graphql").read_text("utf-8")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What one call came to: `data`, or the `refusal` in its place.

    `call` is a uuid in hex, and empty where no call was made; `answer` is evidence, and names the
    request for Shopify's support.
    """

    data: Mapping[str, Any]
    refusal: Refusal | None = None
    call: str = ""
    status: int | None = None
    duration_ms: int = 0
    answer: str | None = None


class Shop:
    """One shop, called as our app."""

    def __init__(
        self, settings: Settings, tokens: TokenCache, budget: Budget, *, call_deadline: float
    ) -> None:
        self._settings = settings
        self._tokens = tokens
        self._budget = budget
        self._call_deadline = call_deadline
        self._http = HttpClient()
        self._costs: dict[str, float] = {}
        whose = f"{settings.url}\n{settings.shop}\n{settings.client_id}"
        self._token_name = f"shopify:{hashlib.sha256(whose.encode()).hexdigest()[:16]}"

    @property
    def ahead(self) -> float | None:
        """Return the seconds by which the shop's clock was ahead of ours, if it showed one."""
        return self._http.ahead

    def query(self, name: str, variables: Mapping[str, Any]) -> Mapping[str, Any]:
        """Run one document that reads; return its `data`.

        Raises `RetryableError`, `CredentialsError` (a fresh token is refused too), `RejectedError`.
        """
        reply = self.call(name, variables, change=False)
        if reply.refusal is not None:
            raise as_error(reply.refusal)
        return reply.data

    def call(
        self,
        name: str,
        variables: Mapping[str, Any],
        *,
        change: bool,
        patience: float = PATIENCE,
    ) -> Reply:
        """Run one document, and never raise; points are waited for `patience` seconds at most.

        A token that is refused is renewed once: nothing was done under it.
        """
        wait = self._take(self._costs.get(name, FIRST_COST), patience)
        if wait:
            quiet = Refusal(meaning=Meaning.QUIET, text="the cost bucket is empty", after=wait)
            return Reply(data={}, refusal=quiet)
        call = uuid.uuid4().hex
        body = json.dumps({"query": document(name), "variables": variables}).encode()
        deadline = Deadline(self._call_deadline)
        try:
            answer = self._send(body, deadline, call, change=change)
            if answer.status == 401 and not self._settings.access_token:
                answer = self._send(body, deadline, call, change=change)
        except SyncError as error:
            return Reply(data={}, refusal=_lost(error), call=call)
        return self._read(name, call, answer, change=change)

    def expire_token(self) -> bool:
        """Put a token that is refused in the place of ours; False for a permanent one."""
        if self._settings.access_token:
            return False
        deadline = Deadline(self._call_deadline)
        present = self._tokens.get(self._token_name, lambda: self._fetch(deadline))
        self._tokens.drop(self._token_name, present)
        self._tokens.get(self._token_name, lambda: Token(value="expired", expires_in=TOKEN_LIFE))
        return True

    def close(self) -> None:
        """Close the connections; the next call opens new ones."""
        self._http.close()

    def _send(self, body: bytes, deadline: Deadline, call: str, *, change: bool) -> Answer:
        token = self._settings.access_token or self._tokens.get(
            self._token_name, lambda: self._fetch(deadline)
        )
        request = Call(
            method="POST",
            url=self._settings.endpoint,
            headers={
                "Accept": "application/json",
                "Content-Type": "application/json",
                "X-Shopify-Access-Token": token,
            },
            body=body,
            correlation=call,
            read=not change,
        )
        answer = self._http.send(request, deadline.remaining())
        if answer.status == 401:
            self._tokens.drop(self._token_name, token)
        return answer

    def _read(self, name: str, call: str, answer: Answer, *, change: bool) -> Reply:
        whole = judge(answer, change=change)
        if not isinstance(whole, Refusal):
            self._learn(name, whole)
        secrets = (*self._settings.secrets, self._settings.access_token)
        support = answer.headers.get("X-Request-ID", "none")
        return Reply(
            data={} if isinstance(whole, Refusal) else whole["data"],
            refusal=whole if isinstance(whole, Refusal) else None,
            call=call,
            status=answer.status,
            duration_ms=answer.duration_ms,
            answer=evidence(f"X-Request-ID: {support}\n{answer.text}", secrets),
        )

    def _fetch(self, deadline: Deadline) -> Token:
        settings = self._settings
        form = {
            "grant_type": "client_credentials",
            "client_id": settings.client_id,
            "client_secret": settings.client_secret,
        }
        url = f"{settings.url}/admin/oauth/access_token"
        return fetch_token(self._http, url, form, seconds=deadline.remaining())

    def _take(self, cost: float, patience: float) -> float:
        """Pay for a call; return 0, or the seconds for which it is not worth waiting here."""
        waited = 0.0
        while (wait := self._budget.take(cost)) > 0:
            waited += wait
            if waited > patience:
                return wait
            threading.Event().wait(wait)
        return 0.0

    def _learn(self, name: str, whole: Mapping[str, Any]) -> None:
        """Adopt what Shopify says of the query's cost and of the bucket."""
        try:
            cost = whole["extensions"]["cost"]
            status = cost["throttleStatus"]
            names = ("currentlyAvailable", "restoreRate", "maximumAvailable")
            available, rate, maximum = (float(status[one]) for one in names)
            price = float(cost["requestedQueryCost"])
        except (KeyError, TypeError, ValueError, OverflowError):
            return
        if all(map(math.isfinite, (available, rate, maximum, price))) and rate > 0:
            self._costs[name] = price
            self._budget.correct(available=available, restore_rate=rate, maximum=maximum)


def _lost(error: SyncError) -> Refusal:
    """Say what a call without an answer came to."""
    text = str(error)
    if isinstance(error, UnknownOutcomeError):
        return Refusal(meaning=Meaning.OPEN, text=text)
    if isinstance(error, CredentialsError):
        return Refusal(meaning=Meaning.CREDENTIALS, text=text)
    if isinstance(error, RetryableError):
        meaning = Meaning.QUIET if error.throttled else Meaning.AGAIN
        return Refusal(meaning=meaning, text=text, after=error.after)
    raise error
