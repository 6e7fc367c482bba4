"""A parcel's way as its carrier tells it, by way of ShipBob. Contract: Tracking 2026-01."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from marshmallow import fields

from mappings.schema import Identifier, PartnerSchema, Text, load_document
from mappings.shipbob.milestones import code, milestone
from mappings.shipbob.moments import moment
from syncworkers.canonical.shipments import MilestoneEvent, TrackingReport
from syncworkers.errors import RejectedError, Violation

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterator, Mapping, Sequence

    Fields = Mapping[str, Any]

name = "shipbob.tracking/1"


def load(body: bytes | str) -> tuple[TrackingReport, tuple[str, ...]]:
    """Return the report and the paths nobody knows; raises `RejectedError` for anything wrong."""
    entry, drift = load_document(_SCHEMA, body)
    history = entry["history"] or []
    updated_at = _updated_at(entry, history)
    report = TrackingReport(
        external_id=entry["shipment_id"],
        updated_at=updated_at,
        milestones=tuple(_events(entry, history, updated_at)),
    )
    return report, tuple(drift)


class HistoryItem(PartnerSchema):
    """An entry of `history`."""

    ignored = frozenset({"carrier_message", "message"})
    status = Text()
    substatus = Text()
    location = Text()
    timestamp = moment()


class Entry(PartnerSchema):
    """The way of one shipment: where it is, and where it was."""

    ignored = frozenset(
        "carrier carrier_message carrier_tracking_number eta message public_tracking_url service"
        " tracking_id".split()
    )
    shipment_id = Identifier(required=True)
    status = Text()
    substatus = Text()
    location = Text()
    last_updated = moment()
    history = fields.List(fields.Nested(HistoryItem), allow_none=True, load_default=None)


_SCHEMA = Entry()


def _updated_at(entry: Fields, history: Sequence[Fields]) -> dt.datetime:
    times = [one["timestamp"] for one in history if one["timestamp"] is not None]
    newest: dt.datetime | None = entry["last_updated"] or max(times, default=None)
    if newest is None:
        message = "says nowhere how new it is"
        violation = Violation(path="last_updated", code="payload.invalid", message=message)
        raise RejectedError(f"the payload is wrong: it {message}", violations=[violation])
    return newest


def _events(
    entry: Fields, history: Sequence[Fields], updated_at: dt.datetime
) -> Iterator[MilestoneEvent]:
    """Tell the events, oldest first.

    The present status is the newest event of the history told once more, under the time of the last
    update; only where the history lacks it is it an event of its own.
    """
    told = {(one["status"], one["substatus"]) for one in history}
    events = [_event(one, one["timestamp"] or updated_at) for one in history if one["status"]]
    if entry["status"] and (entry["status"], entry["substatus"]) not in told:
        events.append(_event(entry, updated_at))
    yield from sorted(dict.fromkeys(events), key=lambda event: event.occurred_at)


def _event(told: Fields, occurred_at: dt.datetime) -> MilestoneEvent:
    return MilestoneEvent(
        milestone=milestone(told["status"], told["substatus"]),
        occurred_at=occurred_at,
        code=code(told["status"], told["substatus"]),
        location=told["location"],
    )
