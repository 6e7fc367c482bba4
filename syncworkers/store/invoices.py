"""Invoices the ERP posted, and which shipments they are for."""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from syncworkers.canonical.invoices import Invoice, InvoiceLine
from syncworkers.store.base import Base, insert_rows

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from sqlalchemy.orm import Session


class InvoiceRow(Base):
    """A posted invoice; it never changes."""

    __tablename__ = "invoice"

    id: Mapped[int] = mapped_column(sa.Identity(always=False), primary_key=True)
    scope: Mapped[str]
    order_id: Mapped[int] = mapped_column(sa.ForeignKey("sales_order.id", ondelete="CASCADE"))
    partner: Mapped[str]
    external_id: Mapped[str]
    """`<company>/<number>` in the ERP."""
    number: Mapped[str]
    company: Mapped[str]
    order_number: Mapped[str]
    customer_reference: Mapped[str]
    date: Mapped[dt.date]
    currency: Mapped[str]
    total: Mapped[Decimal]
    tax_total: Mapped[Decimal]
    charge_total: Mapped[Decimal]
    correlation_id: Mapped[uuid.UUID]
    received_at: Mapped[dt.datetime] = mapped_column(server_default=sa.func.now())

    __table_args__ = (
        sa.UniqueConstraint("partner", "external_id"),
        sa.Index("invoice_order_id", "order_id"),
        sa.Index("invoice_number", "number"),
    )


class InvoiceLineRow(Base):
    """A line of an invoice."""

    __tablename__ = "invoice_line"

    invoice_id: Mapped[int] = mapped_column(
        sa.ForeignKey("invoice.id", ondelete="CASCADE"), primary_key=True
    )
    number: Mapped[int] = mapped_column(sa.Integer, primary_key=True)
    item: Mapped[str]
    description: Mapped[str]
    quantity: Mapped[Decimal]
    unit_price: Mapped[Decimal]
    amount: Mapped[Decimal]
    tax: Mapped[Decimal]


class InvoiceMatchRow(Base):
    """Units of an invoice line, the order line they bill, and the shipment they left with."""

    __tablename__ = "invoice_match"

    invoice_id: Mapped[int] = mapped_column(
        sa.ForeignKey("invoice.id", ondelete="CASCADE"), primary_key=True
    )
    line: Mapped[int] = mapped_column(sa.Integer, primary_key=True)
    place: Mapped[int] = mapped_column(sa.SmallInteger, primary_key=True)
    order_line: Mapped[str | None]
    """The store's id of the order line; None: no line of the order is this item at this price."""
    shipment_id: Mapped[int | None] = mapped_column(sa.ForeignKey("shipment.id"))
    """None: billed, and not shipped yet as far as we know."""
    quantity: Mapped[Decimal]
    certain: Mapped[bool]
    """False: other lines or shipments would fit as well."""

    __table_args__ = (sa.Index("invoice_match_shipment_id", "shipment_id"),)


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredInvoice:
    """An invoice as it stands."""

    id: int
    scope: str
    order_id: int
    partner: str
    correlation_id: uuid.UUID
    invoice: Invoice


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """Units of an invoice line, placed."""

    invoice_id: int
    line: int
    place: int
    order_line: str | None
    shipment_id: int | None
    quantity: Decimal
    certain: bool


def of_orders(session: Session, orders: Collection[int]) -> dict[int, list[StoredInvoice]]:
    """Read the invoices of these orders, by order, oldest first; the orders are locked."""
    found: dict[int, list[StoredInvoice]] = {order: [] for order in orders}
    if not orders:
        return found
    rows = session.scalars(
        sa.select(InvoiceRow).where(InvoiceRow.order_id.in_(orders)).order_by(InvoiceRow.id)
    ).all()
    lines: dict[int, list[InvoiceLine]] = {row.id: [] for row in rows}
    for line in session.scalars(
        sa.select(InvoiceLineRow)
        .where(InvoiceLineRow.invoice_id.in_(lines))
        .order_by(InvoiceLineRow.invoice_id, InvoiceLineRow.number)
    ):
        lines[line.invoice_id].append(_line(line))
    for row in rows:
        found[row.order_id].append(_stored(row, tuple(lines[row.id])))
    return found


