"""Elements of a received document as values; what is wrong is refused at once, by its place.

Source: X12 004010. Numbers, dates and times are those of element types R, DT and TM.
"""

from __future__ import annotations

import datetime as dt
import re
from decimal import Decimal
from typing import TYPE_CHECKING

from mappings.schema import DRIFT_LIMIT, clean
from syncworkers.errors import RejectedError, Violation
from syncworkers.x12.errors import place
from syncworkers.x12.segments import TransactionSet

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from zoneinfo import ZoneInfo

    from syncworkers.x12.segments import Segment

NOWHERE = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
"""Stands for a time that is not told, in what is refused for it."""
LONGEST = 255
"""Characters of a text that any of our partners uses; no element of X12 that we read has more."""
YEARS = range(1990, 2100)
"""Others are a slip, and would not survive a change of zone."""
_NUMBER = re.compile(r"-?(?:[0-9]{1,12}(?:\.[0-9]{0,6})?|\.[0-9]{1,6})")
_DAY = re.compile("([0-9]{2})?([0-9]{2})([0-9]{2})([0-9]{2})")
_TIME = re.compile("([0-9]{2})([0-9]{2})(?:([0-9]{2})[0-9]{0,2})?")
_UNFIT = re.compile("[\x00-\x1f\x7f\ud800-\udfff]")


class Elements:
    """Reads the elements of one document of a partner whose clocks show the time of `zone`."""

    def __init__(self, document: TransactionSet, zone: ZoneInfo) -> None:
        self.document = document
        self._zone = zone
        self._wrong: dict[Violation, None] = {}
        self._drift: dict[str, None] = {}

    @property
    def drift(self) -> tuple[str, ...]:
        """What was passed over, each once."""
        return tuple(self._drift)[:DRIFT_LIMIT]

    def note(self, deviation: str) -> None:
        """Pass something over, but not silently."""
        self._drift[clean(deviation)] = None

    def wrong(self, one: Segment, element: int, code: str, message: str) -> None:
        """Say what is wrong with an element."""
        path = place(self.document.place_of(one), one.tag, element).removesuffix(": ")
        self._wrong[Violation(path=path, code=code, message=clean(message))] = None

    def absent(self, path: str, message: str) -> None:
        """Say what the document lacks, where no segment can be named."""
        self._wrong[Violation(path=path, code="field.missing", message=message)] = None

    def refuse(self, what: str) -> None:
        """Raise `RejectedError` if anything was wrong."""
        if self._wrong:
            raise self._refusal(what)

    def head(self, tag: str, what: str) -> Segment:
        """Return the segment without which a document is about nothing; refuse it otherwise."""
        found = self.first(tag)
        if found is None:
            self.absent(tag, f"is missing: nothing says which {what} this is about")
            raise self._refusal("the document")
        return found

    def first(self, tag: str, qualifier: str = "") -> Segment | None:
        """Return the first segment of a tag, of those whose first element is the qualifier."""
        return next(
            (
                one
                for one in self.document.segments
                if one.tag == tag and qualifier in {"", one.get(1).strip()}
            ),
            None,
        )

    def loops(
        self, tag: str, ends: Collection[str] = ()
    ) -> Iterator[tuple[Segment, list[Segment]]]:
        """Yield each segment of a tag with those that follow it, up to the next or to an end."""
        found: tuple[Segment, list[Segment]] | None = None
        for one in self.document.segments:
            if found is not None and (one.tag == tag or one.tag in ends):
                yield found
                found = None
            if one.tag == tag:
                found = (one, [])
            elif found is not None:
                found[1].append(one)
        if found is not None:
            yield found

    def text(self, one: Segment | None, element: int) -> str:
        """Return a text without the blanks around it, "" where there is none."""
        value = "" if one is None else one.get(element).strip()
        if one is None or (len(value) <= LONGEST and not _UNFIT.search(value)):
            return value
        message = f"{value[:40]!r} is longer than {LONGEST} characters, or holds what nobody writes"
        self.wrong(one, element, "payload.invalid", message)
        return ""

    def needed(self, one: Segment, element: int, what: str) -> str:
        """Return a text that must be given."""
        value = self.text(one, element)
        if not one.get(element).strip():
            self.wrong(one, element, "field.missing", f"is missing, expected {what}")
        return value

    def number(self, one: Segment, element: int) -> Decimal | None:
        """Return a number that is not negative, None where there is none or it is wrong."""
        value = one.get(element).strip()
        if not value:
            return None
        if not _NUMBER.fullmatch(value):
            self.wrong(one, element, "payload.invalid", f"{value[:40]!r} is no number of goods")
            return None
        number = Decimal(value)
        if number < 0:
            self.wrong(one, element, "quantity.invalid", f"{value} is negative")
            return None
        return abs(number)

    def day(self, one: Segment, element: int) -> dt.date | None:
        """Return a date, None where there is none or it is wrong."""
        value = one.get(element).strip()
        found = _day(value)
        if value and found is None:
            message = f"{value[:40]!r} is no date, expected CCYYMMDD"
            self.wrong(one, element, "payload.invalid", message)
        return found

    def time(self, one: Segment, element: int) -> dt.time | None:
        """Return a time of day, None where there is none or it is wrong."""
        value = one.get(element).strip()
        found = _time(value)
        if value and found is None:
            message = f"{value[:40]!r} is no time, expected HHMM"
            self.wrong(one, element, "payload.invalid", message)
        return found

    def instant(
        self, day: dt.date, time: dt.time = dt.time.min, zone: dt.tzinfo | None = None
    ) -> dt.datetime:
        """Return in UTC what clocks there show; a day alone is its beginning."""
        return dt.datetime.combine(day, time, tzinfo=zone or self._zone).astimezone(dt.UTC)

    def written_at(self) -> dt.datetime | None:
        """Return when the interchange was written, as ISA says, None where it does not."""
        envelope = self.document.envelope
        day, time = _day(envelope.date.strip()), _time(envelope.time.strip())
        return None if day is None else self.instant(day, time or dt.time.min)

    def _refusal(self, what: str) -> RejectedError:
        told = "; ".join(f"{one.path}: {one.message}" for one in list(self._wrong)[:5])
        return RejectedError(f"{what} is wrong: {told}", violations=tuple(self._wrong))


def opened(body: bytes, zone: ZoneInfo) -> Elements:
    """Open a document as it lies in the inbox; raises `RejectedError` for anything else."""
    try:
        document = TransactionSet.loads(body)
        envelope = document.envelope
        texts = [envelope.date, envelope.time]
        texts += [text for one in document.segments for text in (one.tag, *one.elements)]
        if not all(isinstance(text, str) for text in texts) or type(document.place) is not int:
            raise TypeError("a text is expected")  # noqa: TRY301 - one way out for all
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        message = clean(f"no document as the codec keeps it: {error}")
        violation = Violation(path="", code="payload.unreadable", message=message)
        raise RejectedError(message, violations=[violation]) from None
    return Elements(document, zone)


def _day(text: str) -> dt.date | None:
    found = _DAY.fullmatch(text)
    if found is None:
        return None
    century, year, month, day = found.groups()
    try:
        told = dt.date(int((century or "20") + year), int(month), int(day))
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
