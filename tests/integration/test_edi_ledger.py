"""The control-number ledger: no number without a file, no number twice, no set in two files."""

from __future__ import annotations

import datetime as dt
import threading
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from syncworkers.store import edi_files, interchanges
from syncworkers.store.edi_files import Answer, SqlLedger
from syncworkers.store.interchanges import Arrival, Repeat
from syncworkers.x12.ledger import Document, Route, stands
from syncworkers.x12.segments import segment

if TYPE_CHECKING:
    from collections.abc import Sequence

EAST = "harbor-east"
CREATE, CANCEL = "part.create", "part.cancel"
ROUTE = Route(partner=EAST, sender="ZZ/US", receiver="ZZ/HARBOR", usage="P")


def order(reference: str, quantity: str = "3") -> Document:
    segments = (segment("W05", "N", reference), segment("W01", quantity, "EA", "", "VN", "SKU-A"))
    return Document(code="940", operation=CREATE, reference=reference, segments=segments)


def write(number: int, documents: Sequence[Document]) -> tuple[str, bytes]:
    return f"940-{number:09}.edi", "|".join(one.reference for one in documents).encode()


@pytest.fixture
def database(clean_database: sa.Engine) -> sa.Engine:
    return clean_database


@pytest.fixture
def ledger(database: sa.Engine) -> SqlLedger:
    return SqlLedger(database, EAST)


def freeze(ledger: SqlLedger, *documents: Document) -> None:
    ledger.freeze(ROUTE, "OW", documents, write)


def files(database: sa.Engine) -> list[tuple[int, bytes]]:
    with database.connect() as connection:
        rows = connection.execute(sa.text("SELECT number, body FROM edi_file ORDER BY id"))
        return [(row.number, bytes(row.body)) for row in rows]


def answered(database: sa.Engine, *answers: Answer) -> list[tuple[int, int, str, bool]]:
    with Session(database) as session, session.begin():
        found = edi_files.answer(session, EAST, answers)
    return [(one.answer.number, one.answer.place, one.reference, one.refused) for one in found]


def said(number: int, place: int | None, *, accepted: bool, detail: str | None = None) -> Answer:
    return Answer(functional_id="OW", number=number, place=place, accepted=accepted, detail=detail)


def test_a_set_is_frozen_once_and_a_changed_one_gets_a_number_of_its_own(
    ledger: SqlLedger, database: sa.Engine
) -> None:
    freeze(ledger, order("A"), order("B"))
    freeze(ledger, order("B"), order("C"), order("A", "4"))

    assert files(database) == [(1, b"A|B"), (2, b"C|A")]
    found = ledger.latest({"A", "B", "C", "D"})
    assert {name: (one.number, one.place) for (name, _), one in found.items()} == {
        "A": (2, 2),
        "B": (1, 2),
        "C": (2, 1),
    }
    assert stands(found["A", CREATE], order("A", "4"))
    assert not stands(found["A", CREATE], order("A"))


def test_what_was_cancelled_since_was_sent_all_the_same(
    ledger: SqlLedger, database: sa.Engine
) -> None:
    cancel = Document(
        code="940",
        operation=CANCEL,
        reference="A",
        segments=(segment("W05", "F", "A"),),
    )
    freeze(ledger, order("A"), cancel)
    freeze(ledger, order("A"))
    freeze(ledger, cancel)

    assert files(database) == [(1, b"A|A")]
    assert stands(ledger.latest({"A"})["A", CREATE], order("A"))


def test_what_cannot_be_written_costs_no_number(ledger: SqlLedger, database: sa.Engine) -> None:
    def fail(number: int, documents: Sequence[Document]) -> tuple[str, bytes]:
        raise ValueError(number, documents)

    with pytest.raises(ValueError, match="1"):
        ledger.freeze(ROUTE, "OW", [order("A")], fail)
    freeze(ledger, order("A"))

    assert files(database) == [(1, b"A")]


