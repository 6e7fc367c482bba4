"""All that speaks against a received document, gathered and told at once, each by its place."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mappings.schema import DRIFT_LIMIT, clean
from syncworkers.errors import RejectedError, Violation
from syncworkers.x12.errors import place

if TYPE_CHECKING:
    from syncworkers.x12.segments import Segment, TransactionSet

TOLD = 5
"""Reasons that stand in the verdict's own text; its violations have them all."""


class Reasons:
    """Why a document is refused, and what of it was passed over.

    What one element says is wrong by one code once: the first message stays.
    """

    def __init__(self, document: TransactionSet) -> None:
        self.document = document
        self._wrong: dict[tuple[str, str], Violation] = {}
        self._drift: dict[str, None] = {}

    @property
    def drift(self) -> tuple[str, ...]:
        """What was passed over, each once."""
        return tuple(self._drift)[:DRIFT_LIMIT]

    @property
    def sound(self) -> bool:
        """Nothing is wrong so far: only then do sums and comparisons say anything."""
        return not self._wrong

    def path(self, one: Segment, element: int = 0) -> str:
        """Name a place, as in `segment 12, W12-03`; element 0 is the whole segment."""
        return place(self.document.place_of(one), one.tag, element).removesuffix(": ")

    def note(self, deviation: str) -> None:
        """Pass something over, but not silently."""
        self._drift[clean(deviation)] = None

    def wrong(self, one: Segment, element: int, code: str, message: str) -> None:
        """Say what is wrong with an element, or with the whole segment."""
        self._add(self.path(one, element), code, message)

    def absent(self, path: str, message: str, code: str = "field.missing") -> None:
        """Say what the document lacks, where no segment can be named."""
        self._add(path, code, message)

    def refusal(self, what: str) -> RejectedError:
        """Return the verdict on a document, by all that is wrong with it."""
        reasons = tuple(self._wrong.values())
        told = "; ".join(f"{one.path}: {one.message}" for one in reasons[:TOLD])
        return RejectedError(f"{what} is wrong: {told}", violations=reasons)

    def refuse(self, what: str) -> None:
        """Raise `RejectedError` if anything was wrong."""
        if not self.sound:
            raise self.refusal(what)

    def _add(self, path: str, code: str, message: str) -> None:
        violation = Violation(path=path, code=code, message=clean(message))
        self._wrong.setdefault((path, code), violation)
