"""The four characters that cut an interchange, and what is mere decoration around segments."""

from __future__ import annotations

from dataclasses import dataclass

from syncworkers.x12.errors import X12Error

DECORATION = " \t\r\n\x0b\x0c\x00\x1a\ufeff"
"""What may stand around a segment without meaning: line ends, padding, NUL, ^Z, BOM."""


@dataclass(frozen=True, slots=True)
class Delimiters:
    """What separates elements, ends segments, and separates components and repetitions.

    Raises X12Error when two are the same or one could be part of a value.
    """

    element: str = "*"
    segment: str = "~"
    component: str = ">"
    repetition: str = ""
    """None before 004020, where ISA11 is U."""

    def __post_init__(self) -> None:
        chosen = [self.element, self.segment, self.component]
        chosen += [self.repetition] if self.repetition else []
        for one, element in zip(chosen, (1, 16, 16, 11), strict=False):
            blank = one in " \x00\x1a" or (one in "\r\n" and one != self.segment)
            if len(one) != 1 or one.isalnum() or blank:
                what = f"{one!r} cannot be a delimiter: expected one character that no value holds"
                raise X12Error("x12.delimiters", what, segment=1, tag="ISA", element=element)
        if len(set(chosen)) < len(chosen):
            what = f"the delimiters {' '.join(map(repr, chosen))} are not all different"
            raise X12Error("x12.delimiters", what, segment=1, tag="ISA", element=16)

    @property
    def all(self) -> str:
        """All of them, as one text."""
        return self.element + self.segment + self.component + self.repetition
