"""When a part may be handed over, when it must have left, and when it arrives.

All days are those of the warehouse's own zone, so a day may have 23 or 25 hours.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from syncworkers.canonical.parts import Schedule
from syncworkers.errors import RejectedError, Violation
from syncworkers.policy.calendars import Release

if TYPE_CHECKING:
    from collections.abc import Callable

    from syncworkers.policy.calendars import Calendar

HORIZON = 60
"""Days within which a warehouse must work, else its calendar is wrong."""
DAY = dt.timedelta(days=1)
SATURDAY = 5


def schedule(calendar: Calendar, warehouse: str, method: str, placed_at: dt.datetime) -> Schedule:
    """Schedule a part of an order placed at that time, by the store's shipping method.

    Raises `RejectedError` where the warehouse does not work within `HORIZON` days.
    """
    placed = placed_at.astimezone(calendar.zone)
    first = placed.date()
    cut_off = calendar.cut_off(method)
    if cut_off is not None and placed.time() >= cut_off:
        first += DAY
    leaves = _first(first, _ships_on(calendar), warehouse)
    opening = _first(placed.date(), _works_on(calendar), warehouse)
    opens_at = _moment(calendar, opening, calendar.opens)
    waits = calendar.release is Release.WORKING_TIME
    days = calendar.transit(method)
    return Schedule(
        release_at=max(placed_at, opens_at) if waits else placed_at,
        ship_by=_end_of(calendar, leaves),
        promised_at=None if days is None else _arrival(calendar, leaves, days),
    )


def working_end(calendar: Calendar, start: dt.datetime, seconds: float) -> dt.datetime:
    """Return when so much time has passed on days on which the warehouse ships.

    Other days do not count, so “three days” over a long weekend are three days of work. Where it
    does not ship for `HORIZON` days, all days count.
    """
    left = dt.timedelta(seconds=seconds)
    moment, day = start.astimezone(dt.UTC), start.astimezone(calendar.zone).date()
    idle = 0
    while idle < HORIZON:
        end = _end_of(calendar, day)
        if _ships_on(calendar)(day):
            idle = 0
            if moment + left <= end:
                return moment + left
            left -= end - moment
        else:
            idle += 1
        moment, day = end, day + DAY
    return start + dt.timedelta(seconds=seconds)


def _works_on(calendar: Calendar) -> Callable[[dt.date], bool]:
    return lambda day: day.weekday() in calendar.working_days and day not in calendar.holidays


def _ships_on(calendar: Calendar) -> Callable[[dt.date], bool]:
    works = _works_on(calendar)
    return lambda day: works(day) and day not in calendar.blackout_days


def _first(day: dt.date, fits: Callable[[dt.date], bool], warehouse: str) -> dt.date:
    for ahead in range(HORIZON):
        found = day + ahead * DAY
        if fits(found):
            return found
    message = (
        f"{warehouse} does not work within {HORIZON} days of {day}: correct [{warehouse}] in "
        "config/calendars.toml"
    )
    violation = Violation(path="", code="calendar.closed", message=message)
    raise RejectedError("nobody works", violations=[violation])


def _arrival(calendar: Calendar, leaves: dt.date, days: int) -> dt.datetime:
    """Return the end of the day on which a parcel arrives after so many days of driving."""
    day = leaves
    while days > 0:
        day += DAY
        if day.weekday() < SATURDAY and day not in calendar.holidays:
            days -= 1
    return _end_of(calendar, day)


def _end_of(calendar: Calendar, day: dt.date) -> dt.datetime:
    return _moment(calendar, day + DAY, dt.time(0))


def _moment(calendar: Calendar, day: dt.date, time: dt.time) -> dt.datetime:
    """Return a moment of a warehouse's day; one that its clocks leave out is after the gap."""
    return dt.datetime.combine(day, time, calendar.zone).astimezone(dt.UTC)
