"""Ask where parcels are, many shipments in one call. Contract: GET /shipments-tracking, 2026-01."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from syncworkers.connectors.base import Record
from syncworkers.connectors.exact_json import dump_json
from syncworkers.connectors.shipbob.account import listed
from syncworkers.connectors.shipbob.orders import UNDATED
from syncworkers.connectors.shipbob.wire import instant, is_id, rows

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping, Sequence

    from syncworkers.connectors.shipbob.account import Account

TOGETHER = 25
ID_LIMIT = 2**63 - 1
"""Ids of shipments are int64 here."""


def track(account: Account, external_ids: Sequence[str]) -> list[Record]:
    """Read the way of shipments; those that ShipBob says nothing of are left out."""
    ids = [one for one in external_ids if is_id(one, ID_LIMIT)]
    records = []
    for start in range(0, len(ids), TOGETHER):
        query = {"ShipmentIds": ",".join(ids[start : start + TOGETHER])}
        found, _ = account.read("shipments-tracking", query, is_sweep=True)
        records += [one for entry in listed(found) if (one := _record(entry)) is not None]
    return records


def _record(entry: Mapping[str, Any]) -> Record | None:
    number = entry.get("shipment_id")
    if isinstance(number, bool) or not isinstance(number, int):
        return None
    return Record(external_id=str(number), body=dump_json(entry), updated_at=_updated(entry))


def _updated(entry: Mapping[str, Any]) -> dt.datetime:
    told = instant(entry.get("last_updated"))
    if told is not None:
        return told
    history = (instant(one.get("timestamp")) for one in rows(entry.get("history")))
    return max((time for time in history if time is not None), default=UNDATED)
