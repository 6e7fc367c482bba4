"""The queue's own tables, and the columns it needs on any table of work."""

from __future__ import annotations

import datetime as dt

import sqlalchemy as sa
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

NAMING = {
    "ix": "%(table_name)s_%(column_0_N_name)s",
    "uq": "%(table_name)s_%(column_0_N_name)s_key",
    "ck": "%(table_name)s_%(constraint_name)s_check",
    "fk": "%(table_name)s_%(column_0_N_name)s_fkey",
    "pk": "%(table_name)s_pkey",
}


class EngineBase(DeclarativeBase):
    """Tables of the queue; apart from the store's, because neither knows the other."""

    metadata = sa.MetaData(naming_convention=NAMING)
    type_annotation_map = {  # noqa: RUF012 - SQLAlchemy reads it as a class attribute
        dt.datetime: sa.DateTime(timezone=True),
        str: sa.Text(),
    }


class Lane(EngineBase):
    """One kind of work for one side, as `orders.deliver:d365-main`: what a wake-up names."""

    __tablename__ = "lane"

    id: Mapped[int] = mapped_column(sa.SmallInteger, sa.Identity(always=True), primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    priority: Mapped[int] = mapped_column(sa.SmallInteger)
    slots: Mapped[int] = mapped_column(sa.SmallInteger)
    """Leased batches allowed at a time, fleet-wide."""
    gather_ms: Mapped[int]
    """While less than a full batch is ready, claims keep this distance."""
    settle_seconds: Mapped[float] = mapped_column(sa.Double)
    """How long after the call deadline a lost call may still land."""
    claimed_at: Mapped[dt.datetime] = mapped_column(server_default=sa.func.now())
    silences: Mapped[int] = mapped_column(sa.SmallInteger, server_default="0")
    """Calls in a row that were not answered."""
    paused_until: Mapped[dt.datetime | None]
    paused_reason: Mapped[str | None]
    paused_by: Mapped[str | None]


class Line(EngineBase):
    """The open work of one entity in one lane. Deleted when nothing is pending."""

    __tablename__ = "line"

    lane: Mapped[int] = mapped_column(sa.SmallInteger, primary_key=True, autoincrement=False)
    key: Mapped[int] = mapped_column(sa.BigInteger, primary_key=True, autoincrement=False)
    due_at: Mapped[dt.datetime] = mapped_column(server_default=sa.func.now())
    pending: Mapped[int]
    token: Mapped[int] = mapped_column(sa.BigInteger, server_default="0")
    attempts: Mapped[int] = mapped_column(sa.SmallInteger, server_default="0")
    crashes: Mapped[int] = mapped_column(sa.SmallInteger, server_default="0")
    owner: Mapped[str | None]
    lease_until: Mapped[dt.datetime | None]
    blocked_by: Mapped[int | None] = mapped_column(sa.BigInteger)

    __table_args__ = (
        sa.Index(
            "line_ready",
            "lane",
            "due_at",
            postgresql_where=sa.text("owner IS NULL AND blocked_by IS NULL"),
        ),
        sa.Index(
            "line_crashed",
            "lane",
            "due_at",
            postgresql_where=sa.text("owner IS NULL AND blocked_by IS NULL AND crashes > 0"),
        ),
        sa.Index(
            "line_lease", "lane", "lease_until", postgresql_where=sa.text("owner IS NOT NULL")
        ),
        sa.CheckConstraint("pending >= 0", name="pending"),
        {
            "postgresql_with": {
                "fillfactor": 70,
                "autovacuum_vacuum_scale_factor": 0,
                "autovacuum_vacuum_threshold": 2000,
                "autovacuum_vacuum_cost_delay": 0,
            }
        },
    )


class ScheduleEntry(EngineBase):
    """One entry of the beat schedule; a slot is taken by compare-and-set on the database clock."""

    __tablename__ = "schedule_entry"

    name: Mapped[str] = mapped_column(primary_key=True)
    slot: Mapped[dt.datetime]
    owner: Mapped[str | None]
    lease_until: Mapped[dt.datetime | None]
    done_slot: Mapped[dt.datetime | None]
