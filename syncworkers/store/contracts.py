"""What partners really send: payload keys that no mapping knows."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, mapped_column

from syncworkers.store.base import Base

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy.orm import Session


class ContractDrift(Base):
    """A payload path beyond its contract; noted once per path, counted, never a failure."""

    __tablename__ = "contract_drift"

    partner: Mapped[str] = mapped_column(primary_key=True)
    mapping: Mapped[str] = mapped_column(primary_key=True)
    path: Mapped[str] = mapped_column(primary_key=True)
    seen: Mapped[int]
    first_message_id: Mapped[int]
    first_seen: Mapped[dt.datetime] = mapped_column(server_default=sa.func.now())
    last_seen: Mapped[dt.datetime] = mapped_column(server_default=sa.func.now())


def note(session: Session, drift: Mapping[tuple[str, str, str], tuple[int, int]]) -> None:
    """Note unknown keys: (partner, mapping, path) → (times seen, a message that has it)."""
    if not drift:
        return
    statement = insert(ContractDrift).values(
        [
            {
                "partner": partner,
                "mapping": mapping,
                "path": path,
                "seen": seen,
                "first_message_id": message,
            }
            for (partner, mapping, path), (seen, message) in sorted(drift.items())
        ]
    )
    session.execute(
        statement.on_conflict_do_update(
            index_elements=["partner", "mapping", "path"],
            set_={"seen": ContractDrift.seen + statement.excluded.seen, "last_seen": sa.func.now()},
        )
    )
