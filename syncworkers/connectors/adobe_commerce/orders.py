"""Read orders: what changed in a window, and whole orders by id.

`updated_at` has whole seconds and does not move with shipments or addresses (magento2 #10287,
#5013); late commits are found by the overlap of the windows (#40803).
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from syncworkers.connectors.base import Header, Record
from syncworkers.connectors.exact_json import dump_json

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from syncworkers.connectors.adobe_commerce.instance import Instance

CHUNK = 50
UNDATED = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
"""What counts as the time of a change where none can be read: always the same."""
FORMAT = "%Y-%m-%d %H:%M:%S"


def changed(instance: Instance, since: dt.datetime, until: dt.datetime) -> Iterator[list[Header]]:
    """Yield pages of orders that changed in a window, bodies included."""
    window = [
        ("updated_at", "gteq", since.astimezone(dt.UTC).strftime(FORMAT)),
        ("updated_at", "lteq", until.astimezone(dt.UTC).strftime(FORMAT)),
    ]
    for page in instance.search("orders", window, order_by=("updated_at", "entity_id")):
        headers = [header for order in page if (header := _header(order)) is not None]
        if headers:
            yield headers


def fetch(instance: Instance, external_ids: Sequence[str]) -> list[Record]:
    """Read whole orders; what the shop does not have, or could not have, is left out."""
    ids = [one for one in external_ids if one.isascii() and one.isdecimal()]
    records = []
    for first in range(0, len(ids), CHUNK):
        named = ("entity_id", "in", ",".join(ids[first : first + CHUNK]))
        for page in instance.search("orders", [named]):
            records += [
                Record(external_id=one.external_id, body=one.body or "", updated_at=one.updated_at)
                for order in page
                if (one := _header(order)) is not None
            ]
    return records


def _header(order: Mapping[str, Any]) -> Header | None:
    number = str(order.get("entity_id", ""))
    if not (number.isascii() and number.isdecimal()):
        return None
    return Header(external_id=number, updated_at=_changed_at(order), body=dump_json(order))


def _changed_at(order: Mapping[str, Any]) -> dt.datetime:
    try:
        return dt.datetime.strptime(str(order.get("updated_at")), FORMAT).replace(tzinfo=dt.UTC)
    except ValueError:
        return UNDATED
