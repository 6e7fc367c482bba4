"""Sales orders: typed tables that finance and BI can query."""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from syncworkers.canonical.kinds import Kind
from syncworkers.canonical.orders import AdjustmentKind, SalesOrder
from syncworkers.store import codec
from syncworkers.store.base import Base, insert_rows
from syncworkers.store.history import EntityVersion
from syncworkers.store.identity import Link

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from sqlalchemy.orm import Session


SUMMED = tuple(kind for kind in AdjustmentKind if kind is not AdjustmentKind.TAX)
"""Kinds with a column of their own; tax has `tax_total`, whether added or included."""


class SalesOrderRow(Base):
    """An order, as last accepted from its store."""

    __tablename__ = "sales_order"

    id: Mapped[int] = mapped_column(sa.Identity(always=False), primary_key=True)
    """Drawn before the row is written, because its versions and deliveries name it."""
    scope: Mapped[str]
    """Brand and company: order 1001 exists in each shop."""
    partner: Mapped[str]
    external_id: Mapped[str]
    number: Mapped[str]
    version: Mapped[int] = mapped_column(sa.Integer)
    correlation_id: Mapped[uuid.UUID]
    placed_at: Mapped[dt.datetime]
    updated_at: Mapped[dt.datetime]
    """The store's clock; never ours."""
    cancelled_at: Mapped[dt.datetime | None]
    currency: Mapped[str]
    total: Mapped[Decimal]
    tax_total: Mapped[Decimal]
    taxes_included: Mapped[bool]
    shipping_total: Mapped[Decimal]
    handling_total: Mapped[Decimal]
    discount_total: Mapped[Decimal]
    tip_total: Mapped[Decimal]
    duty_total: Mapped[Decimal]
    rounding_total: Mapped[Decimal]
    """Sums of the adjustments by kind; single ones, with their codes, are in the version."""
    test: Mapped[bool]
    customer_id: Mapped[str | None]
    customer_name: Mapped[str]
    email: Mapped[str]
    country: Mapped[str]
    city: Mapped[str]
    postal_code: Mapped[str]
    erp: Mapped[str | None]
    erp_number: Mapped[str | None]
    """The number it has, or will have, in the ERP; its being there is a link. What an earlier
    integration booked has the number of its imported link instead."""
    company: Mapped[str | None]
    """In which it is booked there; None before 0004: in the store's own."""
    received_at: Mapped[dt.datetime] = mapped_column(server_default=sa.func.now())

    __table_args__ = (
        sa.UniqueConstraint("partner", "external_id"),
        sa.Index("sales_order_number", "number"),
        sa.Index("sales_order_erp_number", "erp_number"),
    )


class SalesOrderLineRow(Base):
    """A line of an order, in the store's order of lines."""

    __tablename__ = "sales_order_line"

    order_id: Mapped[int] = mapped_column(
        sa.ForeignKey("sales_order.id", ondelete="CASCADE"), primary_key=True
    )
    position: Mapped[int] = mapped_column(sa.SmallInteger, primary_key=True)
    external_id: Mapped[str]
    sku: Mapped[str]
    title: Mapped[str]
    quantity: Mapped[int] = mapped_column(sa.Integer)
    unit_price: Mapped[Decimal]
    discount: Mapped[Decimal]
    tax: Mapped[Decimal]
    requires_shipping: Mapped[bool]
    gift_card: Mapped[bool]

    __table_args__ = (sa.Index("sales_order_line_sku", "sku"),)


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredOrder:
    """An order as it stands: our id and version of it, and the canonical object.

    Its `updated_at` is the newest we have seen, even where a newer snapshot said nothing new.
    """

    id: int
    version: int
    scope: str
    partner: str
    correlation_id: uuid.UUID
    erp: str | None
    erp_number: str | None
    company: str | None
    order: SalesOrder


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderWrite:
    """A new version of an order to write down; `before` is None for a new one."""

    id: int
    scope: str
    partner: str
    version: int
    correlation_id: uuid.UUID
    before: SalesOrder | None
    after: SalesOrder
    erp: str | None
    erp_number: str | None
    company: str | None


def lock(
    session: Session, identities: Collection[tuple[str, str]]
) -> dict[tuple[str, str], StoredOrder]:
    """Lock the orders of these (partner, external id) in the order of their ids, and read them."""
    if not identities:
        return {}
    table = SalesOrderRow.__table__.c
    named = sa.tuple_(table.partner, table.external_id).in_(sorted(identities))
    return {(one.partner, one.order.external_id): one for one in _lock(session, named)}


def lock_ids(session: Session, ids: Collection[int]) -> dict[int, StoredOrder]:
    """Lock these orders in the order of their ids, and read them.

    Whatever belongs to an order (parts, shipments, invoices) is read and written under its lock.
    """
    if not ids:
        return {}
    return {one.id: one for one in _lock(session, SalesOrderRow.__table__.c.id.in_(ids))}


