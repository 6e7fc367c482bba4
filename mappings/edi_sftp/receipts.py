"""The receipt 944: what came into a warehouse, and what of it was not as it should be.

Source: X12 004010, 944; W07 tells what was received well, W13 what is to be said beside it, W14
the totals. The order of W14's elements is unverified: confirm it with each partner.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from mappings.edi_sftp.profile import Profile, read_profile
from mappings.edi_sftp.tables import CONDITIONS, laid_over
from mappings.edi_sftp.values import Document, open_document, refusal
from syncworkers.canonical.stock import Condition, Movement, Reason, StockMovement, StockReport

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

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
        """Return what was received, and the codes that no table knows."""
        document = open_document(body, "944", self.profile)
        head = document.head("W17")
        movements = self._movements(document)
        if not movements:
            raise refusal("W07", "edi.missing", "is missing: nothing was received")
        _check_totals(document, movements)
        report = StockReport(
            kind=Movement.RECEIPT,
            number=document.text(head, 3),
            occurred_at=document.noon(head, 2),
            warehouse=document.warehouse(),
            movements=movements,
            reference=document.told(head, 4),
            shipment=document.told(head, 5),
        )
        unknown = (one.code for one in movements if one.condition is Condition.UNKNOWN)
        return report, tuple(dict.fromkeys(f"W13-03={code}" for code in unknown))

    def _movements(self, document: Document) -> tuple[StockMovement, ...]:
        """Return a movement for each W07, and behind it one for each W13 that follows it."""
        found: list[StockMovement] = []
        goods: StockMovement | None = None
        for line, one in enumerate(document.all("W07", "W13"), start=1):
            if one.tag == "W07":
                goods = _received(document, one, line)
                found.append(goods)
            elif goods is None:
                raise refusal(document.path(one), "edi.order", "stands before the W07 it is about")
            else:
                found.append(self._exception(document, one, line, goods))
        return tuple(found)

    def _exception(
        self, document: Document, one: Segment, line: int, goods: StockMovement
    ) -> StockMovement:
        code = document.text(one, 3)
        return StockMovement(
            line=line,
            sku=goods.sku,
            quantity=_count(document, one),
            unit=document.unit(one, 2),
            reason=Reason.RECEIVED,
            condition=self.conditions.get(code, Condition.UNKNOWN),
            code=code,
            lot=document.told(one, 4) or goods.lot,
            place=document.path(one),
        )


def _received(document: Document, one: Segment, line: int) -> StockMovement:
    return StockMovement(
        line=line,
        sku=document.sku(one, PAIRS, upc=3),
        quantity=_count(document, one),
        unit=document.unit(one, 2),
        reason=Reason.RECEIVED,
        lot=document.told(one, 8),
        place=document.path(one),
    )


def _count(document: Document, one: Segment) -> Decimal:
    quantity = document.quantity(one, 1)
    if quantity < 0:
        message = f"is {quantity}: nothing is received below zero, a 947 takes it back"
        raise document.refusal(one, 1, "edi.number", message)
    return quantity


def _check_totals(document: Document, movements: Sequence[StockMovement]) -> None:
    """Compare W14 with the lines; what was shipped is the sender's word alone."""
    totals = document.first("W14")
    if totals is None:
        return
    received = sum((one.quantity for one in movements if not one.code), Decimal(0))
    spoiled = sum((one.quantity for one in movements if one.condition in NOT_GOOD), Decimal(0))
    known = all(one.condition is not Condition.UNKNOWN for one in movements)
    for element, counted, sure in ((1, received, True), (3, spoiled, known)):
        if sure and document.told(totals, element):
            told = document.quantity(totals, element)
            if told != counted:
                message = f"is {told}, and the lines add up to {counted}"
                raise document.refusal(totals, element, "edi.total", message)


RECEIPT = Receipts()
"""As nobody in particular speaks."""
