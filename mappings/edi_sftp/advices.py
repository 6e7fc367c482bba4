"""The warehouse's shipping advice 945: what left of one part, line by line.

Source: X12 004010, 945. Codes, units and whose ids of goods count are the partner profile's. A date
without a time is its first moment where the warehouse is: nothing has happened before it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from mappings.edi_sftp import clocks, goods
from mappings.edi_sftp.clocks import NOWHERE, START
from mappings.edi_sftp.elements import NOTHING, opened
from mappings.edi_sftp.profile import Profile, read_profile
from syncworkers.canonical.advices import AdvisedLine, LineState, ShipAdvice

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping, Sequence
    from decimal import Decimal

    from mappings.edi_sftp.elements import Elements
    from syncworkers.x12.segments import Segment

PAIRS = range(7, 32)
"""Where W12 may hold a qualifier and an id: the first pair stands one element later with some."""
LOT = 9
"""Behind the first pair."""
_LINE_NUMBER = re.compile("[0-9]{1,6}")


@dataclass(frozen=True, slots=True)
class Advices:
    """Reads the shipping advices of one partner by its profile."""

    profile: Profile = field(default_factory=Profile)
    name: str = "edi_sftp.advice/1"

    def fit(self, connection: Mapping[str, Any]) -> Advices:
        """Return the reader for a partner file; raises `ValueError` naming key and remedy."""
        return Advices(profile=read_profile(connection))

    def load(self, body: bytes) -> tuple[ShipAdvice, tuple[str, ...]]:
        """Return the advice, and what was passed over.

        Raises `RejectedError`, and nothing else, naming segment and element.
        """
        read = opened(body, "945", self.profile)
        lines = tuple(self._line(read, *one) for one in read.loops("W12", {"LX", "W03"}))
        if not lines:
            read.absent("W12", "is missing: the advice says of no goods what became of them")
        _check_sum(read, lines)
        advice = self._advice(read, lines)
        read.refuse("the shipping advice")
        return advice, read.drift

    def _advice(self, read: Elements, lines: tuple[AdvisedLine, ...]) -> ShipAdvice:
        head = read.head("W06", "which order this is about")
        tracking = read.text(read.first("N9", "2I"), 2)
        transport = read.first("W27")
        advised_at, shipped_at = _times(read, head)
        return ShipAdvice(
            external_id=_shipment_id(read, head, tracking),
            reference=read.needed(head, 2, "the reference of our order"),
            corrects=read.text(head, 1) in self.profile.corrections,
            advised_at=advised_at,
            shipped_at=shipped_at,
            carrier=read.text(transport, 2),
            service=read.text(transport, 3),
            tracking_number=tracking,
            lines=lines,
        )

    def _line(self, read: Elements, one: Segment, after: Sequence[Segment]) -> AdvisedLine:
        code = read.needed(one, 1, "what became of the line")
        state = self._state(read, code)
        shipped = _shipped(read, one, state)
        sku, lot = _goods(read, one)
        return AdvisedLine(
            number=_line_number(read, after),
            sku=sku,
            state=state,
            code=code,
            shipped=shipped,
            unit=_unit(read, one, shipped),
            place=read.path(one),
            lot=lot,
        )

    def _state(self, read: Elements, code: str) -> LineState:
        known = self.profile.line_states.get(code)
        if known is None:
            read.note(f"W12-01: code {code[:10]!r} is not known")
        return LineState.UNKNOWN if known is None else LineState(known)


ADVICES = Advices()
"""By the profile of nobody in particular."""


def _shipment_id(read: Elements, head: Segment, tracking: str) -> str:
    """Return what names the shipment: its id, else its bill of lading, else its tracking number."""
    found = read.text(head, 4) or read.text(read.first("N9", "BM"), 2) or tracking
    if not found:
        message = "is missing, and so are N9*BM and N9*2I: no repeat of this could be recognised"
        read.wrong(head, 4, "field.missing", message)
    return found


def _times(read: Elements, head: Segment) -> tuple[dt.datetime, dt.datetime]:
    """Return when the advice was written and when the goods left; one stands in for the other."""
    day = clocks.day(read, head, 3)
    shipped = None if day is None else clocks.instant(read, day, START)
    written = clocks.written_at(read)
    if shipped is None and written is None:
        message = "is missing, and the file has no date: nothing says when the goods left"
        read.wrong(head, 3, "field.missing", message)
    elif shipped is None and not head.get(3).strip():
        read.note("W06-03: missing, the date of the file is taken")
    return written or shipped or NOWHERE, shipped or written or NOWHERE


def _shipped(read: Elements, one: Segment, state: LineState) -> Decimal:
    """Return how many left; a cancelled line need not say that it is none."""
    found = read.count(one, 3)
    if found is None and not one.get(3).strip() and state is not LineState.CANCELLED:
        read.wrong(one, 3, "field.missing", "is missing, expected how many left")
    return found or NOTHING


def _unit(read: Elements, one: Segment, shipped: Decimal) -> str:
    """Return our unit; where nothing left, none need be told."""
    return goods.unit(read, one, 5) if shipped or read.text(one, 5) else ""


def _goods(read: Elements, one: Segment) -> tuple[str, str]:
    """Return SKU and lot; the lot moves with the first pair."""
    sku, at = goods.named(read, one, PAIRS)
    return sku, read.text(one, LOT + 1 if at == LOT else LOT)


def _line_number(read: Elements, after: Sequence[Segment]) -> int | None:
    """Return the number we gave the line; another word is the warehouse's own."""
    told = next((one for one in after if one.tag == "N9" and one.get(1).strip() == "LI"), None)
    number = read.text(told, 2)
    if _LINE_NUMBER.fullmatch(number) and int(number):
        return int(number)
    if told is not None:
        read.note("N9-02: LI is no line number of ours")
    return None


def _check_sum(read: Elements, lines: Sequence[AdvisedLine]) -> None:
    total = read.first("W03")
    told = None if total is None else read.count(total, 1)
    if told is not None and told != sum((one.shipped for one in lines), NOTHING):
        read.note("W03-01: is not the sum of W12-03")
