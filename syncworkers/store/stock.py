"""Stock at warehouses: what moved, by document and line, and the last count of everything."""

from __future__ import annotations

import datetime as dt
import hashlib
from dataclasses import fields
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from syncworkers.canonical.stock import (
    Condition,
    Counted,
    Movement,
    Reason,
    StockMovement,
    StockReport,
    StockRow,
)
from syncworkers.rules.stock import Count
from syncworkers.store.base import Base, draw_ids, insert_rows, one_of

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from sqlalchemy.orm import Session

    from syncworkers.canonical.stock import StockSnapshot


class StockMovementRow(Base):
    """One line of a receipt or an adjustment."""

    __tablename__ = "stock_movement"

    id: Mapped[int] = mapped_column(sa.Identity(always=True), primary_key=True)
    partner: Mapped[str]
    kind: Mapped[str]
    number: Mapped[str]
    """The partner's, of the document."""
    line: Mapped[int] = mapped_column(sa.Integer)
    occurred_at: Mapped[dt.datetime]
    warehouse: Mapped[str]
    sku: Mapped[str]
    quantity: Mapped[Decimal]
    """Signed, by `unit`."""
    unit: Mapped[str]
    reason: Mapped[str]
    condition: Mapped[str]
    code: Mapped[str]
    """The partner's own word for reason or condition."""
    lot: Mapped[str]
    reference: Mapped[str]
    """Ours, as of a transfer order."""
    shipment: Mapped[str]
    message_id: Mapped[int]
    received_at: Mapped[dt.datetime] = mapped_column(server_default=sa.func.now())

    __table_args__ = (
        sa.UniqueConstraint("partner", "kind", "number", "line"),
        sa.Index("stock_movement_sku", "partner", "warehouse", "sku", "occurred_at"),
        one_of("kind", tuple(Movement)),
        one_of("reason", tuple(Reason)),
        one_of("condition", tuple(Condition)),
    )


class StockSnapshotRow(Base):
    """A count that was taken; the rows of the last one stand in `stock_count`."""

    __tablename__ = "stock_snapshot"

    id: Mapped[int] = mapped_column(sa.Identity(always=False), primary_key=True)
    partner: Mapped[str]
    warehouse: Mapped[str]
    as_of: Mapped[dt.datetime]
    reference: Mapped[str]
    rows: Mapped[int]
    digest: Mapped[str]
    """Of all its rows, in any order."""
    message_id: Mapped[int]
    received_at: Mapped[dt.datetime] = mapped_column(server_default=sa.func.now())

    __table_args__ = (sa.UniqueConstraint("partner", "warehouse", "as_of"),)


class StockCountRow(Base):
    """One SKU of the last count of a warehouse; NULL is what was not said."""

    __tablename__ = "stock_count"

    snapshot_id: Mapped[int] = mapped_column(
        sa.ForeignKey("stock_snapshot.id", ondelete="CASCADE"), primary_key=True
    )
    sku: Mapped[str] = mapped_column(primary_key=True)
    unit: Mapped[str]
    on_hand: Mapped[Decimal | None]
    available: Mapped[Decimal | None]
    allocated: Mapped[Decimal | None]
    held: Mapped[Decimal | None]
    damaged: Mapped[Decimal | None]
    incoming: Mapped[Decimal | None]


def take_turn(session: Session, partner: str) -> None:
    """Wait until nobody else writes the stock of a partner, to the end of the transaction."""
    session.execute(
        sa.text("SELECT pg_advisory_xact_lock(hashtextextended(:turn, 17))"),
        {"turn": f"stock/{partner}"},
    )


_OF_DOCUMENT = ("occurred_at", "warehouse", "reference", "shipment")
_OF_LINE = tuple(one.name for one in fields(StockMovement) if one.name != "place")


def reports(session: Session, partner: str, numbers: Collection[str]) -> list[StockReport]:
    """Read the documents of these numbers, as they stand."""
    found: dict[tuple[str, str], list[StockMovementRow]] = {}
    for row in session.scalars(
        sa.select(StockMovementRow)
        .where(StockMovementRow.partner == partner, StockMovementRow.number.in_(numbers))
        .order_by(StockMovementRow.kind, StockMovementRow.number, StockMovementRow.line)
    ):
        found.setdefault((row.kind, row.number), []).append(row)
    return [_report(rows) for rows in found.values()]


