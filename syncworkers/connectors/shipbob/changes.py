"""Changes to an order that is with the warehouse: it is read first, and may be too late.

Contract: POST /order/{id}:cancel answers 200 also where it refuses; PUT
/shipment/{id}:updateAddress changes one shipment. Until when the latter is possible is unverified.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from syncworkers.connectors.base import Outcome, Verdict
from syncworkers.connectors.exact_json import dump_json
from syncworkers.connectors.http import Call
from syncworkers.connectors.shipbob.answers import BY_CODE, Meaning, reject
from syncworkers.connectors.shipbob.comparison import address_differences
from syncworkers.connectors.shipbob.looks import Look, look
from syncworkers.connectors.shipbob.wire import fields, order_id, rows

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from syncworkers.connectors.base import Request
    from syncworkers.connectors.shipbob.rounds import Reply, Round

Fields = dict[str, Any]
CANCELLED = "Cancelled"
NEVER_LEFT = frozenset({CANCELLED, "CleanSweeped"})
"""Shipments of which no parcel ever goes out."""
CLOSED = frozenset({"Completed"}) | NEVER_LEFT
"""Shipments whose parcel is gone, or never will be: their address cannot change."""
PARTIAL = "warehouse.cancel_partial"
REFUSED = "warehouse.cancel_refused"
NO_REASON = "no reason given"
NOT_PLANNED = Outcome(
    verdict=Verdict.RETRY,
    after=30.0,
    error="the warehouse has not planned a shipment yet, so there is no address to change",
)


def cancel(calls: Round, request: Request, seen: Look) -> Outcome:
    """Call an order off; the warehouse may refuse, or cancel only a part of it."""
    before = _before(request, seen)
    if before is not None:
        return before
    order = seen.order or {}
    number = order_id(order) or ""
    if order.get("status") == CANCELLED:
        return seen.reply.sign(Outcome(verdict=Verdict.ADOPTED, external_id=number))
    reply = calls.call(Call(method="POST", url=f"order/{number}:cancel"), of_order=True)
    outcome = _judge_cancellation(reply, number)
    if outcome.verdict is not Verdict.REJECTED or _code(outcome) == PARTIAL:
        return outcome
    return _look_again(calls, request, outcome, judge_cancel)


def _look_again(
    calls: Round, request: Request, refused: Outcome, judge: Callable[[Request, Look], Outcome]
) -> Outcome:
    """Look whether a refused change stands all the same: a former try may have landed late."""
    [seen] = look(calls, [request])
    if seen.reply.failure is not None:
        told = f"{refused.error}; whether it stands all the same could not be looked up"
        return replace(refused, verdict=Verdict.UNKNOWN, violations=(), error=told)
    found = judge(request, seen)
    return found if found.verdict is Verdict.ADOPTED else refused


def _before(request: Request, seen: Look) -> Outcome | None:
    """Return what ends a change before it is tried."""
    if seen.reply.failure is not None:
        return seen.reply.failure
    if seen.order is None:
        told = f"the order to change is not there: {request.external_id or request.reference}"
        return seen.reply.sign(reject("warehouse.order_missing", told))
    theirs = str(seen.order.get("reference_id"))
    if theirs != request.reference and not request.imported:
        told = f"order {request.external_id} stands there with the reference {theirs!r}"
        return seen.reply.sign(reject("warehouse.reference_differs", told))
    return None


def _judge_cancellation(reply: Reply, number: str) -> Outcome:
    """Read a cancellation's result, shipment by shipment."""
    if reply.failure is not None:
        refused = reply.refusal is not None and reply.status == 422
        told = reply.failure.error or ""
        return reply.sign(reject(REFUSED, told)) if refused else reply.failure
    results = rows(reply.fields.get("canceled_shipment_results"))
    failed = [one for one in results if one.get("is_success") is False]
    reasons = "; ".join(
        f"shipment {one.get('shipment_id')}: {one.get('reason') or NO_REASON}" for one in failed
    )
    match reply.fields.get("status"):
        case "Success" if not failed:
            outcome = Outcome(verdict=Verdict.CONFIRMED, external_id=number)
        case "Success" | "PartialSuccess":
            outcome = reject(PARTIAL, f"only a part was cancelled; {reasons or NO_REASON}")
        case "Failure":
            outcome = reject(REFUSED, reasons or NO_REASON)
        case other:
            told = f"ShipBob answers a cancellation with the status {other!r}"
            outcome = Outcome(verdict=Verdict.UNKNOWN, error=told)
    return reply.sign(outcome)


def _code(outcome: Outcome) -> str:
    return outcome.violations[0].code if outcome.violations else ""


