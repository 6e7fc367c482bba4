"""The receipt 944: what came into a warehouse, and what of it was not as it should be.

Source: X12 004010, 944; W07 tells what was received well, W13 what is to be said beside it, W14
the totals. The order of W14's elements is unverified: confirm it with each partner.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from mappings.edi_sftp import clocks, goods
from mappings.edi_sftp.elements import NOTHING, opened
from mappings.edi_sftp.profile import Profile, read_profile
from mappings.edi_sftp.tables import CONDITIONS, laid_over
from syncworkers.canonical.stock import Condition, Movement, Reason, StockMovement, StockReport

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from decimal import Decimal

    from mappings.edi_sftp.elements import Elements
    from syncworkers.x12.segments import Segment

PAIRS = (4, 6)
"""Where W07 may hold a qualifier and an id."""
NOT_GOOD = frozenset({Condition.DAMAGED, Condition.HELD})
"""What W14-03 adds up."""


@dataclass(frozen=True, slots=True)
class Receipts:
    """Reads the receipts of one partner."""

    profile: Profile = field(default_factory=Profile)
    conditions: Mapping[str, Condition] = field(
        default_factory=lambda: laid_over(CONDITIONS, {}, Condition, "conditions")
    )
    name: str = "edi_sftp.receipt/1"

    def fit(self, connection: Mapping[str, Any]) -> Receipts:
        """Return the reader by a partner's profile; raises `ValueError` for a wrong one."""
        profile = read_profile(connection)
        return Receipts(profile, laid_over(CONDITIONS, profile.conditions, Condition, "conditions"))

    def load(self, body: bytes) -> tuple[StockReport, tuple[str, ...]]:
        """Return what was received, and what was passed over.

        Raises `RejectedError`, and nothing else, naming segment and element.
        """
        read = opened(body, "944", self.profile)
        head = read.head("W17", "which receipt this is")
        movements = self._movements(read)
        report = StockReport(
            kind=Movement.RECEIPT,
            number=read.needed(head, 3, "the number of the receipt"),
            occurred_at=clocks.moment(read, head, 2, alone=clocks.NOON),
            warehouse=goods.warehouse(read),
            movements=movements,
            reference=read.text(head, 4),
            shipment=read.text(head, 5),
        )
        _check_totals(read, movements)
        read.refuse("the receipt")
        return report, read.drift

    def _movements(self, read: Elements) -> tuple[StockMovement, ...]:
        """Return a movement for each W07, and behind it one for each W13 that follows it."""
        found: list[StockMovement] = []
        received: StockMovement | None = None
        for line, one in enumerate(read.all("W07", "W13"), start=1):
            if one.tag == "W07":
                received = _received(read, one, line)
                found.append(received)
            elif received is None:
                read.wrong(one, 0, "payload.invalid", "stands before the W07 it is about")
            else:
                found.append(self._exception(read, one, line, received))
        if received is None:
            read.absent("W07", "is missing: nothing was received")
        return tuple(found)

    def _exception(
        self, read: Elements, one: Segment, line: int, received: StockMovement
    ) -> StockMovement:
        code = read.needed(one, 3, "the condition of the goods")
        if code not in self.conditions:
            read.note(f"W13-03: code {code[:10]!r} is not known")
        return StockMovement(
            line=line,
            sku=received.sku,
            quantity=_count(read, one),
            unit=goods.unit(read, one, 2),
            reason=Reason.RECEIVED,
            condition=self.conditions.get(code, Condition.UNKNOWN),
            code=code,
            lot=read.text(one, 4) or received.lot,
            place=read.path(one),
        )


def _received(read: Elements, one: Segment, line: int) -> StockMovement:
    return StockMovement(
        line=line,
        sku=goods.sku(read, one, PAIRS, upc=3),
        quantity=_count(read, one),
        unit=goods.unit(read, one, 2),
        reason=Reason.RECEIVED,
        lot=read.text(one, 8),
        place=read.path(one),
    )


def _count(read: Elements, one: Segment) -> Decimal:
    read.needed(one, 1, "how many came")
    return read.count(one, 1, ": a 947 takes back what was received") or NOTHING


def _check_totals(read: Elements, movements: Sequence[StockMovement]) -> None:
    """Compare W14 with the lines; what was shipped is the sender's word alone."""
    totals = read.first("W14")
    if totals is None:
        return
    told = {element: read.number(totals, element) for element in (1, 3)}
    if not read.sound:
        return
    sums = {1: sum((one.quantity for one in movements if not one.code), NOTHING)}
    if all(one.condition is not Condition.UNKNOWN for one in movements):
        sums[3] = sum((one.quantity for one in movements if one.condition in NOT_GOOD), NOTHING)
    for element, counted in sums.items():
        if told[element] not in {None, counted}:
            message = f"is {told[element]}, and the lines add up to {counted}"
            read.wrong(totals, element, "stock.total", message)


RECEIPT = Receipts()
"""As nobody in particular speaks."""
