"""ISA: the header that says by which characters all that follows is cut."""

from __future__ import annotations

from dataclasses import dataclass

from syncworkers.x12.delimiters import Delimiters
from syncworkers.x12.errors import X12Error
from syncworkers.x12.segments import Envelope

WIDTHS = (2, 10, 2, 10, 2, 15, 2, 15, 6, 4, 1, 5, 9, 1, 1, 1)
"""The fixed widths of ISA01 to ISA16; with tag, separators and terminator 106 characters."""
LONGEST = 512
"""How far the 16 separators of an ISA may reach; blown-up padding is no reason to search on."""
REPEATS_FROM = "00402"
"""The ISA12 from which ISA11 separates repetitions, where it is no letter."""
REMEDY = "the partner must send the file without line breaks inside segments"


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """An ISA as it was read."""

    elements: tuple[str, ...]
    """ISA01 to ISA16 as they stand, padding included."""
    delimiters: Delimiters
    length: int
    """Characters up to the terminator, which is counted."""

    @property
    def envelope(self) -> Envelope:
        """Return what it says of sender and receiver, without padding."""
        isa = [one.strip() for one in self.elements]
        return Envelope(
            sender_qualifier=isa[4],
            sender=isa[5],
            receiver_qualifier=isa[6],
            receiver=isa[7],
            date=isa[8],
            time=isa[9],
            control_number=isa[12],
            acknowledge=isa[13] == "1",
            usage=isa[14],
            component=self.delimiters.component,
            repetition=self.delimiters.repetition,
        )

    def misfit(self) -> int | None:
        """Return the first element that has not its fixed width, counted from 1."""
        widths = enumerate(zip(self.elements, WIDTHS, strict=True), start=1)
        return next((place for place, (one, width) in widths if len(one) != width), None)


def read_header(text: str, number: int) -> Header | None:
    """Read the ISA at the beginning of a text; None when the text ends within it.

    Raises X12Error where it is broken by lines or has not 16 elements of their kind.
    """
    separator = text[3]
    parts = text[:LONGEST].split(separator, 16)
    for place, one in enumerate(parts[1:16], start=1):
        if "\n" in one or "\r" in one:
            raise _error("x12.wrapped", f"is broken by a line end; {REMEDY}", number, place)
    if len(parts) < 17 or len(parts[16]) < 2:
        if len(text) < LONGEST:
            return None
        what = f"16 elements separated by {separator!r} expected, {len(parts) - 1} found"
        raise _error("x12.isa", what, number)
    # Some pad with NUL what others pad with blanks.
    elements = (*(one.replace("\x00", " ") for one in parts[1:16]), parts[16][0])
    _check(elements, number)
    terminator = parts[16][1]
    if terminator == "\r" and parts[16][2:3] == "\n":
        terminator = "\n"
    repetition = elements[10]
    repeats = elements[11] >= REPEATS_FROM and not repetition.isalnum() and repetition.strip()
    try:
        delimiters = Delimiters(separator, terminator, elements[15], repetition if repeats else "")
    except X12Error as error:
        raise _error(error.code, error.message, number, error.element) from error
    length = len(text[:LONGEST]) - len(parts[16]) + 1 + 1 + parts[16][1:].startswith("\r\n")
    return Header(elements=elements, delimiters=delimiters, length=length)


def _check(elements: tuple[str, ...], number: int) -> None:
    """Refuse what would be read as something else: lost or doubled separators, no number."""
    if elements[15] in "\r\n":
        raise _error("x12.wrapped", f"is a line end; {REMEDY}", number, 16)
    for place, (one, width) in enumerate(zip(elements, WIDTHS, strict=True), start=1):
        if len(one.strip()) > width:
            what = f"{one[:40]!r} is too long, expected at most {width} characters"
            raise _error("x12.isa", what, number, place)
    for place, most in ((12, 5), (13, 9)):
        value = elements[place - 1].strip()
        if not (value.isascii() and value.isdigit()):
            raise _error("x12.isa", f"{value!r} found, expected {most} digits", number, place)


def _error(code: str, message: str, number: int, element: int | None = None) -> X12Error:
    return X12Error(code, message, segment=number, tag="ISA", element=element)
