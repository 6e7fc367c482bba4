"""What the simulated warehouse keeps. `config/fulfilment.toml` maps SKUs and methods to these."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from syncworkers.sandbox.shopify.catalogue import ARTICLES, FILTER_CASE

if TYPE_CHECKING:
    from collections.abc import Mapping

INVENTORY: Mapping[str, int] = {
    article.sku: number for number, article in enumerate((*ARTICLES, FILTER_CASE), start=20_000_001)
}
"""SKU → inventory id."""
UNSTOCKED = 29_000_001
"""The first inventory id of goods that nobody ever sent in."""
PRODUCT_SHIFT = 10_000_000
"""A product's id is so much below its inventory's."""
DEFAULT_METHOD = "Standard"
METHODS = (
    (1, DEFAULT_METHOD, True),
    (2, "2-Day", True),
    (3, "Overnight", True),
    (4, "Freight", False),
)
"""Id, name, and whether it may be used."""
PLACE = {"id": 42, "name": "Moreno Valley (CA)"}
CHANNEL_NAME = "syncworkers"
CHANNEL_SCOPES = (
    "channels_read",
    "orders_read",
    "orders_write",
    "webhooks_read",
    "webhooks_write",
    "locations_read",
)
TOPICS = frozenset(
    {
        "order.shipped",
        "order.shipment.delivered",
        "order.shipment.exception",
        "order.shipment.on_hold",
        "order.shipment.cancelled",
        "return.created",
        "return.updated",
        "return.completed",
        "billing.charge.created",
        "billing.refund.created",
        "billing.credit.created",
    }
)


def method_views() -> list[dict[str, Any]]:
    """Return the shipping methods as GET /shipping-method lists them."""
    return [
        {
            "id": number,
            "name": name,
            "active": active,
            "default": name == DEFAULT_METHOD,
            "service_level": {"id": number, "name": name},
        }
        for number, name, active in METHODS
    ]


def method_of(asked: str) -> str:
    """Return the method an order gets: one that nobody set up silently becomes the default."""
    known = {name for _, name, active in METHODS if active}
    return asked if asked in known else DEFAULT_METHOD


def channel_views(channel_id: int) -> list[dict[str, Any]]:
    """Return our channel, and the one every account has, which may not write orders."""
    return [
        {
            "id": channel_id,
            "name": CHANNEL_NAME,
            "application_name": "SMA",
            "scopes": list(CHANNEL_SCOPES),
        },
        {
            "id": channel_id + 1,
            "name": "ShipBob Default",
            "application_name": "ShipBob",
            "scopes": [one for one in CHANNEL_SCOPES if one.endswith("_read")],
        },
    ]
