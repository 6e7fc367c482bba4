"""What partners charge, and the shipments it is for."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from syncworkers.canonical.charges import Charges, Charging
from syncworkers.store import codec
from syncworkers.store.base import Base, draw_ids, insert_rows, one_of
from syncworkers.store.shipments import ShipmentRow

if TYPE_CHECKING:
    from collections.abc import Collection

    from sqlalchemy.orm import Session

MATCHED, UNMATCHED = "matched", "unmatched"


class ChargeRow(Base):
    """An invoice of a partner; it never changes, but for what it is matched to."""

    __tablename__ = "charge"

    id: Mapped[int] = mapped_column(sa.Identity(always=False), primary_key=True)
    partner: Mapped[str]
    kind: Mapped[str]
    number: Mapped[str]
    state: Mapped[str]
    credit: Mapped[bool]
    date: Mapped[dt.date]
    currency: Mapped[str]
    total: Mapped[Decimal]
    told: Mapped[dict[str, Any]]
    """All that it says: a `Charges`, its lines among it."""
    message_id: Mapped[int]
    received_at: Mapped[dt.datetime] = mapped_column(server_default=sa.func.now())

    __table_args__ = (
        sa.UniqueConstraint("partner", "kind", "number"),
        one_of("kind", tuple(Charging)),
        one_of("state", (MATCHED, UNMATCHED)),
    )


class ChargeShipmentRow(Base):
    """A shipment that a charge is for."""

    __tablename__ = "charge_shipment"

    charge_id: Mapped[int] = mapped_column(
        sa.ForeignKey("charge.id", ondelete="CASCADE"), primary_key=True
    )
    shipment_id: Mapped[int] = mapped_column(
        sa.ForeignKey("shipment.id", ondelete="CASCADE"), primary_key=True
    )
    reference: Mapped[str]
    """By which it was found: a bill of lading, or a tracking number."""

    __table_args__ = (sa.Index("charge_shipment_shipment_id", "shipment_id"),)


def take_turn(session: Session, partner: str) -> None:
    """Wait until nobody else writes the charges of a partner, to the end of the transaction."""
    session.execute(
        sa.text("SELECT pg_advisory_xact_lock(hashtextextended(:turn, 17))"),
        {"turn": f"charge/{partner}"},
    )


def known(session: Session, partner: str, numbers: Collection[str]) -> list[tuple[Charges, bool]]:
    """Read the charges of these numbers, and whether they are matched."""
    rows = session.execute(
        sa.select(ChargeRow.told, ChargeRow.state).where(
            ChargeRow.partner == partner, ChargeRow.number.in_(numbers)
        )
    )
    return [(codec.load(row.told, Charges), row.state == MATCHED) for row in rows]


def shipments_of(
    session: Session, partner: str, bills: Collection[str], tracking: Collection[str]
) -> dict[str, set[int]]:
    """Find shipments by what charges name: the partner's own bills, anybody's tracking numbers."""
    found: dict[str, set[int]] = {}
    for row in session.execute(
        sa.select(ShipmentRow.id, ShipmentRow.external_id.label("reference")).where(
            ShipmentRow.partner == partner, ShipmentRow.external_id.in_(bills)
        )
    ):
        found.setdefault(row.reference, set()).add(row.id)
    for row in session.execute(
        sa.select(ShipmentRow.id, ShipmentRow.tracking_number.label("reference")).where(
            ShipmentRow.tracking_number.in_(tracking)
        )
    ):
        found.setdefault(row.reference, set()).add(row.id)
    return found


def add(
    session: Session, partner: str, message: int, charges: Charges, shipments: dict[int, str]
) -> None:
    """Write a charge down, with the shipments it is for and by which reference each was found."""
    [number] = draw_ids(session, ChargeRow, 1)
    row = {
        "id": number,
        "partner": partner,
        "kind": charges.kind.value,
        "number": charges.number,
        "state": MATCHED if shipments else UNMATCHED,
        "credit": charges.credit,
        "date": charges.date,
        "currency": charges.currency,
        "total": charges.total,
        "told": codec.dump(charges),
        "message_id": message,
    }
    insert_rows(session, ChargeRow, [row])
    _match(session, number, shipments)


def match(session: Session, partner: str, charges: Charges, shipments: dict[int, str]) -> None:
    """Match a charge that is known to the shipments that were found by now."""
    number = session.execute(
        sa.update(ChargeRow)
        .where(
            ChargeRow.partner == partner,
            ChargeRow.kind == charges.kind.value,
            ChargeRow.number == charges.number,
        )
        .values(state=MATCHED)
        .returning(ChargeRow.id)
    ).scalar_one()
    _match(session, number, shipments)


def _match(session: Session, number: int, shipments: dict[int, str]) -> None:
    rows = [
        {"charge_id": number, "shipment_id": shipment, "reference": reference}
        for shipment, reference in sorted(shipments.items())
    ]
    insert_rows(session, ChargeShipmentRow, rows)
