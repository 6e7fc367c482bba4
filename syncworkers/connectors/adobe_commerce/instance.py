"""Calls to one instance: address, proof, rate allowance, deadline, search and its pages."""

from __future__ import annotations

import hashlib
import threading
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from oauthlib.oauth1 import SIGNATURE_HMAC_SHA256, Client

from syncworkers.connectors.adobe_commerce.answers import (
    SERVER_WAIT,
    Meaning,
    error_of,
    read_refusal,
)
from syncworkers.connectors.adobe_commerce.settings import SAAS
from syncworkers.connectors.base import Deadline, Token
from syncworkers.connectors.exact_json import dump_json, load_json
from syncworkers.connectors.http import Call, HttpClient
from syncworkers.connectors.oauth import TOKEN_LIFE, fetch_token
from syncworkers.errors import RetryableError, UnknownOutcomeError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from syncworkers.connectors.adobe_commerce.settings import Settings
    from syncworkers.connectors.base import Budget, TokenCache
    from syncworkers.connectors.http import Answer

Fields = dict[str, Any]
Filter = tuple[str, str, str]
"""Field, condition, value."""
PAGE = 100
PATIENCE = 5.0
"""Seconds for which a read waits for its turn; for a longer wait we come back."""
SCOPE = (
    "openid,AdobeID,email,profile,additional_info.roles,"
    "additional_info.projectedProductContext,commerce.accs"
)


