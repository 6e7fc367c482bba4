"""Fulfilment as the REST-shaped body of an order tells of it."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from syncworkers.sandbox.shopify.books import SHOP_ZONE
from syncworkers.sandbox.shopify.handling import LIVE, owes_nothing, remaining, ships

if TYPE_CHECKING:
    from collections.abc import Callable

    from syncworkers.sandbox.shopify.handling import Fulfilment, Handling

Order = dict[str, Any]


def write_down(handling: Handling) -> Callable[[Order], None]:
    """Make the change that lets an order tell what became of it."""

    def alter(order: Order) -> None:
        order["fulfillment_status"] = _whole(order, handling)
        for line in order["line_items"]:
            if ships(line):
                left = remaining(handling, line)
                line["fulfillable_quantity"] = left
                line["fulfillment_status"] = _state(handling.fulfilled(str(line["id"])), left)
        order["fulfillments"] = [
            _fulfilment(order, place, one)
            for place, one in enumerate(handling.fulfilments, start=1)
        ]

    return alter


def _whole(order: Order, handling: Handling) -> str | None:
    if owes_nothing(order, handling):
        return "fulfilled"
    return "partial" if handling.begun else None


def _state(fulfilled: int, left: int) -> str | None:
    if not fulfilled:
        return None
    return "partial" if left else "fulfilled"


def _fulfilment(order: Order, place: int, one: Fulfilment) -> Order:
    created = dt.datetime.fromtimestamp(one.created_at, tz=SHOP_ZONE).isoformat(timespec="seconds")
    company, number, url = (one.tracking[name] for name in ("company", "number", "url"))
    return {
        "id": int(one.id),
        "admin_graphql_api_id": f"gid://shopify/Fulfillment/{one.id}",
        "order_id": order["id"],
        "name": f"{order['name']}.{place}",
        "status": "success" if one.status == LIVE else one.status.lower(),
        "created_at": created,
        "updated_at": created,
        "location_id": one.location,
        "service": "manual",
        "tracking_company": company,
        "tracking_number": number,
        "tracking_numbers": [number] if number else [],
        "tracking_url": url,
        "tracking_urls": [url] if url else [],
        "line_items": [
            {**line, "quantity": one.lines[str(line["id"])]}
            for line in order["line_items"]
            if str(line["id"]) in one.lines
        ],
    }
