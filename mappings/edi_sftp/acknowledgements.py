"""The functional acknowledgement 997, both ways: how a document was taken, as to its syntax alone.

Source: X12 004010, 997 and TA1. Each set's fate is its own AK5; AK9 only sums up, and real ones
contradict it. Where no set is listed, AK9 is all that is said.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from syncworkers.canonical.files import DocumentFate
from syncworkers.x12.acknowledge import acknowledge
from syncworkers.x12.segments import Segment

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from syncworkers.canonical.files import Acknowledgement
    from syncworkers.x12.outcomes import Group
    from syncworkers.x12.segments import TransactionSet

TAKEN = frozenset({"A", "E"})
"""AK5-01 and AK9-01: accepted, or with errors noted. P is of groups alone, and says not which."""
SET_CODES = {
    "1": "the kind of document is not supported",
    "2": "the trailer is missing",
    "3": "the control numbers of header and trailer differ",
    "4": "the number of segments is wrong",
    "5": "segments are in error",
    "7": "the control number is wrong",
}
GROUP_CODES = {
    "1": "this kind of group is not supported",
    "2": "its version is not supported",
    "3": "the trailer of its group is missing",
    "4": "the control numbers of its group's header and trailer differ",
    "5": "the number of sets in its group is wrong",
    "6": "the control number of its group is wrong",
}
SEGMENT_CODES = {
    "1": "is not known",
    "2": "does not belong here",
    "3": "is missing",
    "4": "repeats too often",
    "5": "comes too often",
    "6": "is not defined in this document",
    "7": "is out of order",
    "8": "has elements in error",
}
ELEMENT_CODES = {
    "1": "is missing",
    "2": "is missing beside another",
    "3": "is one too many",
    "4": "is too short",
    "5": "is too long",
    "6": "has a wrong character",
    "7": "has an invalid code",
    "8": "has an invalid date",
    "9": "has an invalid time",
    "10": "excludes another",
}
"""Codes 716, 718, 720 and 723 from memory: to be confirmed with each partner. Others are told."""


def answer(group: Group) -> tuple[tuple[str, ...], ...]:
    """Return the segments of our 997 for a group; none for a group of 997s."""
    found = acknowledge(group, "0001")
    return () if found is None else tuple((one.tag, *one.elements) for one in found.segments)


def dump(acknowledgement: Acknowledgement) -> dict[str, object]:
    """Return our 997 as the connector takes documents."""
    return {
        "code": "997",
        "functional_id": "FA",
        "segments": [list(one) for one in acknowledgement.segments],
    }


def fates(found: TransactionSet) -> Iterator[DocumentFate]:
    """Say how each set of ours was taken that a 997 lists, or the group where it lists none.

    What names no number is left out: it cannot be about a set of ours, whose numbers are numbers.
    """
    functional_id, group, listed = "", "", False
    opened: tuple[str, list[str]] | None = None
    for one in found.segments:
        if one.tag == "AK1":
            functional_id, group, listed = one.get(1).strip(), one.get(2).strip(), False
        elif one.tag == "AK2":
            opened = (one.get(2).strip(), [])
        elif one.tag in {"AK3", "AK4"} and opened is not None:
            opened[1].append(_complaint(one))
        elif one.tag == "AK5" and opened is not None:
            listed = True
            if _is_number(group) and _is_number(opened[0]):
                yield _fate(functional_id, int(group), int(opened[0]), one, opened[1])
            opened = None
        elif one.tag == "AK9" and not listed and _is_number(group):
            yield from _group_fate(functional_id, int(group), one)


def _group_fate(functional_id: str, group: int, verdict: Segment) -> Iterator[DocumentFate]:
    """Say how all of a group was taken; that a part of it was says nothing of any set."""
    said = verdict.get(1).strip()
    if said in {*TAKEN, "R"}:
        codes = [one.strip() for one in verdict.elements[4:] if one.strip()]
        told = "; ".join(GROUP_CODES.get(one, f"code {one}") for one in codes)
        accepted = said in TAKEN
        yield DocumentFate(
            functional_id=functional_id,
            group=group,
            place=None,
            accepted=accepted,
            detail=told or (None if accepted else "its whole group was refused without a reason"),
        )


def refused_files(segments: Iterable[Segment]) -> Iterator[DocumentFate]:
    """Say which files of ours were refused as a whole: by a TA1, whose number is ISA13 of ours."""
    for one in segments:
        number = one.get(1).strip()
        if one.get(4).strip() == "R" and _is_number(number):
            told = f"its whole file was refused (TA1 code {one.get(5).strip()})"
            yield DocumentFate(
                functional_id=None, group=int(number), place=None, accepted=False, detail=told
            )


def _fate(
    functional_id: str, group: int, place: int, verdict: Segment, complaints: list[str]
) -> DocumentFate:
    accepted = verdict.get(1).strip() in TAKEN
    codes = [one.strip() for one in verdict.elements[1:] if one.strip()]
    reasons = [SET_CODES.get(one, f"code {one}") for one in codes]
    told = "; ".join([*complaints, *reasons])
    if not accepted and not told:
        told = f"refused ({verdict.get(1)}) without a reason"
    return DocumentFate(
        functional_id=functional_id,
        group=group,
        place=place,
        accepted=accepted,
        detail=told or None,
    )


def _complaint(one: Segment) -> str:
    if one.tag == "AK3":
        code = one.get(4).strip()
        return f"segment {one.get(2)}, {one.get(1)} {SEGMENT_CODES.get(code, f'code {code}')}"
    code = one.get(3).strip()
    value = f": {one.get(4)!r}" if one.get(4) else ""
    return f"element {one.get(1)} {ELEMENT_CODES.get(code, f'code {code}')}{value}"


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 9
