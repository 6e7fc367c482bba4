"""Order parts: what each warehouse is to ship of an order, and what it last said of it."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from syncworkers.canonical.parts import PartLine, Schedule
from syncworkers.canonical.shipments import WarehouseState
from syncworkers.policy.fulfilment import AFTER_BOOKING, AFTER_VALIDATION
from syncworkers.store import codec
from syncworkers.store.base import Base, insert_rows, one_of

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from sqlalchemy.orm import Session


class OrderPartRow(Base):
    """A part of an order at one warehouse.

    Whether it was released, acknowledged or shipped is never set by hand: it follows from its
    deliveries, its link and its shipments.
    """

    __tablename__ = "order_part"

    id: Mapped[int] = mapped_column(sa.Identity(always=False), primary_key=True)
    order_id: Mapped[int] = mapped_column(sa.ForeignKey("sales_order.id", ondelete="CASCADE"))
    number: Mapped[int] = mapped_column(sa.SmallInteger)
    """Its place among the parts of the order, from 1."""
    partner: Mapped[str]
    reference: Mapped[str] = mapped_column(unique=True)
    """Ours; the warehouse keeps it unique."""
    gate: Mapped[str]
    """What it waits for before the warehouse gets it: `erp_booked`, or `validated` for nothing."""
    lines: Mapped[list[Any]]
    """What is to be shipped, a `PartLine` each; one value, because it never changes."""
    state: Mapped[str | None]
    """How far the warehouse says it is."""
    code: Mapped[str | None]
    """The warehouse's own word for it."""
    reported_at: Mapped[dt.datetime | None]
    """How new that is, by the warehouse's clock."""
    acknowledged_at: Mapped[dt.datetime | None]
    route: Mapped[str | None]
    """Why this warehouse, in words; None before 0004."""
    release_at: Mapped[dt.datetime | None]
    ship_by: Mapped[dt.datetime | None]
    promised_at: Mapped[dt.datetime | None]
    """As its warehouse's calendar had it when the order was accepted; None without a calendar."""
    created_at: Mapped[dt.datetime] = mapped_column(server_default=sa.func.now())

    __table_args__ = (
        sa.UniqueConstraint("order_id", "number"),
        one_of("gate", (AFTER_BOOKING, AFTER_VALIDATION)),
        one_of("state", tuple(WarehouseState)),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredPart:
    """A part as it stands."""

    id: int
    order_id: int
    number: int
    partner: str
    reference: str
    gate: str
    lines: tuple[PartLine, ...]
    state: str | None
    code: str | None
    reported_at: dt.datetime | None
    acknowledged: bool
    route: str | None
    schedule: Schedule | None


def add(session: Session, parts: Sequence[StoredPart]) -> None:
    """Write new parts down."""
    insert_rows(
        session,
        OrderPartRow,
        [
            {
                "id": part.id,
                "order_id": part.order_id,
                "number": part.number,
                "partner": part.partner,
                "reference": part.reference,
                "gate": part.gate,
                "lines": [codec.dump(line) for line in part.lines],
                "route": part.route,
                "release_at": part.schedule and part.schedule.release_at,
                "ship_by": part.schedule and part.schedule.ship_by,
                "promised_at": part.schedule and part.schedule.promised_at,
            }
            for part in parts
        ],
    )


def of_orders(session: Session, orders: Collection[int]) -> dict[int, list[StoredPart]]:
    """Read the parts of these orders, by order, in their order; the orders are locked."""
    found: dict[int, list[StoredPart]] = {order: [] for order in orders}
    if orders:
        rows = session.scalars(
            sa.select(OrderPartRow)
            .where(OrderPartRow.order_id.in_(orders))
            .order_by(OrderPartRow.order_id, OrderPartRow.number)
        )
        for row in rows:
            found[row.order_id].append(_part(row))
    return found


def orders_of(session: Session, partner: str, references: Collection[str]) -> dict[str, int]:
    """Return the orders whose parts have these references at a warehouse."""
    if not references:
        return {}
    rows = session.execute(
        sa.select(OrderPartRow.reference, OrderPartRow.order_id).where(
            OrderPartRow.partner == partner, OrderPartRow.reference.in_(references)
        )
    )
    return {row.reference: row.order_id for row in rows}


def imported(session: Session, partner: str, external_ids: Collection[str]) -> dict[str, str]:
    """Return by a warehouse's id our reference of parts that an earlier integration entered."""
    if not external_ids:
        return {}
    rows = session.execute(
        sa.text("""
        SELECT l.external_id, p.reference FROM link l JOIN order_part p ON p.id = l.entity_id
         WHERE l.partner = :partner AND l.kind = 'part' AND l.imported
           AND l.external_id = ANY (:ids)"""),
        {"partner": partner, "ids": list(external_ids)},
    )
    return {row.external_id: row.reference for row in rows}


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """Who is to ship a part, and of which company's stock; None: of the store's own."""

    reference: str
    partner: str
    store: str
    company: str | None
    order_number: str


def holders(session: Session, references: Collection[str]) -> dict[str, Holder]:
    """Return by reference who is to ship a part; what is missing is no part of ours."""
    if not references:
        return {}
    rows = session.execute(
        sa.text("""
        SELECT p.reference, p.partner, o.partner AS store, o.company, o.number AS order_number
          FROM order_part p JOIN sales_order o ON o.id = p.order_id
         WHERE p.reference = ANY (:references)"""),
        {"references": list(references)},
    )
    return {row.reference: Holder(**row._mapping) for row in rows}  # noqa: SLF001 - its public way


def newest_known(
    session: Session, partner: str, external_ids: Collection[str]
) -> Mapping[str, dt.datetime]:
    """Return how new our knowledge of these parts is, by the warehouse's ids and clock."""
    rows = session.execute(
        sa.text("""
        SELECT l.external_id, p.reported_at FROM link l JOIN order_part p ON p.id = l.entity_id
         WHERE l.partner = :partner AND l.kind = 'part' AND l.external_id = ANY (:ids)
           AND p.reported_at IS NOT NULL"""),
        {"partner": partner, "ids": list(external_ids)},
    )
    return {row.external_id: row.reported_at for row in rows}


_REPORT = sa.text("""
UPDATE order_part p SET state = v.state, code = v.code, reported_at = v.reported_at,
       acknowledged_at = CASE WHEN v.acknowledged THEN coalesce(p.acknowledged_at, now())
                              ELSE p.acknowledged_at END
  FROM unnest(CAST(:ids AS bigint[]), CAST(:states AS text[]), CAST(:codes AS text[]),
              CAST(:times AS timestamptz[]), CAST(:acknowledged AS bool[]))
       v(id, state, code, reported_at, acknowledged)
 WHERE p.id = v.id
""")


def report(session: Session, changed: Sequence[StoredPart]) -> None:
    """Write down what warehouses said of parts."""
    if changed:
        session.execute(
            _REPORT,
            {
                "ids": [one.id for one in changed],
                "states": [one.state for one in changed],
                "codes": [one.code for one in changed],
                "times": [one.reported_at for one in changed],
                "acknowledged": [one.acknowledged for one in changed],
            },
        )


def is_reported(session: Session, partner: str, reference: str) -> bool:
    """Say whether a warehouse has told what became of a part: it has it, whatever else it says."""
    asked = sa.text("""
    SELECT count(*) FROM order_part
     WHERE partner = :partner AND reference = :reference AND reported_at IS NOT NULL""")
    found = session.execute(asked, {"partner": partner, "reference": reference})
    return bool(found.scalar_one())


def acknowledge(session: Session, partner: str, references: Collection[str]) -> list[int]:
    """Note that a warehouse has these parts; return their ids."""
    if not references:
        return []
    rows = session.execute(
        sa.text("""
        UPDATE order_part SET acknowledged_at = coalesce(acknowledged_at, now())
         WHERE partner = :partner AND reference = ANY (:references) RETURNING id"""),
        {"partner": partner, "references": sorted(references)},
    )
    return [row.id for row in rows]


def _part(row: OrderPartRow) -> StoredPart:
    return StoredPart(
        id=row.id,
        order_id=row.order_id,
        number=row.number,
        partner=row.partner,
        reference=row.reference,
        gate=row.gate,
        lines=tuple(codec.load(line, PartLine) for line in row.lines),
        state=row.state,
        code=row.code,
        reported_at=row.reported_at,
        acknowledged=row.acknowledged_at is not None,
        route=row.route,
        schedule=_schedule(row),
    )


def _schedule(row: OrderPartRow) -> Schedule | None:
    if row.release_at is None or row.ship_by is None:
        return None
    return Schedule(release_at=row.release_at, ship_by=row.ship_by, promised_at=row.promised_at)
