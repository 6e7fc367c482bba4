"""How long to wait before a piece of work is tried again."""

from __future__ import annotations


def delay(attempt: int, *, first: float, limit: float, jitter: float) -> float:
    """Return seconds: doubling from `first` to `limit`, of which half is spread by `jitter`.

    `attempt` counts from 1; `jitter` is a number between 0 and 1.
    """
    full = min(limit, first * 2.0 ** min(max(attempt, 1) - 1, 62))
    return full / 2 + full / 2 * jitter
