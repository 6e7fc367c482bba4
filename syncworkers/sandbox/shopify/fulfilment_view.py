"""Fulfilment orders, fulfilments and metafields as GraphQL shows them."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from syncworkers.sandbox.shopify.handling import location_name

if TYPE_CHECKING:
    from syncworkers.sandbox.shopify.handling import Fulfilment, FulfilmentOrder, Metafield
    from syncworkers.sandbox.shopify.webhooks import Subscription

Fields = dict[str, Any]


def fulfilment_order_node(one: FulfilmentOrder, line_nodes: dict[str, Fields]) -> Fields:
    """Turn a fulfilment order into what GraphQL resolves; `line_nodes` by line id."""
    place = one.location
    location = {"__typename": "Location", "id": f"gid://shopify/Location/{place}"}
    return {
        "__typename": "FulfillmentOrder",
        "id": f"gid://shopify/FulfillmentOrder/{one.id}",
        "status": one.status,
        "assignedLocation": {"name": location_name(place), "location": location},
        "supportedActions": [{"action": action} for action in one.actions],
        "lineItems": [
            {
                "__typename": "FulfillmentOrderLineItem",
                "id": f"gid://shopify/FulfillmentOrderLineItem/{part.id}",
                "totalQuantity": part.total,
                "remainingQuantity": part.remaining,
                "lineItem": line_nodes[part.line],
            }
            for part in one.lines
        ],
    }


def fulfilment_node(one: Fulfilment, line_nodes: dict[str, Fields]) -> Fields:
    """Turn a fulfilment into what GraphQL resolves; `line_nodes` by line id."""
    created = dt.datetime.fromtimestamp(one.created_at, tz=dt.UTC)
    told = any(one.tracking.values())
    return {
        "__typename": "Fulfillment",
        "id": f"gid://shopify/Fulfillment/{one.id}",
        "status": one.status,
        "createdAt": created.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "totalQuantity": sum(one.lines.values()),
        "trackingInfo": [dict(one.tracking)] if told else [],
        "fulfillmentLineItems": [
            {
                "__typename": "FulfillmentLineItem",
                "id": f"gid://shopify/FulfillmentLineItem/{one.id}{place}",
                "quantity": quantity,
                "lineItem": line_nodes[line],
            }
            for place, (line, quantity) in enumerate(one.lines.items(), start=1)
        ],
    }


def metafield_node(one: Metafield) -> Fields:
    """Turn a metafield into what GraphQL resolves."""
    return {
        "__typename": "Metafield",
        "id": f"gid://shopify/Metafield/{one.id}",
        "namespace": one.namespace,
        "key": one.key,
        "type": one.type,
        "value": one.value,
    }


def subscription_node(one: Subscription) -> dict[str, Any]:
    """Show a webhook subscription."""
    return {
        "id": f"gid://shopify/WebhookSubscription/{one.id}",
        "topic": one.topic.upper().replace("/", "_"),
        "uri": one.url,
        "format": "JSON",
    }
