"""Trace: the story of an order as a timeline, its stage, and who must act next."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from syncworkers.flows.sending import CANCEL, CREATE
from syncworkers.store import stories

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterator

    from syncworkers.flows.fleet import Fleet
    from syncworkers.store.stories import Facts


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One thing that happened. `level` is `ok`, `wait` or `bad`."""

    at: dt.datetime
    what: str
    who: str
    detail: str
    level: str = "ok"


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """All there is to tell of one order."""

    number: str
    partner: str
    correlation_id: str
    stage: str
    next_step: str
    events: tuple[Event, ...]
    facts: Facts


def trace(fleet: Fleet, name: str) -> list[Story]:
    """Tell the story of every order of that name; empty if nobody ever spoke of it."""
    with fleet.session() as session:
        found = stories.find(session, name.removeprefix("#"))
    return [_story(facts) for facts in found]


def _story(facts: Facts) -> Story:
    first = facts.messages[0] if facts.messages else {}
    order = facts.order or {}
    stage, next_step = _standing(facts)
    return Story(
        number=order.get("number") or first.get("entity", ""),
        partner=order.get("partner") or first.get("partner", ""),
        correlation_id=str(order.get("correlation_id") or first.get("correlation_id", "")),
        stage=stage,
        next_step=next_step,
        events=tuple(sorted(_events(facts), key=lambda event: event.at)),
        facts=facts,
    )


def _standing(facts: Facts) -> tuple[str, str]:
    """Return the stage an order is in and who must act next."""
    case = next((case for case in facts.cases if case["state"] == "open"), None)
    if case is not None:
        stage = "ERP" if case["about"] == "delivery" else "capture"
        return stage, (
            f"a person: case {case['id']} ({case['code']}), then "
            f"`syncworkers exceptions retry {case['id']}`"
        )
    if facts.order is None:
        waiting = next((m for m in facts.messages if m["state"] == "parked"), None)
        if waiting is not None:
            return "capture", f"nobody yet: waits for {waiting['waiting_for']}"
        return "capture", "syncworkers: the message waits for its turn"
    open_delivery = next((d for d in facts.deliveries if d["state"] == "open"), None)
    if open_delivery is not None:
        return "ERP", _who_delivers(open_delivery)
    return _at_rest(facts)


def _who_delivers(delivery: dict[str, Any]) -> str:
    what = f"{delivery['operation']} to {delivery['partner']}"
    if delivery["paused"]:
        return f"{delivery['partner']}: its lane is paused ({delivery['paused_reason']}); {what}"
    if delivery["unknown_since"]:
        return f"syncworkers: {what} has an unknown outcome and is looked up before any repeat"
    if delivery["owner"]:
        return f"syncworkers: {what} is being sent"
    due = delivery["line_due_at"]
    return f"syncworkers: {what} is due {due:%H:%M:%S} UTC" if due else f"syncworkers: {what}"


def _at_rest(facts: Facts) -> tuple[str, str]:
    states = {d["operation"]: d["state"] for d in facts.deliveries}
    if facts.order is not None and facts.order["cancelled_at"] is not None:
        return "cancelled", "nobody: the order is cancelled everywhere it was booked"
    if states.get(CREATE) == "confirmed" and states.get(CANCEL) != "confirmed":
        erp = next(d["partner"] for d in facts.deliveries if d["operation"] == CREATE)
        return "ERP", f"{erp}: the order is booked and waits to be released there"
    last = facts.messages[-1] if facts.messages else {}
    return "capture", f"nobody: {last.get('reason') or 'nothing is owed'}"


def _events(facts: Facts) -> Iterator[Event]:
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
            who=f"delivery {attempt['delivery_id']}",
            detail=f"{status}{attempt['duration_ms']} ms{company}{error}",
            level="ok" if good else "wait",
        )
    for link in facts.links:
        yield Event(
            at=link["at"],
            what="linked",
            who=link["partner"],
            detail=f"is {link['external_id']} there",
        )
    yield from _attention_events(facts)


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
