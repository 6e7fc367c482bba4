"""Who calls: OAuth 1.0a with nonces, a bearer token, or a token of IMS."""

from __future__ import annotations

import hmac
import threading
import time
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import TYPE_CHECKING

from oauthlib.oauth1.rfc5849.signature import collect_parameters, verify_hmac_sha256

from syncworkers.sandbox.adobe_commerce.books import RefusedError

if TYPE_CHECKING:
    from syncworkers.sandbox.tokens import TokenOffice

CLOCK = 300.0
"""Seconds by which a caller's clock may differ."""
UNKNOWN = "The consumer isn't authorized to access %resources."


@dataclass(slots=True, kw_only=True)
class Gate:
    """Knows one integration; `allows_bearer` is the shop's setting that is off by default."""

    consumer_key: str
    consumer_secret: str
    access_token: str
    access_token_secret: str
    office: TokenOffice
    allows_bearer: bool = False
    _nonces: set[str] = field(default_factory=set)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def check(self, method: str, url: str, query: str, header: str) -> None:
        """Let a caller in; raises `RefusedError`."""
        scheme, _, value = header.partition(" ")
        if scheme == "Bearer" and (
            self.office.good(value)
            or (self.allows_bearer and hmac.compare_digest(value, self.access_token))
        ):
            return
        if scheme != "OAuth":
            raise RefusedError(UNKNOWN, status=401)
        self._check_signature(method, url, query, header)

    def _check_signature(self, method: str, url: str, query: str, header: str) -> None:
        given = collect_parameters(query, "", {"Authorization": header}, False)  # noqa: FBT003
        told = dict(given)
        if (told.get("oauth_consumer_key"), told.get("oauth_token")) != (
            self.consumer_key,
            self.access_token,
        ):
            raise RefusedError("oauth_problem=token_rejected", status=401)
        if abs(time.time() - float(told.get("oauth_timestamp", 0))) > CLOCK:
            raise RefusedError("oauth_problem=timestamp_refused", status=400)
        if told.get("oauth_signature_method") != "HMAC-SHA256":
            raise RefusedError("oauth_problem=signature_method_rejected", status=400)
        signed = SimpleNamespace(
            uri=url,
            http_method=method,
            params=[one for one in given if one[0] != "oauth_signature"],
            signature=told.get("oauth_signature", ""),
        )
        if not verify_hmac_sha256(signed, self.consumer_secret, self.access_token_secret):
            raise RefusedError("oauth_problem=signature_invalid", status=401)
        with self._lock:
            nonce = told.get("oauth_nonce", "")
            if nonce in self._nonces:
                raise RefusedError("oauth_problem=nonce_used", status=401)
            self._nonces.add(nonce)
