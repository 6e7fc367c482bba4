"""Write interchanges: counts, pairs and the 106 characters of ISA are computed, never given."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from syncworkers.x12.checks import CONTROL, checker
from syncworkers.x12.delimiters import Delimiters
from syncworkers.x12.errors import X12Error
from syncworkers.x12.header import REPEATS_FROM
from syncworkers.x12.segments import Segment
from syncworkers.x12.tables import DOCUMENTS


@dataclass(frozen=True, slots=True, kw_only=True)
class OutSet:
    """One document to write: what stands between ST and SE."""

    code: str
    control_number: str
    """ST02, 4 to 9 characters."""
    segments: tuple[Segment, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class OutGroup:
    """One functional group to write."""

    functional_id: str
    """GS01, as in OW; see `tables.DOCUMENTS`."""
    sender: str
    receiver: str
    control_number: int
    sets: tuple[OutSet, ...]
    version: str = "004010"


@dataclass(frozen=True, slots=True, kw_only=True)
class OutInterchange:
    """One interchange to write."""

    sender_qualifier: str
    sender: str
    receiver_qualifier: str
    receiver: str
    control_number: int
    at: dt.datetime
    """When, as the partner's clock shows it: X12 has no zone here."""
    groups: tuple[OutGroup, ...] = ()
    acknowledgements: tuple[Segment, ...] = ()
    """TA1 segments, one for each interchange that asked for it."""
    usage: str = "P"
    acknowledge: bool = False
    """Ask for a TA1 (ISA14)."""
    version: str = "00401"


def write(interchange: OutInterchange, delimiters: Delimiters | None = None) -> bytes:
    """Write an interchange as UTF-8.

    Raises X12Error where a value holds a delimiter or a control character, where the tables know
    better, and where an id or a number has no room; it names the segment of the file.
    """
    return _Writer(delimiters or Delimiters()).interchange(interchange).encode()


class _Writer:
    def __init__(self, delimiters: Delimiters) -> None:
        self._delimiters = delimiters
        self._forbidden = frozenset(delimiters.all + CONTROL)
        self._checks = checker(delimiters)
        self._written: list[str] = []

    def interchange(self, out: OutInterchange) -> str:
        self._header(out)
        for one in out.acknowledgements:
            self._segment(one)
        for group in out.groups:
            self._group(group, out.at)
        self._add("IEA", str(len(out.groups)), f"{out.control_number:09d}")
        return "".join(self._written)

    def _header(self, out: OutInterchange) -> None:
        """Write ISA, whose elements have fixed widths and no trailing ones to drop."""
        repetition = self._delimiters.repetition or "U"
        if bool(self._delimiters.repetition) != (out.version >= REPEATS_FROM):
            what = f"{repetition!r} cannot stand in version {out.version}"
            raise self._error("ISA", 11, what)
        elements = (
            "00",
            " " * 10,
            "00",
            " " * 10,
            self._fixed(out.sender_qualifier, 5, 2),
            self._fixed(out.sender, 6, 15),
            self._fixed(out.receiver_qualifier, 7, 2),
            self._fixed(out.receiver, 8, 15),
            f"{out.at:%y%m%d}",
            f"{out.at:%H%M}",
            repetition,
            self._fixed(out.version, 12, 5),
            self._number(out.control_number, "ISA", 13),
            "1" if out.acknowledge else "0",
            self._fixed(out.usage, 15, 1),
            self._delimiters.component,
        )
        written = self._delimiters.element.join(("ISA", *elements))
        self._written.append(written + self._delimiters.segment)

    def _fixed(self, value: str, element: int, width: int) -> str:
        self._check_value("ISA", element, value)
        if not value or len(value) > width:
            what = f"{value!r} found, expected 1 to {width} characters"
            raise self._error("ISA", element, what)
        return value.ljust(width)

    def _number(self, value: int, tag: str, element: int) -> str:
        if not 0 < value <= 999_999_999:
            raise self._error(tag, element, f"{value} found, expected 1 to 999999999")
        return f"{value:09d}"

    def _group(self, group: OutGroup, at: dt.datetime) -> None:
        self._number(group.control_number, "GS", 6)
        number = str(group.control_number)
        self._add(
            "GS",
            group.functional_id,
            group.sender,
            group.receiver,
            f"{at:%Y%m%d}",
            f"{at:%H%M}",
            number,
            "X",
            group.version,
        )
        for one in group.sets:
            self._set(one, group.functional_id)
        self._add("GE", str(len(group.sets)), number)

    def _set(self, out: OutSet, functional_id: str) -> None:
        document = DOCUMENTS.get(out.code)
        if document is None:
            raise self._error("ST", 1, f"{out.code!r} is no document that is known here")
        if functional_id not in document.functional_ids:
            expected = " or ".join(document.functional_ids)
            what = f"{out.code} in a group with GS01 {functional_id!r}, expected {expected}"
            raise self._error("ST", 1, what)
        given = {one.tag for one in out.segments}
        for tag in document.mandatory:
            if tag not in given:
                what = f"is missing, but a {out.code} says nothing without it"
                raise self._error(tag, None, what)
        self._add("ST", out.code, out.control_number)
        for one in out.segments:
            if one.tag not in document.segments:
                raise self._error(one.tag, None, f"is no segment of a {out.code}")
            self._segment(one)
        self._add("SE", str(len(out.segments) + 2), out.control_number)

    def _add(self, tag: str, *elements: str) -> None:
        self._segment(Segment(tag, elements))

    def _segment(self, segment: Segment) -> None:
        """Write a segment without what trails: empty elements, and blanks behind a value."""
        for place, value in enumerate(segment.elements, start=1):
            self._check_value(segment.tag, place, value)
        values = [value.rstrip(" ") for value in segment.elements]
        while values and not values[-1]:
            values.pop()
        written = self._delimiters.element.join((segment.tag, *values))
        if not self._checks.sound(segment.tag, written):
            for one in self._checks.complaints(segment.tag, values):
                raise self._error(segment.tag, one.element, one.message)
        self._written.append(written + self._delimiters.segment)

    def _check_value(self, tag: str, element: int, value: str) -> None:
        if not self._forbidden.isdisjoint(value):
            held = next(one for one in value if one in self._forbidden)
            what = f"{value[:40]!r} holds {held!r}, which separates what is written to this partner"
            raise self._error(tag, element, what)

    def _error(self, tag: str, element: int | None, message: str) -> X12Error:
        number = len(self._written) + 1
        return X12Error("x12.write", message, segment=number, tag=tag, element=element)
