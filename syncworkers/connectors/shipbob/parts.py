"""Order parts at the warehouse: created, readdressed, called off, each looked up by our reference.

Contract: Orders 2026-01. There is no idempotency key: `reference_id` is unique, so a create that is
refused is looked up before anybody believes the refusal. The scope of that uniqueness (account or
channel) is unverified, hence references that are unique everywhere.
"""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING

from syncworkers.connectors.base import NOT_STARTED, Outcome, Verdict
from syncworkers.connectors.exact_json import dump_json
from syncworkers.connectors.http import Call
from syncworkers.connectors.secrets import EVIDENCE_LIMIT
from syncworkers.connectors.shipbob import changes
from syncworkers.connectors.shipbob.answers import reject
from syncworkers.connectors.shipbob.comparison import detail_differences, document_differences
from syncworkers.connectors.shipbob.looks import Look, look
from syncworkers.connectors.shipbob.operations import CANCEL, CREATE, OPERATIONS, READDRESS
from syncworkers.connectors.shipbob.rounds import Reply, Round
from syncworkers.connectors.shipbob.wire import order_id

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from syncworkers.connectors.base import Deadline, Request
    from syncworkers.connectors.shipbob.account import Account

LOOK_FIRST = frozenset({409, 422})
"""Refusals of a create that may only say that it is there already."""
THREADS = 4
_EXISTS = re.compile(
    r"duplicate|\bexisting\s+reference|\breference.{0,60}\b(?:exists|already|taken|in use)\b",
    re.IGNORECASE | re.DOTALL,
)
"""How a refusal says that the reference is taken: then “not there” needs another look, later."""


def push(account: Account, requests: Sequence[Request], deadline: Deadline) -> list[Outcome]:
    """Make the effects, a call each; what a look can settle is looked up, many in one call."""
    calls = Round(account, deadline)
    seen = _look(calls, [one for one in requests if one.operation in {READDRESS, CANCEL}])
    with ThreadPoolExecutor(max_workers=max(1, min(THREADS, len(requests)))) as pool:
        replies = list(pool.map(lambda one: _act(calls, one, seen.get(one.reference)), requests))
    refused = [
        request
        for request, reply in zip(requests, replies, strict=True)
        if isinstance(reply, Reply) and reply.status in LOOK_FIRST
    ]
    again = _look(calls, refused)
    return [
        _evident(request, _settle(request, reply, again.get(request.reference)))
        for request, reply in zip(requests, replies, strict=True)
    ]


def find(account: Account, requests: Sequence[Request], deadline: Deadline) -> list[Outcome]:
    """Look the effects up, many in one call."""
    seen = _look(Round(account, deadline), [one for one in requests if one.operation in OPERATIONS])
    return [_evident(one, _judge(one, seen.get(one.reference))) for one in requests]


def _look(calls: Round, requests: Sequence[Request]) -> dict[str, Look]:
    looks = look(calls, requests)
    return {request.reference: one for request, one in zip(requests, looks, strict=True)}


def _act(calls: Round, request: Request, seen: Look | None) -> Outcome | Reply:
    if request.operation == CREATE:
        return _create(calls, request)
    if seen is None:
        return _unknown(request)
    change: Callable[[Round, Request, Look], Outcome] = _CHANGES[request.operation]
    return change(calls, request, seen)


def _unknown(request: Request) -> Outcome:
    return reject("operation.unknown", f"{request.operation} is not known here")


def _create(calls: Round, request: Request) -> Outcome | Reply:
    """Create an order; what may be there already is returned as it is, it deserves a look."""
    body = dump_json(request.payload).encode()
    channel = calls.account.channel
    reply = calls.call(Call(method="POST", url="order", headers=channel, body=body))
    if reply.failure is not None:
        return reply if reply.status in LOOK_FIRST else reply.failure
    number = order_id(reply.fields)
    if number is None:
        told = "ShipBob took the order, but its answer has no id"
        return reply.sign(Outcome(verdict=Verdict.UNKNOWN, error=told))
    found = [
        *document_differences(request.payload, reply.fields),
        *detail_differences(request.payload, reply.fields),
    ]
    told = f"the warehouse keeps other values than sent: {'; '.join(found)}"
    confirmed = Outcome(verdict=Verdict.CONFIRMED, external_id=number, error=told)
    return reply.sign(confirmed if found else replace(confirmed, error=None))


def _settle(request: Request, result: Outcome | Reply, seen: Look | None) -> Outcome:
    """Judge a refused create by what the look found: only what is not there is really refused."""
    if isinstance(result, Outcome):
        return result
    refused = result.failure or NOT_STARTED
    found = _judge(request, seen)
    if found.verdict in {Verdict.ADOPTED, Verdict.REJECTED}:
        return found
    if found.verdict is not Verdict.ABSENT:
        told = f"{refused.error}; whether it is there already could not be looked up"
    elif _EXISTS.search(refused.error or ""):
        told = f"{refused.error}; it is not to be seen in our channel"
    else:
        return refused
    return replace(refused, verdict=Verdict.UNKNOWN, violations=(), error=told)


def _judge(request: Request, seen: Look | None) -> Outcome:
    """Say whether the effect stands there: ADOPTED, ABSENT, REJECTED, or the look-up failed."""
    if seen is None:
        return _unknown(request)
    if seen.reply.failure is not None:
        return seen.reply.failure
    if request.operation == CREATE:
        return seen.reply.sign(_judge_create(request, seen))
    return _LOOKS[request.operation](request, seen)


def _judge_create(request: Request, seen: Look) -> Outcome:
    if seen.order is None:
        return Outcome(verdict=Verdict.ABSENT)
    wanted = dict(request.payload)
    if request.imported:
        del wanted["reference_id"]
    if request.readdressed:
        del wanted["recipient"]
    differences = document_differences(wanted, seen.order)
    others = detail_differences(wanted, seen.order)
    every = (*differences, *others)
    if differences:
        told = f"an order stands there under our reference, but {'; '.join(differences)}"
        return replace(reject("warehouse.reference_taken", told), differences=every)
    return Outcome(
        verdict=Verdict.ADOPTED,
        external_id=order_id(seen.order),
        error=f"adopted, with other values than ours: {'; '.join(others)}" if others else None,
        differences=every,
    )


def _evident(request: Request, outcome: Outcome) -> Outcome:
    """Add what was sent."""
    if outcome.verdict is Verdict.NOT_STARTED:
        return outcome
    return replace(outcome, sent=dump_json(request.payload)[:EVIDENCE_LIMIT])


_CHANGES: Mapping[str, Callable[[Round, Request, Look], Outcome]] = {
    READDRESS: changes.readdress,
    CANCEL: changes.cancel,
}
_LOOKS: Mapping[str, Callable[[Request, Look], Outcome]] = {
    READDRESS: changes.judge_readdress,
    CANCEL: changes.judge_cancel,
}
