"""Parking: rows that wait for something absent, outside their line.

The arrival wakes them for speed; their due time is the guarantee.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from syncworkers.engine import lines

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.orm import Session

    from syncworkers.engine.work import WorkTable

FIRST_WAIT = 2.0
LONGEST_WAIT = 300.0


def park(session: Session, work: WorkTable, row: int, *, key: str, at_least: float = 0.0) -> None:
    """Take one row out of its line until `key` arrives or its due time passes.

    The wait doubles from 2 s to 5 min, and is `at_least` so many seconds. The caller counts the row
    as finished in its line.
    """
    table = work.table
    # The exponent is bounded: a row may wait for weeks.
    doubled = FIRST_WAIT * sa.func.power(2.0, sa.func.least(table.c.waits, 20))
    wait = sa.func.greatest(at_least, sa.func.least(LONGEST_WAIT, doubled))
    session.execute(
        sa.update(table)
        .where(table.c.id == row, table.c.state == "open")
        .values(
            state="parked",
            waiting_for=key,
            due_at=sa.func.now() + sa.func.make_interval(0, 0, 0, 0, 0, 0, wait),
            waits=sa.func.least(table.c.waits + 1, 1000),
        )
    )


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
