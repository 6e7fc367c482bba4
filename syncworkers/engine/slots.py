"""Beat slots: any number of beats is harmless, a crash after taking a slot is noticed.

An entry's slots are its period's multiples on the database's clock. Taking one is a
compare-and-set; a missed or crashed run is a row whose `done_slot` lags behind.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import sqlalchemy as sa

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from contextlib import AbstractContextManager

    from sqlalchemy.orm import Session

_TAKE = sa.text("""
INSERT INTO schedule_entry AS e (name, slot, owner, lease_until)
VALUES (:name, date_bin(make_interval(secs => :every), now(), 'epoch'), :owner,
        now() + make_interval(secs => :lease))
ON CONFLICT (name) DO UPDATE
   SET slot = excluded.slot, owner = excluded.owner, lease_until = excluded.lease_until
 WHERE (e.slot < excluded.slot OR e.done_slot IS DISTINCT FROM e.slot)
   AND (e.lease_until IS NULL OR e.lease_until < now())
RETURNING slot
""")
_DONE = sa.text("""
UPDATE schedule_entry SET done_slot = slot, lease_until = NULL WHERE name = :name AND owner = :owner
""")
_RELEASE = sa.text("""
UPDATE schedule_entry SET lease_until = NULL WHERE name = :name AND owner = :owner
""")
_LATE = sa.text("""
SELECT name FROM schedule_entry
 WHERE done_slot IS DISTINCT FROM slot AND lease_until < now() ORDER BY name
""")


@contextmanager
def hold(
    sessions: Callable[[], AbstractContextManager[Session]],
    name: str,
    *,
    every: float,
    owner: str,
    lease: float = 300.0,
) -> Iterator[bool]:
    """Take the entry's present slot: yields whether it is ours to run.

    `every` and `lease` are in seconds. A run that raises gives the slot back undone; one that dies
    is taken over when its lease ends.
    """
    with sessions() as session:
        values = {"name": name, "every": every, "owner": owner, "lease": lease}
        taken = session.execute(_TAKE, values).first() is not None
    if not taken:
        yield False
        return
    try:
        yield True
    except BaseException:
        with sessions() as session:
            session.execute(_RELEASE, {"name": name, "owner": owner})
        raise
    with sessions() as session:
        session.execute(_DONE, {"name": name, "owner": owner})


def owners(session: Session) -> list[str]:
    """Name the workers that run an entry just now."""
    query = sa.text("SELECT DISTINCT owner FROM schedule_entry WHERE lease_until > now()")
    return list(session.scalars(query))


def free(session: Session, owners: Sequence[str]) -> list[str]:
    """End the leases of workers that are gone; return the entries that were begun in vain."""
    query = sa.text("""
    UPDATE schedule_entry SET lease_until = now()
     WHERE lease_until > now() AND owner = ANY (CAST(:owners AS text[])) RETURNING name""")
    return sorted(session.scalars(query, {"owners": list(owners)}))


def is_held(session: Session, name: str) -> bool:
    """Say whether a run of this entry is under way."""
    held = sa.text("SELECT count(*) FROM schedule_entry WHERE name = :name AND lease_until > now()")
    return bool(session.execute(held, {"name": name}).scalar_one())


def late(session: Session) -> list[str]:
    """Name the entries whose last run was begun and never finished."""
    return [row.name for row in session.execute(_LATE)]
