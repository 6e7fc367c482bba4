"""Times that partners tell: what lies far ahead is a clock's mistake, and never believed."""

from __future__ import annotations

import datetime as dt

FUTURE = dt.timedelta(hours=24)
"""Further ahead than clocks and time zones explain."""


def is_believable(moment: dt.datetime, now: dt.datetime) -> bool:
    """Say whether something can have happened at that time."""
    return moment <= now + FUTURE


def believed(moment: dt.datetime, now: dt.datetime) -> dt.datetime:
    """Return the time, or now instead of one far ahead, which would outdate all that follows."""
    return moment if is_believable(moment, now) else now
