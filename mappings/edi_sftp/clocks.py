"""When a document says that something happened: days, times and whose clock told them.

Source: X12 004010, element types DT and TM, and element 623 (zone), some of its codes from memory:
confirm them with each partner.

A day without a time is a moment all the same, and each reader says which: `START`, where nothing
may be older than it is (945, 214), or `NOON`, where the day only names or orders the document
(944, 947, 846) and has to be the same day by any clock near by.
"""

from __future__ import annotations

import datetime as dt
import re
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from mappings.edi_sftp.elements import SHOWN

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mappings.edi_sftp.elements import Elements
    from syncworkers.x12.segments import Segment

START, NOON = dt.time.min, dt.time(12)
"""What a day without a time stands for."""
NOWHERE = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
"""Stands for a time that is not told, in what is refused for it."""
YEARS = range(1990, 2100)
"""Others are a slip, and would not survive a change of zone."""
_HOURS = {"A": -9, "C": -6, "E": -5, "H": -10, "M": -7, "P": -8, "T": -4}
"""Standard time by the first letter; S is standard time, D an hour later."""
ZONES: Mapping[str, dt.tzinfo] = {
    **{f"{one}S": dt.timezone(dt.timedelta(hours=hours)) for one, hours in _HOURS.items()},
    **{f"{one}D": dt.timezone(dt.timedelta(hours=hours + 1)) for one, hours in _HOURS.items()},
    "AT": ZoneInfo("America/Anchorage"),
    "CT": ZoneInfo("America/Chicago"),
    "ET": ZoneInfo("America/New_York"),
    "HT": ZoneInfo("Pacific/Honolulu"),
    "MT": ZoneInfo("America/Denver"),
    "PT": ZoneInfo("America/Los_Angeles"),
    "TT": ZoneInfo("America/Halifax"),
    "GM": dt.UTC,
    "UT": dt.UTC,
}
"""Element 623."""
LOCAL = frozenset({"", "LT"})
"""The time of the profile's zone: whose local time it is, nobody says."""
_DAY = re.compile("([0-9]{2})?([0-9]{2})([0-9]{2})([0-9]{2})")
_TIME = re.compile("([0-9]{2})([0-9]{2})(?:([0-9]{2})[0-9]{0,2})?")


def day(read: Elements, one: Segment, element: int) -> dt.date | None:
    """Return a date, None where there is none or it is wrong."""
    value = one.get(element).strip()
    found = _day(value)
    if value and found is None:
        message = f"is {value[:SHOWN]!r}, expected a date as 20261124"
        read.wrong(one, element, "payload.invalid", message)
    return found


def needed_day(read: Elements, one: Segment, element: int, what: str) -> dt.date:
    """Return a date that must be given; some other one where it is wrong."""
    found = day(read, one, element)
    if not one.get(element).strip():
        read.wrong(one, element, "field.missing", f"is missing, expected {what}")
    return found or NOWHERE.date()


def moment(  # noqa: PLR0913 - the places of one moment
    read: Elements, one: Segment, at: int, time: int = 0, zone: int = 0, *, alone: dt.time
) -> dt.datetime:
    """Return a moment in UTC by the elements of its day, time and zone; the day must be given.

    A day `alone` stands for that time of it. 0 is an element that the segment does not have.
    """
    told = needed_day(read, one, at, "the day it happened")
    code = read.text(one, zone)
    if code not in ZONES and code not in LOCAL:
        read.note(f"{one.tag}-{zone:02d}: zone {code[:10]!r} is not known")
    clock = _told_time(read, one, time)
    return instant(read, told, alone if clock is None else clock, ZONES.get(code))


def instant(
    read: Elements, told: dt.date, time: dt.time, zone: dt.tzinfo | None = None
) -> dt.datetime:
    """Return in UTC what clocks there show."""
    here = zone or read.profile.zone
    return dt.datetime.combine(told, time, tzinfo=here).astimezone(dt.UTC)


def written_at(read: Elements) -> dt.datetime | None:
    """Return when the interchange was written, as ISA says, None where it does not."""
    envelope = read.document.envelope
    told = _day(envelope.date.strip())
    time = _time(envelope.time.strip())
    return None if told is None else instant(read, told, time or START)


def _told_time(read: Elements, one: Segment, element: int) -> dt.time | None:
    value = one.get(element).strip()
    found = _time(value)
    if value and found is None:
        message = f"is {value[:SHOWN]!r}, expected a time as 1710"
        read.wrong(one, element, "payload.invalid", message)
    return found


def _day(text: str) -> dt.date | None:
    found = _DAY.fullmatch(text)
    if found is None:
        return None
    century, year, month, number = found.groups()
    try:
        told = dt.date(int((century or "20") + year), int(month), int(number))
    except ValueError:
        return None
    return told if told.year in YEARS else None


def _time(text: str) -> dt.time | None:
    found = _TIME.fullmatch(text)
    if found is None:
        return None
    hour, minute, second = (int(one or 0) for one in found.groups())
    try:
        return dt.time(hour, minute, second)
    except ValueError:
        return None
