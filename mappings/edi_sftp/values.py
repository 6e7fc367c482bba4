"""Values in segments: each is read strictly, and refused with the name of its segment and element.

Source: X12 004010 data types R, N2, DT and TM; pairs of qualifier and id are elements 235 and 234.
"""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from syncworkers.errors import RejectedError, Violation
from syncworkers.x12.errors import place
from syncworkers.x12.segments import Segment, TransactionSet

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from zoneinfo import ZoneInfo

    from mappings.edi_sftp.profile import Profile

_DECIMAL = re.compile(r"[+-]?(\d{1,15}(\.\d{0,6})?|\.\d{1,6})", re.ASCII)
_WHOLE = re.compile(r"-?\d{1,15}", re.ASCII)
_DAY = re.compile(r"(\d\d)?\d{6}", re.ASCII)
_TIME = re.compile(r"\d{4}(\d\d){0,2}", re.ASCII)
UTC_CODES = frozenset({"GM", "UT"})
"""Element 623: what says that a time is UTC; every other one is told by the warehouse's clock."""
NOON = dt.time(12)


@dataclass(frozen=True, slots=True)
class Document:
    """One document as one partner means it."""

    found: TransactionSet
    profile: Profile

    def all(self, *tags: str) -> Iterator[Segment]:
        """Return the segments with these tags, in order."""
        return (one for one in self.found.segments if one.tag in tags)

    def first(self, tag: str) -> Segment | None:
        """Return the first segment with a tag."""
        return next(self.all(tag), None)

    def head(self, tag: str) -> Segment:
        """Return the segment that a document cannot do without."""
        one = self.first(tag)
        if one is None:
            raise refusal(tag, "edi.missing", "is missing")
        return one

    def path(self, one: Segment, element: int | None = None) -> str:
        """Name a place, as in `segment 12, W12-03`."""
        return place(self.found.place_of(one), one.tag, element).removesuffix(": ")

    def refusal(self, one: Segment, element: int, code: str, message: str) -> RejectedError:
        """Return the verdict on an element."""
        return refusal(self.path(one, element), code, message)

    def told(self, one: Segment, element: int) -> str:
        """Return an element's text, "" where it is not given."""
        text = one.get(element).strip()
        if text and not text.isprintable():
            message = f"is {text!r}, with signs that nobody can print"
            raise self.refusal(one, element, "edi.text", message)
        return text

    def text(self, one: Segment, element: int) -> str:
        """Return an element that must be given."""
        text = self.told(one, element)
        if not text:
            raise self.refusal(one, element, "edi.missing", "is missing")
        return text

    def quantity(self, one: Segment, element: int) -> Decimal:
        """Return a decimal number with its sign."""
        text = self.text(one, element)
        if not _DECIMAL.fullmatch(text):
            raise self.refusal(one, element, "edi.number", f"is {text!r}, expected a number")
        return Decimal(text)

    def amount(self, one: Segment, element: int) -> Decimal:
        """Return an amount whose two decimals are implied: 1990 is 19.90."""
        text = self.text(one, element)
        if not _WHOLE.fullmatch(text):
            message = f"is {text!r}, expected an amount without a point, as 1990 for 19.90"
            raise self.refusal(one, element, "edi.number", message)
        return Decimal(text).scaleb(-2)

    def day(self, one: Segment, element: int) -> dt.date:
        """Return a date, of eight or six digits."""
        text = self.text(one, element)
        if _DAY.fullmatch(text):
            try:
                form = "%Y%m%d" if len(text) == 8 else "%y%m%d"
                return dt.datetime.strptime(text, form).date()  # noqa: DTZ007 - a day
            except ValueError:
                pass
        raise self.refusal(one, element, "edi.date", f"is {text!r}, expected a date as 20261124")

    def noon(self, one: Segment, element: int) -> dt.datetime:
        """Return the middle of a day at the warehouse, where no hour is told."""
        return utc(self.day(one, element), NOON, self.profile.zone)

    def moment(self, one: Segment, day: int, time: int, code: int) -> dt.datetime:
        """Return a moment; without an hour it is noon."""
        date, text = self.day(one, day), self.told(one, time)
        if not text:
            return utc(date, NOON, self.profile.zone)
        hours = _clock(text)
        if hours is None:
            raise self.refusal(one, time, "edi.time", f"is {text!r}, expected a time as 1710")
        in_utc = self.told(one, code) in UTC_CODES
        return utc(date, hours, dt.UTC if in_utc else self.profile.zone)

    def unit(self, one: Segment, element: int) -> str:
        """Return our word for a unit."""
        code = self.text(one, element)
        unit = self.profile.units.get(code)
        if unit is None:
            message = f"is {code!r}, a unit that [connection.profile.units] does not know"
            raise self.refusal(one, element, "edi.unit", message)
        return unit

    def sku(self, one: Segment, pairs: Iterable[int], upc: int = 0) -> str:
        """Return our SKU from pairs of qualifier and id, wherever they begin.

        `upc` is an element that holds a UPC without a qualifier.
        """
        ids = {self.told(one, upc) and "UP": upc}
        given = {self.told(one, at): at + 1 for at in pairs if self.told(one, at + 1)}
        for wanted in self.profile.sku_qualifiers:
            at = given.get(wanted) or ids.get(wanted)
            if at:
                return self.text(one, at)
        had = ", ".join(sorted(filter(None, {*given, *ids}))) or "none"
        wanted = ", ".join(self.profile.sku_qualifiers)
        message = f"names no SKU: expected an id by {wanted}, found {had}"
        raise refusal(self.path(one), "edi.sku", message)

    def warehouse(self) -> str:
        """Return the code of the warehouse that speaks, else the one it is known by."""
        for one in self.all("N1"):
            if self.told(one, 1) == "WH" and self.told(one, 4):
                return self.told(one, 4)
        return self.profile.warehouse_code


def refusal(path: str, code: str, message: str) -> RejectedError:
    """Return the verdict on a document that cannot be taken as it is."""
    violation = Violation(path=path, code=code, message=message)
    return RejectedError(f"{path} {message}".strip(), violations=[violation])


def open_document(body: bytes, code: str, profile: Profile) -> Document:
    """Read a document as it lies in the inbox; raises `RejectedError` where it is another one."""
    try:
        found = TransactionSet.loads(body)
        sound = all(isinstance(text, str) for one in found.segments for text in _texts(one))
        number: object = found.place
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise refusal("", "edi.unreadable", "is no document as it is kept here") from error
    if not sound or not isinstance(number, int) or found.code != code:
        raise refusal("", "edi.unreadable", f"is no document {code} as it is kept here")
    return Document(found, profile)


def utc(day: dt.date, time: dt.time, zone: dt.tzinfo | ZoneInfo) -> dt.datetime:
    """Return a moment told by a clock; one at the very ends of the calendar stays where it is."""
    told = dt.datetime.combine(day, time, zone)
    try:
        return told.astimezone(dt.UTC)
    except OverflowError:
        return told.replace(tzinfo=dt.UTC)


def _texts(one: Segment) -> tuple[str, ...]:
    return (one.tag, *one.elements)


def _clock(text: str) -> dt.time | None:
    if not _TIME.fullmatch(text):
        return None
    hour, minute, second = (int(text.ljust(6, "0")[at : at + 2]) for at in (0, 2, 4))
    return dt.time(hour, minute, second) if hour < 24 and max(minute, second) < 60 else None
