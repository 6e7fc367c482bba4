"""One transaction set, from ST to SE: the hot path."""

from __future__ import annotations

from typing import TYPE_CHECKING

from syncworkers.x12.checks import Checker
from syncworkers.x12.collecting import Findings
from syncworkers.x12.errors import X12Error
from syncworkers.x12.header import REMEDY
from syncworkers.x12.outcomes import SetRead
from syncworkers.x12.rules import Level, Rules
from syncworkers.x12.segments import Envelope, Segment, TransactionSet
from syncworkers.x12.tables import DOCUMENTS, ENVELOPES, TAG

if TYPE_CHECKING:
    from collections.abc import Iterator


class Cursor:
    """The segment at hand, and where it stands in the file; at the end `piece` is empty."""

    def __init__(self, pieces: Iterator[str], separator: str, number: int = 0) -> None:
        self.pieces = pieces
        self.separator = separator
        self.number = number
        self.piece = ""
        self.tag = ""
        self.elements: list[str] = []

    def step(self) -> None:
        """Go to the next segment."""
        self.go(next(self.pieces, ""), self.number + 1)

    def go(self, piece: str, number: int) -> None:
        """Go to a segment that was taken from the pieces."""
        self.number = number
        self.piece = piece
        self.tag, *self.elements = piece.split(self.separator)

    def element(self, place: int) -> str:
        """Return an element, counted from 1, or ""."""
        return self.elements[place - 1] if place <= len(self.elements) else ""

    def find(  # noqa: PLR0913 - a finding has that many sides
        self,
        found: Findings,
        code: str,
        level: Level,
        message: str,
        *,
        element: int,
        syntax: str,
        position: int = 0,
    ) -> None:
        """Add a finding about the segment at hand."""
        found.add(
            code,
            level,
            message,
            segment=self.number,
            tag=self.tag,
            element=element,
            position=position,
            value=self.element(element),
            syntax=syntax,
        )

    def check(self, checks: Checker, rules: Rules, found: Findings, position: int = 0) -> None:
        """Check the elements of the segment at hand against the tables."""
        if checks.sound(self.tag, self.piece):
            return
        for one in checks.complaints(self.tag, self.elements):
            found.add(
                "elements",
                rules.elements,
                one.message,
                segment=self.number,
                tag=self.tag,
                element=one.element,
                position=position,
                value=one.value,
                syntax=one.syntax,
            )

    def unexpected(self, expected: str) -> X12Error:
        """Return the error that something else was expected here."""
        what = f"{self.piece[:40]!r} found, expected {expected}"
        return X12Error("x12.unexpected", what, segment=self.number, tag=self.tag[:20])


def read_set(cursor: Cursor, envelope: Envelope, checks: Checker, rules: Rules) -> SetRead:
    """Read the set whose ST is at hand, and go on to what follows it.

    Raises X12Error where the file ends before the set does.
    """
    return _Set(cursor, envelope, checks, rules).read()


