"""What we answer: a 997 for a group and a TA1 for an interchange, from what reading found.

A 997 speaks of syntax alone. Every finding has its code from where it was made; the codes of
AK3, AK4, AK5, AK9 and TA1 are those of 004010, to be confirmed with each partner.
"""

from __future__ import annotations

import re
from itertools import groupby
from typing import TYPE_CHECKING

from syncworkers.x12.findings import Finding
from syncworkers.x12.outcomes import Group, Interchange, SetRead
from syncworkers.x12.rules import Level
from syncworkers.x12.segments import Segment, segment
from syncworkers.x12.tables import TAG
from syncworkers.x12.write import OutSet

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

UNSAFE = re.compile(r"[^A-Za-z0-9 ./_-]")
"""What might separate something in the answer."""
OF_THE_SET = frozenset({"x12.set_count", "x12.set_number", "x12.set_end", "x12.documents"})
"""Findings that AK5 tells by itself."""
OF_THE_GROUP = frozenset({"x12.group_count", "x12.group_number", "x12.group_end"})
SEGMENT_IN_ERROR = "5"
ELEMENTS_IN_ERROR = "8"


def acknowledge(group: Group, control_number: str) -> OutSet | None:
    """Return the 997 for a group with its sets, or None for a group of 997s.

    A set is accepted (A), accepted with warnings (E) or refused (R); in a refused group all are.
    Where sets were read one by one, put them into the group first; their content is not needed.
    """
    if group.envelope.functional_id == "FA" and all(one.code == "997" for one in group.sets):
        return None
    segments = [
        segment(
            "AK1", _safe(group.envelope.functional_id), _safe(group.envelope.group_control_number)
        )
    ]
    accepted = 0
    for one in group.sets:
        segments += _answer(one, group_refused=group.refused)
        accepted += not (group.refused or one.refused)
    segments.append(_summary(group, accepted))
    return OutSet(code="997", control_number=control_number, segments=tuple(segments))


def acknowledge_interchange(interchange: Interchange) -> Segment:
    """Return the TA1 for an interchange: A, E (taken, do not send again) or R."""
    envelope = interchange.envelope
    fate, note = "A", "000"
    if interchange.findings:
        fate = "R" if interchange.refused else "E"
        worst = min(interchange.findings, key=lambda one: one.level is not Level.ERROR)
        note = worst.syntax
    return segment(
        "TA1",
        envelope.control_number.zfill(9),
        _digits(envelope.date, 6),
        _digits(envelope.time, 4),
        fate,
        note,
    )


def _answer(read: SetRead, *, group_refused: bool) -> Iterator[Segment]:
    """Yield AK2 to AK5 of one set."""
    yield segment("AK2", _safe(read.code), _safe(read.control_number))
    codes = {one.syntax for one in read.findings if one.code in OF_THE_SET}
    inner = [one for one in read.findings if one.code not in OF_THE_SET and one.syntax]
    codes |= {SEGMENT_IN_ERROR} if inner else set()
    yield from _complaints(inner)
    fate = "A" if not read.findings else "E"
    if read.refused or group_refused:
        fate = "R"
    yield segment("AK5", fate, *sorted(codes)[:5])


def _complaints(findings: Iterable[Finding]) -> Iterator[Segment]:
    """Yield AK3 for each segment complained about, with AK4 for each of its elements."""
    ordered = sorted(findings, key=lambda one: (one.position, one.tag))
    for (position, tag), found in groupby(ordered, key=lambda one: (one.position, one.tag)):
        if not TAG.fullmatch(tag):
            continue
        about = list(found)
        elements = [one for one in about if one.element is not None]
        whole = next((one.syntax for one in about if one.element is None), ELEMENTS_IN_ERROR)
        yield segment("AK3", tag, str(position), "", whole)
        for one in elements:
            value = one.value if not UNSAFE.search(one.value) else ""
            yield segment("AK4", str(one.element), "", one.syntax, value)


def _summary(group: Group, accepted: int) -> Segment:
    """Return AK9, which counts the sets as the sender declared, as they came, and as taken."""
    with_warnings = bool(group.findings) or any(one.findings for one in group.sets)
    fate = "E" if with_warnings else "A"
    if group.refused or accepted < len(group.sets):
        fate = "P" if accepted else "R"
    codes = sorted({one.syntax for one in group.findings if one.code in OF_THE_GROUP})
    declared = group.declared.strip()
    if not (declared.isascii() and declared.isdigit()):
        declared = str(group.counted)
    counts = (declared.lstrip("0")[:6] or "0", str(group.counted), str(accepted))
    return segment("AK9", fate, *counts, *codes)


def _safe(value: str) -> str:
    """Return a value as it can be given back, whatever delimiters the answer has."""
    return UNSAFE.sub("", value).strip() or "0"


def _digits(value: str, count: int) -> str:
    return value if len(value) == count and value.isascii() and value.isdigit() else "0" * count
