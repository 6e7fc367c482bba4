"""Access tokens by the client credentials grant (RFC 6749, section 4.4)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from syncworkers.connectors.base import Token
from syncworkers.connectors.http import Call
from syncworkers.connectors.secrets import evidence
from syncworkers.errors import CredentialsError, RetryableError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from syncworkers.connectors.http import Answer, HttpClient

TOKEN_LIFE = 3600.0
"""Where the answer does not say how long the token lives."""


def fetch_token(http: HttpClient, url: str, form: Mapping[str, str], *, seconds: float) -> Token:
    """Ask for a token; `form` holds every field, the secret among them.

    Raises `CredentialsError` when they are refused, `RetryableError` for everything else.
    """
    call = Call(
        method="POST",
        url=url,
        headers={
            "Accept": "application/json",
            "Content-Type": "application/x-www-form-urlencoded",
        },
        body=urlencode(form).encode(),
        read=True,  # a second token harms nobody
    )
    answer = http.send(call, seconds)
    if answer.status == 429 or answer.status >= 500 or answer.status == 408:
        raise RetryableError(
            f"the token endpoint answered {answer.status}",
            after=answer.retry_after,
            throttled=answer.status == 429,
        )
    fields = _fields(answer)
    value = fields.get("access_token")
    if answer.status != 200 or not isinstance(value, str) or not value:
        _refuse(answer, fields, form)
    return Token(value=str(value), expires_in=_life(fields.get("expires_in")))


def _fields(answer: Answer) -> dict[str, Any]:
    try:
        fields = json.loads(answer.body)
    except ValueError:
        return {}
    return fields if isinstance(fields, dict) else {}


def _refuse(answer: Answer, fields: Mapping[str, Any], form: Mapping[str, str]) -> None:
    hidden = [form.get("client_secret", ""), str(fields.get("access_token", ""))]
    told = fields.get("error_description") or fields.get("error") or "no token in the answer"
    text = evidence(str(told), hidden, 300)
    if answer.status in {400, 401, 403}:
        raise CredentialsError(f"the token endpoint answered {answer.status}: {text}")
    raise RetryableError(f"the token endpoint answered {answer.status}: {text}")


def _life(value: object) -> float:
    """Read the seconds a token lives: they arrive as a number or as a string."""
    try:
        seconds = float(str(value))
    except ValueError:
        return TOKEN_LIFE
    return seconds if 0 < seconds < 1e9 else TOKEN_LIFE
