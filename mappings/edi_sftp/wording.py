"""Texts and ids as X12 can carry them: no delimiter, no control character, no more than fits.

Source: X12 004010, data elements 93 (name), 166 (street), 19 (city), 116 (postal code), 127 (our
references in N9) and 387 (routing). Ids are sent as they are or not at all; what people read is
written with a blank where a delimiter stood.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from syncworkers.errors import Violation

if TYPE_CHECKING:
    from collections.abc import Mapping

DELIMITERS = "*~>"
"""Unless the partner file says otherwise."""
STREET = 55
"""Characters of one of the two elements of N3, which may come twice."""
STREETS = 4
_UNWRITABLE = "\x00-\x1f\x7f\ufeff\ud800-\udfff"


@dataclass(frozen=True, slots=True)
class Wording:
    """How texts are written to a partner whose files are cut by `delimiters`."""

    delimiters: str = DELIMITERS

    @classmethod
    def of(cls, connection: Mapping[str, Any]) -> Wording:
        """Return the one of a partner file."""
        return cls(str(connection.get("delimiters", DELIMITERS)))

    def text(self, text: str) -> str:
        """Return a text for people, with one blank for whatever cannot be written."""
        return re.sub(f"[{self._forbidden()}\\s]+", " ", text).strip()

    def lines(self, *texts: str) -> list[str]:
        """Return the lines of an address, each cut between words so that it fits; none is empty.

        A word that is too long stays whole: `streets` says no to it.
        """
        found: list[str] = []
        for text in texts:
            line = ""
            for word in self.text(text).split(" "):
                longer = f"{line} {word}".strip()
                if line and len(longer) > STREET:
                    found.append(line)
                    longer = word
                line = longer
            found.append(line)
        return [line for line in found if line]

    def wrong_id(self, path: str, value: str) -> Violation | None:
        """Say why an id cannot be sent; it must come back as it went."""
        if not value:
            return Violation(path=path, code="field.missing", message="must be given")
        if re.search(f"[{self._forbidden()}]", value) or value != value.strip():
            message = (
                f"{value[:40]!r} holds what separates or ends values in this partner's files:"
                " choose another, or other delimiters in its partner file"
            )
            return Violation(path=path, code="reference.unfit", message=message)
        return None

    def _forbidden(self) -> str:
        return re.escape(self.delimiters) + _UNWRITABLE


def too_long(path: str, text: str, limit: int) -> Violation | None:
    """Say that a text does not fit."""
    if len(text) <= limit:
        return None
    message = f"has {len(text)} characters, X12 takes {limit}; shorten it"
    return Violation(path=path, code="text.too_long", message=message)
