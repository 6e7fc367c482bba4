"""Times that partners tell: what lies far ahead is a clock's mistake, and never believed."""

from __future__ import annotations

import datetime as dt

FUTURE = dt.timedelta(hours=24)
"""Further ahead than clocks and time zones explain."""


def is_believable(moment: dt.datetime, now: dt.datetime) -> bool:
    """Say whether something can have happened at that time."""
    return moment <= now + FUTURE


def believed(moment: dt.datetime, now: dt.datetime, known: dt.datetime | None) -> dt.datetime:
    """Return the time, or for one far ahead the newest `known` of the object, else a day ago.

    So it counts as news, and outdates nothing that follows: not even what a partner whose clock is
    behind, or tells whole seconds only, says right after.
    """
    return moment if is_believable(moment, now) else known or now - FUTURE
