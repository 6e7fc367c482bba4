"""ShipBob's ids, times and addresses on the wire, and what of an answer can be read."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

if TYPE_CHECKING:
    from collections.abc import Mapping

ID_LIMIT = 2**31 - 1
"""Ids of orders are int32."""


def fields(value: Any) -> dict[str, Any]:
    """Return an object's fields; none for anything else."""
    return value if isinstance(value, dict) else {}


def rows(value: Any) -> list[dict[str, Any]]:
    """Return the objects of a list; none for anything else."""
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def clean(text: str) -> str:
    """Replace what no database can store: lone halves of characters."""
    return text.encode("utf-8", "replace").decode()


def order_id(order: Mapping[str, Any], key: str = "id") -> str | None:
    """Return the id an object carries, as text; None if it is none."""
    value = order.get(key)
    if isinstance(value, bool) or not isinstance(value, int | str):
        return None
    text = str(value)
    return text if is_id(text) else None


def is_id(text: str, limit: int = ID_LIMIT) -> bool:
    """Say whether a text may be an id: a larger one would make ShipBob refuse its neighbours."""
    return text.isascii() and text.isdecimal() and len(text) < 20 and 0 < int(text) <= limit


def instant(value: Any) -> dt.datetime | None:
    """Read a time as aware UTC; ShipBob writes some without their zone, and means UTC."""
    if not isinstance(value, str):
        return None
    try:
        time = dt.datetime.fromisoformat(value)
        return time.replace(tzinfo=time.tzinfo or dt.UTC).astimezone(dt.UTC)
    except (ValueError, OverflowError):
        return None


def utc(time: dt.datetime) -> str:
    """Write a time in UTC with all its digits, so that a window's ends belong to it."""
    return time.astimezone(dt.UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def address(path: str, query: Mapping[str, object]) -> str:
    """Return a path with its query; commas stay, as ShipBob's lists are separated by them."""
    text = urlencode({k: str(v) for k, v in query.items()}, safe=",", quote_via=quote)
    return f"{path}?{text}" if text else path
