"""Parking: rows that wait for something absent, outside their line.

The arrival wakes them for speed; their due time is the guarantee.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from syncworkers.engine import lines

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.orm import Session

    from syncworkers.engine.work import WorkTable

FIRST_WAIT = 2.0
LONGEST_WAIT = 300.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """What a row waits for, and for how many seconds at least before it looks again."""

    row: int
    key: str
    at_least: float = 0.0


def park(session: Session, work: WorkTable, waits: Sequence[Wait]) -> None:
    """Take rows out of their lines until their keys arrive or their due times pass.

    The wait doubles from 2 s to 5 min. The caller counts the rows as finished in their lines.
    """
    if not waits:
        return
    # The exponent is bounded: a row may wait for weeks.
    statement = sa.text(f"""
    UPDATE {work.table.name} w
       SET state = 'parked', waiting_for = v.key, waits = least(w.waits + 1, 1000),
           due_at = now() + make_interval(secs => greatest(v.at_least, least(
             CAST(:longest AS float8), :first * power(CAST(2 AS float8), least(w.waits, 20)))))
      FROM unnest(CAST(:rows AS bigint[]), CAST(:keys AS text[]), CAST(:least AS float8[]))
           v(id, key, at_least)
     WHERE w.id = v.id AND w.state = 'open'
    """)  # noqa: S608 - the table name is ours
    values = {
        "longest": LONGEST_WAIT,
        "first": FIRST_WAIT,
        "rows": [one.row for one in waits],
        "keys": [one.key for one in waits],
        "least": [one.at_least for one in waits],
    }
    session.execute(statement, values)


def awaited(session: Session, work: WorkTable, keys: Sequence[str]) -> list[str]:
    """Return which of these keys somebody waits for."""
    if not keys:
        return []
    waiting = work.table.c.waiting_for
    found = session.execute(
        sa.select(waiting)
        .where(work.table.c.state == sa.literal_column("'parked'"), waiting.in_(keys))
        .distinct()
    )
    return sorted(row[0] for row in found)


def wake(session: Session, work: WorkTable, keys: Sequence[str]) -> set[int]:
    """Bring back what waits for these keys, now that they are here; return lanes."""
    return _bring_back(session, work, work.table.c.waiting_for.in_(keys)) if keys else set()


def wake_due(session: Session, work: WorkTable, *, limit: int = 1000) -> set[int]:
    """Bring back what has waited long enough; return the lanes touched."""
    return _bring_back(session, work, work.table.c.due_at <= sa.func.now(), limit=limit)


def _bring_back(
    session: Session, work: WorkTable, condition: Any, *, limit: int | None = None
) -> set[int]:
    table = work.table
    chosen = session.execute(
        sa.select(table.c.id, table.c.lane, table.c.line)
        .where(table.c.state == sa.literal_column("'parked'"), condition)
        .order_by(table.c.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    ).all()
    by_lane: dict[int, list[int]] = defaultdict(list)
    for row in chosen:
        by_lane[row.lane].append(row.line)
    for lane in sorted(by_lane):
        lines.enqueue(session, lane, by_lane[lane])
    if chosen:
        session.execute(
            sa.update(table)
            .where(table.c.id.in_([row.id for row in chosen]))
            .values(state="open", due_at=None, waiting_for=None)
        )
    return set(by_lane)
