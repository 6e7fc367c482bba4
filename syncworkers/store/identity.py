"""Identity and lineage: our id, each partner's id of it, and what came of what."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
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

    __table_args__ = (sa.UniqueConstraint("partner", "kind", "external_id"),)


class Lineage(Base):
    """An edge: the child exists because of the parent (order → shipment → invoice → charge)."""

    __tablename__ = "lineage"

    parent_kind: Mapped[str] = mapped_column(primary_key=True)
    parent_id: Mapped[int] = mapped_column(primary_key=True)
    child_kind: Mapped[str] = mapped_column(primary_key=True)
    child_id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[dt.datetime] = mapped_column(server_default=sa.func.now())

    __table_args__ = (sa.Index("lineage_child", "child_kind", "child_id"),)


class CustomerAccount(Base):
    """Which ERP account a store's customer has: an explicit table, filled by people or imports."""

    __tablename__ = "customer_account"

    store: Mapped[str] = mapped_column(primary_key=True)
    customer_id: Mapped[str] = mapped_column(primary_key=True)
    erp: Mapped[str] = mapped_column(primary_key=True)
    company: Mapped[str] = mapped_column(primary_key=True)
    account: Mapped[str]
    at: Mapped[dt.datetime] = mapped_column(server_default=sa.func.now())


@dataclass(frozen=True, slots=True, kw_only=True)
class NewLink:
    """A partner's id of an entity, learnt or seen again."""

    kind: str
    entity_id: int
    partner: str
    external_id: str
    external_version: str | None = None


def link(session: Session, links: Sequence[NewLink]) -> None:
    """Write links down; one that stands takes the newer version.

    Raises IntegrityError when the partner's id belongs to another entity already.
    """
    if not links:
        return
    statement = insert(Link).values(
        [
            {
                "kind": one.kind,
                "entity_id": one.entity_id,
                "partner": one.partner,
                "external_id": one.external_id,
                "external_version": one.external_version,
            }
            for one in sorted(links, key=lambda one: (one.kind, one.entity_id, one.partner))
        ]
    )
    session.execute(
        statement.on_conflict_do_update(
            index_elements=["kind", "entity_id", "partner"],
            set_={
                "external_id": statement.excluded.external_id,
                "external_version": sa.func.coalesce(
                    statement.excluded.external_version, Link.external_version
                ),
            },
        )
    )


def links(
    session: Session, partner: str, kind: str, entities: Collection[int]
) -> dict[int, tuple[str, str | None]]:
    """Return the partner's id and version of these entities, where known."""
    if not entities:
        return {}
    rows = session.execute(
        sa.select(Link.entity_id, Link.external_id, Link.external_version).where(
            Link.partner == partner, Link.kind == kind, Link.entity_id.in_(entities)
        )
    )
    return {row.entity_id: (row.external_id, row.external_version) for row in rows}


def customer_accounts(
    session: Session, customers: Collection[tuple[str, str, str, str]]
) -> dict[tuple[str, str, str, str], str]:
    """Return the ERP accounts of these (store, customer id, erp, company)."""
    if not customers:
        return {}
    table = CustomerAccount.__table__.c
    key = (table.store, table.customer_id, table.erp, table.company)
    rows = session.execute(
        sa.select(*key, table.account).where(sa.tuple_(*key).in_(sorted(customers)))
    )
    return {(row[0], row[1], row[2], row[3]): row[4] for row in rows}
