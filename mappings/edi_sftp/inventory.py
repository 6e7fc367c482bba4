"""The inventory 846: all that a warehouse has at one moment.

Source: X12 004010, 846; DTM*007 is the effective time, QTY02 counts by QTY03 or the UIT behind it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from mappings.edi_sftp import clocks, goods
from mappings.edi_sftp.elements import opened
from mappings.edi_sftp.profile import Profile, read_profile
from mappings.edi_sftp.tables import QUANTITIES, laid_over
from syncworkers.canonical.stock import Counted, StockRow, StockSnapshot

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterator, Mapping
    from decimal import Decimal

    from mappings.edi_sftp.elements import Elements
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
        """Return the count, and what was passed over.

        Raises `RejectedError`, and nothing else, naming segment and element.
        """
        read = opened(body, "846", self.profile)
        head = read.head("BIA", "which count this is")
        snapshot = StockSnapshot(
            warehouse=goods.warehouse(read),
            as_of=_as_of(read, head),
            rows=self._rows(read),
            reference=read.needed(head, 3, "the number of the count"),
        )
        read.refuse("the count")
        return snapshot, read.drift

    def _rows(self, read: Elements) -> tuple[StockRow, ...]:
        """Return a row for each SKU; each may be listed once."""
        rows: dict[str, StockRow] = {}
        for line, after in read.loops("LIN"):
            row = self._row(read, line, list(_counts(after)))
            if row.sku and row.sku in rows:
                message = f"lists {row.sku} a second time: nobody knows which count is right"
                read.wrong(line, 0, "stock.listed_twice", message)
            rows[row.sku] = row
        if not rows:
            read.absent("LIN", "is missing: a count of nothing counts nothing")
        return tuple(rows.values())

    def _row(self, read: Elements, line: Segment, counts: list[_Count]) -> StockRow:
        amounts: dict[str, Decimal] = {}
        units: set[str] = set()
        for one in counts:
            word = self._word(read, one.quantity)
            if word in amounts:
                message = f"is {one.quantity.get(1)!r}, and {word} of this SKU was counted already"
                read.wrong(one.quantity, 1, "stock.listed_twice", message)
            elif word is not None:
                amounts[word] = read.quantity(one.quantity, 2, "how many there are")
                units.add(one.unit(read))
        if not amounts:
            codes = ", ".join(one.quantity.get(1) for one in counts) or "none"
            message = f"has no count that [connection.profile.quantities] knows: {codes}"
            read.wrong(line, 0, "stock.no_count", message)
        told = sorted(filter(None, units))
        if len(told) > 1:
            message = f"is counted by several units: {', '.join(told)}"
            read.wrong(line, 0, "stock.several_units", message)
        return StockRow(sku=goods.sku(read, line, PAIRS), unit="".join(told[:1]), **amounts)

    def _word(self, read: Elements, quantity: Segment) -> Counted | None:
        """Return what a QTY counts; None where no table knows it, which is drift."""
        code = read.needed(quantity, 1, "what is counted")
        if code and code not in self.counted:
            read.note(f"QTY-01: code {code[:10]!r} is not known")
        return self.counted.get(code)


@dataclass(slots=True)
class _Count:
    """A QTY, and the UIT behind it."""

    quantity: Segment
    stated: Segment | None = None

    def unit(self, read: Elements) -> str:
        if self.quantity.get(3).strip() or self.stated is None:
            return goods.unit(read, self.quantity, 3)
        return goods.unit(read, self.stated, 1)


def _counts(after: list[Segment]) -> Iterator[_Count]:
    """Yield the counts behind a LIN; the last UIT behind a QTY is its unit."""
    count: _Count | None = None
    for one in after:
        if one.tag == "QTY":
            if count is not None:
                yield count
            count = _Count(one)
        elif one.tag == "UIT" and count is not None:
            count.stated = one
    if count is not None:
        yield count


def _as_of(read: Elements, head: Segment) -> dt.datetime:
    told = read.first("DTM", EFFECTIVE)
    if told is not None:
        return clocks.moment(read, told, 2, 3, 4, alone=clocks.NOON)
    return clocks.moment(read, head, 4, 5, alone=clocks.NOON)


def read_max_loss(profile: Profile) -> int:
    """Return the percentage of rows that may be missing; raises `ValueError` for a wrong one."""
    limit = profile.snapshot.get("max_loss", MAX_LOSS)
    if isinstance(limit, bool) or not isinstance(limit, int) or not 0 <= limit <= 100:
        message = f"[connection.profile.snapshot] max_loss = {limit!r}: must be a percentage, 0-100"
        raise ValueError(message)
    return limit


INVENTORY = Inventory()
"""As nobody in particular speaks."""
