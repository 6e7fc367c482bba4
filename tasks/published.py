"""Count the messages this fleet publishes, by task, for the demo's messages per order."""

from __future__ import annotations

import time
from typing import Any

from redis import Redis
from redis.exceptions import RedisError

KEY = "syncworkers:published"
SICK_FOR = 5.0
"""Seconds a Redis that does not answer is left alone: a count is not worth waiting for."""


class PublishedCount:
    """The counter in Redis; best effort."""

    def __init__(self, redis_url: str) -> None:
        self._redis = Redis.from_url(redis_url, socket_timeout=0.3, socket_connect_timeout=0.3)
        self._sick_until = 0.0

    def add(self, task: str) -> None:
        """Count one message."""
        if time.monotonic() < self._sick_until:
            return
        try:
            self._redis.hincrby(KEY, task, 1)
        except RedisError:
            self._sick_until = time.monotonic() + SICK_FOR

    def read(self) -> dict[str, int]:
        """Return how many were counted, by task; raises what Redis raises."""
        counted: dict[Any, Any] = self._redis.hgetall(KEY)
        return {task.decode(): int(count) for task, count in counted.items()}
