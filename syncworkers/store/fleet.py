"""State of the fleet: how far each partner was read, and what was purged."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, mapped_column

from syncworkers.store.base import Base

if TYPE_CHECKING:
    from sqlalchemy.orm import Session


class Cursor(Base):
    """How far we read; it moves only in the transaction that stored what was read."""

    __tablename__ = "cursor"

    partner: Mapped[str] = mapped_column(primary_key=True)
    resource: Mapped[str] = mapped_column(primary_key=True)
    position: Mapped[dt.datetime]
    moved_at: Mapped[dt.datetime] = mapped_column(server_default=sa.func.now())


class PurgeTotal(Base):
    """Rows purged by table and state, so that the ledger still adds up."""

    __tablename__ = "purge_total"

    about: Mapped[str] = mapped_column(primary_key=True)
    state: Mapped[str] = mapped_column(primary_key=True)
    rows: Mapped[int]
    last_at: Mapped[dt.datetime] = mapped_column(server_default=sa.func.now())


def now(session: Session) -> dt.datetime:
    """Return the database's time, the only clock that decides."""
    return session.execute(sa.select(sa.func.now())).scalar_one()


def position(session: Session, partner: str, resource: str) -> dt.datetime | None:
    """Return how far this resource was read, in the partner's time."""
    return session.execute(
        sa.select(Cursor.position).where(Cursor.partner == partner, Cursor.resource == resource)
    ).scalar_one_or_none()


def move(session: Session, partner: str, resource: str, position: dt.datetime) -> None:
    """Move the cursor forward, never back."""
    statement = insert(Cursor).values(partner=partner, resource=resource, position=position)
    session.execute(
        statement.on_conflict_do_update(
            index_elements=["partner", "resource"],
            set_={"position": statement.excluded.position, "moved_at": sa.func.now()},
            where=Cursor.position < statement.excluded.position,
        )
    )
