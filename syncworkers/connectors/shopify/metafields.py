"""`invoice.note`: the metafields of several orders in one call. Absolute, a repeat is harmless.

Contract: Admin API 2026-07, `metafieldsSet`: 25 in a call, all of them or none.
"""

from __future__ import annotations

import json
from functools import partial
from typing import TYPE_CHECKING, Any

from syncworkers.connectors.base import NOT_STARTED, Outcome, Verdict
from syncworkers.connectors.shopify import standing
from syncworkers.connectors.shopify.calls import (
    UnansweredError,
    outcome,
    rejected,
    together,
)
from syncworkers.connectors.shopify.user_errors import read_user_errors

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from syncworkers.connectors.base import Request
    from syncworkers.connectors.shopify.calls import Calls
    from syncworkers.connectors.shopify.shop import Reply
    from syncworkers.connectors.shopify.user_errors import UserError

    Name = tuple[str, str]
    """Namespace and key."""

METAFIELDS_TOGETHER = 25
BYTES_TOGETHER = 5 * 1024 * 1024
"""Half of what Shopify takes in one call."""
OWNERS_TOGETHER = 250


def push(calls: Calls, requests: Sequence[Request]) -> list[Outcome]:
    """Set the metafields; those of one order always travel together."""
    groups = together(partial(_set, calls), list(_chunks(requests)))
    return [one for outcomes in groups for one in outcomes]


def find(calls: Calls, requests: Sequence[Request]) -> list[Outcome]:
    """Compare the metafields with what was wanted."""
    owners: dict[Name, list[str]] = {}
    for one in requests:
        for name, metafield in _wanted(one):
            owners.setdefault(name, []).append(metafield["ownerId"])
    stand: dict[Name, dict[str, tuple[str | None, Reply] | Outcome]] = {}
    for name, some in owners.items():
        stand[name] = _read(calls, name, list(dict.fromkeys(some)))
    return [_compare(one, stand) for one in requests]


def _wanted(request: Request) -> Iterator[tuple[Name, Mapping[str, Any]]]:
    for one in request.payload["metafields"]:
        yield (one["namespace"], one["key"]), one


def _chunks(requests: Sequence[Request]) -> Iterator[list[Request]]:
    chunk: list[Request] = []
    count = size = 0
    for request in requests:
        metafields = request.payload["metafields"]
        length = sum(len(one["value"].encode()) for one in metafields)
        full = count + len(metafields) > METAFIELDS_TOGETHER or size + length > BYTES_TOGETHER
        if chunk and full:
            yield chunk
            chunk, count, size = [], 0, 0
        chunk.append(request)
        count += len(metafields)
        size += length
    if chunk:
        yield chunk


def _set(calls: Calls, chunk: Sequence[Request]) -> list[Outcome]:
    """Set the metafields of some orders; what is refused is left out, and the rest set again."""
    metafields = [one for request in chunk for one in request.payload["metafields"]]
    answered = calls.change("metafields_set", {"metafields": metafields}, _answered)
    if isinstance(answered, Outcome):
        return [answered] * len(chunk)
    reply, errors = answered
    if not errors:
        return [outcome(reply, Verdict.CONFIRMED)] * len(chunk)
    blamed = _blame(chunk, errors)
    if not blamed:
        # It does not say whose they are: who is sent alone is surely meant.
        middle = len(chunk) // 2
        return [*_set(calls, chunk[:middle]), *_set(calls, chunk[middle:])]
    others = [place for place in range(len(chunk)) if place not in blamed]
    again = iter(_set(calls, [chunk[place] for place in others]) if others else ())
    return [
        rejected(reply, [one.violation for one in blamed[place]], answer=reply.answer)
        if place in blamed
        else _repeated(reply, next(again))
        for place in range(len(chunk))
    ]


def _answered(reply: Reply) -> tuple[Reply, list[UserError]] | Outcome:
    payload = reply.data["metafieldsSet"]
    errors = read_user_errors(payload)
    if not errors and not payload["metafields"]:
        told = "the store set nothing, and does not say why"
        return outcome(reply, Verdict.UNKNOWN, error=told, answer=reply.answer)
    return reply, errors


def _blame(chunk: Sequence[Request], errors: Sequence[UserError]) -> dict[int, list[UserError]]:
    """Give each error to the request it is about, by place; empty if it is not said of all."""
    if len(chunk) == 1:
        return {0: list(errors)}
    owners = [place for place, request in enumerate(chunk) for _ in request.payload["metafields"]]
    blamed: dict[int, list[UserError]] = {}
    for error in errors:
        if error.position is None or error.position >= len(owners):
            return {}
        blamed.setdefault(owners[error.position], []).append(error)
    return blamed


def _repeated(reply: Reply, again: Outcome) -> Outcome:
    """Take the second call's word; without one, surely nothing happened in the first."""
    if again is NOT_STARTED:
        told = "refused together with others of its call; nothing was set"
        return outcome(reply, Verdict.RETRY, after=0.0, error=told)
    return again


def _read(
    calls: Calls, name: Name, owners: Sequence[str]
) -> dict[str, tuple[str | None, Reply] | Outcome]:
    found: dict[str, tuple[str | None, Reply] | Outcome] = {}
    for start in range(0, len(owners), OWNERS_TOGETHER):
        some = owners[start : start + OWNERS_TOGETHER]
        variables = {"ids": some, "namespace": name[0], "key": name[1]}
        try:
            values, reply = calls.read("order_metafield", variables, partial(_values, len(some)))
        except UnansweredError as error:
            found |= dict.fromkeys(some, error.outcome)
        else:
            found |= {one: (value, reply) for one, value in zip(some, values, strict=True)}
    return found


def _values(count: int, data: dict[str, Any]) -> list[str | None]:
    fields = [node and node["metafield"] for node in standing.read_nodes(data, count)]
    return [str(one["value"]) if one else None for one in fields]


def _compare(request: Request, stand: Mapping[Name, Mapping[str, Any]]) -> Outcome:
    last = NOT_STARTED
    for name, metafield in _wanted(request):
        found = stand[name][metafield["ownerId"]]
        if isinstance(found, Outcome):
            return found
        value, reply = found
        if value is None or not _is_same(metafield["type"], metafield["value"], value):
            return outcome(reply, Verdict.ABSENT)
        last = outcome(reply, Verdict.ADOPTED)
    return last


def _is_same(kind: str, wanted: str, stands: str) -> bool:
    """Compare by meaning: how JSON is spaced is Shopify's."""
    if kind != "json" and not kind.startswith("list."):
        return wanted == stands
    try:
        same: bool = json.loads(wanted) == json.loads(stands)
    except (ValueError, RecursionError):
        return False
    return same