def test_workers_side_by_side_use_each_number_once_and_freeze_each_set_once(
    ledger: SqlLedger, database: sa.Engine
) -> None:
    def work(worker: int) -> None:
        for turn in range(10):
            freeze(ledger, order(f"own-{worker}-{turn}"), order(f"shared-{turn}"))

    threads = [threading.Thread(target=work, args=(one,)) for one in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    kept = files(database)
    assert [number for number, _ in kept] == list(range(1, 41))
    sets = [name for _, body in kept for name in body.decode().split("|")]
    assert len(sets) == len(set(sets)) == 50


def test_after_the_last_number_the_first_one_follows(
    ledger: SqlLedger, database: sa.Engine
) -> None:
    freeze(ledger, order("A"))
    with database.begin() as connection:
        connection.execute(sa.text("UPDATE control_number SET last = 999999998"))
    freeze(ledger, order("B"))
    ledger.freeze(ROUTE, "OW", [order("C")], lambda number, _: (f"again-{number}.edi", b"C"))

    assert [number for number, _ in files(database)] == [1, 999_999_999, 1]
    assert answered(database, said(1, 1, accepted=True)) == [(1, 1, "C", False)]


def test_tests_and_production_count_apart(ledger: SqlLedger, database: sa.Engine) -> None:
    freeze(ledger, order("A"))
    test = Route(partner=EAST, sender=ROUTE.sender, receiver=ROUTE.receiver, usage="T")
    ledger.freeze(test, "OW", [order("B")], lambda number, _: (f"test-{number}.edi", b"B"))

    assert [number for number, _ in files(database)] == [1, 1]


def test_a_refused_set_may_be_sent_again_under_a_new_number(
    ledger: SqlLedger, database: sa.Engine
) -> None:
    freeze(ledger, order("A"), order("B"))
    no = said(1, 2, accepted=False, detail="segment 12, W01 has elements in error")
    found = answered(database, said(1, 1, accepted=True), no, said(9, 1, accepted=True))
    again = answered(database, no)
    freeze(ledger, order("A"), order("B"))
    late = answered(database, said(1, 2, accepted=True), no)

    assert found == [(1, 1, "A", False), (1, 2, "B", True)]
    assert again == [(1, 2, "B", False)]
    assert late == [(1, 2, "B", False), (1, 2, "B", False)]
    assert files(database) == [(1, b"A|B"), (2, b"B")]
    assert ledger.latest({"A"})["A", CREATE].state == "accepted"


def test_what_is_said_of_a_whole_group_holds_for_each_set_of_which_nothing_is_said(
    ledger: SqlLedger, database: sa.Engine
) -> None:
    freeze(ledger, order("A"), order("B"), order("C"))
    answered(database, said(1, 1, accepted=True))

    found = answered(database, said(1, None, accepted=False), said(7, None, accepted=True))

    assert found == [(1, None, "A", False), (1, None, "B", True), (1, None, "C", True)]
    states = {name: one.state for (name, _), one in ledger.latest({"A", "B", "C"}).items()}
    assert states == {"A": "accepted", "B": "rejected", "C": "rejected"}


def test_what_nobody_acknowledged_is_overdue(ledger: SqlLedger, database: sa.Engine) -> None:
    freeze(ledger, order("A"))
    freeze(ledger, order("B"))
    freeze(ledger, order("C"))
    latest = ledger.latest({"A", "B"})
    ledger.uploaded({latest["A", CREATE].file, latest["B", CREATE].file})
    ledger.uploaded({latest["A", CREATE].file})
    answered(database, said(2, 1, accepted=True))

    with Session(database) as session:
        [late] = edi_files.overdue(session, EAST, within=0.0)
        early = edi_files.overdue(session, EAST, within=60.0)

    assert (late.name, late.references) == ("940-000000001.edi", ("A",))
    assert early == []


def arrive(database: sa.Engine, number: int, content: str, message: int = 1) -> Repeat:
    arrival = Arrival(
        partner=EAST,
        sender="ZZ/HARBOR",
        receiver="ZZ/US",
        usage="P",
        number=number,
        digest=content,
        message_id=message,
    )
    with Session(database) as session, session.begin():
        return interchanges.register(session, arrival)


def test_an_interchange_is_new_once_then_a_duplicate_and_reused_with_other_bytes(
    database: sa.Engine,
) -> None:
    seen = [
        arrive(database, 7, "x"),
        arrive(database, 7, "x"),
        arrive(database, 7, "x", message=2),
        arrive(database, 7, "y", message=3),
        arrive(database, 8, "x", message=4),
    ]

    assert seen == [Repeat.NEW, Repeat.NEW, Repeat.DUPLICATE, Repeat.REUSED, Repeat.NEW]
    with database.connect() as connection:
        rows = connection.execute(sa.text("SELECT number, repeats FROM interchange ORDER BY id"))
        assert [tuple(row) for row in rows] == [(7, 1), (8, 0)]


def test_the_same_number_at_the_same_moment_is_new_once(database: sa.Engine) -> None:
    seen: list[Repeat] = []
    threads = [
        threading.Thread(target=lambda n=n: seen.append(arrive(database, 7, "x", message=n)))
        for n in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(seen) == [Repeat.DUPLICATE] * 7 + [Repeat.NEW]


def test_a_number_that_wrapped_is_new_again(database: sa.Engine) -> None:
    arrive(database, 7, "x")
    with database.begin() as connection:
        old = {"at": dt.datetime.now(dt.UTC) - interchanges.WINDOW - dt.timedelta(days=1)}
        connection.execute(sa.text("UPDATE interchange SET received_at = :at"), old)

    assert arrive(database, 7, "y", message=2) is Repeat.NEW


def test_missing_numbers_are_noticed_until_they_come(database: sa.Engine) -> None:
    for number in (5, 6, 9, 12, 900_000):
        arrive(database, number, str(number), message=number)

    def missing(patience: float = 0.0) -> list[tuple[int, int]]:
        with Session(database) as session:
            found = interchanges.gaps(session, EAST, patience)
        return [(one.first, one.last) for one in found]

    assert missing(patience=60.0) == []
    assert missing() == [(7, 8), (10, 11)]
    arrive(database, 8, "8", message=8)
    assert missing() == [(7, 7), (10, 11)]
