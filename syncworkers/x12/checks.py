"""Elements against the tables: one pattern says that all is well, element by element what is not.

Both use the same pattern of each element, so they cannot disagree.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from syncworkers.x12.delimiters import Delimiters
from syncworkers.x12.tables import ELEMENTS, Element

if TYPE_CHECKING:
    from collections.abc import Sequence

CONTROL = "".join(map(chr, (*range(32), 127)))
PATTERNS = {
    "N": "-?[0-9]{%s}",
    "R": r"-?(?:[0-9]+\.?[0-9]*|\.[0-9]+)",
    "DT": "(?:[0-9]{2})?[0-9]{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])",
    "TM": "(?:[01][0-9]|2[0-3])[0-5][0-9](?:[0-5][0-9](?:[0-9]{1,2})?)?",
}
NAMES = {
    "AN": "a text",
    "ID": "a code",
    "N": "a whole number",
    "R": "a number",
    "DT": "a date as CCYYMMDD",
    "TM": "a time as HHMM",
}
"""How an error calls a type."""
MISSING, SHORT, LONG, INVALID, DATE, TIME = "1", "4", "5", "6", "8", "9"
"""What AK4-03 calls it."""


@dataclass(frozen=True, slots=True)
class Complaint:
    """What is wrong with one element, counted from 1."""

    element: int
    value: str
    message: str
    syntax: str


class Checker:
    """Checks segments as they are cut by certain delimiters."""

    def __init__(self, delimiters: Delimiters) -> None:
        self._delimiters = delimiters
        self._whole: dict[str, re.Pattern[str]] = {}

    def sound(self, tag: str, piece: str) -> bool:
        """Tell whether a segment as it stands in the file has nothing to complain about."""
        try:
            whole = self._whole[tag]
        except KeyError:
            if tag not in ELEMENTS:
                return True
            whole = self._whole[tag] = re.compile(_whole(tag, self._delimiters))
        return whole.fullmatch(piece) is not None

    def complaints(self, tag: str, elements: Sequence[str]) -> list[Complaint]:
        """Say what is wrong with the elements of a segment, one complaint for each."""
        found = []
        for place, one in enumerate(ELEMENTS.get(tag, ())):
            value = elements[place] if place < len(elements) else ""
            if not re.fullmatch(_pattern(one, self._delimiters), value):
                message, syntax = _reason(one, value)
                found.append(Complaint(place + 1, value, message, syntax))
        return found


@lru_cache(maxsize=32)
def checker(delimiters: Delimiters) -> Checker:
    """Return the checker for some delimiters; partners use few."""
    return Checker(delimiters)


def _pattern(element: Element, delimiters: Delimiters) -> str:
    if element.kind in {"AN", "ID"}:
        length = f"{{{max(element.least, 1)},{element.most or ''}}}"
        given = _character(delimiters) + length
    elif element.kind == "-":
        given = f"[^{re.escape(delimiters.element)}]+"
    else:
        given = PATTERNS[element.kind].replace(
            "%s", f"{max(element.least, 1)},{element.most or 15}"
        )
    return f"(?:{given})" if element.mandatory else f"(?:{given})?"


def _character(delimiters: Delimiters) -> str:
    """Match what a value may hold; a control character may separate its components."""
    inner = delimiters.component + delimiters.repetition
    forbidden = delimiters.element + "".join(one for one in CONTROL if one not in inner)
    return f"[^{re.escape(forbidden)}]"


def _whole(tag: str, delimiters: Delimiters) -> str:
    """Match a sound segment; elements after the last mandatory one may be left out."""
    elements = ELEMENTS[tag]
    separator = re.escape(delimiters.element)
    needed = max((place for place, one in enumerate(elements) if one.mandatory), default=-1)
    pattern = f"(?:{separator}.*)?"
    for place in reversed(range(len(elements))):
        pattern = separator + _pattern(elements[place], delimiters) + pattern
        if place > needed:
            pattern = f"(?:{pattern})?"
    return f"(?s:{tag}{pattern})"


def _reason(element: Element, value: str) -> tuple[str, str]:
    """Say what was expected and found, and which error of AK4 that is."""
    expected = NAMES.get(element.kind, "a value")
    if not value:
        return f"is missing, expected {expected}", MISSING
    if element.kind == "DT":
        return f"{value[:40]!r} is no date, expected {expected}", DATE
    if element.kind == "TM":
        return f"{value[:40]!r} is no time, expected {expected}", TIME
    length = len(value.removeprefix("-")) if element.kind == "N" else len(value)
    if element.least and length < element.least:
        return f"{value!r} is too short, expected {element.least} characters", SHORT
    if element.most and length > element.most:
        return f"{value[:40]!r} is too long, expected at most {element.most} characters", LONG
    return f"{value[:40]!r} holds what it must not, expected {expected}", INVALID