def _lock(session: Session, which: sa.ColumnElement[bool]) -> list[StoredOrder]:
    table = SalesOrderRow.__table__
    rows = session.execute(
        sa.select(
            table,
            sa.func.coalesce(Link.external_id, table.c.erp_number).label("number_there"),
            EntityVersion.snapshot,
        )
        .outerjoin(Link, _booked_before())
        .join(
            EntityVersion,
            (EntityVersion.entity_kind == Kind.ORDER.value)
            & (EntityVersion.entity_id == table.c.id)
            & (EntityVersion.version == table.c.version),
        )
        .where(which)
        .order_by(table.c.id)
        .with_for_update(of=table)
    )
    return [
        StoredOrder(
            id=row.id,
            version=row.version,
            scope=row.scope,
            partner=row.partner,
            correlation_id=row.correlation_id,
            erp=row.erp,
            erp_number=row.number_there,
            company=row.company,
            order=replace(codec.load(row.snapshot, SalesOrder), updated_at=row.updated_at),
        )
        for row in rows
    ]


def _booked_before() -> sa.ColumnElement[bool]:
    """Say that a link is that of an order which an earlier integration booked."""
    table = SalesOrderRow.__table__.c
    return (
        (Link.kind == Kind.ORDER.value)
        & (Link.entity_id == table.id)
        & (Link.partner == table.erp)
        & Link.imported
    )


_TOUCH = sa.text("""
UPDATE sales_order o SET updated_at = v.updated_at
  FROM unnest(CAST(:ids AS bigint[]), CAST(:times AS timestamptz[])) v(id, updated_at)
 WHERE o.id = v.id AND o.updated_at < v.updated_at
""")


def touch(session: Session, seen: Mapping[int, dt.datetime]) -> None:
    """Note that newer snapshots of these orders said nothing new."""
    if seen:
        session.execute(_TOUCH, {"ids": list(seen.keys()), "times": list(seen.values())})


@dataclass(frozen=True, slots=True, kw_only=True)
class Numbered:
    """An order and its number in one company of an ERP."""

    id: int
    partner: str
    number: str
    company: str | None


_NUMBERED = sa.text("""
SELECT o.id, o.partner, o.erp_number AS number, o.company FROM sales_order o
 WHERE o.erp = :erp AND o.erp_number = ANY (:numbers)
   AND NOT EXISTS (SELECT 1 FROM link l WHERE l.kind = 'order' AND l.entity_id = o.id
                      AND l.partner = o.erp AND l.imported)
UNION ALL
SELECT o.id, o.partner, l.external_id, o.company
  FROM link l JOIN sales_order o ON o.id = l.entity_id
 WHERE l.partner = :erp AND l.kind = 'order' AND l.external_id = ANY (:numbers) AND l.imported
   AND o.erp = :erp
""")


def by_erp_number(session: Session, erp: str, numbers: Collection[str]) -> list[Numbered]:
    """Return the orders with these numbers in an ERP, of all its companies."""
    if not numbers:
        return []
    rows = session.execute(_NUMBERED, {"erp": erp, "numbers": list(numbers)})
    return [
        Numbered(id=row.id, partner=row.partner, number=row.number, company=row.company)
        for row in rows
    ]


def save(session: Session, writes: Sequence[OrderWrite]) -> None:
    """Write orders and their lines; lines only where they changed."""
    new = [write for write in writes if write.before is None]
    changed = [write for write in writes if write.before is not None]
    insert_rows(session, SalesOrderRow, [_row(write) for write in new])
    if changed:
        session.execute(sa.update(SalesOrderRow), [_row(write) for write in changed])
    moved = [
        write for write in writes if write.before is None or write.before.lines != write.after.lines
    ]
    stale = [write.id for write in moved if write.before is not None]
    if stale:
        session.execute(sa.delete(SalesOrderLineRow).where(SalesOrderLineRow.order_id.in_(stale)))
    rows = [row for write in moved for row in _lines(write)]
    insert_rows(session, SalesOrderLineRow, rows)


def _row(write: OrderWrite) -> dict[str, object]:
    order = write.after
    address = order.shipping_address or order.billing_address
    return {
        "id": write.id,
        "scope": write.scope,
        "partner": write.partner,
        "external_id": order.external_id,
        "number": order.number,
        "version": write.version,
        "correlation_id": write.correlation_id,
        "placed_at": order.placed_at,
        "updated_at": order.updated_at,
        "cancelled_at": order.cancelled_at,
        "currency": order.currency,
        "total": order.total,
        "tax_total": order.tax_total,
        "taxes_included": order.taxes_included,
        **{f"{kind.value}_total": _total(order, kind) for kind in SUMMED},
        "test": order.test,
        "customer_id": order.customer_id,
        "customer_name": order.customer_name,
        "email": order.email,
        "country": address.country if address else "",
        "city": address.city if address else "",
        "postal_code": address.postal_code if address else "",
        "erp": write.erp,
        "erp_number": write.erp_number,
        "company": write.company,
    }


def _total(order: SalesOrder, kind: AdjustmentKind) -> Decimal:
    return sum((one.amount for one in order.adjustments if one.kind is kind), Decimal(0))


def _lines(write: OrderWrite) -> list[dict[str, object]]:
    return [
        {"order_id": write.id, "position": position, **codec.columns(line)}
        for position, line in enumerate(write.after.lines)
    ]


def newest_known(
    session: Session, partner: str, external_ids: Collection[str]
) -> Mapping[str, dt.datetime]:
    """Return how new our snapshot of each of these orders is, by the store's clock."""
    rows = session.execute(
        sa.select(SalesOrderRow.external_id, SalesOrderRow.updated_at).where(
            SalesOrderRow.partner == partner, SalesOrderRow.external_id.in_(external_ids)
        )
    )
    return {row.external_id: row.updated_at for row in rows}
