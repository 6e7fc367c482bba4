"""The inventory 846: all that a warehouse has at one moment.

Source: X12 004010, 846; DTM*007 is the effective time, QTY02 counts by QTY03 or the UIT behind it.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from mappings.edi_sftp.profile import Profile, read_profile
from mappings.edi_sftp.tables import QUANTITIES, laid_over
from mappings.edi_sftp.values import Document, open_document, refusal
from syncworkers.canonical.stock import Counted, StockRow, StockSnapshot

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from syncworkers.x12.segments import Segment

EFFECTIVE = "007"
PAIRS = range(2, 32, 2)
"""Where LIN may hold a qualifier and an id."""
MAX_LOSS = 50
"""Percent of the rows that may be missing compared with the count before."""


@dataclass(frozen=True, slots=True)
class Inventory:
    """Reads the counts of one partner."""

    profile: Profile = field(default_factory=Profile)
    counted: Mapping[str, Counted] = field(
        default_factory=lambda: laid_over(QUANTITIES, {}, Counted, "quantities")
    )
    max_loss: int = MAX_LOSS
    name: str = "edi_sftp.inventory/1"

    def fit(self, connection: Mapping[str, Any]) -> Inventory:
        """Return the reader by a partner's profile; raises `ValueError` for a wrong one."""
        profile = read_profile(connection)
        counted = laid_over(QUANTITIES, profile.quantities, Counted, "quantities")
        return Inventory(profile, counted, read_max_loss(profile))

    def load(self, body: bytes) -> tuple[StockSnapshot, tuple[str, ...]]:
        """Return the count, and the codes that no table knows."""
        document = open_document(body, "846", self.profile)
        head = document.head("BIA")
        drift: dict[str, None] = {}
        rows: dict[str, StockRow] = {}
        for line, counts in _groups(document):
            row = self._row(document, line, counts, drift)
            if row.sku in rows:
                message = f"lists {row.sku} a second time: nobody knows which count is right"
                raise refusal(document.path(line), "stock.listed_twice", message)
            rows[row.sku] = row
        if not rows:
            raise refusal("LIN", "edi.missing", "is missing: a count of nothing counts nothing")
        snapshot = StockSnapshot(
            warehouse=document.warehouse(),
            as_of=_as_of(document, head),
            rows=tuple(rows.values()),
            reference=document.text(head, 3),
        )
        return snapshot, tuple(drift)

    def _row(
        self, document: Document, line: Segment, counts: list[_Count], drift: dict[str, None]
    ) -> StockRow:
        amounts: dict[str, Decimal] = {}
        units: set[str] = set()
        for one in counts:
            code = document.text(one.quantity, 1)
            word = self.counted.get(code)
            if word is None:
                drift[f"QTY01={code}"] = None
            elif word in amounts:
                message = f"is {code!r}, and {word} of this SKU was counted already"
                raise document.refusal(one.quantity, 1, "stock.listed_twice", message)
            else:
                amounts[word] = document.quantity(one.quantity, 2)
                units.add(one.unit(document))
        if not amounts:
            codes = ", ".join(one.quantity.get(1) for one in counts) or "none"
            message = f"has no count that [connection.profile.quantities] knows: {codes}"
            raise refusal(document.path(line), "stock.no_count", message)
        if len(units) > 1:
            message = f"is counted by several units: {', '.join(sorted(units))}"
            raise refusal(document.path(line), "edi.unit", message)
        return StockRow(sku=document.sku(line, PAIRS), unit=units.pop(), **amounts)


@dataclass(slots=True)
class _Count:
    """A QTY, and the UIT behind it."""

    quantity: Segment
    stated: Segment | None = None

    def unit(self, document: Document) -> str:
        if self.quantity.get(3).strip() or self.stated is None:
            return document.unit(self.quantity, 3)
        return document.unit(self.stated, 1)


def _groups(document: Document) -> Iterator[tuple[Segment, list[_Count]]]:
    """Yield each LIN with its counts."""
    line: Segment | None = None
    counts: list[_Count] = []
    for one in document.all("LIN", "QTY", "UIT"):
        if one.tag == "LIN":
            if line is not None:
                yield line, counts
            line, counts = one, []
        elif one.tag == "QTY":
            counts.append(_Count(one))
        elif counts:
            counts[-1].stated = one
    if line is not None:
        yield line, counts


def _as_of(document: Document, head: Segment) -> dt.datetime:
    for one in document.all("DTM"):
        if document.told(one, 1) == EFFECTIVE:
            return document.moment(one, 2, 3, 4)
    return document.moment(head, 4, 5, 0)


def read_max_loss(profile: Profile) -> int:
    """Return the percentage of rows that may be missing; raises `ValueError` for a wrong one."""
    limit = profile.snapshot.get("max_loss", MAX_LOSS)
    if isinstance(limit, bool) or not isinstance(limit, int) or not 0 <= limit <= 100:
        message = f"[connection.profile.snapshot] max_loss = {limit!r}: must be a percentage, 0-100"
        raise ValueError(message)
    return limit


INVENTORY = Inventory()
"""As nobody in particular speaks."""
