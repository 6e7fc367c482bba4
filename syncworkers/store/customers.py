"""Customers of the stores, and the accounts the ERP has for them."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, mapped_column

from syncworkers.store.base import Base

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from sqlalchemy.orm import Session


class CustomerRow(Base):
    """A customer of a store for whom we keep an account in an ERP; who it is, its orders say."""

    __tablename__ = "customer"

    id: Mapped[int] = mapped_column(sa.Identity(always=True), primary_key=True)
    scope: Mapped[str]
    partner: Mapped[str]
    external_id: Mapped[str]
    received_at: Mapped[dt.datetime] = mapped_column(server_default=sa.func.now())

    __table_args__ = (sa.UniqueConstraint("partner", "external_id"),)


class CustomerAccountRow(Base):
    """Which ERP account a store's customer has: filled by people, imports and confirmed creates."""

    __tablename__ = "customer_account"

    store: Mapped[str] = mapped_column(primary_key=True)
    customer_id: Mapped[str] = mapped_column(primary_key=True)
    erp: Mapped[str] = mapped_column(primary_key=True)
    company: Mapped[str] = mapped_column(primary_key=True)
    account: Mapped[str]
    at: Mapped[dt.datetime] = mapped_column(server_default=sa.func.now())


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenCustomer:
    """A customer as an order names it."""

    scope: str
    partner: str
    external_id: str


def lock(session: Session, seen: Sequence[SeenCustomer]) -> Mapping[tuple[str, str], int]:
    """Enter customers that are new, lock all of them in the order of their ids; return the ids.

    By (store, the store's customer id). Locked, so that two orders of one customer owe its account
    once.
    """
    if not seen:
        return {}
    distinct = {(one.partner, one.external_id): one for one in seen}
    session.execute(
        insert(CustomerRow).on_conflict_do_nothing(),
        [
            {
                "scope": one.scope,
                "partner": one.partner,
                "external_id": one.external_id,
            }
            for _, one in sorted(distinct.items())
        ],
    )
    table = CustomerRow.__table__.c
    rows = session.execute(
        sa.select(table.id, table.partner, table.external_id)
        .where(sa.tuple_(table.partner, table.external_id).in_(sorted(distinct)))
        .order_by(table.id)
        .with_for_update()
    )
    return {(row.partner, row.external_id): row.id for row in rows}


def accounts(
    session: Session, customers: Collection[tuple[str, str, str, str]]
) -> dict[tuple[str, str, str, str], str]:
    """Return the ERP accounts of these (store, customer id, erp, company)."""
    if not customers:
        return {}
    table = CustomerAccountRow.__table__.c
    key = (table.store, table.customer_id, table.erp, table.company)
    rows = session.execute(
        sa.select(*key, table.account).where(sa.tuple_(*key).in_(sorted(customers)))
    )
    return {(row[0], row[1], row[2], row[3]): row[4] for row in rows}


_RECORD = sa.text("""
INSERT INTO customer_account (store, customer_id, erp, company, account)
SELECT c.partner, c.external_id, :erp, v.company, v.account
  FROM unnest(CAST(:ids AS bigint[]), CAST(:companies AS text[]), CAST(:accounts AS text[]))
       v(id, company, account) JOIN customer c ON c.id = v.id
ON CONFLICT (store, customer_id, erp, company) DO NOTHING
""")


def record_accounts(session: Session, erp: str, made: Sequence[tuple[int, str, str]]) -> None:
    """Write down accounts that now exist: (our customer id, company, account)."""
    if made:
        session.execute(
            _RECORD,
            {
                "erp": erp,
                "ids": [one[0] for one in made],
                "companies": [one[1] for one in made],
                "accounts": [one[2] for one in made],
            },
        )
