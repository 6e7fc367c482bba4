"""Read orders with their shipments: what changed in a window, and whole orders by id.

Contract: GET /order of 2026-01. It names neither the values of SortOrder (`Oldest` is unverified)
nor what of an order moves its last update.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from syncworkers.connectors.base import Header, Record
from syncworkers.connectors.exact_json import dump_json
from syncworkers.connectors.shipbob.account import PAGE, listed
from syncworkers.connectors.shipbob.looks import chunks
from syncworkers.connectors.shipbob.wire import instant, is_id, order_id, rows, utc

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from syncworkers.connectors.shipbob.account import Account

PASSES = 3
"""How often a window of several pages is read at most."""
UNDATED = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
"""What counts as the time of a change where none can be read: always the same."""
_TIMES = ("last_update_at", "last_tracking_update_at", "created_date")


def changed(account: Account, since: dt.datetime, until: dt.datetime) -> Iterator[list[Header]]:
    """Yield pages of what changed in a window, each change once.

    A window of several pages is read again until a pass brings nothing new: an order that changes
    meanwhile leaves the window, and those behind it move up, past the page that is read next.
    """
    seen: set[tuple[str, dt.datetime]] = set()
    for _ in range(PASSES):
        before, pages = len(seen), 0
        for page in _pass(account, since, until):
            new = [one for one in page if (one.external_id, one.updated_at) not in seen]
            seen.update((one.external_id, one.updated_at) for one in new)
            pages += 1
            if new:
                yield new
        if pages <= 1 or len(seen) == before:
            return


def _pass(account: Account, since: dt.datetime, until: dt.datetime) -> Iterator[list[Header]]:
    window = {
        "LastUpdateStartDate": utc(since),
        "LastUpdateEndDate": utc(until),
        "SortOrder": "Oldest",
    }
    known: set[str] = set()
    for page in account.numbered("order", window, in_channel=True, is_sweep=True):
        headers = [header for order in page if (header := _header(order)) is not None]
        ids = {header.external_id for header in headers}
        if ids <= known:
            return  # pages that do not advance would never end
        known |= ids
        yield headers


def _header(order: Mapping[str, Any]) -> Header | None:
    number = order_id(order)
    if number is None:
        return None
    return Header(external_id=number, updated_at=changed_at(order), body=dump_json(order))


def changed_at(order: Mapping[str, Any]) -> dt.datetime:
    """Return when an order or any of its shipments last changed."""
    told = [order.get("created_date")]
    told += [one.get(name) for one in rows(order.get("shipments")) for name in _TIMES]
    return max((time for time in map(instant, told) if time is not None), default=UNDATED)


def fetch(account: Account, external_ids: Sequence[str]) -> list[Record]:
    """Read whole orders; what ShipBob does not have, or could not have, is left out."""
    records = []
    for some in chunks([one for one in external_ids if is_id(one)]):
        query = {"IDs": ",".join(some), "Page": 1, "Limit": PAGE}
        found, _ = account.read("order", query, in_channel=True)
        records += [one for order in listed(found) if (one := _record(order)) is not None]
    return records


def _record(order: Mapping[str, Any]) -> Record | None:
    number = order_id(order)
    if number is None:
        return None
    return Record(external_id=number, body=dump_json(order), updated_at=changed_at(order))
