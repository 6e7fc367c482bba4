"""`shipment.track`: a fulfilment gets another tracking. Absolute, so a repeat is harmless.

Contract: Admin API 2026-07, `fulfillmentTrackingInfoUpdate`.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from syncworkers.connectors.base import Outcome, Verdict
from syncworkers.connectors.shopify import standing
from syncworkers.connectors.shopify.calls import UnansweredError, outcome, rejected, together
from syncworkers.connectors.shopify.user_errors import read_user_errors
from syncworkers.errors import Violation

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from syncworkers.connectors.base import Request
    from syncworkers.connectors.shopify.calls import Calls
    from syncworkers.connectors.shopify.shop import Reply

    Tracking = Mapping[str, str]
    Tracked = list[Tracking] | None

TOGETHER = 100
UNKNOWN = Violation(
    path="external_id",
    code="store.fulfilment_unknown",
    message="which fulfilment of the store this shipment is, is not known here or not there",
)
NOBODY = Outcome(verdict=Verdict.REJECTED, violations=(UNKNOWN,), error=UNKNOWN.message)


def push(calls: Calls, requests: Sequence[Request]) -> list[Outcome]:
    """Replace the tracking of each fulfilment, which `external_id` names by its gid."""
    return together(partial(_update, calls), requests)


def find(calls: Calls, requests: Sequence[Request]) -> list[Outcome]:
    """Compare how the fulfilments are tracked with what was wanted."""
    ids = list(dict.fromkeys(one.external_id for one in requests if one.external_id))
    found: dict[str, tuple[Tracked, Reply] | Outcome] = {}
    for start in range(0, len(ids), TOGETHER):
        some = ids[start : start + TOGETHER]
        try:
            tracked, reply = calls.read(
                "fulfillment_tracking", {"ids": some}, partial(_tracked, len(some))
            )
        except UnansweredError as error:
            found |= dict.fromkeys(some, error.outcome)
        else:
            found |= {one: (how, reply) for one, how in zip(some, tracked, strict=True)}
    return [
        _compare(one, found[one.external_id]) if one.external_id else NOBODY for one in requests
    ]


def _update(calls: Calls, request: Request) -> Outcome:
    if not request.external_id:
        return NOBODY
    variables = {
        "fulfillment": request.external_id,
        "tracking": request.payload["tracking"],
        "notify": request.payload["notify"],
    }
    return calls.change("fulfillment_tracking_update", variables, _updated)


def _updated(reply: Reply) -> Outcome:
    payload = reply.data["fulfillmentTrackingInfoUpdate"]
    errors = read_user_errors(payload)
    if errors:
        return rejected(reply, [one.violation for one in errors], answer=reply.answer)
    found = standing.gid(payload["fulfillment"]["id"])
    return outcome(reply, Verdict.CONFIRMED, external_id=found)


def _tracked(count: int, data: dict[str, Any]) -> list[Tracked]:
    return [
        [
            {name: str(one[name] or "").strip() for name in ("company", "number", "url")}
            for one in node["trackingInfo"]
        ]
        if node
        else None
        for node in standing.read_nodes(data, count)
    ]


def _compare(request: Request, found: tuple[Tracked, Reply] | Outcome) -> Outcome:
    if isinstance(found, Outcome):
        return found
    tracked, reply = found
    if tracked is None:
        return rejected(reply, [UNKNOWN])
    wanted: Tracking = request.payload["tracking"]
    if any(_is_as_wanted(wanted, one) for one in tracked):
        return outcome(reply, Verdict.ADOPTED, external_id=request.external_id)
    return outcome(reply, Verdict.ABSENT)


def _is_as_wanted(wanted: Tracking, stands: Tracking) -> bool:
    """Compare what we give; Shopify makes an address of its own where we give none."""
    return all(
        value.strip().casefold() == stands[name].casefold() for name, value in wanted.items()
    )
