"""Rate budgets: one token bucket per partner, shared by all workers over Redis.

While Redis is away each process keeps a careful local bucket at a quarter of the rate.
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from redis.exceptions import RedisError

if TYPE_CHECKING:
    from redis import Redis

# Redis' own clock, so that the workers' clocks do not matter.
_TAKE = """
local t = redis.call('TIME'); local now = t[1] + t[2] / 1000000
local b = redis.call('HMGET', KEYS[1], 'level', 'at', 'maximum', 'rate')
local maximum = tonumber(b[3] or ARGV[2]); local rate = tonumber(b[4] or ARGV[3])
local level = maximum
if b[1] then level = math.min(maximum, tonumber(b[1]) + (now - tonumber(b[2])) * rate) end
local cost = math.min(tonumber(ARGV[1]), maximum)
local wait = 0
if level >= cost then level = level - cost else wait = (cost - level) / rate end
redis.call('HSET', KEYS[1], 'level', tostring(level), 'at', tostring(now))
redis.call('EXPIRE', KEYS[1], 3600)
return tostring(wait)
"""
_CORRECT = """
local t = redis.call('TIME')
redis.call('HSET', KEYS[1], 'level', ARGV[1], 'at', tostring(t[1] + t[2] / 1000000),
           'maximum', ARGV[2], 'rate', ARGV[3])
redis.call('EXPIRE', KEYS[1], 3600)
"""
CAREFUL = 0.25


class LocalBudget:
    """A token bucket of this process."""

    def __init__(self, *, maximum: float, rate: float) -> None:
        self._maximum = self._level = maximum
        self._rate = rate
        self._at = time.monotonic()
        self._lock = threading.Lock()

    def take(self, cost: float = 1.0) -> float:
        """Take `cost` points; return 0, or the seconds to wait (nothing taken)."""
        with self._lock:
            now = time.monotonic()
            self._level = min(self._maximum, self._level + (now - self._at) * self._rate)
            self._at = now
            cost = min(cost, self._maximum)
            if self._level < cost:
                return (cost - self._level) / self._rate
            self._level -= cost
            return 0.0

    def correct(self, *, available: float, restore_rate: float, maximum: float) -> None:
        """Adopt what the partner says of the bucket."""
        with self._lock:
            self._level, self._rate, self._maximum = available, restore_rate, maximum
            self._at = time.monotonic()


class SharedBudget:
    """The same bucket, held in Redis for the whole fleet."""

    def __init__(self, redis: Redis, name: str, *, maximum: float, rate: float) -> None:
        self._key = f"budget:{name}"
        self._maximum = maximum
        self._rate = rate
        self._take = redis.register_script(_TAKE)
        self._correct = redis.register_script(_CORRECT)
        self._local = LocalBudget(maximum=max(1.0, maximum * CAREFUL), rate=rate * CAREFUL)

    def take(self, cost: float = 1.0) -> float:
        """Take `cost` points; return 0, or the seconds to wait (nothing taken)."""
        try:
            answer = self._take(keys=[self._key], args=[cost, self._maximum, self._rate])
        except RedisError:
            return self._local.take(cost)
        return float(answer)

    def correct(self, *, available: float, restore_rate: float, maximum: float) -> None:
        """Adopt what the partner says of the bucket."""
        self._local.correct(
            available=available * CAREFUL,
            restore_rate=restore_rate * CAREFUL,
            maximum=max(1.0, maximum * CAREFUL),
        )
        try:
            self._correct(keys=[self._key], args=[available, maximum, restore_rate])
        except RedisError:
            return
