"""Everything that happened to an order, as events of a timeline."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterator

    from syncworkers.store.stories import Facts


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One thing that happened. `level` is `ok`, `wait` or `bad`."""

    at: dt.datetime
    what: str
    who: str
    detail: str
    level: str = "ok"


def timeline(facts: Facts) -> Iterator[Event]:
    """Yield all events, in no particular order."""
    for message in facts.messages:
        yield from _message_events(message)
    for version in facts.versions:
        changed = ", ".join(version["diff"]) if version["version"] > 1 else "first version"
        yield Event(
            at=version["at"],
            what=f"accepted v{version['version']}",
            who="rules",
            detail=f"{changed} (mapping {version['mapping']}, rules {version['rules']})",
        )
    for delivery in facts.deliveries:
        yield from _delivery_events(delivery)
    for attempt in facts.attempts:
        good = attempt["verdict"] in {"confirmed", "adopted"}
        status = f"HTTP {attempt['status']}, " if attempt["status"] else ""
        error = f": {attempt['error']}" if attempt["error"] else ""
        others = attempt["together"] - 1
        company = f", with {others} others in one call" if others else ""
        yield Event(
            at=attempt["at"],
            what=f"{attempt['action']} → {attempt['verdict']}",
            who=attempt["partner"],
            detail=f"{attempt['operation']}, delivery {attempt['delivery_id']}: {status}"
            f"{attempt['duration_ms']} ms{company}{error}",
            level="ok" if good else "wait",
        )
    for link in facts.links:
        yield Event(
            at=link["at"],
            what="linked",
            who=link["partner"],
            detail=f"the {link['kind']} is {link['external_id']} there",
        )
    yield from _goods_events(facts)
    yield from _attention_events(facts)


def _goods_events(facts: Facts) -> Iterator[Event]:
    for shipment in facts.shipments:
        yield Event(
            at=shipment["shipped_at"],
            what="shipped",
            who=shipment["partner"],
            detail=f"{shipment['units']} units with {shipment['carrier']}"
            f" {shipment['tracking_number']}",
        )
    numbers = {one["id"]: one["tracking_number"] or one["external_id"] for one in facts.shipments}
    for news in facts.milestones:
        place = f" in {news['location']}" if news["location"] else ""
        yield Event(
            at=news["occurred_at"],
            what=news["milestone"],
            who="carrier",
            detail=f"parcel {numbers[news['shipment_id']]}{place} ({news['code']})",
        )
    for invoice in facts.invoices:
        yield Event(
            at=invoice["received_at"],
            what="invoiced",
            who=invoice["partner"],
            detail=f"{invoice['number']}: {invoice['total']} {invoice['currency']}",
        )


def _message_events(message: dict[str, Any]) -> Iterator[Event]:
    again = f", came {message['duplicates']} more times" if message["duplicates"] else ""
    yield Event(
        at=message["received_at"],
        what=f"received {message['topic']}",
        who=message["partner"],
        detail=f"message {message['id']} by {message['source']}{again}",
    )
    if message["finished_at"] is not None and message["state"] != "applied":
        yield Event(
            at=message["finished_at"],
            what=message["state"],
            who="rules",
            detail=f"message {message['id']}: {message['reason']}",
            level="bad" if message["state"] == "rejected" else "ok",
        )
    elif message["finished_at"] is not None and message["reason"]:
        yield Event(
            at=message["finished_at"],
            what="applied",
            who="rules",
            detail=f"message {message['id']}: {message['reason']}",
        )


def _delivery_events(delivery: dict[str, Any]) -> Iterator[Event]:
    yield Event(
        at=delivery["created_at"],
        what=f"owed {delivery['operation']}",
        who=delivery["partner"],
        detail=f"delivery {delivery['id']}, caused by message {delivery['causation_id']}",
    )
    if delivery["finished_at"] is not None:
        yield Event(
            at=delivery["finished_at"],
            what=delivery["state"],
            who=delivery["partner"],
            detail=f"{delivery['operation']}" + _reason(delivery),
            level="bad" if delivery["state"] == "dead" else "ok",
        )


def _reason(row: dict[str, Any]) -> str:
    return f": {row['reason']}" if row["reason"] else ""


def _attention_events(facts: Facts) -> Iterator[Event]:
    for case in facts.cases:
        yield Event(
            at=case["opened_at"],
            what=f"case {case['id']}",
            who=case["partner"],
            detail=f"{case['code']}: {case['error']}",
            level="bad",
        )
        if case["resolved_at"] is not None:
            yield Event(
                at=case["resolved_at"],
                what=f"case {case['id']} resolved",
                who=case["resolved_by"],
                detail=case["resolution"] or "",
            )
    for one in facts.expectations:
        if one["met_at"] is not None:
            yield Event(
                at=one["met_at"],
                what=f"expectation {one['state']}",
                who=one["partner"],
                detail=one["name"],
            )