def newest_known(
    session: Session, partner: str, external_ids: Collection[str]
) -> Mapping[str, dt.datetime]:
    """Return which of these invoices we have; an invoice never changes, so that is for ever."""
    rows = session.execute(
        sa.select(InvoiceRow.external_id).where(
            InvoiceRow.partner == partner, InvoiceRow.external_id.in_(external_ids)
        )
    )
    return {row.external_id: dt.datetime.max.replace(tzinfo=dt.UTC) for row in rows}


def add(session: Session, invoices: Sequence[StoredInvoice]) -> None:
    """Write new invoices and their lines down."""
    insert_rows(session, InvoiceRow, [_row(one) for one in invoices])
    lines = [
        {
            "invoice_id": one.id,
            "number": line.number,
            "item": line.item,
            "description": line.description,
            "quantity": line.quantity,
            "unit_price": line.unit_price,
            "amount": line.amount,
            "tax": line.tax,
        }
        for one in invoices
        for line in one.invoice.lines
    ]
    insert_rows(session, InvoiceLineRow, lines)


def matches_of(session: Session, invoices: Collection[int]) -> dict[int, list[Match]]:
    """Read how these invoices are matched, by invoice."""
    found: dict[int, list[Match]] = {invoice: [] for invoice in invoices}
    if invoices:
        for row in session.scalars(
            sa.select(InvoiceMatchRow)
            .where(InvoiceMatchRow.invoice_id.in_(invoices))
            .order_by(InvoiceMatchRow.invoice_id, InvoiceMatchRow.line, InvoiceMatchRow.place)
        ):
            found[row.invoice_id].append(_match(row))
    return found


def replace_matches(session: Session, invoices: Collection[int], matches: Sequence[Match]) -> None:
    """Match these invoices anew."""
    if invoices:
        session.execute(sa.delete(InvoiceMatchRow).where(InvoiceMatchRow.invoice_id.in_(invoices)))
    insert_rows(
        session,
        InvoiceMatchRow,
        [
            {
                "invoice_id": one.invoice_id,
                "line": one.line,
                "place": one.place,
                "order_line": one.order_line,
                "shipment_id": one.shipment_id,
                "quantity": one.quantity,
                "certain": one.certain,
            }
            for one in matches
        ],
    )


def _match(row: InvoiceMatchRow) -> Match:
    return Match(
        invoice_id=row.invoice_id,
        line=row.line,
        place=row.place,
        order_line=row.order_line,
        shipment_id=row.shipment_id,
        quantity=row.quantity,
        certain=row.certain,
    )


def _row(one: StoredInvoice) -> dict[str, Any]:
    invoice = one.invoice
    return {
        "id": one.id,
        "scope": one.scope,
        "order_id": one.order_id,
        "partner": one.partner,
        "correlation_id": one.correlation_id,
        "external_id": invoice.external_id,
        "number": invoice.number,
        "company": invoice.company,
        "order_number": invoice.order_number,
        "customer_reference": invoice.customer_reference,
        "date": invoice.date,
        "currency": invoice.currency,
        "total": invoice.total,
        "tax_total": invoice.tax_total,
        "charge_total": invoice.charge_total,
    }


def _line(row: InvoiceLineRow) -> InvoiceLine:
    return InvoiceLine(
        number=row.number,
        item=row.item,
        description=row.description,
        quantity=row.quantity,
        unit_price=row.unit_price,
        amount=row.amount,
        tax=row.tax,
    )


def _stored(row: InvoiceRow, lines: tuple[InvoiceLine, ...]) -> StoredInvoice:
    return StoredInvoice(
        id=row.id,
        scope=row.scope,
        order_id=row.order_id,
        partner=row.partner,
        correlation_id=row.correlation_id,
        invoice=Invoice(
            external_id=row.external_id,
            number=row.number,
            company=row.company,
            order_number=row.order_number,
            customer_reference=row.customer_reference,
            date=row.date,
            currency=row.currency,
            total=row.total,
            tax_total=row.tax_total,
            charge_total=row.charge_total,
            lines=lines,
        ),
    )
