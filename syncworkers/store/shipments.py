"""Shipments: what left which warehouse, in which parcel, and how far the parcel is."""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, mapped_column

from syncworkers.canonical.shipments import (
    Milestone,
    MilestoneEvent,
    PackedGoods,
    ShippedLine,
)
from syncworkers.store import codec
from syncworkers.store.base import Base, insert_rows, one_of

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from sqlalchemy.orm import Session


class ShipmentRow(Base):
    """One parcel of one part, once its warehouse has handed it over."""

    __tablename__ = "shipment"

    id: Mapped[int] = mapped_column(sa.Identity(always=False), primary_key=True)
    scope: Mapped[str]
    order_id: Mapped[int] = mapped_column(sa.ForeignKey("sales_order.id", ondelete="CASCADE"))
    part_id: Mapped[int] = mapped_column(sa.ForeignKey("order_part.id", ondelete="CASCADE"))
    partner: Mapped[str]
    external_id: Mapped[str]
    version: Mapped[int] = mapped_column(sa.Integer)
    correlation_id: Mapped[uuid.UUID]
    carrier: Mapped[str]
    service: Mapped[str]
    tracking_number: Mapped[str]
    tracking_url: Mapped[str]
    shipped_at: Mapped[dt.datetime]
    packed: Mapped[list[Any] | None]
    """What was in it as the warehouse counts, a `PackedGoods` each; None before 0007."""
    milestone: Mapped[str]
    """The furthest it came; never moves back. Its news, all of them, are in their own table."""
    milestone_at: Mapped[dt.datetime]
    flag: Mapped[str | None]
    """What holds it up beside its milestone: a delay, customs; cleared by later progress."""
    tracked_at: Mapped[dt.datetime | None]
    """How new the carrier's news are, by the source's clock."""
    track_due_at: Mapped[dt.datetime | None]
    """When to ask after it again; once it has arrived daily for a week, then never."""
    received_at: Mapped[dt.datetime] = mapped_column(server_default=sa.func.now())

    __table_args__ = (
        sa.UniqueConstraint("partner", "external_id"),
        sa.Index("shipment_order_id", "order_id"),
        sa.Index("shipment_part_id", "part_id"),
        sa.Index("shipment_tracking_number", "tracking_number"),
        sa.Index(
            "shipment_track_due",
            "partner",
            "track_due_at",
            postgresql_where=sa.text("track_due_at IS NOT NULL"),
        ),
        one_of("milestone", tuple(Milestone)),
    )


class ShipmentLineRow(Base):
    """Sales units of one order line that a shipment made whole."""

    __tablename__ = "shipment_line"

    shipment_id: Mapped[int] = mapped_column(
        sa.ForeignKey("shipment.id", ondelete="CASCADE"), primary_key=True
    )
    position: Mapped[int] = mapped_column(sa.SmallInteger, primary_key=True)
    order_line: Mapped[str]
    """The store's id of the order line."""
    sku: Mapped[str]
    quantity: Mapped[int] = mapped_column(sa.Integer)


