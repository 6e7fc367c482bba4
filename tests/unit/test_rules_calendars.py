"""Release, departure and promise: days are the warehouse's own, however long they are."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncworkers.errors import RejectedError
from syncworkers.policy.calendars import Calendar, Release
from syncworkers.rules.calendars import schedule, working_end

PACIFIC = ZoneInfo("America/Los_Angeles")
WEEK = frozenset(range(5))
YEAR = dt.datetime(2025, 1, 1, tzinfo=dt.UTC)
CALENDAR = Calendar(
    zone=PACIFIC,
    working_days=WEEK,
    opens=dt.time(8),
    cut_offs={"default": dt.time(14), "Express": dt.time(16)},
    transit_days={"default": 3, "Express": 1},
)


def at(text: str, zone: Any = PACIFIC) -> dt.datetime:
    return dt.datetime.fromisoformat(text).replace(tzinfo=zone).astimezone(dt.UTC)


def local(moment: dt.datetime | None, zone: Any = PACIFIC) -> str:
    assert moment is not None
    return moment.astimezone(zone).strftime("%a %m-%d %H:%M")


def planned(placed: str, method: str = "Standard", **changes: Any) -> tuple[str, str, str]:
    found = schedule(replace(CALENDAR, **changes), "west", method, at(placed))
    return local(found.release_at), local(found.ship_by), local(found.promised_at)


@pytest.mark.parametrize(
    ("placed", "method", "ship_by", "promised"),
    [
        ("2026-06-03 13:59", "Standard", "Thu 06-04 00:00", "Tue 06-09 00:00"),
        ("2026-06-03 14:00", "Standard", "Fri 06-05 00:00", "Wed 06-10 00:00"),
        ("2026-06-03 15:59", "Express", "Thu 06-04 00:00", "Fri 06-05 00:00"),
        ("2026-06-05 18:00", "Standard", "Tue 06-09 00:00", "Fri 06-12 00:00"),
        ("2026-06-06 03:00", "Standard", "Tue 06-09 00:00", "Fri 06-12 00:00"),
    ],
)
def test_what_comes_before_the_cut_off_leaves_the_same_working_day(
    placed: str, method: str, ship_by: str, promised: str
) -> None:
    assert planned(placed, method)[1:] == (ship_by, promised)


def test_holidays_in_a_row_and_the_end_of_a_year_are_passed_over() -> None:
    days = ("2026-12-24", "2026-12-25", "2026-12-31", "2027-01-01")
    closed = frozenset(dt.date.fromisoformat(one) for one in days)

    found = planned("2026-12-23 15:00", holidays=closed)

    assert found[1:] == ("Tue 12-29 00:00", "Tue 01-05 00:00")


def test_nothing_leaves_on_a_blackout_day_but_people_are_there() -> None:
    closed = frozenset({dt.date(2026, 6, 3)})

    found = planned("2026-06-03 09:00", blackout_days=closed, release=Release.WORKING_TIME)

    assert found[:2] == ("Wed 06-03 09:00", "Fri 06-05 00:00")


@pytest.mark.parametrize(
    ("placed", "released"),
    [
        ("2026-06-03 06:00", "Wed 06-03 08:00"),
        ("2026-06-03 09:00", "Wed 06-03 09:00"),
        ("2026-06-03 20:00", "Wed 06-03 20:00"),
        ("2026-06-06 09:00", "Mon 06-08 08:00"),
    ],
)
def test_a_part_waits_for_working_time_only_where_that_is_the_policy(
    placed: str, released: str
) -> None:
    assert planned(placed, release=Release.WORKING_TIME)[0] == released
    assert local(schedule(CALENDAR, "west", "", at(placed)).release_at) == local(at(placed))


def test_clocks_that_go_forward_or_back_move_no_day() -> None:
    every_day = {"working_days": frozenset(range(7)), "opens": dt.time(2, 30)}
    spring = planned("2026-03-08 01:00", release=Release.WORKING_TIME, **every_day)
    autumn = planned("2026-11-01 00:30", release=Release.WORKING_TIME, **every_day)

    assert spring[:2] == ("Sun 03-08 03:30", "Mon 03-09 00:00")
    assert autumn[:2] == ("Sun 11-01 02:30", "Mon 11-02 00:00")
    short = schedule(replace(CALENDAR, **every_day), "west", "", at("2026-03-08 00:00"))
    long = schedule(replace(CALENDAR, **every_day), "west", "", at("2026-11-01 00:00"))
    assert (short.ship_by - at("2026-03-08 00:00")) == dt.timedelta(hours=23)
    assert (long.ship_by - at("2026-11-01 00:00")) == dt.timedelta(hours=25)


def test_without_transit_days_nothing_is_promised() -> None:
    assert (
        schedule(replace(CALENDAR, transit_days={}), "w", "", at("2026-06-03 09:00")).promised_at
        is None
    )


def test_a_warehouse_that_never_works_is_a_mistake_to_mend() -> None:
    start = dt.date(2026, 6, 1)
    closed = frozenset(start + dt.timedelta(days=n) for n in range(90))

    with pytest.raises(RejectedError) as refused:
        planned("2026-06-03 09:00", holidays=closed)

    [violation] = refused.value.violations
    assert violation.code == "calendar.closed"
    assert "[west] in config/calendars.toml" in violation.message


def test_three_days_over_a_long_weekend_are_three_days_of_work() -> None:
    friday_off = replace(CALENDAR, holidays=frozenset({dt.date(2026, 6, 5)}))

    ends = working_end(friday_off, at("2026-06-04 12:00"), 3 * 86400)

    assert local(ends) == "Wed 06-10 12:00"


def test_time_that_begins_on_a_day_off_begins_with_the_next_day_of_work() -> None:
    assert local(working_end(CALENDAR, at("2026-06-06 12:00"), 3600)) == "Mon 06-08 01:00"


def test_where_nobody_ever_works_every_day_counts() -> None:
    closed = frozenset(dt.date(2026, 1, 1) + dt.timedelta(days=n) for n in range(700))
    start = at("2026-06-06 12:00")

    never = replace(CALENDAR, holidays=closed)
    assert working_end(never, start, 3600) == start + dt.timedelta(hours=1)


@given(
    placed=st.integers(0, 4 * 366 * 86400).map(lambda n: YEAR + dt.timedelta(seconds=n)),
    zone=st.sampled_from(["America/Los_Angeles", "Europe/Berlin", "Australia/Lord_Howe", "UTC"]),
    days=st.sets(st.integers(0, 6), min_size=1).map(frozenset),
    release=st.sampled_from(Release),
    seconds=st.floats(0, 10 * 86400),
)
def test_nothing_is_released_before_it_was_placed_or_promised_before_it_left(
    *,
    placed: dt.datetime,
    zone: str,
    days: frozenset[int],
    release: Release,
    seconds: float,
) -> None:
    calendar = replace(CALENDAR, zone=ZoneInfo(zone), working_days=days, release=release)

    found = schedule(calendar, "west", "Standard", placed)

    assert found.promised_at is not None
    assert placed <= found.release_at
    assert placed < found.ship_by < found.promised_at
    leaves = (found.ship_by - dt.timedelta(hours=1)).astimezone(calendar.zone)
    assert leaves.weekday() in days
    assert working_end(calendar, placed, seconds) >= placed + dt.timedelta(seconds=seconds)
