"""The breaker: a side that gives no answers is asked less, and with one line only, until it does.

Without it an outage would turn every ready line into an unknown outcome, one batch after another.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

PROBE_FROM = 2
"""Silences in a row after which a single line is sent ahead."""

_SILENT = sa.text("""
UPDATE lane SET silences = least(silences + 1, 100), paused_reason = :reason,
       paused_by = 'syncworkers', paused_until = greatest(paused_until, now()
           + make_interval(secs => least(:limit, :first * power(2, least(silences, 20)))))
 WHERE id = :lane
""")
_ANSWERED = sa.text("UPDATE lane SET silences = 0 WHERE id = :lane AND silences > 0")


def silent(session: Session, lane: int, *, first: float, limit: float, reason: str) -> None:
    """Note that a call was not answered: the lane rests, twice as long each time, seconds."""
    values = {"lane": lane, "first": first, "limit": limit, "reason": reason}
    session.execute(_SILENT, values)


def answered(session: Session, lane: int) -> None:
    """Note that the side answers: the lane works at its full width again."""
    session.execute(_ANSWERED, {"lane": lane})
