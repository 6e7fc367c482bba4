"""Identity: our id of an entity, and each partner's id of it."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from syncworkers.store.base import Base

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from sqlalchemy.orm import Session


class Link(Base):
    """One partner's id of one entity of ours; unique both ways."""

    __tablename__ = "link"

    kind: Mapped[str] = mapped_column(primary_key=True)
    entity_id: Mapped[int] = mapped_column(primary_key=True)
    partner: Mapped[str] = mapped_column(primary_key=True)
    external_id: Mapped[str]
    external_version: Mapped[str | None]
    """Its version there (an ETag), as last seen."""
    at: Mapped[dt.datetime] = mapped_column(server_default=sa.func.now())
    imported: Mapped[bool] = mapped_column(server_default=sa.false())
    """An earlier integration made the object: it bears that one's reference, not ours."""

    __table_args__ = (sa.UniqueConstraint("partner", "kind", "external_id"),)


def key(kind: str, partner: str, external_id: str) -> str:
    """Name a link that is not there yet, for what waits until it is imported."""
    return f"link:{kind}:{partner}:{external_id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewLink:
    """A partner's id of an entity, learnt or seen again."""

    kind: str
    entity_id: int
    partner: str
    external_id: str
    external_version: str | None = None
    imported: bool = False


_COLUMNS = ("kind", "entity_id", "partner", "external_id", "external_version", "imported")
# One text however many there are: it is compiled once.
_LINK = sa.text("""
INSERT INTO link (kind, entity_id, partner, external_id, external_version, imported)
SELECT * FROM unnest(CAST(:kind AS text[]), CAST(:entity_id AS bigint[]), CAST(:partner AS text[]),
                     CAST(:external_id AS text[]), CAST(:external_version AS text[]),
                     CAST(:imported AS bool[]))
ON CONFLICT (kind, entity_id, partner) DO UPDATE SET external_id = excluded.external_id,
       external_version = coalesce(excluded.external_version, link.external_version)
""")


class TakenError(Exception):
    """A partner's id belongs to another entity of ours already."""


def link(session: Session, links: Sequence[NewLink]) -> None:
    """Write links down; one that stands takes the newer version.

    Raises `TakenError` when a partner's id belongs to another entity already: the transaction is
    spoilt then.
    """
    if not links:
        return
    rows = sorted(links, key=lambda one: (one.kind, one.entity_id, one.partner))
    try:
        session.execute(_LINK, {name: [getattr(one, name) for one in rows] for name in _COLUMNS})
    except sa.exc.IntegrityError as error:
        raise TakenError from error


def owners(
    session: Session, partner: str, ids: Collection[tuple[str, str]]
) -> dict[tuple[str, str], int]:
    """Return which entities of ours have these ids of a partner, given as (kind, its id)."""
    if not ids:
        return {}
    table = Link.__table__.c
    rows = session.execute(
        sa.select(table.kind, table.external_id, table.entity_id).where(
            table.partner == partner,
            sa.tuple_(table.kind, table.external_id).in_(sorted(ids)),
        )
    )
    return {(row.kind, row.external_id): row.entity_id for row in rows}


def links(
    session: Session, partner: str, entities: Collection[tuple[str, int]]
) -> dict[tuple[str, int], tuple[str, str | None]]:
    """Return the partner's id and version of these entities, given as (kind, our id)."""
    if not entities:
        return {}
    table = Link.__table__.c
    rows = session.execute(
        sa.select(table.kind, table.entity_id, table.external_id, table.external_version).where(
            table.partner == partner,
            sa.tuple_(table.kind, table.entity_id).in_(sorted(entities)),
        )
    )
    return {(row.kind, row.entity_id): (row.external_id, row.external_version) for row in rows}


def imported(
    session: Session, partner: str, entities: Collection[tuple[str, int]]
) -> set[tuple[str, int]]:
    """Return which of these entities an earlier integration brought to a partner."""
    if not entities:
        return set()
    table = Link.__table__.c
    rows = session.execute(
        sa.select(table.kind, table.entity_id).where(
            table.partner == partner,
            table.imported,
            sa.tuple_(table.kind, table.entity_id).in_(sorted(entities)),
        )
    )
    return {(row.kind, row.entity_id) for row in rows}
