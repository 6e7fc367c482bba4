"""What the engine asks of a table of work."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import sqlalchemy as sa

if TYPE_CHECKING:
    from sqlalchemy.orm import DeclarativeBase


@dataclass(frozen=True, slots=True)
class WorkTable:
    """A table whose rows are work.

    Its columns: `id, lane, line, state, due_at, waiting_for, waits, unknown_since`. Rows with state
    `open` stand in their line; `parked` ones wait outside for a key and a due time; every other
    state is an end. A partial index (lane, line, id) WHERE state = 'open' is required. `effects`
    says that working a row reaches outside the database, so that a row whose worker died must be
    looked up before it is worked again.
    """

    table: sa.Table
    effects: bool

    @classmethod
    def of(cls, model: type[DeclarativeBase], *, effects: bool) -> WorkTable:
        """Take the table of a mapped class."""
        return cls(cast("sa.Table", model.__table__), effects)
