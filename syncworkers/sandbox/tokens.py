"""Tokens of simulated partners: issued for client credentials, good for a while."""

from __future__ import annotations

import hmac
import secrets
import threading
import time


class TokenOffice:
    """Issues and checks access tokens."""

    def __init__(self, client_id: str, client_secret: str, *, life: float) -> None:
        self._client_id = client_id
        self._client_secret = client_secret
        self.life = life
        self._issued: dict[str, float] = {}
        self._lock = threading.Lock()
        self.issued = 0

    def issue(self, client_id: str, client_secret: str) -> str | None:
        """Return a new token, or None for wrong credentials."""
        right = hmac.compare_digest(client_id, self._client_id) and hmac.compare_digest(
            client_secret, self._client_secret
        )
        if not right:
            return None
        token = secrets.token_urlsafe(24)
        with self._lock:
            self._issued[token] = time.monotonic() + self.life
            self.issued += 1
        return token

    def good(self, token: str) -> bool:
        """Say whether the token is known and not expired."""
        with self._lock:
            return self._issued.get(token, 0.0) > time.monotonic()

    def revoke_all(self) -> None:
        """Make every token old: a switch for tests."""
        with self._lock:
            self._issued.clear()
