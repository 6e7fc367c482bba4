"""Track: ask a warehouse where parcels are that have not arrived; only news are stored."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from syncworkers.canonical.kinds import Kind
from syncworkers.engine import lines
from syncworkers.engine.keys import line_key
from syncworkers.errors import SyncError
from syncworkers.flows.correlation import correlation_id
from syncworkers.flows.lanes import PROCESS
from syncworkers.store import inbox, shipments

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping

    from syncworkers.connectors.base import Record
    from syncworkers.flows.fleet import Fleet

log = structlog.get_logger(__name__)

TRACK = "track"
TOGETHER = 100
"""Parcels asked after at a time; how many of them go in one call is the connector's business."""


def track(fleet: Fleet, partner: str) -> int:
    """Ask after the parcels that are due; return how many messages that brought.

    Their next turn is written before the call, so a partner that is away is not pressed.
    """
    policy = fleet.partners[partner].policy.poll
    if policy is None:
        return 0
    stored = 0
    while True:
        with fleet.session() as session:
            due = shipments.take_due(session, partner, again=policy.track, limit=TOGETHER)
        if not due:
            return stored
        try:
            records = fleet.partners[partner].connection.track(sorted(due))
        except SyncError as error:
            log.warning("tracking put off", partner=partner, error=str(error))
            return stored
        stored += _store(fleet, partner, due, records)
        if len(due) < TOGETHER:
            return stored


def _store(
    fleet: Fleet, partner: str, due: Mapping[str, dt.datetime | None], records: list[Record]
) -> int:
    lane = fleet.lanes[PROCESS[Kind.SHIPMENT]]
    new = [record for record in records if _is_news(record, due)]
    messages = [
        inbox.NewMessage(
            lane=lane.id,
            line=line_key(partner, Kind.SHIPMENT, TRACK, record.external_id),
            partner=partner,
            source=TRACK,
            external_id=_external_id(record),
            topic=fleet.partners[partner].connection.tracked_topic,
            kind=Kind.SHIPMENT,
            entity=record.external_id,
            correlation_id=correlation_id(partner, Kind.SHIPMENT, record.external_id),
            body=record.body.encode(),
        )
        for record in new
    ]
    with fleet.session() as session:
        ids = [message.external_id for message in messages]
        stored = inbox.known(session, partner, TRACK, ids)
        fresh = [message for message in messages if message.external_id not in stored]
        lines.enqueue(session, lane.id, [message.line for message in fresh])
        inbox.add(session, fresh)
    if fresh:
        fleet.waker.notify([lane.name])
    return len(fresh)


def _is_news(record: Record, due: Mapping[str, dt.datetime | None]) -> bool:
    if record.external_id not in due or record.updated_at is None:
        return False
    seen = due[record.external_id]
    return seen is None or seen < record.updated_at


def _external_id(record: Record) -> str:
    moment = record.updated_at.isoformat() if record.updated_at else ""
    return f"{record.external_id}@{moment}"
