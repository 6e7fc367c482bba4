"""History: each accepted change of an entity, and where it came from."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from syncworkers.store.base import Base, insert_rows

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.orm import Session


class EntityVersion(Base):
    """One version of one entity: the whole canonical object and what changed in it."""

    __tablename__ = "entity_version"

    entity_kind: Mapped[str] = mapped_column(primary_key=True)
    entity_id: Mapped[int] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(sa.Integer, primary_key=True)
    message_id: Mapped[int]
    mapping: Mapped[str]
    """Which mapping read it, as `shopify.order/1`."""
    rules: Mapped[str]
    snapshot: Mapped[dict[str, Any]]
    diff: Mapped[dict[str, Any]]
    """By field path: [before, after]."""
    at: Mapped[dt.datetime] = mapped_column(server_default=sa.func.now())

    __table_args__ = (sa.Index("entity_version_message_id", "message_id"),)


def add(session: Session, versions: Sequence[dict[str, Any]]) -> None:
    """Write accepted changes down, keyed as the columns of `entity_version`."""
    insert_rows(session, EntityVersion, versions)
