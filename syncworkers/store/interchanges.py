"""Interchanges that partners sent us, by their control numbers: known ones, reused ones, gaps."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from syncworkers.store.base import Base

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

WINDOW = dt.timedelta(days=180)
"""Numbers wrap: one that comes again after so long is a new one."""


class Interchange(Base):
    """One ISA that was received, and the first message that brought it."""

    __tablename__ = "interchange"

    id: Mapped[int] = mapped_column(sa.Identity(always=True), primary_key=True)
    partner: Mapped[str]
    sender: Mapped[str]
    receiver: Mapped[str]
    usage: Mapped[str]
    number: Mapped[int]
    digest: Mapped[str]
    """Of its bytes, from ISA to IEA."""
    message_id: Mapped[int]
    received_at: Mapped[dt.datetime] = mapped_column(server_default=sa.func.now())
    repeats: Mapped[int] = mapped_column(sa.Integer, server_default="0")

    __table_args__ = (
        sa.Index("interchange_number", "partner", "sender", "receiver", "usage", "number"),
    )


class Repeat(StrEnum):
    """What an interchange is to those before it."""

    NEW = "new"
    DUPLICATE = "duplicate"
    """The same number, the same bytes."""
    REUSED = "reused"
    """The same number, other bytes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """An interchange as it is received; `number` is ISA13."""

    partner: str
    sender: str
    receiver: str
    usage: str
    number: int
    digest: str
    message_id: int


_KNOWN = sa.text("""
SELECT id, digest, message_id FROM interchange
 WHERE partner = :partner AND sender = :sender AND receiver = :receiver AND usage = :usage
   AND number = :number AND received_at > now() - CAST(:window AS interval)
 ORDER BY id DESC
""")


def register(session: Session, arrival: Arrival) -> Repeat:
    """Say what an interchange is, and keep one that is new.

    Two files with the same number at the same moment take their turns. The same message again,
    after a person had it retried, is new again.
    """
    values = {name: getattr(arrival, name) for name in ("partner", "sender", "receiver", "usage")}
    turn = "/".join((*values.values(), str(arrival.number)))
    session.execute(
        sa.text("SELECT pg_advisory_xact_lock(hashtextextended(:turn, 13))"), {"turn": turn}
    )
    known = session.execute(_KNOWN, {**values, "number": arrival.number, "window": WINDOW}).all()
    if not known:
        session.execute(
            sa.insert(Interchange),
            {
                **values,
                "number": arrival.number,
                "digest": arrival.digest,
                "message_id": arrival.message_id,
            },
        )
        return Repeat.NEW
    same = next((row for row in known if row.digest == arrival.digest), None)
    if same is None:
        return Repeat.REUSED
    if same.message_id == arrival.message_id:
        return Repeat.NEW
    session.execute(
        sa.update(Interchange)
        .where(Interchange.id == same.id)
        .values(repeats=Interchange.repeats + 1)
    )
    return Repeat.DUPLICATE


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """Numbers between two that came: `first` to `last` never did."""

    sender: str
    receiver: str
    usage: str
    first: int
    last: int


_GAPS = sa.text("""
SELECT sender, receiver, usage, before + 1 AS first, number - 1 AS last
  FROM (SELECT sender, receiver, usage, number, received_at,
               lag(number) OVER (PARTITION BY sender, receiver, usage ORDER BY number) AS before
          FROM interchange
         WHERE partner = :partner AND received_at > now() - CAST(:window AS interval)) i
 WHERE number > before + 1 AND number <= before + :most
   AND received_at < now() - make_interval(secs => :patience)
 ORDER BY sender, receiver, usage, number
""")
MOST = 1000
"""A leap over more numbers is a partner that began to count anew."""


def gaps(session: Session, partner: str, patience: float) -> list[Gap]:
    """Return which numbers are missing, `patience` seconds after a higher one came."""
    values = {"partner": partner, "window": WINDOW, "most": MOST, "patience": patience}
    return [Gap(**row) for row in session.execute(_GAPS, values).mappings()]
