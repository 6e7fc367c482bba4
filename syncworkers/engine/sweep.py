"""The sweep: frees expired leases, brings back due parked rows, and names the lanes with due work.

It is the guarantee behind every wake-up that was lost.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa

from syncworkers.engine import parking

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.orm import Session

    from syncworkers.engine.work import WorkTable

# A lost call may land until its own deadline (inside the lease) plus the lane's settle time; where
# nothing is called, there is nothing to wait for.
_FREE = sa.text("""
WITH e AS MATERIALIZED (
  SELECT l.lane, l.key FROM line l
   WHERE l.owner IS NOT NULL
     AND (l.lease_until < now() OR split_part(l.owner, '/', 1) = ANY (CAST(:orphaned AS text[])))
   ORDER BY l.lane, l.key LIMIT :limit FOR UPDATE OF l SKIP LOCKED)
UPDATE line SET owner = NULL, crashes = least(crashes + 1, 1000),
       due_at = CASE WHEN lane.settle_seconds = 0 THEN least(lease_until, now())
                     ELSE lease_until + make_interval(secs => lane.settle_seconds) END,
       lease_until = NULL
  FROM e, lane
 WHERE line.lane = e.lane AND line.key = e.key AND lane.id = e.lane
RETURNING line.lane, line.key
""")
_DUE_LANES = sa.text("""
SELECT name FROM lane
 WHERE coalesce(paused_until, now()) <= now()
   AND (SELECT true FROM line WHERE line.lane = lane.id AND owner IS NULL AND blocked_by IS NULL
           AND due_at <= now() LIMIT 1)
 ORDER BY priority, name
""")


def workers(session: Session) -> list[str]:
    """Name the workers that hold leases."""
    query = sa.text("SELECT DISTINCT split_part(owner, '/', 1) FROM line WHERE owner IS NOT NULL")
    return list(session.scalars(query))


def free_expired(
    session: Session,
    works: Sequence[WorkTable],
    *,
    orphaned: Sequence[str] = (),
    limit: int = 1000,
) -> int:
    """Take back lines whose worker was not heard of in time, or is `orphaned`; return how many.

    Their open rows may have been begun: they are marked unknown, so that their effect is looked up
    before anything is repeated. Only `crashes` rises, never `attempts`.
    """
    freed = session.execute(_FREE, {"limit": limit, "orphaned": list(orphaned)}).all()
    if freed:
        for work in filter(lambda work: work.effects, works):
            _mark_unknown(session, work, [row.lane for row in freed], [row.key for row in freed])
    return len(freed)


def _mark_unknown(session: Session, work: WorkTable, lanes: list[int], keys: list[int]) -> None:
    session.execute(
        sa.text(f"""
        UPDATE {work.table.name} w SET unknown_since = now()
          FROM unnest(CAST(:lanes AS smallint[]), CAST(:keys AS bigint[])) v(lane, key)
         WHERE w.lane = v.lane AND w.line = v.key AND w.state = 'open' AND w.unknown_since IS NULL
        """),  # noqa: S608 - the table name is ours
        {"lanes": lanes, "keys": keys},
    )


def wake_parked(session: Session, works: Sequence[WorkTable]) -> None:
    """Bring back parked rows whose due time passed."""
    for work in works:
        parking.wake_due(session, work)


def due_lanes(session: Session) -> list[str]:
    """Name the lanes that have ready lines now, the most urgent first."""
    return [row.name for row in session.execute(_DUE_LANES)]
