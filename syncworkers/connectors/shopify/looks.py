"""Look at what stands at orders: many in one query, and what is long to its end."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from syncworkers.connectors.base import Outcome, Verdict
from syncworkers.connectors.shopify import standing
from syncworkers.connectors.shopify.calls import UnansweredError, outcome
from syncworkers.connectors.shopify.standing import Page, Standing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from syncworkers.connectors.shopify.calls import Calls
    from syncworkers.connectors.shopify.shop import Reply
    from syncworkers.connectors.shopify.standing import Fulfilment, FulfilmentOrderLine, Head

    Fields = dict[str, Any]
    Look = tuple[Standing | None, Reply]
    Lying = tuple[Counter[str], str | None]

ORDERS_TOGETHER = 12
PARCELS_TOGETHER = 10
"""As many as stay below Shopify's limit of 1000 points for one query."""
PARCELS_FIRST = 5
PARCELS_ALL = 250
"""Shopify shows no more, and has no pages of them."""


def look(calls: Calls, orders: Sequence[str]) -> dict[str, Look | Outcome]:
    """Return by gid what stands at each order (None: there is none), or why nobody knows."""
    found: dict[str, Look | Outcome] = {}
    for some in _chunks(orders, ORDERS_TOGETHER):
        try:
            heads, reply = _heads(calls, some)
        except UnansweredError as error:
            found |= dict.fromkeys(some, error.outcome)
            continue
        for order, head in zip(some, heads, strict=True):
            try:
                found[order] = (_whole(calls, head) if head else None, reply)
            except UnansweredError as error:
                found[order] = error.outcome
    return found


def contents(calls: Calls, fulfilments: Sequence[Fulfilment]) -> dict[str, Counter[str] | Outcome]:
    """Return by gid what lies in each fulfilment, units by order line, or why nobody knows."""
    found: dict[str, Counter[str] | Outcome] = {}
    for some in _chunks([one.id for one in fulfilments], PARCELS_TOGETHER):
        try:
            for one, lying in zip(some, _lying(calls, some, None), strict=True):
                found[one] = _all_lying(calls, one, *lying)
        except UnansweredError as error:
            found |= {one: error.outcome for one in some if one not in found}
    return found


def _heads(
    calls: Calls, orders: Sequence[str], *, after: str | None = None, made: int = PARCELS_FIRST
) -> tuple[list[Head | None], Reply]:
    def understand(data: Fields) -> list[Head | None]:
        nodes = standing.read_nodes(data, len(orders))
        heads = [standing.read_head(node) if node else None for node in nodes]
        for head in heads:
            _advances(after, head.after if head else None)
        return heads

    variables = {"ids": list(orders), "after": after, "made": made}
    return calls.read("fulfillment_orders", variables, understand)


def _whole(calls: Calls, head: Head) -> Standing:
    """Read on until nothing of the order is missing."""
    while head.after:
        more = _again(calls, head, after=head.after)
        head.orders += more.orders
        head.after = more.after
    if len(head.fulfilments) >= PARCELS_FIRST:
        head.fulfilments = _again(calls, head, made=PARCELS_ALL).fulfilments
    return Standing(
        order=head.order,
        cancelled=head.cancelled,
        orders=tuple(
            replace(one, lines=(*one.lines, *_more_lines(calls, one.id, after)))
            for one, after in head.orders
        ),
        fulfilments=head.fulfilments,
    )


def _again(calls: Calls, head: Head, **which: Any) -> Head:
    [more], reply = _heads(calls, [head.order], **which)
    if more is None:
        told = "the order vanished while it was read"
        raise UnansweredError(outcome(reply, Verdict.RETRY, error=told))
    return more


def _more_lines(calls: Calls, order: str, after: str | None) -> Iterator[FulfilmentOrderLine]:
    """Read the lines of a fulfilment order from its second page on."""
    while after:
        variables = {"ids": [order], "after": after}
        page = calls.read("fulfillment_order_lines", variables, _lines_after(after))[0]
        yield from page.items
        after = page.after


def _lines_after(after: str) -> Callable[[Fields], Page]:
    def understand(data: Fields) -> Page:
        [node] = standing.read_nodes(data, 1)
        page = standing.read_lines(node["lineItems"]) if node else Page(items=(), after=None)
        _advances(after, page.after)
        return page

    return understand


def _lying(calls: Calls, ids: Sequence[str], after: str | None) -> list[Lying]:
    def understand(data: Fields) -> list[Lying]:
        found = [
            standing.read_contents(node["fulfillmentLineItems"]) if node else (Counter(), None)
            for node in standing.read_nodes(data, len(ids))
        ]
        for _, more in found:
            _advances(after, more)
        return found

    return calls.read("fulfillment_lines", {"ids": list(ids), "after": after}, understand)[0]


def _all_lying(calls: Calls, one: str, first: Counter[str], after: str | None) -> Counter[str]:
    """Read the lines of a fulfilment from its second page on."""
    whole = Counter(first)
    while after:
        [(more, after)] = _lying(calls, [one], after)
        whole.update(more)
    return whole


def _advances(before: str | None, after: str | None) -> None:
    """Refuse a page that leads to itself: paging must end."""
    if after is not None and after == before:
        raise ValueError("the next page is this one")


def _chunks(items: Sequence[str], size: int) -> Iterator[list[str]]:
    distinct = list(dict.fromkeys(items))
    for start in range(0, len(distinct), size):
        yield distinct[start : start + size]
