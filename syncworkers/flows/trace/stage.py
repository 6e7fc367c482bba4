"""The stage an order is in, and who must act next: the first thing on its way that is not done."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from syncworkers.flows.trace.tree import wanted_units
from syncworkers.rules import effects, milestones

if TYPE_CHECKING:
    from collections.abc import Iterator

    from syncworkers.store.stories import Facts

Row = dict[str, Any]
Standing = tuple[str, str]

STAGES = {
    effects.CUSTOMER_CREATE: "ERP",
    effects.ORDER_CREATE: "ERP",
    effects.ORDER_READDRESS: "ERP",
    effects.ORDER_CANCEL: "ERP",
    effects.PART_CREATE: "allocation",
    effects.PART_READDRESS: "warehouse",
    effects.PART_CANCEL: "warehouse",
    effects.SHIPMENT_CREATE: "carrier",
    effects.SHIPMENT_TRACK: "carrier",
    effects.INVOICE_NOTE: "invoice",
}
"""By operation: the stage in which it is owed."""
CASE_STAGES = {"order": "capture", "shipment": "warehouse", "invoice": "invoice"}
"""By the kind of a refused message: the stage in which its case arose."""


def standing(facts: Facts) -> Standing:
    """Return the stage an order is in and who must act next."""
    case = next((case for case in facts.cases if case["state"] == "open"), None)
    if case is not None:
        return _case_stage(facts, case), (
            f"a person: case {case['id']} ({case['code']}), then "
            f"`syncworkers exceptions show {case['id']}`"
        )
    if facts.order is None:
        return "capture", _who_reads(facts)
    return next(_undone(facts), None) or _at_rest(facts)


def _case_stage(facts: Facts, case: Row) -> str:
    if case["about"] == "delivery":
        found = (one for one in facts.deliveries if one["id"] == case["about_id"])
        return next((STAGES[one["operation"]] for one in found), "ERP")
    return CASE_STAGES.get(case["entity_kind"], "capture")


def _who_reads(facts: Facts) -> str:
    waiting = next((one for one in facts.messages if one["state"] == "parked"), None)
    if waiting is not None:
        return f"nobody yet: waits for {waiting['waiting_for']}"
    return "syncworkers: the message waits for its turn"


def _undone(facts: Facts) -> Iterator[Standing]:
    """Yield what is not done, in the order of an order's way."""
    owed = [one for one in facts.deliveries if one["state"] in {"open", "parked"}]
    for stage in ("ERP", "allocation", "warehouse"):
        for one in owed:
            if STAGES[one["operation"]] == stage:
                yield stage, _who_delivers(one)
    if facts.order is not None and facts.order["cancelled_at"] is not None:
        return
    yield from _at_the_warehouse(facts)
    for one in owed:
        yield STAGES[one["operation"]], _who_delivers(one)
    for one in facts.shipments:
        if one["milestone"] not in milestones.ARRIVED:
            what = f"{one['carrier']} {one['tracking_number']}".strip()
            yield "carrier", f"{one['carrier'] or 'the carrier'}: {what} is {one['milestone']}"
    yield from _to_be_invoiced(facts)


def _at_the_warehouse(facts: Facts) -> Iterator[Standing]:
    for part in facts.parts:
        wanted = sum(wanted_units(part["lines"]).values())
        left = sum(one["units"] for one in facts.shipments if one["part_id"] == part["id"])
        if left < wanted:
            said = part["state"] or "nothing yet"
            yield "warehouse", f"{part['partner']}: says {said}; {left} of {wanted} units left it"


def _to_be_invoiced(facts: Facts) -> Iterator[Standing]:
    billed = {one["shipment_id"] for one in facts.matches}
    for one in facts.shipments:
        if one["units"] and one["id"] not in billed and facts.order is not None:
            number = one["tracking_number"] or one["external_id"]
            yield "invoice", f"{facts.order['erp']}: shipment {number} is not invoiced yet"


def _who_delivers(delivery: Row) -> str:
    what = f"{delivery['operation']} to {delivery['partner']}"
    if delivery["state"] == "parked":
        return f"nobody: {what} is planned, and {delivery['partner']} is only observed"
    if delivery["waits_for"]:
        return f"nobody yet: {what} waits for {' and '.join(delivery['waits_for'])}"
    if delivery["paused"]:
        return f"{delivery['partner']}: its lane is paused ({delivery['paused_reason']}); {what}"
    if delivery["unknown_since"]:
        return f"syncworkers: {what} has an unknown outcome and is looked up before any repeat"
    if delivery["owner"]:
        return f"syncworkers: {what} is being sent"
    due = delivery["line_due_at"]
    return f"syncworkers: {what} is due {due:%H:%M:%S} UTC" if due else f"syncworkers: {what}"


def _at_rest(facts: Facts) -> Standing:
    if facts.order is not None and facts.order["cancelled_at"] is not None:
        return "cancelled", "nobody: the order is cancelled everywhere it was booked"
    if facts.shipments:
        return "done", "nobody: all of it is shipped, has arrived and is invoiced"
    created = [one for one in facts.deliveries if one["operation"] == effects.ORDER_CREATE]
    if any(one["state"] == "confirmed" for one in created):
        return "invoice", f"{created[0]['partner']}: booked there, with nothing to ship"
    last = facts.messages[-1] if facts.messages else {}
    return "capture", f"nobody: {last.get('reason') or 'nothing is owed'}"
