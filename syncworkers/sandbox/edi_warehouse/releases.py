"""Read ship orders: what a 940 wants, and what of it cannot be read.

Source: X12 004010, 940 as its customer writes it: W05, N1*ST with N3 and N4, N9, W66, and for each
line LX, W01 and N9*LI.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from syncworkers.sandbox.edi_warehouse.books import Line, Recipient, Release
from syncworkers.x12.findings import Finding
from syncworkers.x12.rules import Level

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from syncworkers.x12.segments import Segment, TransactionSet

NEW, CHANGE = "N", "R"
CANCELS = frozenset({"F", "D"})
QUALIFIERS = ("VN", "SK", "BP", "IN", "UP")
"""Whose id of goods names a product here, the first that is given."""
PAIRS = (4, 6, 15)
"""Where the pairs of a W01 begin."""
MISSING, INVALID, SEGMENT_MISSING = "1", "7", "3"
"""What AK4 and AK3 call it."""


def read_release(found: TransactionSet) -> Release:
    """Read a 940 that has no complaints."""
    opening = _first(found.segments, "W05")
    routing = _first(found.segments, "W66")
    reference = opening.get(2) if opening else ""
    return Release(
        purpose=opening.get(1) if opening else "",
        reference=reference,
        number=_reference(found.segments, "CO") or (opening.get(3) if opening else "") or reference,
        method=routing.get(5) if routing else "",
        recipient=_recipient(found.segments),
        lines=tuple(_lines(found.segments)),
    )


def complaints(found: TransactionSet) -> list[Finding]:
    """Say what a warehouse cannot do without; empty when all is there."""
    opening = _first(found.segments, "W05")
    if opening is None or not opening.get(2).strip():
        return [_wrong(found, opening, 2, MISSING, "the depositor's order number is missing")]
    if opening.get(1) != NEW:
        return []
    wrong = list(_of_lines(found))
    if not any(one.tag == "N1" and one.get(1) == "ST" for one in found.segments):
        wrong.append(_absent(found, "N1", "nobody is named to ship to"))
    return wrong


def refusal(found: TransactionSet) -> Finding:
    """Complain of a set though nothing is wrong with it."""
    opening = _first(found.segments, "W05")
    return _wrong(found, opening, 2, INVALID, "the depositor's order number is not taken")


def _of_lines(found: TransactionSet) -> Iterator[Finding]:
    lines = [one for one in found.segments if one.tag == "W01"]
    if not lines:
        yield _absent(found, "W01", "no goods are named")
    for one in lines:
        if _units(one) < 1:
            yield _wrong(found, one, 1, INVALID, "is no number of whole units", one.get(1))
        if not _product(one)[1]:
            yield _wrong(found, one, 5, MISSING, "the product is not named")


def _units(line: Segment) -> int:
    """Return the number of units; 0 where it is none."""
    whole, _, rest = line.get(1).partition(".")
    return int(whole) if whole.isascii() and whole.isdigit() and not rest.strip("0") else 0


def _product(line: Segment) -> tuple[str, str]:
    given = {line.get(place): line.get(place + 1) for place in PAIRS if line.get(place + 1)}
    for one in QUALIFIERS:
        if one in given:
            return one, given[one]
    return ("UP", line.get(3)) if line.get(3) else next(iter(given.items()), ("", ""))


def _lines(segments: Sequence[Segment]) -> Iterator[Line]:
    for place, one in enumerate(segments):
        if one.tag == "W01":
            qualifier, sku = _product(one)
            yield Line(
                place=_reference(_until(segments[place + 1 :], "LX", "W01"), "LI"),
                sku=sku,
                qualifier=qualifier,
                quantity=_units(one),
                unit=one.get(2) or "EA",
            )


def _recipient(segments: Sequence[Segment]) -> Recipient:
    for place, one in enumerate(segments):
        if one.tag == "N1" and one.get(1) == "ST":
            about = _until(segments[place + 1 :], "N1", "LX")
            street, town = _first(about, "N3"), _first(about, "N4")
            return Recipient(
                name=one.get(2),
                address1=street.get(1) if street else "",
                address2=street.get(2) if street else "",
                city=town.get(1) if town else "",
                state=town.get(2) if town else "",
                zip_code=town.get(3) if town else "",
                country=(town.get(4) if town else "") or "US",
            )
    return Recipient()


def _reference(segments: Sequence[Segment], qualifier: str) -> str:
    found = (one.get(2) for one in segments if one.tag == "N9" and one.get(1) == qualifier)
    return next(found, "")


def _until(segments: Sequence[Segment], *tags: str) -> Sequence[Segment]:
    ends = (place for place, one in enumerate(segments) if one.tag in tags)
    return segments[: next(ends, len(segments))]


def _first(segments: Sequence[Segment], tag: str) -> Segment | None:
    return next((one for one in segments if one.tag == tag), None)


def _wrong(
    found: TransactionSet,
    at: Segment | None,
    element: int,
    syntax: str,
    message: str,
    value: str = "",
) -> Finding:
    return Finding(
        code="warehouse.element",
        level=Level.ERROR,
        message=message,
        segment=found.place_of(at) if at else found.place,
        tag=at.tag if at else "W05",
        element=element,
        position=at.number if at else 2,
        value=value,
        syntax=syntax,
    )


def _absent(found: TransactionSet, tag: str, message: str) -> Finding:
    last = len(found.segments) + 2
    return Finding(
        code="warehouse.segment",
        level=Level.ERROR,
        message=message,
        segment=found.place + last - 1,
        tag=tag,
        position=last,
        syntax=SEGMENT_MISSING,
    )
