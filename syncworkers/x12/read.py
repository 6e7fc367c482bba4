"""Read files: whole ones, or set by set with memory that does not grow with the file.

A set with an error is refused and the others of its group are read. What leaves no doubt-free way
on (a broken header, a segment between sets, a missing end) raises X12Error for the whole file;
`x12.incomplete` means that its end is missing, so that it may still be growing.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, BinaryIO

from syncworkers.x12.checks import checker
from syncworkers.x12.collecting import Findings
from syncworkers.x12.delimiters import DECORATION, Delimiters
from syncworkers.x12.errors import X12Error
from syncworkers.x12.findings import Finding
from syncworkers.x12.header import Header
from syncworkers.x12.outcomes import File, Group, Interchange, SetRead
from syncworkers.x12.rules import Level, Rules
from syncworkers.x12.segments import Envelope, Segment
from syncworkers.x12.sets import Cursor, read_set
from syncworkers.x12.text import Text, decoded

if TYPE_CHECKING:
    from collections.abc import Iterator

RULES = Rules()


def read(data: bytes, rules: Rules = RULES) -> File:
    """Read a whole file.

    Raises X12Error where the file cannot be read; what is refused alone has findings instead.
    """
    interchanges: list[Interchange] = []
    groups: list[Group] = []
    sets: list[SetRead] = []
    outside: list[Finding] = []
    for item in read_sets(data, rules):
        match item:
            case SetRead():
                sets.append(item)
            case Group():
                groups.append(replace(item, sets=tuple(sets)))
                sets.clear()
            case Interchange():
                interchanges.append(replace(item, groups=tuple(groups)))
                groups.clear()
            case Finding():
                outside.append(item)
    return File(interchanges=tuple(interchanges), outside=tuple(outside))


def read_sets(
    source: bytes | BinaryIO, rules: Rules = RULES
) -> Iterator[SetRead | Group | Interchange | Finding]:
    """Yield each set as it is read, then its group, then its interchange.

    Groups and interchanges come without their content, but with what was found about them: only
    they say whether the sets before them may be kept, so take all in one transaction. A finding by
    itself is about text outside. A stream must be seekable. Raises X12Error as `read` does.
    """
    return _Reader(source, rules).items()


def read_bare(
    data: bytes, rules: Rules = RULES, *, delimiters: Delimiters | None = None
) -> SetRead:
    """Read a single set that has no envelope, as samples and tests do; partners never may.

    Raises X12Error where it does not begin with ST or something follows its SE.
    """
    cut = delimiters or Delimiters()
    text = Text(decoded(data))
    cursor = Cursor(text.segments(cut, 0), cut.element)
    cursor.step()
    if cursor.tag != "ST":
        raise cursor.unexpected("ST")
    envelope = Envelope(component=cut.component, repetition=cut.repetition)
    found = read_set(cursor, envelope, checker(cut), rules)
    if cursor.piece:
        raise cursor.unexpected("nothing after SE")
    return found


class _Reader:
    """Walks through one file."""

    def __init__(self, source: bytes | BinaryIO, rules: Rules) -> None:
        self._text = Text(decoded(source))
        self._rules = rules
        self._number = 0
        """Of the segment that was read last, in the file."""

    def items(self) -> Iterator[SetRead | Group | Interchange | Finding]:
        """Yield what the file holds."""
        first = True
        while True:
            junk = self._text.junk()
            if self._text.exhausted:
                yield from self._end(junk, first=first)
                return
            if junk:
                yield self._junk(junk)
            header = self._text.header(self._number + 1)
            if header is None:
                raise _incomplete("the file ends within its ISA", self._number + 1, "ISA")
            yield from self._interchange(header)
            first = False

    def _end(self, junk: str, *, first: bool) -> Iterator[Finding]:
        if first or junk:
            if "ISA".startswith(junk) or junk.startswith("ISA"):
                raise _incomplete("the file ends before its ISA does", self._number + 1, "ISA")
            if first:
                self._refuse_bare(junk)
                what = f"the file begins with {junk!r}, expected ISA"
                raise X12Error("x12.not_x12", what, segment=1, tag="ISA")
            yield self._junk(junk)

    def _junk(self, junk: str) -> Finding:
        """Report text outside of interchanges, which must be no document."""
        self._refuse_bare(junk)
        found = Findings()
        what = f"text outside of interchanges, which begins with {junk!r}"
        found.add("junk", self._rules.junk, what, segment=self._number + 1, tag="", value=junk)
        if found.refused:
            raise found.all()[0].error()
        return found.all()[0]

    def _refuse_bare(self, junk: str) -> None:
        if junk[:2] in {"ST", "GS"} and junk[2:3] and not junk[2].isalnum():
            what = f"{junk[:20]!r} stands outside of an interchange, expected ISA before it"
            raise X12Error("x12.no_envelope", what, segment=self._number + 1, tag=junk[:2])

    def _interchange(self, header: Header) -> Iterator[SetRead | Group | Interchange]:
        isa = self._number + 1
        envelope, found = header.envelope, Findings()
        self._check_header(header, found, isa)
        cursor = Cursor(
            self._text.segments(header.delimiters, isa), header.delimiters.element, number=isa
        )
        groups, acknowledgements = 0, []
        cursor.step()
        while cursor.tag != "IEA":
            if cursor.tag == "GS":
                yield from self._group(cursor, envelope, header.delimiters)
                groups += 1
            elif cursor.tag == "TA1":
                cursor.check(checker(header.delimiters), self._rules, found)
                acknowledgements.append(Segment("TA1", tuple(cursor.elements), 0))
                cursor.step()
            else:
                raise self._astray(cursor, "GS, TA1 or IEA")
        self._trailer(cursor, envelope, groups, found)
        self._number = cursor.number
        yield Interchange(
            envelope=envelope,
            delimiters=header.delimiters,
            counted=groups,
            acknowledgements=tuple(acknowledgements),
            findings=found.all(),
        )

    def _check_header(self, header: Header, found: Findings, isa: int) -> None:
        misfit = header.misfit()
        if misfit is not None:
            what = "has not its fixed width, so that ISA has not its 106 characters"
            rule = self._rules.padding
            found.add("padding", rule, what, segment=isa, tag="ISA", element=misfit, syntax="022")
        usage = header.elements[14]
        if usage not in {"P", "T"} or (usage == "T" and self._rules.production):
            expected = "P" if self._rules.production else "P or T"
            what = f"is {usage!r}, expected {expected}"
            found.add(
                "usage",
                Level.ERROR,
                what,
                segment=isa,
                tag="ISA",
                element=15,
                value=usage,
                syntax="020",
            )

    def _trailer(self, cursor: Cursor, envelope: Envelope, groups: int, found: Findings) -> None:
        """Check IEA; at the end of a file it may be cut off, and that is no mismatch."""
        count, number = cursor.element(1), cursor.element(2)
        own = envelope.control_number
        if not cursor.elements and not self._text.cut_off:
            raise cursor.unexpected("IEA with the number of groups and ISA13")
        if self._text.cut_off and not _same(number, own) and _begins(number, own):
            raise _incomplete("the file ends within its IEA", cursor.number, "IEA")
        _count(cursor, found, "interchange_count", self._rules.interchange_count, groups, count)
        if not _same(number, own):
            what = f"is {number!r}, expected {own!r} as in ISA13"
            rule = self._rules.interchange_number
            cursor.find(found, "interchange_number", rule, what, element=2, syntax="001")

    def _group(
        self, cursor: Cursor, outer: Envelope, delimiters: Delimiters
    ) -> Iterator[SetRead | Group]:
        found = Findings()
        if cursor.piece.endswith(delimiters.component):
            what = "is missing: the segments that follow end with it, and the terminator is another"
            raise X12Error("x12.isa", what, segment=1, tag="ISA", element=16)
        checks = checker(delimiters)
        cursor.check(checks, self._rules, found)
        envelope = _grouped(outer, cursor)
        opening, sets, declared = cursor.number, 0, ""
        cursor.step()
        while cursor.tag == "ST":
            yield read_set(cursor, envelope, checks, self._rules)
            sets += 1
        if cursor.tag == "GE":
            declared = cursor.element(1)
            _count(cursor, found, "group_count", self._rules.group_count, sets, declared, "5")
            if not _same(cursor.element(2), envelope.group_control_number):
                own = envelope.group_control_number
                what = f"is {cursor.element(2)!r}, expected {own!r} as in GS06"
                rule = self._rules.group_number
                cursor.find(found, "group_number", rule, what, element=2, syntax="4")
            cursor.step()
        elif cursor.tag in {"GS", "IEA"}:
            what = f"GE expected before {cursor.tag}"
            error = Level.ERROR
            found.add("group_end", error, what, segment=opening, tag="GS", syntax="3")
        else:
            raise self._astray(cursor, "ST or GE")
        yield Group(envelope=envelope, declared=declared, counted=sets, findings=found.all())

    def _astray(self, cursor: Cursor, expected: str) -> X12Error:
        """Tell a file that ends too early from one that has what does not belong there."""
        if not cursor.piece or self._text.cut_off:
            return _incomplete("the file ends without its IEA", cursor.number, cursor.tag)
        if cursor.tag == "ISA":
            what = "begins before IEA ended the interchange before it"
            return X12Error("x12.interchange_end", what, segment=cursor.number, tag="ISA")
        return cursor.unexpected(expected)


def _grouped(outer: Envelope, cursor: Cursor) -> Envelope:
    return replace(
        outer,
        functional_id=cursor.element(1),
        group_sender=cursor.element(2).strip(),
        group_receiver=cursor.element(3).strip(),
        group_control_number=cursor.element(6),
        version=cursor.element(8),
    )


def _count(  # noqa: PLR0913, PLR0917 - a check has that many sides
    cursor: Cursor,
    found: Findings,
    code: str,
    level: Level,
    counted: int,
    declared: str,
    syntax: str = "021",
) -> None:
    if not _same(declared, str(counted)):
        what = f"is {declared!r}, expected {counted} as counted"
        cursor.find(found, code, level, what, element=1, syntax=syntax)


def _same(one: str, other: str) -> bool:
    """Compare numbers as they are padded by some and not by others."""
    return one.strip().lstrip("0") == other.strip().lstrip("0") and bool(one.strip())


def _begins(part: str, whole: str) -> bool:
    return whole.startswith(part) or whole.lstrip("0").startswith(part.lstrip("0"))


def _incomplete(message: str, segment: int, tag: str) -> X12Error:
    what = f"{message}; it is damaged unless it is still being written"
    return X12Error("x12.incomplete", what, segment=segment, tag=tag.strip(DECORATION)[:20])
