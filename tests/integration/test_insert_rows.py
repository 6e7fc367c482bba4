"""Many rows by COPY: what comes in is what stands there, and errors are those of an INSERT."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from syncworkers.store.base import insert_rows
from syncworkers.store.history import EntityVersion

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def session(clean_database: sa.Engine) -> Iterator[Session]:
    with Session(clean_database) as session:
        yield session


def version(number: int, snapshot: Any) -> dict[str, Any]:
    return {
        "entity_kind": "order",
        "entity_id": 7,
        "version": number,
        "message_id": 1,
        "mapping": "m\t1\\",
        "rules": "r",
        "snapshot": snapshot,
        "diff": {},
    }


def test_rows_stand_as_they_were_given(session: Session) -> None:
    snapshot = {"name": 'Zoë "\\\n\t', "none": None, "list": [1, "2"], "empty": ""}

    insert_rows(session, EntityVersion, [version(1, snapshot), version(2, {})])

    rows = session.scalars(sa.select(EntityVersion).order_by(EntityVersion.version)).all()
    assert [row.snapshot for row in rows] == [snapshot, {}]
    assert [row.mapping for row in rows] == ["m\t1\\", "m\t1\\"]
    assert rows[0].at is not None


def test_no_rows_cost_nothing(session: Session) -> None:
    insert_rows(session, EntityVersion, [])

    assert not session.in_transaction()


def test_a_row_that_stands_already_is_an_integrity_error(session: Session) -> None:
    with pytest.raises(sa.exc.IntegrityError) as caught:
        insert_rows(session, EntityVersion, [version(1, {}), version(1, {})])

    assert caught.value.orig is not None
    assert getattr(caught.value.orig, "sqlstate", None) == "23505"


@pytest.mark.parametrize("text", ["\x00", "\ud800"])
def test_what_cannot_be_stored_is_an_error_of_the_database(session: Session, text: str) -> None:
    with pytest.raises((sa.exc.DBAPIError, UnicodeEncodeError)):
        insert_rows(session, EntityVersion, [version(1, {}) | {"rules": text}])
    session.rollback()

    assert session.scalar(sa.select(sa.func.count()).select_from(EntityVersion)) == 0


def test_a_lost_connection_is_said_to_be_lost(session: Session) -> None:
    raw: Any = session.connection().connection.driver_connection
    raw.close()

    with pytest.raises(sa.exc.DBAPIError) as caught:
        insert_rows(session, EntityVersion, [version(1, {})])

    assert caught.value.connection_invalidated is True
