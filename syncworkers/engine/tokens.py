"""Access tokens, fetched once for the whole fleet and kept in Redis for their lifetime."""

from __future__ import annotations

import threading
import time
import uuid
from typing import TYPE_CHECKING, Protocol

from redis.exceptions import RedisError

if TYPE_CHECKING:
    from collections.abc import Callable

    from redis import Redis

AHEAD = 300.0
"""Seconds before its end at which a token counts as used up (a tenth of a shorter life)."""
LOCK_MS = 15_000
POLL = 0.1

# Forget the token only if it is still the refused one: a newer one must not be lost.
_DROP = "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end"


class Issued(Protocol):
    """A token as a partner issued it."""

    @property
    def value(self) -> str:
        """The token."""
        ...

    @property
    def expires_in(self) -> float:
        """Seconds it is good for."""
        ...


class SharedTokens:
    """Tokens by name. Without Redis each process fetches its own."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._drop = redis.register_script(_DROP)
        self._local: dict[str, tuple[str, float]] = {}
        self._lock = threading.Lock()

    def get(self, name: str, fetch: Callable[[], Issued]) -> str:
        """Return the live token; fetch it at most once across the fleet."""
        kept = self._kept(name)
        if kept is not None:
            return kept
        with self._lock:
            kept = self._kept(name)
            if kept is not None:
                return kept
            try:
                return self._get_shared(name, fetch)
            except RedisError:
                return self._keep_local(name, fetch())

    def drop(self, name: str, token: str) -> None:
        """Forget this token, unless a newer one stands there already."""
        if self._local.get(name, ("", 0.0))[0] == token:
            self._local.pop(name, None)
        try:
            self._drop(keys=[f"token:{name}"], args=[token])
        except RedisError:
            return

    def _kept(self, name: str) -> str | None:
        value, end = self._local.get(name, ("", 0.0))
        return value if time.monotonic() < end else None

    def _get_shared(self, name: str, fetch: Callable[[], Issued]) -> str:
        mine = uuid.uuid4().hex
        waited_until = time.monotonic() + LOCK_MS / 1000
        while True:
            shared = self._read(name)
            if shared is not None:
                return shared
            if self._redis.set(f"token-lock:{name}", mine, nx=True, px=LOCK_MS):
                break
            if time.monotonic() > waited_until:
                break  # whoever held the lock is slow or gone; two tokens harm nobody
            threading.Event().wait(POLL)
        try:
            # Another may have fetched, kept and unlocked between our look and our lock.
            shared = self._read(name)
            if shared is not None:
                return shared
            issued = fetch()
            value = self._keep_local(name, issued)
            self._redis.set(f"token:{name}", value, px=max(1, int(_life(issued) * 1000)))
            return value
        finally:
            self._drop(keys=[f"token-lock:{name}"], args=[mine])

    def _read(self, name: str) -> str | None:
        with self._redis.pipeline(transaction=False) as pipe:
            pipe.get(f"token:{name}")
            pipe.pttl(f"token:{name}")
            value, left = pipe.execute()
        if value is None or left <= 0:
            return None
        token: str = value.decode()
        self._local[name] = (token, time.monotonic() + left / 1000)
        return token

    def _keep_local(self, name: str, issued: Issued) -> str:
        self._local[name] = (issued.value, time.monotonic() + _life(issued))
        return issued.value


def _life(issued: Issued) -> float:
    return max(1.0, issued.expires_in - min(AHEAD, issued.expires_in / 10))
