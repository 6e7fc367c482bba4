"""Certifications: how a partner's own sandbox did in our probes, kept per API version."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from syncworkers.store.base import Base

if TYPE_CHECKING:
    from sqlalchemy.orm import Session


class Certification(Base):
    """One run of all probes at one partner."""

    __tablename__ = "certification"

    id: Mapped[int] = mapped_column(sa.Identity(always=True), primary_key=True)
    partner: Mapped[str]
    connector: Mapped[str]
    api_version: Mapped[str]
    passed: Mapped[int] = mapped_column(sa.Integer)
    failed: Mapped[int] = mapped_column(sa.Integer)
    skipped: Mapped[int] = mapped_column(sa.Integer)
    probes: Mapped[list[Any]]
    """Each with `name`, `result` and `saw`."""
    actor: Mapped[str]
    at: Mapped[dt.datetime] = mapped_column(server_default=sa.func.now())

    __table_args__ = (
        sa.Index("certification_partner_api_version_idx", "partner", "api_version", "id"),
    )


def keep(session: Session, certification: Certification) -> None:
    """Write a certification down."""
    session.add(certification)
    session.flush()


def latest(session: Session, partner: str) -> dict[str, Certification]:
    """Return the newest certification of each API version of a partner."""
    rows = session.scalars(
        sa.select(Certification).where(Certification.partner == partner).order_by(Certification.id)
    )
    return {one.api_version: one for one in rows}
