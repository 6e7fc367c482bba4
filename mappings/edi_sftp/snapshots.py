"""A flat file of stock: a CSV with a header, read by what a partner's profile says of it.

    [connection.profile.snapshot]
    pattern = "stock-*.csv"
    columns = { sku = "Seller SKU", available = "Quantity Available" }

Beside these two may stand `delimiter`, `encoding`, `unit`, `as_of` with `as_of_format`, `trailer`
and `max_loss`.
"""

from __future__ import annotations

import csv
import datetime as dt
import fnmatch
import io
import re
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from mappings.edi_sftp.inventory import MAX_LOSS, read_max_loss
from mappings.edi_sftp.profile import Profile, read_profile
from syncworkers.canonical.stock import Counted, StockRow, StockSnapshot
from syncworkers.errors import RejectedError, Violation

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

SKU = "sku"
NAME, MODIFIED, RECEIVED = "name", "modified", "received"
"""What may tell the moment of a count that the file itself does not tell."""
KNOWN = frozenset(
    {
        *("pattern", "delimiter", "encoding", "unit", "columns"),
        *("as_of", "as_of_format", "trailer", "max_loss"),
    }
)
SHOWN = 20
"""Rows that one refusal names."""
_NUMBER = re.compile(r"[+-]?\d{1,15}(\.\d{0,6})?", re.ASCII)
_DIGITS = re.compile(r"\d{1,9}", re.ASCII)

Line = tuple[int, list[str]]
"""A row of the file, and the number of its line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshots:
    """Reads the flat files of one partner."""

    profile: Profile = field(default_factory=Profile)
    pattern: str = ""
    """Which files these are; none where it is empty."""
    delimiter: str = ","
    encoding: str = "utf-8-sig"
    unit: str = "each"
    as_of: str = RECEIVED
    as_of_format: str = ""
    """How a name tells the moment, as in `stock-%Y%m%d-%H%M.csv`."""
    columns: Mapping[str, str] = field(default_factory=dict)
    trailer: bool = False
    max_loss: int = MAX_LOSS
    name: str = "edi_sftp.snapshot/1"

    def fit(self, connection: Mapping[str, Any]) -> Snapshots:
        """Return the reader by a partner's profile; raises `ValueError` naming key and remedy."""
        profile = read_profile(connection)
        given = dict(profile.snapshot)
        if not set(given) - {"max_loss"}:
            return Snapshots(profile=profile, max_loss=read_max_loss(profile))
        _check(given)
        return Snapshots(**{**given, "profile": profile, "max_loss": read_max_loss(profile)})

    def takes(self, name: str) -> bool:
        """Say whether a file is one of these, by its name."""
        return bool(self.pattern) and fnmatch.fnmatchcase(name.casefold(), self.pattern.casefold())

    def is_whole(self, body: bytes) -> bool:
        """Say whether a file has its end: one with a trailer has as many rows as that says."""
        if not self.trailer:
            return True
        try:
            self._without_trailer(self._lines(body)[1:])
        except RejectedError:
            return False
        return True

    def load(self, body: bytes) -> tuple[StockSnapshot, tuple[str, ...]]:
        """Return what was counted; the moment is not in the file, see `dated`."""
        lines = self._lines(body)
        if not lines:
            raise _refusal("line 1", "stock.no_rows", "is missing: the file is empty")
        places = self._places(lines[0][1])
        found = self._without_trailer(lines[1:]) if self.trailer else lines[1:]
        if not found:
            raise _refusal(
                "line 2", "stock.no_rows", "is missing: a count of nothing counts nothing"
            )
        rows = self._rows(found, places, len(lines[0][1]))
        return StockSnapshot(warehouse=self.profile.warehouse_code, as_of=None, rows=rows), ()

    def dated(
        self, snapshot: StockSnapshot, *, name: str, modified: str | None, received: dt.datetime
    ) -> StockSnapshot:
        """Say of when a count is, by its file: `modified` is in Unix seconds, as text."""
        moment = received
        if self.as_of == NAME:
            moment = self._named_moment(name)
        elif self.as_of == MODIFIED and modified:
            moment = dt.datetime.fromtimestamp(int(modified), dt.UTC)
        return replace(snapshot, as_of=moment, reference=name)

    def _named_moment(self, name: str) -> dt.datetime:
        try:
            told = dt.datetime.strptime(name, self.as_of_format)  # noqa: DTZ007
            here = told if told.tzinfo is not None else told.replace(tzinfo=self.profile.zone)
            return here.astimezone(dt.UTC)
        except (ValueError, OverflowError):
            message = f"of the file is {name!r}, expected {self.as_of_format!r}"
            raise _refusal("name", "stock.as_of", message) from None

    def _lines(self, body: bytes) -> list[Line]:
        """Return the rows that are not blank."""
        try:
            text = body.decode(self.encoding)
        except UnicodeError as error:
            line = body.count(b"\n", 0, getattr(error, "start", 0)) + 1
            message = f"is no {self.encoding}: set [connection.profile.snapshot] encoding"
            raise _refusal(f"line {line}", "stock.encoding", message) from None
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=self.delimiter, strict=True)
        found: list[Line] = []
        try:
            for row in reader:
                cells = [cell.strip() for cell in row]
                if any(cells):
                    found.append((reader.line_num, cells))
        except csv.Error as error:
            message = f"cannot be read: {error}"
            raise _refusal(f"line {reader.line_num}", "stock.row", message) from None
        return found

    def _places(self, header: Sequence[str]) -> dict[str, int]:
        """Return in which column each of ours stands, by name; blanks and case do not count."""
        there = [_plain(one) for one in header]
        places = {}
        for ours, theirs in self.columns.items():
            times = there.count(_plain(theirs))
            if times != 1:
                how = "is not there" if not times else f"is there {times} times"
                message = (
                    f"column {theirs!r} for {ours} {how}; there are "
                    f"{', '.join(repr(one) for one in header if one)[:500]}, and "
                    f"[connection.profile.snapshot] columns declares "
                    f"{', '.join(repr(one) for one in self.columns.values())}"
                )
                raise _refusal("line 1", "stock.columns", message)
            places[ours] = there.index(_plain(theirs))
        return places

    def _without_trailer(self, lines: list[Line]) -> list[Line]:
        """Check the trailer, whose only number says how many rows come before it."""
        if lines:
            number, cells = lines[-1]
            told = _DIGITS.findall(" ".join(cells))
            if len(told) == 1 and int(told[0]) == len(lines) - 1:
                return lines[:-1]
            at = f"line {number}"
        else:
            at = "line 2"
        message = f"must be a trailer with the number of rows before it, {max(len(lines) - 1, 0)}"
        raise _refusal(at, "stock.trailer", message)

    def _rows(
        self, lines: Iterable[Line], places: Mapping[str, int], width: int
    ) -> tuple[StockRow, ...]:
        rows: dict[str, StockRow] = {}
        wrong: list[Violation] = []
        for number, cells in lines:
            try:
                row = self._row(cells, places, width)
                _add(rows, row)
            except UnreadableError as error:
                path = f"line {number}"
                wrong.append(Violation(path=path, code="stock.row", message=str(error)))
                if len(wrong) == SHOWN:
                    break
        if wrong:
            first = f"{wrong[0].path} {wrong[0].message}"
            raise RejectedError(f"rows cannot be read, the first: {first}", violations=wrong)
        return tuple(rows.values())

    def _row(self, cells: Sequence[str], places: Mapping[str, int], width: int) -> StockRow:
        if len(cells) <= max(places.values()) or any(cells[width:]):
            message = f"has {len(cells)} cells, the header {width}"
            raise UnreadableError(message)
        sku = cells[places[SKU]]
        if not sku or not sku.isprintable():
            message = f"names no SKU: {sku!r}"
            raise UnreadableError(message)
        counts = {
            ours: _count(cells[place], self.columns[ours])
            for ours, place in places.items()
            if ours != SKU
        }
        return StockRow(sku=sku, unit=self.unit, **counts)