def add_report(session: Session, partner: str, message: int, report: StockReport) -> None:
    """Write a new document down, all its lines."""
    head = {name: getattr(report, name) for name in _OF_DOCUMENT}
    rows = [
        {
            "partner": partner,
            "kind": report.kind.value,
            "number": report.number,
            "message_id": message,
            **head,
            **_line(one),
        }
        for one in report.movements
    ]
    insert_rows(session, StockMovementRow, rows)


_NAME = sa.text("""
UPDATE stock_movement m SET reason = v.reason, condition = v.condition
  FROM unnest(CAST(:lines AS int[]), CAST(:reasons AS text[]), CAST(:conditions AS text[]))
       v(line, reason, condition)
 WHERE m.partner = :partner AND m.kind = :kind AND m.number = :number AND m.line = v.line
""")


def name_codes(session: Session, partner: str, report: StockReport) -> None:
    """Give the movements of a known document the reasons that their codes turned out to mean."""
    values = {
        "partner": partner,
        "kind": report.kind.value,
        "number": report.number,
        "lines": [one.line for one in report.movements],
        "reasons": [one.reason.value for one in report.movements],
        "conditions": [one.condition.value for one in report.movements],
    }
    session.execute(_NAME, values)


def count_of(snapshot: StockSnapshot) -> Count:
    """Return what is kept of a count; the order of its rows does not matter."""
    if snapshot.as_of is None:
        message = "a count must say of when it is"
        raise ValueError(message)
    digest = hashlib.sha256()
    for row in sorted(snapshot.rows, key=lambda one: one.sku):
        told = [row.sku, row.unit, *(_plain(getattr(row, one)) for one in Counted)]
        digest.update(repr(told).encode())
    return Count(as_of=snapshot.as_of, rows=len(snapshot.rows), digest=digest.hexdigest())


def _plain(amount: Decimal | None) -> str | None:
    """Write an amount so that 1 and 1.0 are the same."""
    return None if amount is None else f"{amount.normalize():f}"


_LAST = sa.text("""
SELECT DISTINCT ON (warehouse) warehouse, as_of, rows, digest FROM stock_snapshot
 WHERE partner = :partner ORDER BY warehouse, as_of DESC
""")


def last_counts(session: Session, partner: str) -> dict[str, Count]:
    """Return the last count of each warehouse of a partner."""
    found = session.execute(_LAST, {"partner": partner}).mappings()
    return {
        row["warehouse"]: Count(as_of=row["as_of"], rows=row["rows"], digest=row["digest"])
        for row in found
    }


_FORGET = sa.text("""
DELETE FROM stock_count c USING stock_snapshot s
 WHERE s.id = c.snapshot_id AND s.partner = :partner AND s.warehouse = :warehouse
""")


def replace_count(
    session: Session, partner: str, message: int, snapshot: StockSnapshot, count: Count
) -> None:
    """Let a count take the place of the last one of its warehouse, whole.

    Of those before it stays that they were; their rows are in their messages.
    """
    session.execute(_FORGET, {"partner": partner, "warehouse": snapshot.warehouse})
    [number] = draw_ids(session, StockSnapshotRow, 1)
    head = {
        "id": number,
        "partner": partner,
        "warehouse": snapshot.warehouse,
        "as_of": count.as_of,
        "reference": snapshot.reference,
        "rows": count.rows,
        "digest": count.digest,
        "message_id": message,
    }
    insert_rows(session, StockSnapshotRow, [head])
    rows = [{"snapshot_id": number, **_counted(row)} for row in snapshot.rows]
    insert_rows(session, StockCountRow, rows)


def _line(one: StockMovement) -> Mapping[str, Any]:
    return {name: getattr(one, name) for name in _OF_LINE}


def _counted(row: StockRow) -> Mapping[str, Any]:
    return {"sku": row.sku, "unit": row.unit, **{one: getattr(row, one) for one in Counted}}


def _report(rows: Sequence[StockMovementRow]) -> StockReport:
    head = rows[0]
    return StockReport(
        kind=Movement(head.kind),
        number=head.number,
        **{name: getattr(head, name) for name in _OF_DOCUMENT},
        movements=tuple(
            StockMovement(
                line=row.line,
                sku=row.sku,
                quantity=row.quantity,
                unit=row.unit,
                reason=Reason(row.reason),
                condition=Condition(row.condition),
                code=row.code,
                lot=row.lot,
            )
            for row in rows
        ),
    )
