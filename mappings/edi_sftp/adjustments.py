"""The adjustment 947: what a warehouse corrected in its books, each line with its sign.

Source: X12 004010, 947; positions as in our partners' documents.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from mappings.edi_sftp import clocks, goods
from mappings.edi_sftp.elements import opened
from mappings.edi_sftp.profile import Profile, read_profile
from mappings.edi_sftp.tables import ADJUSTMENTS, laid_over
from syncworkers.canonical.stock import Movement, Reason, StockMovement, StockReport

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mappings.edi_sftp.elements import Elements
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
        """Return what was adjusted, and what was passed over.

        Raises `RejectedError`, and nothing else, naming segment and element.
        """
        read = opened(body, "947", self.profile)
        head = read.head("W15", "which adjustment this is")
        report = StockReport(
            kind=Movement.ADJUSTMENT,
            number=read.text(head, 2) or read.needed(head, 3, "the number of the adjustment"),
            occurred_at=clocks.moment(read, head, 1, alone=clocks.NOON),
            warehouse=goods.warehouse(read),
            movements=tuple(
                self._movement(read, one, line) for line, one in enumerate(read.all("W19"), start=1)
            ),
        )
        if not report.movements:
            read.absent("W19", "is missing: nothing is adjusted")
        read.refuse("the adjustment")
        return report, read.drift

    def _movement(self, read: Elements, one: Segment, line: int) -> StockMovement:
        code = read.needed(one, 1, "why stock was adjusted")
        if code not in self.reasons:
            read.note(f"W19-01: code {code[:10]!r} is not known")
        return StockMovement(
            line=line,
            sku=goods.sku(read, one, PAIRS, upc=4),
            quantity=read.quantity(one, 2, "by how many"),
            unit=goods.unit(read, one, 3),
            reason=self.reasons.get(code, Reason.UNKNOWN),
            code=code,
            lot=read.text(one, 9),
            place=read.path(one),
        )


ADJUSTMENT = Adjustments()
"""As nobody in particular speaks."""
