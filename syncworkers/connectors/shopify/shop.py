"""Calls to one shop: GraphQL documents, token, cost bucket, deadline."""

from __future__ import annotations

import hashlib
import json
import threading
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any

from syncworkers.connectors.base import Deadline
from syncworkers.connectors.http import Call, HttpClient
from syncworkers.connectors.oauth import fetch_token
from syncworkers.connectors.shopify.answers import read_answer
from syncworkers.errors import RetryableError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from syncworkers.connectors.base import Budget, Token, TokenCache
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

    def query(self, name: str, variables: Mapping[str, Any]) -> dict[str, Any]:
        """Run one document; return its `data`.

        Raises `RetryableError`, `CredentialsError` (a fresh token is refused too), `RejectedError`.
        """
        self._take(self._costs.get(name, FIRST_COST))
        body = json.dumps({"query": document(name), "variables": variables}).encode()
        deadline = Deadline(self._call_deadline)
        answer = self._send(body, deadline)
        if answer.status == 401 and not self._settings.access_token:
            answer = self._send(body, deadline)
        whole = read_answer(answer)
        self._learn(name, whole)
        data: dict[str, Any] = whole["data"]
        return data

    def close(self) -> None:
        """Close the connections; the next call opens new ones."""
        self._http.close()

    def _send(self, body: bytes, deadline: Deadline) -> Answer:
        token = self._settings.access_token or self._tokens.get(
            self._token_name, lambda: self._fetch(deadline)
        )
        call = Call(
            method="POST",
            url=self._settings.endpoint,
            headers={
                "Accept": "application/json",
                "Content-Type": "application/json",
                "X-Shopify-Access-Token": token,
            },
            body=body,
            read=True,
        )
        answer = self._http.send(call, deadline.remaining())
        if answer.status == 401:
            self._tokens.drop(self._token_name, token)
        return answer

    def _fetch(self, deadline: Deadline) -> Token:
        settings = self._settings
        form = {
            "grant_type": "client_credentials",
            "client_id": settings.client_id,
            "client_secret": settings.client_secret,
        }
        url = f"{settings.url}/admin/oauth/access_token"
        return fetch_token(self._http, url, form, seconds=deadline.remaining())

    def _take(self, cost: float) -> None:
        waited = 0.0
        while (wait := self._budget.take(cost)) > 0:
            waited += wait
            if waited > PATIENCE:
                raise RetryableError("the cost bucket is empty", after=wait, throttled=True)
            threading.Event().wait(wait)

    def _learn(self, name: str, whole: Mapping[str, Any]) -> None:
        """Adopt what Shopify says of the query's cost and of the bucket."""
        try:
            cost = whole["extensions"]["cost"]
            status = cost["throttleStatus"]
            self._costs[name] = float(cost["requestedQueryCost"])
            self._budget.correct(
                available=float(status["currentlyAvailable"]),
                restore_rate=float(status["restoreRate"]),
                maximum=float(status["maximumAvailable"]),
            )
        except (KeyError, TypeError, ValueError):
            return
