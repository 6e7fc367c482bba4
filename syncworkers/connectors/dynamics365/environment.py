"""Calls to one Dynamics 365 environment: token, rate allowance, deadline, headers."""

from __future__ import annotations

import hashlib
import threading
from dataclasses import replace
from typing import TYPE_CHECKING

from syncworkers.connectors.base import Deadline, Token
from syncworkers.connectors.http import Call, HttpClient
from syncworkers.connectors.oauth import TOKEN_LIFE, fetch_token
from syncworkers.errors import CredentialsError, RetryableError

if TYPE_CHECKING:
    from syncworkers.connectors.base import Budget, TokenCache
    from syncworkers.connectors.dynamics365.settings import Settings
    from syncworkers.connectors.http import Answer

HEADERS = {
    "Accept": "application/json;odata.metadata=minimal",
    "OData-Version": "4.0",
    "OData-MaxVersion": "4.0",
}
SHORT_WAIT = 0.2
"""Seconds for which an allowance is waited for; for a longer wait we come back."""


class Environment:
    """One F&O environment, called with our registration."""

    def __init__(
        self, settings: Settings, tokens: TokenCache, budget: Budget, *, call_deadline: float
    ) -> None:
        self._settings = settings
        self._tokens = tokens
        self._budget = budget
        self._call_deadline = call_deadline
        self._http = HttpClient()
        whose = f"{settings.token_url}\n{settings.client_id}\n{settings.resource}"
        self._token_name = f"dynamics365:{hashlib.sha256(whose.encode()).hexdigest()[:16]}"

    @property
    def ahead(self) -> float | None:
        """Return the seconds by which the ERP's clock was ahead of ours, if it showed one."""
        return self._http.ahead

    def call(self, call: Call) -> Answer:
        """Make a call; `call.url` is relative to the environment.

        One 401 costs the token and one repeat. Raises the verdicts of the transport, and
        `CredentialsError` when a fresh token is refused as well.
        """
        deadline = Deadline(self._call_deadline)
        self._take()
        whole = replace(call, url=f"{self._settings.url}/{call.url}")
        for _ in range(2):
            token = self._tokens.get(self._token_name, lambda: self._fetch(deadline))
            headers = {**HEADERS, **call.headers, "Authorization": f"Bearer {token}"}
            answer = self._http.send(replace(whole, headers=headers), deadline.remaining())
            if answer.status != 401:
                return answer
            self._tokens.drop(self._token_name, token)
        raise CredentialsError(
            "Dynamics 365 refuses a fresh token (401): check that the client id is registered"
            " under Microsoft Entra ID applications and mapped to a user"
        )

    def _take(self) -> None:
        waited = 0.0
        while (wait := self._budget.take()) > 0:
            waited += wait
            if waited > SHORT_WAIT:
                raise RetryableError("the rate allowance is used up", after=wait, throttled=True)
            threading.Event().wait(wait)

    def _fetch(self, deadline: Deadline) -> Token:
        settings = self._settings
        form = {
            "grant_type": "client_credentials",
            "client_id": settings.client_id,
            "client_secret": settings.client_secret,
            "scope": settings.scope,
        }
        return fetch_token(self._http, settings.token_url, form, seconds=deadline.remaining())

    def expire_token(self) -> bool:
        """Put a token that is refused in the place of ours."""
        deadline = Deadline(self._call_deadline)
        present = self._tokens.get(self._token_name, lambda: self._fetch(deadline))
        self._tokens.drop(self._token_name, present)
        self._tokens.get(self._token_name, lambda: Token(value="expired", expires_in=TOKEN_LIFE))
        return True

    def close(self) -> None:
        """Close the connections; the next call opens new ones."""
        self._http.close()
