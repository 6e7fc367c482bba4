"""Track: ask a warehouse where parcels are that have not arrived; only news are stored."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from syncworkers.canonical.kinds import Kind
from syncworkers.errors import SyncError
from syncworkers.flows.storing import Channel, store
from syncworkers.rules.milestones import ARRIVED
from syncworkers.store import shipments

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
    connection = fleet.partners[partner].connection
    channel = Channel(
        partner=partner,
        source=TRACK,
        kind=Kind.SHIPMENT,
        topic=connection.tracked_topic,
        apart=True,
    )
    stored = 0
    while True:
        with fleet.session() as session:
            due = shipments.take_due(
                session, partner, again=policy.track, arrived=ARRIVED, limit=TOGETHER
            )
        if not due:
            return stored
        try:
            records = connection.track(sorted(due))
        except SyncError as error:
            log.warning("tracking put off", partner=partner, error=str(error))
            return stored
        stored += store(fleet, channel, [one for one in records if _is_news(one, due)])
        if len(due) < TOGETHER:
            return stored


def _is_news(record: Record, due: Mapping[str, dt.datetime | None]) -> bool:
    if record.external_id not in due or record.updated_at is None:
        return False
    seen = due[record.external_id]
    return seen is None or seen < record.updated_at
