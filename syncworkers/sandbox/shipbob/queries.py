"""Which orders a query asks for, and pages of lists: numbered ones, and ones with a cursor."""

from __future__ import annotations

import base64
import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from syncworkers.sandbox.shipbob.refusals import RefusedError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from syncworkers.sandbox.shipbob.books import Order

PAGE, LIMIT, MOST = 1, 50, 250
EVER = (dt.datetime.min.replace(tzinfo=dt.UTC), dt.datetime.max.replace(tzinfo=dt.UTC))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Filter:
    """What a query asks for; None asks for nothing in particular."""

    ids: frozenset[int] | None
    references: frozenset[str] | None
    tracked: bool | None
    created: tuple[dt.datetime, dt.datetime]
    updated: tuple[dt.datetime, dt.datetime]

    @classmethod
    def read(cls, query: Mapping[str, str]) -> _Filter:
        ids, references, tracked = map(query.get, ("IDs", "ReferenceIds", "HasTracking"))
        return cls(
            ids=None if ids is None else frozenset(_numbers("IDs", ids)),
            references=None if references is None else frozenset(references.split(",")),
            tracked=None if tracked is None else tracked.lower() == "true",
            created=_window(query, ""),
            updated=_window(query, "LastUpdate"),
        )

    def meets(self, order: Order) -> bool:
        changed = max([order.created_at, *(one.updated_at for one in order.shipments)])
        is_tracked = any(one.parcel is not None for one in order.shipments)
        return (
            (self.ids is None or order.id in self.ids)
            and (self.references is None or order.reference in self.references)
            and self.tracked in {None, is_tracked}
            and self.created[0] <= order.created_at <= self.created[1]
            and self.updated[0] <= changed <= self.updated[1]
        )


def select(orders: Iterable[Order], query: Mapping[str, str]) -> list[Order]:
    """Return the orders that meet every filter, newest first unless asked for the oldest."""
    order = query.get("SortOrder", "Newest")
    if order not in {"Newest", "Oldest"}:
        raise _wrong("SortOrder", "must be Newest or Oldest")
    wanted = _Filter.read(query)
    found = [one for one in orders if wanted.meets(one)]
    return sorted(found, key=lambda one: one.id, reverse=order == "Newest")


def _window(query: Mapping[str, str], kind: str) -> tuple[dt.datetime, dt.datetime]:
    since, until = (_time(query, f"{kind}{end}Date") for end in ("Start", "End"))
    return since or EVER[0], until or EVER[1]


def _time(query: Mapping[str, str], name: str) -> dt.datetime | None:
    if name not in query:
        return None
    try:
        time = dt.datetime.fromisoformat(query[name])
    except ValueError:
        raise _wrong(name, f"The value '{query[name]}' is not valid.") from None
    return time.replace(tzinfo=time.tzinfo or dt.UTC)


def _numbers(name: str, text: str) -> set[int]:
    try:
        return {int(one) for one in text.split(",")}
    except ValueError:
        raise _wrong(name, f"The value '{text}' is not valid.") from None


def shipment_ids(query: Mapping[str, str], most: int) -> list[int]:
    """Return the shipments a tracking query is about; refusals here are bare texts."""
    text = query.get("ShipmentIds", "")
    ids = [int(one) for one in text.split(",") if one.isdecimal()]
    if not 0 < len(text.split(",")) <= most or len(ids) < len(text.split(",")):
        raise RefusedError(400, f"ShipmentIds must be 1 to {most} ids of shipments.")
    return sorted(ids)


def numbered(
    path: str, query: Mapping[str, str], rows: Sequence[Any]
) -> tuple[Sequence[Any], dict[str, str]]:
    """Return one page of a bare array, and the header that leads to the next."""
    page = _number(query, "Page", PAGE, 2**31 - 1)
    limit = _number(query, "Limit", LIMIT, MOST)
    start = (page - 1) * limit
    if start + limit >= len(rows):
        return rows[start:], {}
    following = urlencode({**query, "Page": page + 1, "Limit": limit})
    return rows[start : start + limit], {"next-page": f"{path}?{following}"}


def linked(path: str, query: Mapping[str, str], rows: Sequence[Any]) -> dict[str, Any]:
    """Return one page as `items` with the address of the next."""
    limit = _number(query, "RecordsPerPage", LIMIT, MOST)
    start = _place(query.get("Cursor") or query.get("cursor") or "")
    end = start + limit
    following = f"{path}?cursor={_cursor(end)}" if end < len(rows) else None
    before = f"{path}?cursor={_cursor(max(0, start - limit))}" if start else None
    return {"items": rows[start:end], "next": following, "prev": before}


def _cursor(place: int) -> str:
    return base64.urlsafe_b64encode(str(place).encode()).decode().rstrip("=")


def _place(cursor: str) -> int:
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        return int(base64.b64decode(padded, altchars=b"-_", validate=True) or b"0")
    except ValueError:
        raise _wrong("Cursor", "The cursor is not valid.") from None


def _number(query: Mapping[str, str], name: str, default: int, most: int) -> int:
    text = query.get(name, str(default))
    if not text.isdecimal() or not 1 <= int(text) <= most:
        raise _wrong(name, f"The field {name} must be between 1 and {most}.")
    return int(text)


def _wrong(name: str, told: str) -> RefusedError:
    return RefusedError(400, {name: [told]})
