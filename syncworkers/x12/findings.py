"""What was found while reading: each is an error for one thing read, or a warning."""

from __future__ import annotations

from dataclasses import dataclass

from syncworkers.x12.errors import X12Error, place
from syncworkers.x12.rules import Level


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One deviation, what was expected and what was found."""

    code: str
    """Stable, as in `x12.set_count`."""
    level: Level
    message: str
    segment: int
    """Number in the file, from 1."""
    tag: str
    element: int | None = None
    position: int = 0
    """Number in the set, ST being 1; 0 outside of sets."""
    value: str = ""
    """The value complained about, shortened."""
    syntax: str = ""
    """The error code of a 997 that says the same, for AK3, AK4, AK5 or AK9."""

    def __str__(self) -> str:
        return f"{place(self.segment, self.tag, self.element)}{self.message}"

    def error(self) -> X12Error:
        """Return it as the error to raise."""
        return X12Error(
            self.code, self.message, segment=self.segment, tag=self.tag, element=self.element
        )
