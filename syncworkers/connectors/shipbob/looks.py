"""Look orders up at the warehouse, many in one call: by its own id, else by our reference."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from syncworkers.connectors.base import Outcome, Verdict
from syncworkers.connectors.http import Call
from syncworkers.connectors.shipbob.operations import CREATE
from syncworkers.connectors.shipbob.rounds import Reply, Round
from syncworkers.connectors.shipbob.wire import address, is_id, order_id, rows

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from syncworkers.connectors.base import Request

TOGETHER = 100
QUERY_BYTES = 5000
"""A list in an address is not made longer than this: gateways refuse addresses beyond 8 KB."""
LIMIT = 250
UNREADABLE = Outcome(verdict=Verdict.RETRY, error="ShipBob answers no list of orders")


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What was found for one request: the reply, and the order unless it is not there."""

    reply: Reply
    order: dict[str, Any] | None = None


def look(calls: Round, requests: Sequence[Request]) -> list[Look]:
    """Look each request's order up; one entry per request, in order."""
    found: dict[int, Look] = {}
    by_id = [place for place, one in enumerate(requests) if _known_id(one)]
    others = [place for place in range(len(requests)) if place not in by_id]
    for places, parameter in ((by_id, "IDs"), (others, "ReferenceIds")):
        names = [_known_id(requests[place]) or requests[place].reference for place in places]
        for some in chunks(names):
            reply, orders = _read(calls, parameter, some)
            for place, name in zip(places, names, strict=True):
                if name in some:
                    found[place] = Look(reply=reply, order=orders.get(name))
    return [found[place] for place in range(len(requests))]


def _known_id(request: Request) -> str:
    """Return the warehouse's id to look by; a create of ours is looked up by our reference."""
    known = request.external_id or ""
    return known if (request.operation != CREATE or request.imported) and is_id(known) else ""


def chunks(names: Sequence[str]) -> Iterator[list[str]]:
    """Divide names into lists that fit into an address."""
    some: list[str] = []
    size = 0
    for name in names:
        length = len(quote(name, safe="")) + 1
        if some and (len(some) >= TOGETHER or size + length > QUERY_BYTES):
            yield some
            some, size = [], 0
        some.append(name)
        size += length
    if some:
        yield some


def _read(
    calls: Round, parameter: str, names: Sequence[str]
) -> tuple[Reply, dict[str, dict[str, Any]]]:
    """Read orders in one call; return them by what they were asked for."""
    path = address("order", {parameter: ",".join(names), "Page": 1, "Limit": LIMIT})
    reply = calls.call(Call(method="GET", url=path, headers=calls.account.channel, read=True))
    if reply.failure is not None:
        return reply, {}
    if not isinstance(reply.value, list):
        failed = reply.sign(UNREADABLE)
        return Reply(call=reply.call, status=reply.status, failure=failed), {}
    orders = rows(reply.value)
    if parameter == "IDs":
        return reply, {order_id(one) or "": one for one in orders}
    return reply, {str(one.get("reference_id")): one for one in orders}
