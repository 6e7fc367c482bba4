"""What a transaction set is made of, and the text in which it lies in the inbox."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from functools import lru_cache


@dataclass(frozen=True, slots=True)
class Segment:
    """One segment; composites and repetitions stand as they came.

    `number` is its place in its set, ST being 1; 0 for one that is to be written.
    """

    tag: str
    elements: tuple[str, ...]
    number: int = 0

    def get(self, element: int) -> str:
        """Return an element, counted from 1, or "" where it is not given."""
        return self.elements[element - 1] if 0 < element <= len(self.elements) else ""


def segment(tag: str, *elements: str) -> Segment:
    """Make a segment to write."""
    return Segment(tag, elements)


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """Who sent a set to whom, in which interchange and group; all "" for a bare set.

    Ids are without their padding; control numbers, dates and times stand as they came.
    """

    sender_qualifier: str = ""
    """ISA05."""
    sender: str = ""
    """ISA06."""
    receiver_qualifier: str = ""
    """ISA07."""
    receiver: str = ""
    """ISA08."""
    date: str = ""
    """ISA09, YYMMDD, in the sender's own time."""
    time: str = ""
    """ISA10, HHMM."""
    control_number: str = ""
    """ISA13."""
    acknowledge: bool = False
    """ISA14 is 1: the sender asks for a TA1."""
    usage: str = ""
    """ISA15: P production, T test."""
    functional_id: str = ""
    """GS01."""
    group_sender: str = ""
    """GS02."""
    group_receiver: str = ""
    """GS03."""
    group_control_number: str = ""
    """GS06."""
    version: str = ""
    """GS08, as in 004010."""
    component: str = ">"
    """What separates the components of a composite."""
    repetition: str = ""
    """What separates repetitions; none before 004020."""


@lru_cache(maxsize=16)
def _written(envelope: Envelope) -> dict[str, object]:
    """Return an envelope as JSON has it: that of one set is mostly that of the one before."""
    return asdict(envelope)


@dataclass(frozen=True, slots=True, kw_only=True)
class TransactionSet:
    """One document: what stands between ST and SE, both left out."""

    code: str
    """ST01, as in 945."""
    control_number: str
    """ST02."""
    segments: tuple[Segment, ...]
    envelope: Envelope = field(default_factory=Envelope)
    place: int = 1
    """The number of its ST among the segments of the file, from 1."""

    def place_of(self, found: Segment) -> int:
        """Return the number of one of its segments in the file, from 1."""
        return self.place + found.number - 1

    def said(self) -> str:
        """Write what it says as JSON, whatever its envelope and its place."""
        return json.dumps([[one.tag, *one.elements] for one in self.segments])

    def dumps(self) -> str:
        """Write it as JSON: an object with `segments` as lists, the tag first."""
        return json.dumps(
            {
                "code": self.code,
                "control_number": self.control_number,
                "place": self.place,
                "envelope": _written(self.envelope),
                "segments": [[one.tag, *one.elements] for one in self.segments],
            },
            ensure_ascii=False,
            separators=(",", ":"),
        )

    @classmethod
    def loads(cls, text: str | bytes) -> TransactionSet:
        """Read what `dumps` wrote."""
        kept = json.loads(text)
        return cls(
            code=kept["code"],
            control_number=kept["control_number"],
            place=kept["place"],
            envelope=Envelope(**kept["envelope"]),
            segments=tuple(
                Segment(tag, tuple(elements), number)
                for number, (tag, *elements) in enumerate(kept["segments"], start=2)
            ),
        )