class Instance:
    """One Adobe Commerce instance; safe to use from many threads."""

    def __init__(
        self, settings: Settings, tokens: TokenCache, budget: Budget, *, call_deadline: float
    ) -> None:
        self.settings = settings
        self._tokens = tokens
        self._budget = budget
        self._call_deadline = call_deadline
        self._http = HttpClient()
        whose = f"{settings.token_url}\n{settings.client_id}"
        self._token_name = f"adobe_commerce:{hashlib.sha256(whose.encode()).hexdigest()[:16]}"

    @property
    def ahead(self) -> float | None:
        """Return the seconds by which the shop's clock was ahead of ours, if it showed one."""
        return self._http.ahead

    def expire_token(self) -> bool:
        """Put a token that is refused in the place of ours; False where none expires."""
        if self.settings.flavour != SAAS:
            return False
        deadline = Deadline(self._call_deadline)
        present = self._tokens.get(self._token_name, lambda: self._fetch(deadline))
        self._tokens.drop(self._token_name, present)
        self._tokens.get(self._token_name, lambda: Token(value="expired", expires_in=TOKEN_LIFE))
        return True

    def admit(self, deadline: Deadline) -> float:
        """Take one call of the allowance; return 0, or the seconds lacking (nothing taken)."""
        while (wait := self._budget.take()) > 0:
            if wait > deadline.remaining():
                return wait
            threading.Event().wait(wait)
        return 0.0

    def send(self, method: str, path: str, body: Any = None, *, correlation: str = "") -> Answer:
        """Make an admitted call, signed anew whenever it is repeated.

        A call whose signature came too late or twice did nothing, so it is made once more; so is
        one whose token was refused, with a new token. Raises the transport's verdicts.
        """
        deadline = Deadline(self._call_deadline)
        answer, token = self._once(method, path, body, deadline, correlation)
        if not self._is_worth_repeating(answer, token):
            return answer
        return self._once(method, path, body, deadline, correlation)[0]

    def _is_worth_repeating(self, answer: Answer, token: str) -> bool:
        """Say whether another proof may be believed; a token that was refused is forgotten."""
        if answer.status not in {400, 401, 403}:
            return False
        if token and answer.status == 401:
            self._tokens.drop(self._token_name, token)
            return True
        return read_refusal(answer, self.settings.secrets).meaning is Meaning.SIGN_AGAIN

    def _once(
        self, method: str, path: str, body: Any, deadline: Deadline, correlation: str
    ) -> tuple[Answer, str]:
        url = f"{self.settings.base}/V1/{path}"
        headers, token = self._proof(method, url, deadline)
        call = Call(
            method=method,
            url=url,
            headers={"Accept": "application/json", **headers},
            body=None,
            correlation=correlation,
        )
        if body is not None:
            json = {**call.headers, "Content-Type": "application/json"}
            call = replace(call, headers=json, body=dump_json(body).encode())
        return self._http.send(call, deadline.remaining()), token

    def _proof(self, method: str, url: str, deadline: Deadline) -> tuple[dict[str, str], str]:
        """Return the headers that prove who we are, and the token in them that may be renewed."""
        settings = self.settings
        if settings.flavour == SAAS:
            token = self._tokens.get(self._token_name, lambda: self._fetch(deadline))
            headers = {
                "Authorization": f"Bearer {token}",
                "x-api-key": settings.client_id,
                "x-gw-ims-org-id": settings.organisation,
                "Store": settings.store,
            }
            return headers, token
        if settings.bearer:
            return {"Authorization": f"Bearer {settings.bearer}"}, ""
        client = Client(
            settings.consumer_key,
            client_secret=settings.consumer_secret,
            resource_owner_key=settings.access_token,
            resource_owner_secret=settings.access_token_secret,
            signature_method=SIGNATURE_HMAC_SHA256,
        )
        _, headers, _ = client.sign(url, http_method=method)  # type: ignore[arg-type]
        return dict(headers), ""

    def _fetch(self, deadline: Deadline) -> Token:
        settings = self.settings
        form = {
            "grant_type": "client_credentials",
            "client_id": settings.client_id,
            "client_secret": settings.client_secret,
            "scope": SCOPE,
        }
        return fetch_token(self._http, settings.token_url, form, seconds=deadline.remaining())

    def read(self, path: str, query: Mapping[str, object] | None = None) -> Any:
        """Read JSON; raises `RetryableError`, `CredentialsError` or `RejectedError`."""
        lacking = self.admit(Deadline(PATIENCE))
        if lacking:
            raise RetryableError("the rate allowance is used up", after=lacking, throttled=True)
        address = f"{path}?{urlencode(query)}" if query else path
        try:
            answer = self.send("GET", address)
        except UnknownOutcomeError as error:
            # Not repeated by the transport, which would use the signature twice.
            raise RetryableError(f"{error}; it was a read, nothing changed") from None
        if not 200 <= answer.status < 300:
            raise error_of(read_refusal(answer, self.settings.secrets))
        try:
            return load_json(answer.body)
        except ValueError:
            told = f"Adobe Commerce answers {answer.status}, but no JSON"
            raise RetryableError(told, after=SERVER_WAIT) from None

    def search(
        self, path: str, filters: Sequence[Filter], *, order_by: Sequence[str] = ("entity_id",)
    ) -> Iterator[list[Fields]]:
        """Read all pages of a search.

        A page past the end repeats the last one there (magento2 #3787): reading ends where as many
        rows were read as there are, and where a page brings nothing new.
        """
        criteria: dict[str, object] = {"searchCriteria[pageSize]": PAGE}
        for place, (name, condition, value) in enumerate(filters):
            group = f"searchCriteria[filter_groups][{place}][filters][0]"
            criteria |= {
                f"{group}[field]": name,
                f"{group}[condition_type]": condition,
                f"{group}[value]": value,
            }
        for place, name in enumerate(order_by):
            sort = f"searchCriteria[sortOrders][{place}]"
            criteria |= {f"{sort}[field]": name, f"{sort}[direction]": "ASC"}
        seen: set[str] = set()
        page = 1
        while True:
            found = self.read(path, {**criteria, "searchCriteria[currentPage]": page})
            rows = rows_of(found)
            new = [row for row in rows if str(row.get("entity_id")) not in seen]
            seen |= {str(row.get("entity_id")) for row in new}
            if new:
                yield new
            total = found.get("total_count") if isinstance(found, dict) else None
            if not new or not isinstance(total, int) or page * PAGE >= total:
                return
            page += 1

    def close(self) -> None:
        """Close the connections; the next call opens new ones."""
        self._http.close()


def rows_of(found: Any) -> list[Fields]:
    """Return the objects of a search; raises `RetryableError` for what is no search result."""
    items = found.get("items") if isinstance(found, dict) else None
    if items is None and isinstance(found, dict) and found.get("total_count") == 0:
        return []
    if not isinstance(items, list):
        raise RetryableError("Adobe Commerce answers no search result", after=SERVER_WAIT)
    return [one for one in items if isinstance(one, dict)]
