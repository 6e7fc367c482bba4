"""Elements against the tables: one pattern says that all is well, element by element what is not.

Both use the same pattern of each element, so they cannot disagree.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from syncworkers.x12.delimiters import Delimiters
from syncworkers.x12.tables import DOCUMENTS, ELEMENTS, ENVELOPES, Element

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Match = Callable[[str], re.Match[str] | None]

CONTROL = "".join(map(chr, (*range(32), 127)))
PATTERNS = {
    "N": "-?[0-9]{%s}",
    "R": r"-?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)",
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
TAG_AND_MORE = re.compile("[A-Z][A-Z0-9]{1,2}(?:[^A-Z0-9\\r\\n\\x00][^\\r\\n\\x00]*)?")
"""A segment of which no more is known."""
MISSING, SHORT, LONG, INVALID, DATE, TIME = "1", "4", "5", "6", "8", "9"
"""What AK4-03 calls it."""


@dataclass(frozen=True, slots=True)
class Complaint:
    """What is wrong with one element, counted from 1."""

    element: int
    value: str
    message: str
    syntax: str


class Patterns(dict[str, "Match | None"]):
    """How a sound segment of a set looks, by tag: of those a document knows, None for others."""

    def __init__(self, delimiters: Delimiters, known: frozenset[str] | None) -> None:
        super().__init__()
        self._delimiters = delimiters
        self._known = known

    def __missing__(self, tag: str) -> Match | None:
        if tag in ENVELOPES or (self._known is not None and tag not in self._known):
            return None
        if self._known is None and tag not in ELEMENTS:
            return TAG_AND_MORE.fullmatch
        self[tag] = found = re.compile(_whole(tag, self._delimiters)).fullmatch
        return found


class Checker:
    """Checks segments as they are cut by certain delimiters."""

    def __init__(self, delimiters: Delimiters) -> None:
        self.delimiters = delimiters
        self._any = Patterns(delimiters, None)
        self._single: dict[str, Match] = {}
        self._by_document: dict[str, Patterns] = {}

    def patterns(self, code: str) -> Patterns:
        """Return the patterns of a document's segments; of any segments for an unknown one."""
        if code not in DOCUMENTS:
            return self._any
        if code not in self._by_document:
            self._by_document[code] = Patterns(self.delimiters, DOCUMENTS[code].segments)
        return self._by_document[code]

    def sound(self, tag: str, piece: str) -> bool:
        """Tell whether a segment as it stands in the file has nothing to complain about."""
        if tag not in ELEMENTS:
            return True
        if tag not in self._single:
            self._single[tag] = re.compile(_whole(tag, self.delimiters)).fullmatch
        return self._single[tag](piece) is not None

    def complaints(self, tag: str, elements: Sequence[str]) -> list[Complaint]:
        """Say what is wrong with the elements of a segment, one complaint for each."""
        found = []
        for place, one in enumerate(ELEMENTS.get(tag, ())):
            value = elements[place] if place < len(elements) else ""
            if not re.fullmatch(_pattern(one, self.delimiters), value):
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
        given = f"[^{re.escape(delimiters.element)}\\r\\n\\x00]+"
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
    elements = ELEMENTS.get(tag, ())
    separator = re.escape(delimiters.element)
    needed = max((place for place, one in enumerate(elements) if one.mandatory), default=-1)
    pattern = f"(?:{separator}[^\\r\\n\\x00]*)?"
    for place in reversed(range(len(elements))):
        pattern = separator + _pattern(elements[place], delimiters) + pattern
        if place > needed:
            pattern = f"(?:{pattern})?"
    return tag + pattern


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
