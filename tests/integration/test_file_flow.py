"""Files of the legacy warehouse: in once, answered, in order; what is wrong with one is a case."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from mappings.edi_sftp.files import FILES
from syncworkers.canonical.kinds import Kind
from syncworkers.flows import pickup
from syncworkers.flows.correlation import correlation_id
from syncworkers.flows.expect import check_expectations
from syncworkers.flows.recover import recover
from syncworkers.flows.retry import retry
from syncworkers.flows.sweep import wake_due
from syncworkers.store import attention
from syncworkers.store.edi_files import LEAP
from syncworkers.x12.segments import segment
from tests.integration.edi_running import Harbor, fate, group, harbor, letter

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import sqlalchemy as sa
    from redis import Redis

    from syncworkers.servers import Servers

RETURN = ("180", [segment("BGN", "00", "RET-1", "20261124")])
"""A document that nobody here acts upon: it waits for somebody who does."""

OWED_AGAIN = """
INSERT INTO line (lane, key, pending, due_at)
SELECT lane, line, 1, now() FROM delivery WHERE operation = 'part.create'
"""


@pytest.fixture
def edi(
    clean_database: sa.Engine,
    redis_client: Redis,
    running_servers: Servers,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Harbor]:
    with harbor(running_servers, tmp_path, monkeypatch) as started:
        yield started


def documents(edi: Harbor) -> list[tuple[str, str, str]]:
    """Return topic, object and state of the documents that came in files."""
    question = "SELECT topic, entity, state FROM message WHERE topic LIKE 'edi/___' ORDER BY id"
    return [tuple(one) for one in edi.world.rows(question)]


def verdicts(edi: Harbor) -> list[tuple[str, str]]:
    """Return by group number how our 997s take the group as a whole."""
    found = []
    for one in edi.sent("997"):
        told = {each.tag: each for each in one.segments}
        found.append((told["AK1"].get(2), told["AK9"].get(1)))
    return found


def test_a_file_becomes_documents_that_are_answered_and_is_archived(edi: Harbor) -> None:
    edi.leave(group("AN", 7, RETURN, ("180", [segment("BGN", "00", "RET-2", "20261124")])))

    edi.hear()

    assert documents(edi) == [("edi/180", "RET-1", "parked"), ("edi/180", "RET-2", "parked")]
    assert verdicts(edi) == [("7", "A")]
    assert [len(one.segments) for one in edi.sent("997")] == [6]  # AK1, AK2 and AK5 twice, AK9
    assert list((edi.server.folder / "outbound").glob("*.edi")) == []
    assert len(list((edi.server.folder / "archive").iterdir())) == 1
    assert edi.cases() == []


def test_the_same_again_is_dropped_and_answered_again(edi: Harbor) -> None:
    body = edi.leave(group("AN", 7, RETURN))
    edi.hear()
    edi.put("same-bytes.edi", body)
    edi.hear()
    edi.put("same-content.edi", body + b"\n")
    edi.hear()

    assert documents(edi) == [("edi/180", "RET-1", "parked")]
    assert edi.world.ask("SELECT duplicates FROM message WHERE topic = 'edi/file' LIMIT 1") == 1
    assert verdicts(edi) == [("7", "A"), ("7", "A")]
    assert edi.cases() == []


def test_a_number_with_other_content_is_a_case_and_nothing_in_it_is_taken(edi: Harbor) -> None:
    edi.leave(group("AN", 7, RETURN), number=5)
    edi.hear()
    edi.leave(
        group("AN", 8, ("180", [segment("BGN", "00", "RET-9", "20261124")])),
        number=5,
        name="other.edi",
    )
    edi.hear()

    assert [entity for _, entity, _ in documents(edi)] == ["RET-1"]
    ((code, error),) = edi.cases()
    assert code == "edi.number_reused"
    assert "interchange 5 of ZZ/EXAMPLEWH came before with other content" in error


def test_a_wrong_count_is_refused_in_the_answer_and_a_case_names_the_segment(edi: Harbor) -> None:
    body = letter(3, group("AN", 7, RETURN)).replace(b"SE*3*", b"SE*9*")
    edi.put("miscounted.edi", body)

    edi.hear()

    assert documents(edi) == []
    assert verdicts(edi) == [("7", "R")]
    ((code, error),) = edi.cases()
    assert code == "x12.set_count"
    assert "segment 5, SE-01" in error


@pytest.mark.parametrize(
    ("is_for_us", "is_not", "code"),
    [
        (b"*ZZ*EXAMPLECO      *", b"*ZZ*OTHERCO        *", "edi.not_for_us"),
        (b"*T*>~", b"*P*>~", "x12.usage"),
    ],
)
def test_what_is_for_somebody_else_is_not_taken_and_not_answered(
    edi: Harbor, is_for_us: bytes, is_not: bytes, code: str
) -> None:
    body = letter(3, group("AN", 7, RETURN))
    assert body.count(is_for_us) == 1
    edi.put("astray.edi", body.replace(is_for_us, is_not))

    edi.hear()

    assert documents(edi) == []
    assert verdicts(edi) == []
    assert [code for code, _ in edi.cases()] == [code]


@pytest.mark.parametrize("body", [b"what is this", b"", b"\x00\xff" * 50, b"PK\x03\x04zip"])
def test_what_is_no_edi_at_all_is_a_case_with_the_file_kept(
    edi: Harbor, body: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pickup, "UNFINISHED_LOOKS", 2)
    edi.put("stray.bin", body)

    edi.hear()
    edi.hear()

    assert [code.partition(".")[0] for code, _ in edi.cases()] == ["x12"]
    assert edi.world.ask("SELECT state FROM message") == "rejected"
    assert [one.read_bytes() for one in (edi.server.folder / "archive").iterdir()] == [body]


@pytest.mark.parametrize("name", [b"RET\x00-1", b"".join(b"%x" % (n * n) for n in range(9000))])
def test_a_name_that_no_column_holds_stops_no_other_file(edi: Harbor, name: bytes) -> None:
    body = letter(3, group("SW", 7, ("945", [segment("W06", "F", "RET-1", "20261124", "S")])))
    edi.put("a.edi", body.replace(b"RET-1", name))
    edi.leave(group("AN", 8, RETURN))

    edi.hear()

    assert ("edi/180", "RET-1", "parked") in documents(edi)
    assert len(edi.cases()) == 1


def test_half_a_file_waits_for_its_end(edi: Harbor) -> None:
    body = letter(4, group("AN", 7, RETURN))
    edi.put("slow.edi", body[:150])
    edi.hear()
    edi.hear()
    assert documents(edi) == []
    assert edi.cases() == []

    edi.put("slow.edi", body)
    edi.hear()

    assert [entity for _, entity, _ in documents(edi)] == ["RET-1"]


def test_one_damaged_document_leaves_the_others_of_its_file_alone(edi: Harbor) -> None:
    body = letter(
        3, group("AN", 7, RETURN), group("AN", 8, ("180", [segment("BGN", "00", "X", "20261124")]))
    )
    edi.put("mixed.edi", body.replace(b"SE*3*0001", b"SE*9*0001", 1))

    edi.hear()

    assert [entity for _, entity, _ in documents(edi)] == ["X"]
    assert verdicts(edi) == [("7", "R"), ("8", "A")]
    assert len(edi.cases()) == 1


def test_an_order_goes_out_under_a_number_and_is_acknowledged(edi: Harbor) -> None:
    order = edi.world.release()
    edi.settle()

    (sent,) = edi.sent("940")
    assert sent.segments[0].elements[:2] == ("N", f"shopify-us-{order['id']}-1")
    number = int(sent.envelope.control_number)
    assert edi.world.ask("SELECT acknowledged_at FROM order_part") is None

    edi.leave(group("FA", 1, fate(number)))
    edi.hear()

    assert edi.world.ask("SELECT state FROM edi_set WHERE code = '940'") == "accepted"
    assert edi.world.ask("SELECT acknowledged_at FROM order_part") is not None
    expected = "SELECT state FROM expectation WHERE name = 'acknowledged'"
    assert edi.world.ask(expected) == "met"
    assert edi.sent("997") == []  # an acknowledgement is never acknowledged
    assert edi.cases() == []


def test_a_refused_order_is_a_case_about_it_and_goes_under_a_new_number_once_mended(
    edi: Harbor,
) -> None:
    order = edi.world.release()
    edi.settle()
    edi.leave(group("FA", 1, fate(1, refused=True)))
    edi.hear()
    edi.leave(group("FA", 2, fate(1, refused=True)))
    edi.hear()

    ((code, error),) = edi.cases()
    assert code == "edi.refused"
    assert f"shopify-us-{order['id']}-1" in error
    assert "segment 5, N4" in error
    assert "element 2" in error
    correlation = edi.world.ask("SELECT correlation_id FROM exception_case")
    assert correlation == edi.world.ask("SELECT correlation_id FROM sales_order")

    retry(edi.world.fleet, edi.world.ask("SELECT id FROM exception_case"), actor="test")
    edi.settle()

    assert [one.envelope.control_number for one in edi.sent("940")] == ["000000001", "000000002"]
    edi.leave(group("FA", 3, fate(2)))
    edi.hear()
    assert edi.cases() == []


@pytest.mark.parametrize(
    ("said", "state"),
    [
        (("A", "1", "1", "1"), "accepted"),
        (("E", "1", "1", "1"), "accepted"),
        (("R", "1", "1", "0", "5"), "rejected"),
        (("P", "1", "1", "0"), "waiting"),
    ],
)
def test_a_group_of_which_no_set_is_listed_is_answered_as_a_whole(
    edi: Harbor, said: tuple[str, ...], state: str
) -> None:
    order = edi.world.release()
    edi.settle()

    edi.leave(group("FA", 1, ("997", [segment("AK1", "OW", "1"), segment("AK9", *said)])))
    edi.hear()

    assert edi.world.ask("SELECT state FROM edi_set WHERE code = '940'") == state
    told = [(code, f"shopify-us-{order['id']}-1" in error) for code, error in edi.cases()]
    assert told == ([("edi.refused", True)] if state == "rejected" else [])


@pytest.mark.parametrize("code", ["P", "R", "W"])
def test_a_set_that_was_not_taken_as_it_is_is_a_case(edi: Harbor, code: str) -> None:
    edi.world.release()
    edi.settle()
    told = [segment("AK1", "OW", "1"), segment("AK2", "940", "0001"), segment("AK5", code)]

    edi.leave(group("FA", 1, ("997", [*told, segment("AK9", "A", "1", "1", "1")])))
    edi.hear()

    assert [code for code, _ in edi.cases() if code == "edi.refused"] == ["edi.refused"]


def test_a_file_of_ours_that_was_refused_as_a_whole_is_a_case_about_each_order(
    edi: Harbor,
) -> None:
    order = edi.world.release()
    edi.settle()
    body = letter(1, group("AN", 7, RETURN)).replace(
        b"~GS*", b"~TA1*000000001*261124*1710*R*021~GS*", 1
    )

    edi.put("ta1.edi", body)
    edi.hear()

    ((code, error),) = edi.cases()
    assert code == "edi.refused"
    assert f"shopify-us-{order['id']}-1" in error
    assert "TA1 code 021" in error
    assert [entity for _, entity, _ in documents(edi)] == ["RET-1"]


def test_an_acknowledgement_of_what_was_never_sent_is_a_case(edi: Harbor) -> None:
    edi.leave(group("FA", 1, fate(77)))
    edi.hear()

    ((code, error),) = edi.cases()
    assert code == "edi.unknown_number"
    assert "OW 77/1" in error


def test_a_missing_acknowledgement_becomes_a_case_that_closes_when_it_comes(edi: Harbor) -> None:
    edi.world.release()
    edi.settle()
    assert check_expectations(edi.world.fleet) == 0
    with edi.world.fleet.session() as session:
        session.connection().exec_driver_sql(
            "UPDATE edi_file SET uploaded_at = now() - interval '1 day'"
        )

    check_expectations(edi.world.fleet)
    check_expectations(edi.world.fleet)
    ((code, error),) = edi.cases()
    assert code == "edi.unacknowledged"
    assert "ow-test-000000001.edi" in error

    edi.leave(group("FA", 1, fate(1)))
    edi.hear()
    check_expectations(edi.world.fleet)
    assert edi.cases() == []


def test_a_number_that_never_came_is_noticed_and_forgotten_when_it_comes(edi: Harbor) -> None:
    for number in (4, 6):
        edi.leave(group("AN", number, RETURN), number=number)
        edi.hear()
    with edi.world.fleet.session() as session:
        session.connection().exec_driver_sql(
            "UPDATE interchange SET received_at = now() - interval '2 hours'"
        )

    check_expectations(edi.world.fleet)
    ((code, error),) = edi.cases()
    assert code == "edi.gap"
    assert "interchange 5 from ZZ/EXAMPLEWH" in error

    edi.leave(group("AN", 5, RETURN), number=5)
    edi.hear()
    check_expectations(edi.world.fleet)
    assert edi.cases() == []


def test_after_a_restore_numbers_leap_over_those_that_were_lost(edi: Harbor) -> None:
    edi.world.release()
    edi.settle()
    with edi.world.fleet.session() as session:
        now = session.connection().exec_driver_sql("SELECT now()").scalar_one()

    recover(edi.world.fleet, now, actor="test")
    with edi.world.fleet.session() as session:  # the next customer comes a minute later
        session.connection().exec_driver_sql("UPDATE recovery SET at = at - interval '1 minute'")
    edi.world.release()
    edi.settle()

    numbers = [int(one.envelope.control_number) for one in edi.sent("940")]
    assert numbers == [1, LEAP + 2]


def test_after_a_restore_the_first_number_leaps_as_well(edi: Harbor) -> None:
    with edi.world.fleet.session() as session:
        now = session.connection().exec_driver_sql("SELECT now()").scalar_one()
    recover(edi.world.fleet, now, actor="test")
    edi.leave(group("AN", 7, RETURN))
    edi.hear()

    assert [int(one.envelope.control_number) for one in edi.sent("997")] == [LEAP + 1]


def test_an_order_that_a_restored_ledger_forgot_is_for_a_person_who_may_have_it_sent(
    edi: Harbor,
) -> None:
    edi.world.release()
    edi.settle()
    with edi.world.fleet.session() as session:
        now = session.connection().exec_driver_sql("SELECT now()").scalar_one()
        for lost in (
            "DELETE FROM edi_file",
            "UPDATE delivery SET state = 'open' WHERE operation = 'part.create'",
            OWED_AGAIN,
        ):
            session.connection().exec_driver_sql(lost)

    recover(edi.world.fleet, now, actor="test")
    edi.settle()
    ((code, error),) = edi.cases()
    assert code == "edi.sent_or_not"
    assert "ask the warehouse" in error
    assert len(edi.sent("940")) == 1

    retry(edi.world.fleet, edi.world.ask("SELECT max(id) FROM exception_case"), actor="test")
    edi.settle()
    assert len(edi.sent("940")) == 2
    assert edi.cases() == []


def test_what_was_archived_in_the_lost_time_is_read_again(edi: Harbor) -> None:
    edi.leave(group("AN", 7, RETURN), name="kept.edi")
    edi.hear()
    with edi.world.fleet.session() as session:
        now = session.connection().exec_driver_sql("SELECT now()").scalar_one()
    edi.leave(group("AN", 8, ("180", [segment("BGN", "00", "RET-2", "20261124")])))
    edi.hear()
    with edi.world.fleet.session() as session:
        for lost in (
            "DELETE FROM message WHERE id > 2",
            "DELETE FROM interchange WHERE number = 2",
        ):
            session.connection().exec_driver_sql(lost)
    assert [entity for _, entity, _ in documents(edi)] == ["RET-1"]

    recover(edi.world.fleet, now, actor="test")
    edi.hear()
    edi.hear()

    assert [entity for _, entity, _ in documents(edi)] == ["RET-1", "RET-2"]
    assert list((edi.server.folder / "outbound").glob("*.edi")) == []
    assert len(list((edi.server.folder / "archive").iterdir())) == 2
    assert edi.cases() == []


def test_a_worker_that_dies_at_any_step_of_a_file_loses_and_repeats_nothing(edi: Harbor) -> None:
    edi.leave(group("AN", 7, RETURN))
    edi.pick_up()
    for step in (2, 3):
        edi.world.die("process", at=step, kind=Kind.FILE)
        edi.world.expire_leases()
    edi.settle()

    assert documents(edi) == [("edi/180", "RET-1", "parked")]
    assert verdicts(edi) == [("7", "A")]


def test_a_file_that_cannot_be_taken_is_a_case_until_it_can(
    edi: Harbor, monkeypatch: pytest.MonkeyPatch
) -> None:
    edi.put("a-huge.edi", letter(9, group("AN", 9, RETURN)) + b"\n" * 5000)
    edi.leave(group("AN", 7, RETURN))
    with monkeypatch.context() as smaller:
        smaller.setattr("syncworkers.connectors.edi_sftp.pickup.LARGEST", 4000)
        edi.hear()
        edi.hear()

        assert [entity for _, entity, _ in documents(edi)] == ["RET-1"]
        ((code, error),) = edi.cases()
        assert code == "pickup.stuck"
        assert "'a-huge.edi' at harbor-east cannot be taken" in error

    edi.hear()
    assert len(documents(edi)) == 2
    assert edi.cases() == []


def test_the_same_name_at_two_partners_is_a_case_at_each(edi: Harbor) -> None:
    with edi.world.fleet.session() as session:
        opened = [attention.open_once(session, _missing(one)) for one in ("a", "b", "a")]
        attention.resolve_others(session, "a", "edi.gap", [])

    assert opened == [True, True, False]
    assert edi.world.rows("SELECT partner FROM exception_case WHERE state = 'open'") == [("b",)]


def _missing(partner: str) -> attention.NewCase:
    return attention.NewCase(
        about="poll",
        about_id=0,
        partner=partner,
        entity_kind=Kind.FILE,
        entity="ow-000000001.edi",
        code="edi.gap",
        error="missing",
        violations=(),
        payload=None,
        correlation_id=correlation_id(partner, Kind.FILE, "missing"),
    )


def test_a_refused_group_brings_no_document_and_its_digest_still_tells_files_apart() -> None:
    first = letter(3, group("AN", 7, RETURN))
    other = letter(3, group("AN", 7, ("180", [segment("BGN", "00", "RET-2", "20261124")])))
    miscounted = first.replace(b"GE*1*", b"GE*2*")

    loaded = [FILES.load(one)[0].interchanges[0] for one in (first, first + b"\n", other)]
    refused = FILES.load(miscounted)[0].interchanges[0].groups[0]

    assert loaded[0].digest == loaded[1].digest != loaded[2].digest
    assert refused.documents == ()
    assert [one.code for one in refused.refusals] == ["x12.group_count"]
    assert [one[:2] for one in refused.acknowledgement if one[0] == "AK5"] == [("AK5", "R")]


def test_a_large_file_is_not_taken_back_from_who_works_it(
    edi: Harbor, monkeypatch: pytest.MonkeyPatch
) -> None:
    lane = edi.world.fleet.lanes["files.process"]
    short = replace(lane, spec=replace(lane.spec, work_budget=0.2, call_deadline=0, margin=0.2))
    monkeypatch.setitem(edi.world.fleet.lanes, "files.process", short)
    edi.leave(group("AN", 7, RETURN))
    edi.pick_up()
    taken = type(FILES).load

    def slowly(reader: Any, body: bytes) -> Any:
        for _ in range(8):
            threading.Event().wait(0.2)
            wake_due(edi.world.fleet)
        return taken(reader, body)

    monkeypatch.setattr(type(FILES), "load", slowly)
    edi.world.process(Kind.FILE)

    assert [entity for _, entity, _ in documents(edi)] == ["RET-1"]
    assert edi.world.ask("SELECT count(*) FROM line WHERE crashes > 0") == 0