def judge_cancel(request: Request, seen: Look) -> Outcome:
    """Say whether an order is called off."""
    before = _before(request, seen)
    if before is not None:
        return before
    order = seen.order or {}
    verdict = Verdict.ADOPTED if order.get("status") == CANCELLED else Verdict.ABSENT
    return seen.reply.sign(Outcome(verdict=verdict, external_id=order_id(order)))


def readdress(calls: Round, request: Request, seen: Look) -> Outcome:
    """Send every shipment that has not left to another address."""
    before = _before(request, seen)
    if before is not None:
        return before
    order = seen.order or {}
    number = order_id(order)
    wanted = fields(request.payload.get("address"))
    shipments = rows(order.get("shipments"))
    if not shipments and order.get("status") != CANCELLED:
        return seen.reply.sign(NOT_PLANNED)
    open_ = _differing(wanted, shipments, leave_out=CLOSED)
    outcome = Outcome(verdict=Verdict.ADOPTED, external_id=number)
    if open_:
        outcome = _send_address(calls, wanted, open_, number)
        if outcome.verdict is Verdict.REJECTED:
            return _look_again(calls, request, outcome, judge_readdress)
        if outcome.verdict is not Verdict.CONFIRMED:
            return outcome
    return _unless_astray(seen, wanted, outcome)


def _unless_astray(seen: Look, wanted: Fields, outcome: Outcome) -> Outcome:
    """Return how a change ended, unless goods are on their way to the former address."""
    shipments = rows((seen.order or {}).get("shipments"))
    gone = [
        str(one.get("id"))
        for one in _differing(wanted, shipments, leave_out=NEVER_LEFT)
        if one.get("status") in CLOSED
    ]
    if gone:
        told = f"already on the way to the former address: shipment {', '.join(gone)}"
        return seen.reply.sign(reject("warehouse.too_late", told))
    if all(one.get("status") in NEVER_LEFT for one in shipments):
        told = "no shipment is left whose address could change"
        return seen.reply.sign(reject("warehouse.too_late", told))
    return seen.reply.sign(outcome) if outcome.verdict is Verdict.ADOPTED else outcome


def _send_address(
    calls: Round, wanted: Fields, shipments: Sequence[Fields], number: str | None
) -> Outcome:
    """Change one shipment after another; the first that leaves anything open ends it."""
    done: list[Outcome] = []
    for shipment in shipments:
        name = order_id(shipment)
        if name is None:
            return Outcome(verdict=Verdict.RETRY, error="a shipment stands there without its id")
        path, body = f"shipment/{name}:updateAddress", dump_json(wanted).encode()
        reply = calls.call(Call(method="PUT", url=path, body=body), of_order=True)
        outcome = _judge_address(reply, number)
        if outcome.verdict is Verdict.NOT_STARTED and done:
            told = "no time was left for every shipment"
            return replace(done[-1], verdict=Verdict.RETRY, violations=(), error=told)
        if outcome.verdict not in {Verdict.CONFIRMED, Verdict.REJECTED}:
            return outcome
        done.append(outcome)
    refused = [one for one in done if one.verdict is Verdict.REJECTED]
    return (refused or done)[0]


def _judge_address(reply: Reply, number: str | None) -> Outcome:
    if reply.failure is not None:
        return reply.failure
    if reply.fields.get("is_success") is True:
        return reply.sign(Outcome(verdict=Verdict.CONFIRMED, external_id=number))
    error = fields(reply.fields.get("error"))
    told = f"{error.get('code')}: {error.get('message') or NO_REASON}"
    match BY_CODE.get(str(error.get("code")), Meaning.LATE):
        case Meaning.OPEN:
            return reply.sign(Outcome(verdict=Verdict.UNKNOWN, error=told))
        case Meaning.REFUSED:
            return reply.sign(reject("warehouse.refused", told))
        case Meaning.GONE:
            return reply.sign(reject("warehouse.order_missing", told))
        case _:
            return reply.sign(reject("warehouse.too_late", told))


def judge_readdress(request: Request, seen: Look) -> Outcome:
    """Say whether all of an order's shipments go to the new address."""
    before = _before(request, seen)
    if before is not None:
        return before
    order = seen.order or {}
    wanted = fields(request.payload.get("address"))
    shipments = rows(order.get("shipments"))
    done = any(one.get("status") not in NEVER_LEFT for one in shipments)
    done = done and not _differing(wanted, shipments, leave_out=NEVER_LEFT)
    verdict = Verdict.ADOPTED if done else Verdict.ABSENT
    return seen.reply.sign(Outcome(verdict=verdict, external_id=order_id(order)))


def _differing(
    wanted: Fields, shipments: Sequence[Fields], *, leave_out: frozenset[str]
) -> list[Fields]:
    return [
        one
        for one in shipments
        if one.get("status") not in leave_out and address_differences(wanted, one)
    ]
