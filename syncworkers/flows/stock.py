"""Decide about messages on stock: movements are booked once, a count replaces the one before."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from syncworkers.canonical.stock import StockReport
from syncworkers.errors import RejectedError, Violation
from syncworkers.rules import changes
from syncworkers.rules.stock import Said, Taken, compare_counts, compare_reports, unnamed
from syncworkers.store import stock as stock_store

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sqlalchemy.orm import Session

    from syncworkers.canonical.stock import StockSnapshot
    from syncworkers.errors import SyncError
    from syncworkers.flows.fleet import Fleet
    from syncworkers.flows.reading import Reading
    from syncworkers.flows.writes import Writes
    from syncworkers.rules.stock import Count

CHANGED, ROWS_LOST = "stock.changed", "stock.rows_lost"
UNKNOWN_CODE = "stock.unknown_code"
SHOWN = 20
"""Movements that one case names."""


class Stock:
    """Decides about the stock documents of one batch; see `applying.Decider`."""

    def __init__(self, fleet: Fleet, session: Session, writes: Writes) -> None:
        self._fleet = fleet
        self._session = session
        self._writes = writes
        self._reports: dict[tuple[str, str, str], StockReport] = {}
        """By partner, kind and number."""
        self._counts: dict[tuple[str, str], Count] = {}
        """The last one, by partner and warehouse."""
        self._steps: list[Callable[[], None]] = []

    def load(self, readings: Sequence[Reading]) -> None:
        """Take the turn of each partner, and read what is known of its documents."""
        for name in sorted({one.partner for one in readings}):
            stock_store.take_turn(self._session, name)
            subjects = [one.subject for one in readings if one.partner == name]
            numbers = {one.number for one in subjects if isinstance(one, StockReport)}
            for report in stock_store.reports(self._session, name, numbers):
                self._reports[name, report.kind, report.number] = report
            for warehouse, count in stock_store.last_counts(self._session, name).items():
                self._counts[name, warehouse] = count

    def called(self, reading: Reading) -> str:
        """Return what the partner calls the document."""
        name: str = getattr(reading.subject, "number", "") or reading.row["entity"]
        return name

    def decide(self, reading: Reading) -> SyncError | None:
        """Book movements, or take a count; return what is in the way."""
        if isinstance(reading.subject, StockReport):
            return self._book(reading, reading.subject)
        try:
            self._take(reading, self._dated(reading))
        except RejectedError as error:
            return error
        return None

    def _book(self, reading: Reading, report: StockReport) -> SyncError | None:
        key = (reading.partner, report.kind, report.number)
        known = self._reports.get(key)
        said = compare_reports(known, report)
        if said is Said.CHANGED:
            return _changed(known, report)
        if said is Said.REPEATED and not reading.row["retries"]:
            self._writes.end(reading, "superseded", "says nothing new")
            return None
        self._reports[key] = report
        if said is Said.NEW:
            add = stock_store.add_report
            self._later(partial(add, self._session, reading.partner, reading.row["id"], report))
        elif said is Said.LEARNED:
            self._later(partial(stock_store.name_codes, self._session, reading.partner, report))
        suspense = _suspense(report)
        if suspense is not None:
            return suspense
        reason = f"{report.kind} {report.number}: {len(report.movements)} movements"
        self._writes.end(reading, "applied", reason)
        return None

    def _dated(self, reading: Reading) -> StockSnapshot:
        """Return a count with its moment, which a flat file does not say itself."""
        snapshot: StockSnapshot = reading.subject
        if snapshot.as_of is not None:
            return snapshot
        row = reading.row
        mapping = self._fleet.partners[reading.partner].reads[row["topic"]]
        dated: StockSnapshot = mapping.dated(
            snapshot, name=row["entity"], modified=row["event_id"], received=row["received_at"]
        )
        return dated

    def _take(self, reading: Reading, snapshot: StockSnapshot) -> None:
        count = stock_store.count_of(snapshot)
        key = (reading.partner, snapshot.warehouse)
        last = self._counts.get(key)
        mapping = self._fleet.partners[reading.partner].reads[reading.row["topic"]]
        taken = compare_counts(last, count, max_loss=mapping.max_loss)
        if taken is Taken.REPEATED:
            self._writes.end(reading, "superseded", "says nothing new")
        elif taken is Taken.OLDER and last is not None:
            reason = f"is of {count.as_of}, and one of {last.as_of} was taken already"
            self._writes.end(reading, "superseded", reason)
        elif taken is Taken.NEW:
            self._counts[key] = count
            replace = stock_store.replace_count
            row = reading.row["id"]
            self._later(partial(replace, self._session, reading.partner, row, snapshot, count))
            self._writes.end(reading, "applied", f"{count.rows} SKUs as of {count.as_of}")
        elif last is not None:
            raise _refused(taken, last, count, mapping.max_loss)

    def _later(self, step: Callable[[], None]) -> None:
        self._steps.append(step)

    def write(self) -> None:
        """Write movements and counts, in the order in which they were told."""
        for step in self._steps:
            step()


def _changed(known: StockReport | None, report: StockReport) -> RejectedError:
    paths = [one for one in changes.diff(known, report) if not one.endswith(".place")]
    differing = ", ".join(paths[:SHOWN])
    message = (
        f"{report.kind} {report.number} came before with other content ({differing}), and stays "
        "booked as it was: have the difference told by an adjustment of its own"
    )
    violation = Violation(path="", code=CHANGED, message=message)
    return RejectedError("a document of stock never changes", violations=[violation])


def _suspense(report: StockReport) -> RejectedError | None:
    """Return the verdict on a document whose movements stand in suspense, if some do."""
    violations = [
        Violation(
            path=one.place,
            code=UNKNOWN_CODE,
            message=f"has code {one.code!r}, which no table knows: {one.quantity:f} {one.unit} of "
            f"{one.sku} are booked in suspense; say what it means under [connection.profile], "
            "adjustments or conditions, then retry",
        )
        for one in unnamed(report)
    ]
    if not violations:
        return None
    message = f"{report.kind} {report.number} is booked, {len(violations)} movements in suspense"
    return RejectedError(message, violations=violations[:SHOWN])


def _refused(taken: Taken, last: Count, count: Count, max_loss: int) -> RejectedError:
    if taken is Taken.CHANGED:
        message = (
            f"a count of {count.as_of} was taken already, with other content: nobody knows which "
            "is right; have a new one sent"
        )
        violation = Violation(path="", code=CHANGED, message=message)
        return RejectedError("a count never changes", violations=[violation])
    message = (
        f"lists {count.rows} SKUs, the count of {last.as_of} listed {last.rows}: more than "
        f"{max_loss} % are gone; have a whole one sent, or if it is right, raise max_loss under "
        "[connection.profile.snapshot], then retry"
    )
    violation = Violation(path="", code=ROWS_LOST, message=message)
    return RejectedError("a count that lost its rows", violations=[violation])
