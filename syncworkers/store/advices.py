"""Ship advices as they came: a warehouse that sends documents says a part piece by piece."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, mapped_column

from syncworkers.canonical.advices import ShipAdvice
from syncworkers.store import codec
from syncworkers.store.base import Base

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from sqlalchemy.orm import Session


class ShipAdviceRow(Base):
    """One document about a part; a repeat in another file is the same."""

    __tablename__ = "ship_advice"

    id: Mapped[int] = mapped_column(sa.Identity(always=True), primary_key=True)
    part_id: Mapped[int] = mapped_column(sa.ForeignKey("order_part.id", ondelete="CASCADE"))
    external_id: Mapped[str]
    """The warehouse's id of the shipment."""
    digest: Mapped[str]
    """Of what it says, wherever and whenever it was written."""
    message_id: Mapped[int]
    body: Mapped[dict[str, Any]]
    received_at: Mapped[dt.datetime] = mapped_column(server_default=sa.func.now())

    __table_args__ = (sa.UniqueConstraint("part_id", "digest"),)


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredAdvice:
    """A document about a part, and the message that brought it."""

    part_id: int
    message_id: int
    advice: ShipAdvice


def of_parts(session: Session, parts: Collection[int]) -> dict[int, list[ShipAdvice]]:
    """Return what was said of these parts, by part, in the order of its coming."""
    found: dict[int, list[ShipAdvice]] = {part: [] for part in parts}
    if parts:
        rows = session.execute(
            sa.select(ShipAdviceRow.part_id, ShipAdviceRow.body)
            .where(ShipAdviceRow.part_id.in_(parts))
            .order_by(ShipAdviceRow.id)
        )
        for row in rows:
            found[row.part_id].append(codec.load(row.body, ShipAdvice))
    return found


def add(session: Session, new: Sequence[StoredAdvice]) -> None:
    """Keep documents; one that says what another says already is left out."""
    rows = [
        {
            "part_id": one.part_id,
            "external_id": one.advice.external_id,
            "digest": _digest(codec.dump(one.advice)),
            "message_id": one.message_id,
            "body": codec.dump(one.advice),
        }
        for one in new
    ]
    if rows:
        session.execute(insert(ShipAdviceRow).on_conflict_do_nothing(), rows)


def _digest(body: dict[str, Any]) -> str:
    said = {name: value for name, value in body.items() if name != "advised_at"}
    said["lines"] = [{**one, "place": ""} for one in body["lines"]]
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()
