"""`invoice.note`: every invoice of an order stands once among its comments.

Contract: `POST /V1/orders/{id}/comments`; a comment says by its key which invoice it is of.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from syncworkers.connectors.adobe_commerce.markers import keys_in, marked
from syncworkers.connectors.base import Outcome, Verdict
from syncworkers.errors import Violation

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from syncworkers.connectors.adobe_commerce.calls import Calls, Look
    from syncworkers.connectors.adobe_commerce.instance import Fields
    from syncworkers.connectors.base import Request


def push(calls: Calls, requests: Sequence[Request]) -> list[Outcome]:
    """Add the comments that are missing."""
    look = _look(calls, requests)
    if isinstance(look, Outcome):
        return [look for _ in requests]
    return [_add(calls, look, request) for request in requests]


def find(calls: Calls, requests: Sequence[Request]) -> list[Outcome]:
    """Look whether all comments are there."""
    look = _look(calls, requests)
    if isinstance(look, Outcome):
        return [look for _ in requests]
    return [
        look.reply.sign(
            Outcome(verdict=Verdict.ABSENT if _missing(look, request) else Verdict.ADOPTED)
        )
        for request in requests
    ]


def _look(calls: Calls, requests: Sequence[Request]) -> Look | Outcome:
    return calls.search_in("orders", "entity_id", (one.payload["order"] for one in requests))


def _order(look: Look, request: Request) -> Fields | None:
    number = request.payload["order"]
    return next((row for row in look.rows if str(row.get("entity_id")) == number), None)


def _missing(look: Look, request: Request) -> list[Mapping[str, str]]:
    order = _order(look, request) or {}
    known = keys_in(order.get("status_histories") or ())
    return [one for one in request.payload["comments"] if one["key"] not in known]


def comment_body(order: Fields, comment: Mapping[str, str]) -> dict[str, Any]:
    """Write the body that adds a comment, in whatever status the order has."""
    history = {
        "comment": marked(comment["text"], comment["key"]),
        "is_customer_notified": 0,
        "is_visible_on_front": 1,
        "parent_id": int(order["entity_id"]),
        "status": order.get("status"),
    }
    return {"statusHistory": history}


def _add(calls: Calls, look: Look, request: Request) -> Outcome:
    order = _order(look, request)
    if order is None:
        message = "the store has no such order"
        violation = Violation(path="order", code="store.order_missing", message=message)
        refused = Outcome(verdict=Verdict.REJECTED, error=message, violations=(violation,))
        return look.reply.sign(refused)
    done = look.reply.sign(Outcome(verdict=Verdict.ADOPTED))
    for one in _missing(look, request):
        body = comment_body(order, one)
        reply = calls.change("POST", f"orders/{request.payload['order']}/comments", body)
        if reply.failure is not None:
            return reply.failure
        done = reply.sign(Outcome(verdict=Verdict.CONFIRMED))
    return done
