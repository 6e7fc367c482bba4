"""The adjustment 947: what a warehouse corrected in its books, each line with its sign.

Source: X12 004010, 947; positions as in our partners' documents.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from mappings.edi_sftp.profile import Profile, read_profile
from mappings.edi_sftp.tables import ADJUSTMENTS, laid_over
from mappings.edi_sftp.values import Document, open_document, refusal
from syncworkers.canonical.stock import Movement, Reason, StockMovement, StockReport

if TYPE_CHECKING:
    from collections.abc import Mapping

    from syncworkers.x12.segments import Segment

PAIRS = (5, 7, 17)
"""Where W19 may hold a qualifier and an id."""


@dataclass(frozen=True, slots=True)
class Adjustments:
    """Reads the adjustments of one partner."""

    profile: Profile = field(default_factory=Profile)
    reasons: Mapping[str, Reason] = field(
        default_factory=lambda: laid_over(ADJUSTMENTS, {}, Reason, "adjustments")
    )
    name: str = "edi_sftp.adjustment/1"

    def fit(self, connection: Mapping[str, Any]) -> Adjustments:
        """Return the reader by a partner's profile; raises `ValueError` for a wrong one."""
        profile = read_profile(connection)
        return Adjustments(
            profile, laid_over(ADJUSTMENTS, profile.adjustments, Reason, "adjustments")
        )

    def load(self, body: bytes) -> tuple[StockReport, tuple[str, ...]]:
        """Return what was adjusted, and the codes that no table knows."""
        document = open_document(body, "947", self.profile)
        head = document.head("W15")
        number = document.told(head, 2) or document.text(head, 3)
        segments = list(document.all("W19"))
        if not segments:
            raise refusal("W19", "edi.missing", "is missing: nothing is adjusted")
        movements = tuple(
            self._movement(document, one, line) for line, one in enumerate(segments, start=1)
        )
        unknown = (one.code for one in movements if one.reason is Reason.UNKNOWN)
        report = StockReport(
            kind=Movement.ADJUSTMENT,
            number=number,
            occurred_at=document.noon(head, 1),
            warehouse=document.warehouse(),
            movements=movements,
        )
        return report, tuple(dict.fromkeys(f"W19-01={code}" for code in unknown))

    def _movement(self, document: Document, one: Segment, line: int) -> StockMovement:
        code = document.text(one, 1)
        return StockMovement(
            line=line,
            sku=document.sku(one, PAIRS, upc=4),
            quantity=document.quantity(one, 2),
            unit=document.unit(one, 3),
            reason=self.reasons.get(code, Reason.UNKNOWN),
            code=code,
            lot=document.told(one, 9),
            place=document.path(one),
        )


ADJUSTMENT = Adjustments()
"""As nobody in particular speaks."""
