"""Recoveries: what was lost with a part of the database, and how long to mistrust what follows."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from syncworkers.store.base import Base

if TYPE_CHECKING:
    from sqlalchemy.orm import Session


class Recovery(Base):
    """The database went back to `since` and was recovered `at`.

    Until `until` every new delivery begins as unknown: its effect may be there from the time that
    was lost.
    """

    __tablename__ = "recovery"

    id: Mapped[int] = mapped_column(sa.Identity(always=True), primary_key=True)
    since: Mapped[dt.datetime]
    at: Mapped[dt.datetime] = mapped_column(server_default=sa.func.now())
    until: Mapped[dt.datetime]
    actor: Mapped[str]


def begin(session: Session, *, since: dt.datetime, watch: float, actor: str) -> dt.datetime:
    """Write a recovery down; `watch` is in seconds; return until when it mistrusts."""
    recovery = Recovery(since=since, until=sa.func.now() + dt.timedelta(seconds=watch), actor=actor)
    session.add(recovery)
    session.flush()
    session.refresh(recovery)
    return recovery.until


def mistrusted_since(session: Session) -> dt.datetime | None:
    """Return the present time while a recovery lasts, else None."""
    lasts = sa.exists().where(Recovery.until > sa.func.now())
    return session.scalar(sa.select(sa.func.now()).where(lasts))


def lost(session: Session) -> tuple[dt.datetime, dt.datetime] | None:
    """Return from when to when rows of ours may be lost, while a recovery lasts; else None."""
    lasting = sa.select(Recovery.since, Recovery.at).where(Recovery.until > sa.func.now())
    rows = session.execute(lasting).all()
    return (min(row.since for row in rows), max(row.at for row in rows)) if rows else None


def last(session: Session) -> dt.datetime | None:
    """Return when the database was last recovered; None: it never was."""
    return session.scalar(sa.select(sa.func.max(Recovery.at)))


# What is dead may have been tried again, and have succeeded, in the time that was lost.
_MISTRUST = sa.text("""
UPDATE delivery SET unknown_since = now()
 WHERE state IN ('open', 'parked', 'dead') AND unknown_since IS NULL
""")
_REWIND = sa.text("UPDATE cursor SET position = :since WHERE position > :since")
_LEASED = sa.text("""
SELECT count(*) AS lines, extract(epoch FROM max(lease_until) - now()) AS seconds FROM line
 WHERE owner IS NOT NULL AND lease_until > now()
""")


def mistrust_deliveries(session: Session) -> int:
    """Mark everything that may have been sent in the lost time as unknown; return how many."""
    return session.execute(_MISTRUST).rowcount  # type: ignore[attr-defined,no-any-return]


def rewind_cursors(session: Session, since: dt.datetime) -> int:
    """Have polls read again what changed since then; return how many went back."""
    return session.execute(_REWIND, {"since": since}).rowcount  # type: ignore[attr-defined,no-any-return]


def leased(session: Session) -> tuple[int, float]:
    """Return how many lines are held by workers, and in how many seconds the last lease ends."""
    row = session.execute(_LEASED).one()
    return row.lines, float(row.seconds or 0.0)
