"""Retention: how long finished rows are kept, and their orderly leaving."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

KEEP_DAYS = 400
"""Long enough for a year's close and its audit."""
BATCH = 1000

# A message stays as long as anything still points at it: its case, or the version it brought.
_PURGE = sa.text("""
WITH old AS (
  SELECT m.id FROM message m
   WHERE m.state IN ('superseded', 'echo') AND m.finished_at < now() - make_interval(days => :days)
     AND NOT EXISTS (SELECT 1 FROM exception_case c WHERE c.about = 'message' AND c.about_id = m.id)
     AND NOT EXISTS (SELECT 1 FROM entity_version v WHERE v.message_id = m.id)
   ORDER BY m.id LIMIT :batch FOR UPDATE SKIP LOCKED),
gone AS (DELETE FROM message m USING old WHERE m.id = old.id RETURNING m.state),
total AS (
  INSERT INTO purge_total (about, state, rows)
  SELECT 'message', state, count(*) FROM gone GROUP BY state
  ON CONFLICT (about, state) DO UPDATE SET rows = purge_total.rows + excluded.rows, last_at = now())
SELECT count(*) FROM gone
""")


def purge_batch(session: Session, *, days: int = KEEP_DAYS) -> int:
    """Remove one batch of finished messages that nothing refers to; return how many."""
    return int(session.execute(_PURGE, {"days": days, "batch": BATCH}).scalar_one())
