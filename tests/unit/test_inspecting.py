from __future__ import annotations

import datetime as dt

import pytest

from syncworkers.connectors.inspecting import VersionEnd, clock, version

ENDS = {
    "2026-01": VersionEnd(last=dt.date(2027, 1, 1), source="the partner's page"),
    "evergreen": VersionEnd(last=None, source="no end is announced"),
}


@pytest.mark.parametrize(
    ("today", "ok", "saw"),
    [
        (dt.date(2026, 10, 2), True, "2026-01 ends on 2027-01-01 (the partner's page)"),
        (dt.date(2026, 10, 4), False, "2026-01 ends on 2027-01-01 (the partner's page)"),
        (dt.date(2027, 1, 2), False, "2026-01 ended on 2027-01-01 (the partner's page)"),
    ],
)
def test_a_version_is_warned_of_three_months_before_its_end(
    today: dt.date, ok: bool, saw: str
) -> None:
    found = version("2026-01", ENDS, today)

    assert (found.ok, found.saw) == (ok, saw)
    assert bool(found.remedy) is not ok


def test_a_version_without_an_end_is_well_and_an_unknown_one_is_not() -> None:
    today = dt.date(2026, 1, 1)

    assert version("evergreen", ENDS, today).ok
    unknown = version("2019-01", ENDS, today)
    assert not unknown.ok
    assert unknown.remedy == "speak one of 2026-01, evergreen, or add it with its end"


@pytest.mark.parametrize(
    ("ahead", "ok"), [(None, True), (-29.0, True), (31.0, False), (-31.0, False)]
)
def test_a_clock_may_be_half_a_minute_off(ahead: float | None, ok: bool) -> None:
    assert clock(ahead).ok is ok
