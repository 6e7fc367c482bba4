"""Webhook subscriptions: which of our topics nobody sends us yet. Contract: Admin API 2026-07.

Shopify deletes one that it could not deliver eight times in a row.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from syncworkers.connectors.shopify.answers import shaped
from syncworkers.errors import RejectedError, RetryableError, Violation

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from syncworkers.connectors.shopify.settings import Settings
    from syncworkers.connectors.shopify.shop import Shop

PAGE = 100
TOPICS: Mapping[str, str] = {
    "orders/create": "ORDERS_CREATE",
    "orders/updated": "ORDERS_UPDATED",
    "orders/cancelled": "ORDERS_CANCELLED",
}
"""A topic as webhooks name it = as the API does."""
TAKEN = "already been taken"
"""How Shopify refuses a subscription that is there: another worker was first."""


def missing(shop: Shop, settings: Settings) -> list[str]:
    """Return our topics that no subscription sends to our address as JSON, sorted."""
    if not settings.webhook_url:
        return []
    sent = {
        node["topic"]
        for node in _all(shop)
        if node["uri"].rstrip("/") == settings.webhook_url and node["format"] == "JSON"
    }
    return sorted(topic for topic, name in TOPICS.items() if name not in sent)


def subscribe(shop: Shop, settings: Settings) -> list[str]:
    """Create the subscriptions that are missing; return their topics."""
    topics = missing(shop, settings)
    for topic in topics:
        subscription = {"uri": settings.webhook_url, "format": "JSON"}
        variables = {"topic": TOPICS[topic], "subscription": subscription}
        data = shop.query("webhook_subscription_create", variables)
        with shaped():
            errors = data["webhookSubscriptionCreate"]["userErrors"]
            told = "; ".join(str(one["message"]) for one in errors)
        if told and TAKEN not in told:
            message = f"{settings.shop} refuses to subscribe us to {topic}: {told}"
            violation = Violation(path=topic, code="store.subscription_refused", message=message)
            raise RejectedError(message, violations=[violation])
    return topics


def _all(shop: Shop) -> Iterator[Mapping[str, Any]]:
    after: str | None = None
    followed: set[str | None] = {None}
    while True:
        data = shop.query("webhook_subscriptions", {"first": PAGE, "after": after})
        with shaped():
            page = data["webhookSubscriptions"]
            yield from page["nodes"]
            info = page["pageInfo"]
            after = info["endCursor"] if info["hasNextPage"] else None
        if after is None:
            return
        if after in followed:
            raise RetryableError("the list of subscriptions goes on where it was")
        followed.add(after)