class MilestoneRow(Base):
    """One piece of news of a parcel; the same news by several ways is one row."""

    __tablename__ = "shipment_milestone"

    shipment_id: Mapped[int] = mapped_column(
        sa.ForeignKey("shipment.id", ondelete="CASCADE"), primary_key=True
    )
    code: Mapped[str] = mapped_column(primary_key=True)
    """The source's own word, so that history can be read anew."""
    occurred_at: Mapped[dt.datetime] = mapped_column(primary_key=True)
    location: Mapped[str] = mapped_column(primary_key=True)
    milestone: Mapped[str]
    message_id: Mapped[int]
    received_at: Mapped[dt.datetime] = mapped_column(server_default=sa.func.now())


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredShipment:
    """A shipment as it stands.

    `lines` are the sales units it made whole, it may be none; `packed` is what was in it as its
    warehouse counts, None before that was kept.
    """

    id: int
    scope: str
    order_id: int
    part_id: int
    partner: str
    external_id: str
    version: int
    correlation_id: uuid.UUID
    carrier: str
    service: str
    tracking_number: str
    tracking_url: str
    shipped_at: dt.datetime
    milestone: Milestone
    milestone_at: dt.datetime
    flag: Milestone | None
    tracked_at: dt.datetime | None
    track_due_at: dt.datetime | None = None
    """When its carrier is asked next; None, also as read, leaves that to `take_due`."""
    lines: tuple[ShippedLine, ...] = ()
    packed: tuple[PackedGoods, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewMilestone:
    """News of a parcel, and the message that brought it."""

    shipment_id: int
    event: MilestoneEvent
    message_id: int


def of_orders(session: Session, orders: Collection[int]) -> dict[int, list[StoredShipment]]:
    """Read the shipments of these orders, by order, oldest first; the orders are locked."""
    found: dict[int, list[StoredShipment]] = {order: [] for order in orders}
    if not orders:
        return found
    rows = session.scalars(
        sa.select(ShipmentRow).where(ShipmentRow.order_id.in_(orders)).order_by(ShipmentRow.id)
    ).all()
    lines: dict[int, list[ShippedLine]] = {row.id: [] for row in rows}
    for line in session.scalars(
        sa.select(ShipmentLineRow)
        .where(ShipmentLineRow.shipment_id.in_(lines))
        .order_by(ShipmentLineRow.shipment_id, ShipmentLineRow.position)
    ):
        lines[line.shipment_id].append(
            ShippedLine(reference=line.order_line, sku=line.sku, quantity=line.quantity)
        )
    for row in rows:
        found[row.order_id].append(replace(_shipment(row), lines=tuple(lines[row.id])))
    return found


def ids_of_orders(session: Session, orders: Collection[int]) -> dict[int, list[int]]:
    """Return our ids of the shipments of these orders, by order."""
    found: dict[int, list[int]] = {order: [] for order in orders}
    if orders:
        for row in session.execute(
            sa.select(ShipmentRow.id, ShipmentRow.order_id).where(ShipmentRow.order_id.in_(orders))
        ):
            found[row.order_id].append(row.id)
    return found


def orders_of(session: Session, partner: str, external_ids: Collection[str]) -> dict[str, int]:
    """Return the orders of these shipments of a warehouse."""
    if not external_ids:
        return {}
    rows = session.execute(
        sa.select(ShipmentRow.external_id, ShipmentRow.order_id).where(
            ShipmentRow.partner == partner, ShipmentRow.external_id.in_(external_ids)
        )
    )
    return {row.external_id: row.order_id for row in rows}


def save(
    session: Session, new: Sequence[StoredShipment], changed: Sequence[StoredShipment]
) -> None:
    """Write new shipments with their lines, and what changed of known ones."""
    insert_rows(session, ShipmentRow, [_row(one) for one in new])
    insert_rows(
        session,
        ShipmentLineRow,
        [
            {
                "shipment_id": one.id,
                "position": position,
                "order_line": line.reference,
                "sku": line.sku,
                "quantity": line.quantity,
            }
            for one in new
            for position, line in enumerate(one.lines)
        ],
    )
    for one in changed:
        session.execute(
            sa.update(ShipmentRow).where(ShipmentRow.id == one.id).values(**_changing(one))
        )


def add_milestones(session: Session, news: Sequence[NewMilestone]) -> None:
    """Write news down; what is known already stays as it is."""
    if news:
        session.execute(
            insert(MilestoneRow).on_conflict_do_nothing(),
            [
                {
                    "shipment_id": one.shipment_id,
                    "code": one.event.code,
                    "occurred_at": one.event.occurred_at,
                    "location": one.event.location,
                    "milestone": one.event.milestone.value,
                    "message_id": one.message_id,
                }
                for one in news
            ],
        )


# A parcel that arrived may still come back: it is looked at once a day for a week more.
_TAKE = sa.text("""
UPDATE shipment SET track_due_at =
       CASE WHEN milestone <> ALL (:arrived)
              THEN now() + make_interval(secs => :again)
            WHEN milestone_at > now() - interval '7 days' THEN now() + interval '1 day' END
 WHERE id IN (SELECT id FROM shipment WHERE partner = :partner AND track_due_at <= now()
               ORDER BY track_due_at LIMIT :limit FOR UPDATE SKIP LOCKED)
RETURNING external_id, tracked_at
""")


def take_due(
    session: Session, partner: str, *, again: float, arrived: Collection[str], limit: int
) -> Mapping[str, dt.datetime | None]:
    """Take shipments to ask after, due again in `again` seconds; say how new our news are.

    `arrived` are the milestones after which they are asked after only for a while.
    """
    rows = session.execute(
        _TAKE, {"partner": partner, "again": again, "arrived": list(arrived), "limit": limit}
    )
    return {row.external_id: row.tracked_at for row in rows}


def _row(one: StoredShipment) -> dict[str, Any]:
    return {
        "id": one.id,
        "scope": one.scope,
        "order_id": one.order_id,
        "part_id": one.part_id,
        "partner": one.partner,
        "external_id": one.external_id,
        "correlation_id": one.correlation_id,
        "shipped_at": one.shipped_at,
        "packed": [codec.dump(goods) for goods in one.packed or ()],
        **_changing(one),
    }


def _changing(one: StoredShipment) -> dict[str, Any]:
    values: dict[str, Any] = {
        "version": one.version,
        "carrier": one.carrier,
        "service": one.service,
        "tracking_number": one.tracking_number,
        "tracking_url": one.tracking_url,
        "milestone": one.milestone.value,
        "milestone_at": one.milestone_at,
        "flag": one.flag.value if one.flag else None,
        "tracked_at": one.tracked_at,
    }
    if one.track_due_at is not None:
        values["track_due_at"] = one.track_due_at
    return values


def _shipment(row: ShipmentRow) -> StoredShipment:
    return StoredShipment(
        id=row.id,
        scope=row.scope,
        order_id=row.order_id,
        part_id=row.part_id,
        partner=row.partner,
        external_id=row.external_id,
        version=row.version,
        correlation_id=row.correlation_id,
        carrier=row.carrier,
        service=row.service,
        tracking_number=row.tracking_number,
        tracking_url=row.tracking_url,
        shipped_at=row.shipped_at,
        packed=None
        if row.packed is None
        else tuple(codec.load(goods, PackedGoods) for goods in row.packed),
        milestone=Milestone(row.milestone),
        milestone_at=row.milestone_at,
        flag=Milestone(row.flag) if row.flag else None,
        tracked_at=row.tracked_at,
    )
