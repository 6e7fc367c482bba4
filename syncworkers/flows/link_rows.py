"""Files of links: which of our orders is which object at a partner, as CSV or JSON.

Columns: `partner`, `external_id` (the partner's own id of it) and `order` (the store's order number
or its id); where they are needed `store` (the number exists in several), `part` (the part's number
at a warehouse, 1 if not given), and `shipment` (a parcel of the order, by its tracking number or
the warehouse's id of it: then the object is its packing slip or fulfilment).
"""

from __future__ import annotations

import csv
import io
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from syncworkers.errors import RejectedError, Violation

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

NEEDED = ("partner", "external_id", "order")
OPTIONAL = ("store", "part", "shipment")
ROWS_LIMIT = 100_000
LENGTH_LIMIT = 255


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkRow:
    """One row, as it stands in the file; `number` counts rows from 1, a header not included."""

    number: int
    partner: str
    external_id: str
    order: str
    store: str = ""
    part: int = 1
    shipment: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RowRefusal:
    """Why a row cannot be taken."""

    row: int
    code: str
    reason: str


def read_rows(text: str, *, is_json: bool) -> tuple[list[LinkRow], list[RowRefusal]]:
    """Read a file's rows, and what is wrong with single ones.

    Raises `RejectedError` where the file as a whole cannot be read.
    """
    records = _json(text) if is_json else _csv(text)
    if not records:
        raise _unreadable("the file has no rows")
    if len(records) > ROWS_LIMIT:
        raise _unreadable(f"the file has more than {ROWS_LIMIT} rows: divide it")
    rows, refusals = [], []
    for number, record in enumerate(records, start=1):
        wrong = list(_wrong(record))
        if wrong:
            reason = "; ".join(wrong)
            refusals.append(RowRefusal(row=number, code="row.unreadable", reason=reason))
        else:
            rows.append(_row(number, record))
    return rows, refusals


def _csv(text: str) -> list[Mapping[str, Any]]:
    reader = csv.DictReader(io.StringIO(text.removeprefix("\ufeff")), strict=True)
    try:
        columns = reader.fieldnames or ()
        records: list[Mapping[str, Any]] = list(reader)
    except csv.Error as error:
        raise _unreadable(f"line {reader.line_num} is no CSV: {error}") from None
    _check_columns(columns)
    return records


def _check_columns(columns: Sequence[str]) -> None:
    missing = [name for name in NEEDED if name not in columns]
    unknown = [name for name in columns if name not in {*NEEDED, *OPTIONAL}]
    if missing or unknown:
        told = [f"lacks the columns {', '.join(missing)}"] if missing else []
        told += [f"has the unknown columns {', '.join(map(repr, unknown))}"] if unknown else []
        known = f"{', '.join(NEEDED)}, and where needed {', '.join(OPTIONAL)}"
        raise _unreadable(f"the file {' and '.join(told)}; its columns are {known}")


def _json(text: str) -> list[Mapping[str, Any]]:
    try:
        records = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise _unreadable(f"it is no JSON: {error}") from None
    if not isinstance(records, list) or not all(isinstance(one, dict) for one in records):
        raise _unreadable("it must be a JSON list of objects, one a row")
    for record in records:
        _check_columns(list(record))
    return records


def _wrong(record: Mapping[str, Any]) -> Iterator[str]:
    if None in record or None in record.values():
        yield "it has more or fewer fields than the header"
        return
    for name, value in record.items():
        if isinstance(value, bool) or not isinstance(value, str | int):
            yield f"{name} must be a text"
        elif len(str(value)) > LENGTH_LIMIT or not str(value).isprintable():
            yield f"{name} must be at most {LENGTH_LIMIT} printable characters"
        elif name in NEEDED and not str(value).strip():
            yield f"{name} is empty"
    part = str(record.get("part", "")).strip()
    if part and not (part.isascii() and part.isdecimal() and 0 < int(part) < 1000):
        yield f"part must be a number from 1, not {part!r}"


def _row(number: int, record: Mapping[str, Any]) -> LinkRow:
    texts = {name: str(value).strip() for name, value in record.items()}
    return LinkRow(
        number=number,
        partner=texts["partner"],
        external_id=texts["external_id"],
        order=texts["order"].removeprefix("#"),
        store=texts.get("store", ""),
        part=int(texts.get("part") or 1),
        shipment=texts.get("shipment", ""),
    )


def _unreadable(message: str) -> RejectedError:
    violation = Violation(path="file", code="file.unreadable", message=message)
    return RejectedError(message, violations=[violation])
