from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from syncworkers.engine import slots
from tests.integration.engine.toys import transaction

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy.orm import Session


def hold(database: sa.Engine, owner: str, every: float = 3600.0) -> object:
    @contextmanager
    def sessions() -> Iterator[Session]:
        with transaction(database) as session:
            yield session

    return slots.hold(sessions, "nightly", every=every, owner=owner)


def test_of_many_beats_one_runs_a_slot(database: sa.Engine) -> None:
    with hold(database, "a") as first, hold(database, "b") as second:  # type: ignore[attr-defined]
        assert (first, second) == (True, False)

    with hold(database, "c") as third:  # type: ignore[attr-defined]
        assert third is False


def test_a_run_that_fails_gives_its_slot_back(database: sa.Engine) -> None:
    with pytest.raises(RuntimeError), hold(database, "a"):  # type: ignore[attr-defined]
        raise RuntimeError

    with hold(database, "b") as again:  # type: ignore[attr-defined]
        assert again is True


def test_a_run_whose_worker_died_is_noticed_and_taken_over(database: sa.Engine) -> None:
    hold(database, "dies").__enter__()  # type: ignore[attr-defined]
    with transaction(database) as session:
        assert slots.late(session) == []
        session.execute(sa.text("UPDATE schedule_entry SET lease_until = now() - interval '1 s'"))
        assert slots.late(session) == ["nightly"]

    with hold(database, "heir") as heir:  # type: ignore[attr-defined]
        assert heir is True
    with transaction(database) as session:
        assert slots.late(session) == []


def test_a_run_whose_worker_is_gone_is_taken_over_at_once(database: sa.Engine) -> None:
    dead = hold(database, "here:1")
    dead.__enter__()  # type: ignore[attr-defined]
    with transaction(database) as session:
        assert slots.owners(session) == ["here:1"]
        assert slots.free(session, ["here:2"]) == []
        assert slots.free(session, ["here:1"]) == ["nightly"]
    with transaction(database) as session:
        assert slots.owners(session) == []

    with hold(database, "heir") as heir:  # type: ignore[attr-defined]
        assert heir is True
