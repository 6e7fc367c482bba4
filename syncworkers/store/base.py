"""What all tables share: naming, types, and the columns that make a table one of work."""

from __future__ import annotations

import datetime as dt
import json
import uuid
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import psycopg
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy.orm import Session

NAMING = {
    "ix": "%(table_name)s_%(column_0_N_name)s",
    "uq": "%(table_name)s_%(column_0_N_name)s_key",
    "ck": "%(table_name)s_%(constraint_name)s_check",
    "fk": "%(table_name)s_%(column_0_N_name)s_fkey",
    "pk": "%(table_name)s_pkey",
}


class Base(DeclarativeBase):
    """Every table of the store."""

    metadata = sa.MetaData(naming_convention=NAMING)
    type_annotation_map = {  # noqa: RUF012 - SQLAlchemy reads it as a class attribute
        dt.datetime: sa.DateTime(timezone=True),
        dt.date: sa.Date(),
        str: sa.Text(),
        int: sa.BigInteger(),
        Decimal: sa.Numeric(),
        uuid.UUID: sa.Uuid(),
        dict[str, Any]: JSONB(),
        list[Any]: JSONB(),
    }


class Work:
    """The columns the engine needs on a table of work (see `engine.work`)."""

    id: Mapped[int] = mapped_column(sa.Identity(always=True), primary_key=True)
    lane: Mapped[int] = mapped_column(sa.SmallInteger)
    line: Mapped[int]
    state: Mapped[str]
    due_at: Mapped[dt.datetime | None]
    """When a parked row looks again; open rows follow their line."""
    waiting_for: Mapped[str | None]
    waits: Mapped[int] = mapped_column(sa.SmallInteger, server_default="0")
    unknown_since: Mapped[dt.datetime | None]
    """A worker may have begun it and told nobody: its effect must be looked up first."""
    retries: Mapped[int] = mapped_column(sa.SmallInteger, server_default="0")
    """How often a person had it tried again."""


def one_of(column: str, states: tuple[str, ...]) -> sa.CheckConstraint:
    """Make the CHECK that keeps a text column to its vocabulary."""
    listed = ", ".join(f"'{state}'" for state in states)
    return sa.CheckConstraint(f"{column} IN ({listed})", name=column)


def draw_ids(session: Session, model: type[Base], count: int) -> list[int]:
    """Draw ids for new rows before they are written, because other rows name them."""
    if not count:
        return []
    drawn = session.execute(
        sa.text("SELECT nextval(pg_get_serial_sequence(:table, 'id')) FROM generate_series(1, :n)"),
        {"table": model.__tablename__, "n": count},
    )
    return [row[0] for row in drawn]


def insert_rows(session: Session, model: type[Base], rows: Sequence[Mapping[str, Any]]) -> None:
    """Write new rows, all with the keys of the first, by COPY.

    However many they are, it is one statement of a few words: neither SQLAlchemy nor the driver nor
    the server has to make or read a text that grows with them. Raises what an INSERT would raise.
    """
    if not rows:
        return
    columns = [model.__table__.c[name] for name in rows[0]]
    documents = [isinstance(column.type, JSONB) for column in columns]
    named = ", ".join(f'"{column.name}"' for column in columns)
    statement = f"COPY {model.__tablename__} ({named}) FROM STDIN"
    connection = session.connection()
    raw: Any = connection.connection.driver_connection
    try:
        with raw.cursor() as cursor, cursor.copy(statement) as copy:
            for row in rows:
                copy.write_row(
                    [
                        json.dumps(value) if is_document else value
                        for value, is_document in zip(row.values(), documents, strict=True)
                    ]
                )
    except psycopg.Error as error:
        if raw.closed:
            connection.invalidate(error)
        raise sa.exc.DBAPIError.instance(
            statement,
            None,
            error,
            psycopg.Error,
            connection_invalidated=raw.closed,
            dialect=connection.dialect,
        ) from error
