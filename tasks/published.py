"""Count the messages this fleet publishes, for the demo's messages per order; best effort."""

from __future__ import annotations

import functools
import os
import time

from redis import Redis
from redis.exceptions import RedisError

KEY = "syncworkers:published"
SICK_FOR = 5.0

_sick_until = [0.0]


def count_published(redis_url: str) -> None:
    """Add one; a Redis that does not answer is left alone for a while."""
    if time.monotonic() < _sick_until[0]:
        return
    try:
        _redis(redis_url, os.getpid()).incr(KEY)
    except RedisError:
        _sick_until[0] = time.monotonic() + SICK_FOR


def published(redis_url: str) -> int:
    """Return how many were counted."""
    return int(_redis(redis_url, os.getpid()).get(KEY) or 0)  # type: ignore[arg-type]


@functools.lru_cache(maxsize=2)
def _redis(redis_url: str, _process: int) -> Redis:
    return Redis.from_url(redis_url, socket_timeout=0.3, socket_connect_timeout=0.3)