class _Set:
    def __init__(self, cursor: Cursor, envelope: Envelope, checks: Checker, rules: Rules) -> None:
        self._cursor = cursor
        self._envelope = envelope
        self._rules = rules
        self._checks = checks
        self._found = Findings()
        self._code = cursor.element(1)
        self._number = cursor.element(2)
        self._place = cursor.number
        self._document = DOCUMENTS.get(self._code)

    def read(self) -> SetRead:
        self._check_opening()
        segments = self._segments()
        self._check_mandatory(segments)
        self._close(len(segments) + 2)
        content = TransactionSet(
            code=self._code,
            control_number=self._number,
            segments=tuple(segments),
            envelope=self._envelope,
            place=self._place,
        )
        return SetRead(
            code=self._code,
            control_number=self._number,
            place=self._place,
            transaction_set=None if self._found.refused else content,
            findings=self._found.all(),
        )

    def _check_opening(self) -> None:
        """Check ST, and GS01 against it."""
        cursor, rules, found = self._cursor, self._rules, self._found
        cursor.check(self._checks, rules, found, position=1)
        if not self._number.strip():
            what, error = "is missing, expected the set's number", Level.ERROR
            cursor.find(found, "set_number", error, what, element=2, syntax="7", position=1)
        if self._document is None:
            what = f"{self._code!r} is no document that is known here"
            level = rules.documents
            cursor.find(found, "documents", level, what, element=1, syntax="1", position=1)
        elif self._envelope.functional_id not in ("", *self._document.functional_ids):
            expected = " or ".join(self._document.functional_ids)
            what = f"{self._code} in a group with GS01 {self._envelope.functional_id!r}, "
            what += f"expected {expected}"
            level = rules.functional_id
            cursor.find(found, "functional_id", level, what, element=1, syntax="", position=1)

    def _segments(self) -> list[Segment]:
        """Collect the segments up to the next one of an envelope, which is then at hand."""
        cursor, patterns = self._cursor, self._checks.patterns(self._code)
        separator, most = cursor.separator, self._rules.max_segments
        segments: list[Segment] = []
        position = 1
        for piece in cursor.pieces:
            tag, *elements = piece.split(separator)
            position += 1
            match = patterns[tag]
            if match is None or match(piece) is None:
                cursor.go(piece, self._place + position - 1)
                if tag in ENVELOPES:
                    break
                self._complain(position, known=match is not None)
            segments.append(Segment(tag, tuple(elements), position))
            if position > most:
                raise self._too_long(position)
        else:
            cursor.go("", self._place + position)
        return segments

    def _complain(self, position: int, *, known: bool) -> None:
        """Add why the segment at hand is not as it should be."""
        cursor = self._cursor
        code, level, syntax = "segments", self._rules.segments, "6"
        what = f"is no segment of a {self._code}"
        if not TAG.fullmatch(cursor.tag):
            code, level, syntax = "tag", Level.ERROR, "1"
            what = f"{cursor.piece[:40]!r} begins with no segment tag"
        elif "\n" in cursor.piece or "\r" in cursor.piece:
            code, level, syntax = "wrapped", Level.ERROR, "8"
            what = f"is broken by a line end; {REMEDY}"
        elif "\x00" in cursor.piece:
            # No table of ours can keep it, and no text has it on purpose.
            code, level, syntax = "control", Level.ERROR, "8"
            what = "holds a NUL inside"
        elif known:
            cursor.check(self._checks, self._rules, self._found, position)
            return
        self._found.add(
            code,
            level,
            what,
            segment=cursor.number,
            tag=cursor.tag,
            position=position,
            syntax=syntax,
        )

    def _check_mandatory(self, segments: list[Segment]) -> None:
        if self._document is None:
            return
        given = {one.tag for one in segments}
        for tag in self._document.mandatory:
            if tag not in given:
                what = f"is missing, but a {self._code} says nothing without it"
                level = self._rules.mandatory
                self._found.add(
                    "mandatory",
                    level,
                    what,
                    segment=self._place,
                    tag=tag,
                    position=len(segments) + 2,
                    syntax="3",
                )

    def _close(self, counted: int) -> None:
        """Check SE and go on; without one the set is refused and the file goes on."""
        cursor, rules, found = self._cursor, self._rules, self._found
        if cursor.tag != "SE":
            what = f"SE expected before {cursor.tag or 'the end'}"
            error = Level.ERROR
            found.add("set_end", error, what, segment=cursor.number, tag="SE", syntax="2")
            return
        declared = cursor.element(1).strip()
        if declared.lstrip("0") != str(counted):
            what = f"is {declared!r}, expected {counted} as counted from ST to SE"
            level = rules.set_count
            cursor.find(found, "set_count", level, what, element=1, syntax="4", position=counted)
        if cursor.element(2).strip() != self._number.strip():
            what = f"is {cursor.element(2)!r}, expected {self._number!r} as in ST02"
            level = rules.set_number
            cursor.find(found, "set_number", level, what, element=2, syntax="3", position=counted)
        cursor.step()

    def _too_long(self, position: int) -> X12Error:
        most = self._rules.max_segments
        what = f"the set has more than {most} segments, the most that this partner may send"
        place = self._place + position - 1
        return X12Error("x12.max_segments", what, segment=place, tag="ST")
