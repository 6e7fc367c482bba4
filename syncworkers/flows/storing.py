"""Store what was read from a partner: each object as a message of its own, as it was read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from syncworkers.engine.keys import line_key
from syncworkers.engine.lines import ANNOUNCE
from syncworkers.flows.correlation import correlation_id
from syncworkers.flows.lanes import PROCESS
from syncworkers.store import inbox

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence

    from syncworkers.connectors.base import Record
    from syncworkers.flows.fleet import Fleet

PATIENCE = 10_000
"""Milliseconds for a lock: whoever reads at a partner has time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """What is read of a partner: by which way, objects of which kind, under which topic.

    Where `apart` is set, its messages keep no turn with those of other ways.
    """

    partner: str
    source: str
    kind: str
    topic: str
    apart: bool = False


def external_id(object_id: str, updated_at: dt.datetime | None) -> str:
    """Name a message after what was read: the object as it was at that time."""
    return f"{object_id}@{updated_at.isoformat() if updated_at else ''}"


def store(fleet: Fleet, channel: Channel, records: Sequence[Record]) -> int:
    """Store what is not stored yet, and wake its lane; return how many messages that are."""
    lane = fleet.lanes[PROCESS[channel.kind]]
    messages = [_message(lane.id, channel, record) for record in records]
    with fleet.session() as session:
        stored = inbox.store(session, messages, announce=ANNOUNCE, patience=PATIENCE)
    if stored:
        fleet.waker.notify([lane.name])
    return len(stored)


def _message(lane: int, channel: Channel, record: Record) -> inbox.NewMessage:
    line = (channel.partner, channel.kind, *([channel.source] if channel.apart else []))
    return inbox.NewMessage(
        lane=lane,
        line=line_key(*line, record.external_id),
        partner=channel.partner,
        source=channel.source,
        external_id=external_id(record.external_id, record.updated_at),
        topic=channel.topic,
        kind=channel.kind,
        entity=record.external_id,
        correlation_id=correlation_id(channel.partner, channel.kind, record.external_id),
        body=record.body.encode(),
    )
