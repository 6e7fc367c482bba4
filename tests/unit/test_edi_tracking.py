"""What a 214 says of a parcel, and that whatever it says is read or refused at a named place."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mappings import READS
from syncworkers.canonical.shipments import Milestone, MilestoneEvent, TrackingReport
from syncworkers.errors import RejectedError
from tests.contracts.shared import folder
from tests.unit.edi_documents import CHICAGO, STATUS, document, of_segments, sets, with_profile

M = Milestone


def load(body: bytes, connection: Any = CHICAGO) -> tuple[TrackingReport, tuple[str, ...]]:
    found: tuple[TrackingReport, tuple[str, ...]] = (
        READS["edi_sftp", "edi/214"].fit(connection).load(body)
    )
    return found


def status(*events: str) -> bytes:
    """Return a 214 of these AT7 and MS1 segments."""
    return document("214", "B10*TRK1*SHP-9001*FDEG~LX*1~" + "".join(f"{one}~" for one in events))


def refused(body: bytes) -> list[tuple[str, str]]:
    with pytest.raises(RejectedError) as caught:
        load(body)
    return [(one.path, one.code) for one in caught.value.violations]


def test_a_status_is_read_whole() -> None:
    report, drift = load(document("214", STATUS))

    at = dt.datetime(2026, 11, 24, 23, 10, tzinfo=dt.UTC)
    picked_up = MilestoneEvent(
        milestone=M.PICKED_UP, occurred_at=at, code="AF", location="CHICAGO, IL, US"
    )
    assert report == TrackingReport(external_id="SHP-9001", updated_at=at, milestones=(picked_up,))
    assert drift == ()


@pytest.mark.parametrize(
    ("event", "milestone", "code"),
    [
        ("AT7*X3*NS***20261124*1710", M.PICKUP_SCHEDULED, "X3"),
        ("AT7***AA*NA*20261124*1710", M.PICKUP_SCHEDULED, "AA"),
        ("AT7***XA*NA*20261124*1710", M.PICKUP_SCHEDULED, "XA"),
        ("AT7*X4*NS***20261124*1710", M.IN_TRANSIT, "X4"),
        ("AT7*X6*AO***20261124*1710", M.DELAYED, "X6/AO"),
        ("AT7*X6*CA***20261124*1710", M.CUSTOMS_HOLD, "X6/CA"),
        ("AT7*D1*AO***20261124*1710", M.DELIVERED, "D1/AO"),
        ("AT7*A3*NS***20261124*1710", M.RETURNING, "A3"),
        ("AT7*CA****20261124*1710", M.CANCELLED, "CA"),
    ],
)
def test_a_code_is_a_milestone(event: str, milestone: M, code: str) -> None:
    report, drift = load(status(event))

    assert [(one.milestone, one.code) for one in report.milestones] == [(milestone, code)]
    assert drift == ()


def test_an_estimate_is_no_event() -> None:
    report, drift = load(status("AT7*AG*NS***20261130*1200", "AT7*X2*NS***20261130*1200"))

    assert report.milestones == ()
    assert report.updated_at == dt.datetime(2026, 11, 24, 23, 10, tzinfo=dt.UTC)
    assert drift == ()


def test_a_code_nobody_knows_is_kept_and_is_drift() -> None:
    report, drift = load(status("AT7*Q9*NS***20261124*1710", "AT7***AB*NA*20261124*1710"))

    assert [(one.milestone, one.code) for one in report.milestones] == [
        (M.UNKNOWN, "Q9"),
        (M.UNKNOWN, "AB"),
    ]
    assert drift == ("AT7: code 'Q9' is not known", "AT7: code 'AB' is not known")


def test_a_partner_may_mean_something_else_by_a_code() -> None:
    connection = with_profile(milestones={"Q9": "delivered", "X1": "in_transit"})

    report, _ = load(status("AT7*X1*NS***20261124*1710", "AT7*Q9*NS***20261124*1800"), connection)

    assert [one.milestone for one in report.milestones] == [M.IN_TRANSIT, M.DELIVERED]


def test_a_milestone_that_is_none_is_refused_at_the_start() -> None:
    mapping = READS["edi_sftp", "edi/214"]

    with pytest.raises(ValueError, match=r"\[connection\.profile\.milestones\] Q9 = 'gone'"):
        mapping.fit(with_profile(milestones={"Q9": "gone"}))


@pytest.mark.parametrize(
    ("time", "hour"),
    [
        ("1200", 18),
        ("1200*LT", 18),
        ("1200*CT", 18),
        ("1200*CS", 18),
        ("1200*CD", 17),
        ("1200*ET", 17),
        ("1200*MT", 19),
        ("1200*PT", 20),
        ("1200*GM", 12),
        ("1200*UT", 12),
        ("120059", 18),
    ],
)
def test_a_time_is_of_the_zone_it_names_or_of_the_profiles(time: str, hour: int) -> None:
    report, drift = load(status(f"AT7*AF*NS***20261124*{time}"))

    at = report.updated_at.replace(second=0)
    assert at == dt.datetime(2026, 11, 24, hour, tzinfo=dt.UTC)
    assert drift == ()


def test_a_named_zone_knows_of_summer_time() -> None:
    report, _ = load(status("AT7*AF*NS***20260724*1200*CT", "AT7*X6*NS***20260724*1200*CS"))

    assert [one.occurred_at.hour for one in report.milestones] == [17, 18]


def test_a_zone_nobody_knows_is_the_profiles_and_is_drift() -> None:
    report, drift = load(status("AT7*AF*NS***20261124*1200*07"))

    assert report.updated_at.hour == 18
    assert drift == ("AT7-07: zone '07' is not known",)


def test_events_are_told_oldest_first_and_once() -> None:
    late, early = "AT7*D1*NS***20261125*0900", "AT7*AF*NS***20261124*1710"

    report, _ = load(status(late, early, late))

    assert [one.code for one in report.milestones] == ["AF", "D1"]
    assert report.updated_at == report.milestones[-1].occurred_at


@pytest.mark.parametrize(
    ("body", "path", "code"),
    [
        (document("214", "B10*TRK1**FDEG~"), "segment 4, B10-02", "field.missing"),
        (document("214", "LX*1~"), "B10", "field.missing"),
        (status("AT7*AF*NS****1710"), "segment 6, AT7-05", "field.missing"),
        (status("AT7*AF*NS***20261324*1710"), "segment 6, AT7-05", "payload.invalid"),
        (status("AT7*AF*NS***20261124*2560"), "segment 6, AT7-06", "payload.invalid"),
        (status("AT7*****20261124*1710"), "segment 6, AT7-01", "field.missing"),
    ],
)
def test_what_is_wrong_is_refused_by_its_place(body: bytes, path: str, code: str) -> None:
    assert refused(body) == [(path, code)]


@given(st.lists(st.text(st.characters(exclude_categories=("Cs",)))))
def test_whatever_a_status_says_it_is_read_or_refused_with_a_reason(elements: list[str]) -> None:
    body = of_segments("214", [["B10", "TRK1", "SHP-9001", "FDEG"], ["AT7", *elements]])

    try:
        report, _ = load(body)
    except RejectedError as error:
        assert all(one.path and one.message for one in error.violations)
    else:
        assert report.external_id == "SHP-9001"


@pytest.mark.contract
def test_real_statuses_of_a_carrier_are_read() -> None:
    bodies = sets((folder("samples/edi") / "214_canadapost.edi").read_bytes())

    found = [load(body, {"zone": "America/Toronto"}) for body in bodies]

    assert len(found) == 19
    assert found[0][0].external_id == "4343638097845589"
    assert found[0][0].milestones == (
        MilestoneEvent(
            milestone=M.LABEL_CREATED,
            occurred_at=dt.datetime(2019, 11, 3, 20, 34, tzinfo=dt.UTC),
            code="XB",
            location="WRENCH, ON, CA",
        ),
    )
    assert Counter(one.milestone for report, _ in found for one in report.milestones) == {
        M.PICKED_UP: 7,
        M.LABEL_CREATED: 6,
        M.DELIVERY_ATTEMPTED: 4,
        M.CANCELLED: 1,
        M.DELIVERED: 1,
    }


@pytest.mark.contract
def test_a_real_status_of_no_shipment_is_refused() -> None:
    (body,) = sets((folder("samples/edi") / "214_edifabric.edi").read_bytes())

    assert refused(body) == [("segment 4, B10-02", "field.missing")]
