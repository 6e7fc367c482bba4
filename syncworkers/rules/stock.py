"""What a document of stock changes: a movement is booked once, a count replaces the one before."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING

from syncworkers.canonical.stock import Condition, Reason

if TYPE_CHECKING:
    from collections.abc import Iterator

    from syncworkers.canonical.stock import StockMovement, StockReport


class Said(StrEnum):
    """What a document is to the one that is known under its name."""

    NEW = "new"
    REPEATED = "repeated"
    LEARNED = "learned"
    """The same, but a code that nobody knew has a meaning by now."""
    CHANGED = "changed"


def compare_reports(known: StockReport | None, report: StockReport) -> Said:
    """Say what a document of movements is to what stands."""
    if known is None:
        return Said.NEW
    if known == report:
        return Said.REPEATED
    return Said.LEARNED if _forget(known, report) == known else Said.CHANGED


def _forget(known: StockReport, report: StockReport) -> StockReport:
    """Return a document as it would have been with the tables by which the known one was read."""
    if len(known.movements) != len(report.movements):
        return report
    pairs = zip(known.movements, report.movements, strict=True)
    return replace(report, movements=tuple(_as_then(before, now) for before, now in pairs))


def _as_then(before: StockMovement, now: StockMovement) -> StockMovement:
    return replace(
        now,
        reason=before.reason if before.reason is Reason.UNKNOWN else now.reason,
        condition=before.condition if before.condition is Condition.UNKNOWN else now.condition,
    )


def unnamed(report: StockReport) -> Iterator[StockMovement]:
    """Yield the movements that stand in suspense, because nobody knows what their code means."""
    for one in report.movements:
        if one.reason is Reason.UNKNOWN or one.condition is Condition.UNKNOWN:
            yield one


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """What is kept of a count that was taken; `digest` is of all its rows."""

    as_of: dt.datetime
    rows: int
    digest: str


class Taken(StrEnum):
    """What a count is to the last one that was taken."""

    NEW = "new"
    REPEATED = "repeated"
    OLDER = "older"
    CHANGED = "changed"
    """Of the same moment, and different."""
    ROWS_LOST = "rows_lost"


def compare_counts(last: Count | None, count: Count, *, max_loss: int) -> Taken:
    """Say what a count is to the last one; `max_loss` is the percentage of rows it may lack."""
    if last is None:
        return Taken.NEW
    if count.as_of < last.as_of:
        return Taken.OLDER
    if count.as_of == last.as_of:
        return Taken.REPEATED if count.digest == last.digest else Taken.CHANGED
    lost = last.rows - count.rows
    return Taken.ROWS_LOST if lost * 100 > max_loss * last.rows else Taken.NEW
