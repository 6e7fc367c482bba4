"""`shipment.create`: a shipment becomes a fulfilment, of exactly its lines and only once.

Contract: Admin API 2026-07. `fulfillmentCreate` keeps no key of ours: what may have happened is
known again by tracking number and lines.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import asdict, dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from syncworkers.connectors.base import Outcome, Verdict
from syncworkers.connectors.secrets import evidence
from syncworkers.connectors.shopify.allocation import allocate
from syncworkers.connectors.shopify.calls import outcome, rejected, together
from syncworkers.connectors.shopify.looks import contents, look
from syncworkers.connectors.shopify.standing import DEAD, gid
from syncworkers.connectors.shopify.user_errors import (
    ALREADY_FULFILLED,
    NOT_FULFILLABLE,
    REFUSED,
    read_user_errors,
)
from syncworkers.errors import Violation

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from syncworkers.connectors.base import Request
    from syncworkers.connectors.shopify.allocation import Group
    from syncworkers.connectors.shopify.calls import Calls
    from syncworkers.connectors.shopify.shop import Reply
    from syncworkers.connectors.shopify.standing import Fulfilment, Standing

DIFFERS = "store.fulfilment_differs"
_DOUBTFUL = frozenset({ALREADY_FULFILLED, NOT_FULFILLABLE})
"""Refusals that a call of our own may have caused which landed late."""


def push(calls: Calls, requests: Sequence[Request]) -> list[Outcome]:
    """Create the fulfilments: one read of all orders, then one change for each.

    What stands there already under our number with our lines is adopted.
    """
    sights = _look(calls, requests)
    known = _contents(calls, [one for one in sights if isinstance(one, _Sight) and one.number])
    return together(partial(_create, calls, known), sights)


def find(calls: Calls, requests: Sequence[Request]) -> list[Outcome]:
    """Look the fulfilments up by tracking number and lines; without a number by lines alone."""
    sights = _look(calls, requests)
    known = _contents(calls, [one for one in sights if isinstance(one, _Sight)])
    return [
        one
        if isinstance(one, Outcome)
        else _recognise(one, known) or outcome(one.reply, Verdict.ABSENT)
        for one in sights
    ]


@dataclass(frozen=True, slots=True)
class _Sight:
    """One order as it stands, and the request that is about it."""

    request: Request
    standing: Standing
    reply: Reply

    @property
    def wanted(self) -> Counter[str]:
        """Return the units to ship, by order line."""
        units: Counter[str] = Counter()
        for line in self.request.payload["lines"]:
            units[line["line_item"]] += line["quantity"]
        return units

    @property
    def number(self) -> str:
        """Return our tracking number, or nothing."""
        return str(self.request.payload["tracking"].get("number", "")).strip()

    @property
    def candidates(self) -> list[Fulfilment]:
        """Return the fulfilments that may be ours: of our number, or at least of our size."""
        taken = self.request.taken
        live = [one for one in self.standing.fulfilments if one.live and one.id not in taken]
        if self.number:
            return [one for one in live if self.number in one.numbers]
        return [one for one in live if one.units == self.wanted.total()]

    def reject(self, violation: Violation) -> Outcome:
        """Refuse, and show how the order stands."""
        shown = json.dumps(asdict(self.standing), default=sorted)
        return rejected(self.reply, [violation], answer=evidence(shown))


Known = dict[str, Counter[str] | Outcome]
"""What lies in each fulfilment, by its gid."""


def _look(calls: Calls, requests: Sequence[Request]) -> list[_Sight | Outcome]:
    found = look(calls, [request.payload["order"] for request in requests])
    sights: list[_Sight | Outcome] = []
    for request in requests:
        seen = found[request.payload["order"]]
        if isinstance(seen, Outcome):
            sights.append(seen)
        elif seen[0] is None:
            missing = Violation(
                path="order", code="store.order_missing", message="the store has no such order"
            )
            sights.append(rejected(seen[1], [missing]))
        else:
            sights.append(_Sight(request, seen[0], seen[1]))
    return sights


def _contents(calls: Calls, sights: Sequence[_Sight]) -> Known:
    return contents(calls, [made for one in sights for made in one.candidates])


def _recognise(sight: _Sight, known: Known) -> Outcome | None:
    """Adopt the fulfilment that is ours beyond doubt; None where there is none."""
    exact = []
    for made in sight.candidates:
        lying = known[made.id]
        if isinstance(lying, Outcome):
            return lying
        if lying == sight.wanted:
            exact.append(made.id)
    if len(exact) == 1:
        return outcome(sight.reply, Verdict.ADOPTED, external_id=exact[0])
    if exact:
        message = f"{len(exact)} fulfilments have these lines: {', '.join(exact)}"
        code = "store.fulfilment_ambiguous"
    elif sight.number and sight.candidates:
        ids = ", ".join(made.id for made in sight.candidates)
        message = f"{ids} has our tracking number {sight.number}, and other lines"
        code = DIFFERS
    else:
        return None
    return sight.reject(Violation(path="lines", code=code, message=message))


def _create(calls: Calls, known: Known, sight: _Sight | Outcome) -> Outcome:
    if isinstance(sight, Outcome):
        return sight
    there = _recognise(sight, known) if sight.number else None
    # Somebody else's fulfilment may carry our number; ours is to be made all the same.
    if there is not None and DIFFERS not in {one.code for one in there.violations}:
        return there
    groups = allocate(sight.wanted, sight.standing)
    if isinstance(groups, Violation):
        return sight.reject(groups)
    made = calls.change("fulfillment_create", _variables(sight.request, groups), _made)
    if made.verdict is Verdict.REJECTED and _DOUBTFUL & {one.code for one in made.violations}:
        [again] = find(calls, [sight.request])
        return again if again.verdict is Verdict.ADOPTED else made
    return made


def _variables(request: Request, groups: Sequence[Group]) -> dict[str, Any]:
    fulfilment: dict[str, Any] = {
        "lineItemsByFulfillmentOrder": groups,
        "notifyCustomer": request.payload["notify"],
    }
    if request.payload["tracking"]:
        fulfilment["trackingInfo"] = request.payload["tracking"]
    return {"fulfillment": fulfilment}


def _made(reply: Reply) -> Outcome:
    payload: Mapping[str, Any] = reply.data["fulfillmentCreate"]
    errors = read_user_errors(payload)
    if errors:
        return rejected(reply, [one.violation for one in errors], answer=reply.answer)
    made = payload["fulfillment"]
    if made["status"] in DEAD:
        told = f"the store made {made['id']}, and it is {made['status']}"
        failed = Violation(path="", code=REFUSED, message=told)
        return rejected(reply, [failed], answer=reply.answer)
    return outcome(reply, Verdict.CONFIRMED, external_id=gid(made["id"]))