def _refusal(path: str, code: str, message: str) -> RejectedError:
    """Return the verdict on a file that cannot be taken as it is."""
    violation = Violation(path=path, code=code, message=message)
    return RejectedError(f"{path} {message}", violations=[violation])


class UnreadableError(Exception):
    """What is wrong with a row."""


def _add(rows: dict[str, StockRow], row: StockRow) -> None:
    if row.sku in rows:
        message = f"lists {row.sku} a second time: nobody knows which count is right"
        raise UnreadableError(message)
    rows[row.sku] = row


def _count(text: str, column: str) -> Decimal:
    if not _NUMBER.fullmatch(text):
        message = f"{column!r} is {text[:50]!r}, expected a number"
        raise UnreadableError(message)
    return Decimal(text)


def _plain(name: str) -> str:
    return " ".join(name.split()).casefold()


def _check(given: Mapping[str, Any]) -> None:
    """Check what a profile says; raises `ValueError`."""
    where = "[connection.profile.snapshot]"
    for key in given:
        if key not in KNOWN:
            raise ValueError(f"{where} {key} is not known; known are {', '.join(sorted(KNOWN))}")
    for key in ("pattern", "columns"):
        if not given.get(key):
            raise ValueError(f"{where} {key} is missing")
    columns = given["columns"]
    words = {SKU, *Counted}
    if SKU not in columns or len(columns) < 2 or not set(columns) <= words:
        raise ValueError(f"{where} columns must be sku and some of {', '.join(Counted)}")
    if len(str(given.get("delimiter", ","))) != 1:
        raise ValueError(f"{where} delimiter must be one sign")
    _check_reading(where, given)


def _check_reading(where: str, given: Mapping[str, Any]) -> None:
    try:
        "".encode(given.get("encoding", "utf-8"))
    except LookupError:
        raise ValueError(f"{where} encoding {given['encoding']!r} is not known") from None
    if given.get("as_of", RECEIVED) not in {NAME, MODIFIED, RECEIVED}:
        raise ValueError(f"{where} as_of must be {NAME}, {MODIFIED} or {RECEIVED}")
    if given.get("as_of") == NAME and "%d" not in given.get("as_of_format", ""):
        raise ValueError(f"{where} as_of_format must say how a name tells the moment")
    if given.get("trailer", False) not in {True, False}:
        raise ValueError(f"{where} trailer must be true or false")


SNAPSHOT = Snapshots()
"""Of nobody in particular: no file is one of these."""
