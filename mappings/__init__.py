"""Partner payloads ↔ canonical objects; the registries are written out, for grep."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mappings.dynamics365 import orders as dynamics365_orders
from mappings.shopify import orders as shopify_orders
from mappings.shopify import orders_graphql as shopify_orders_graphql

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

READS: Mapping[tuple[str, str], Any] = {
    ("shopify", "orders/create"): shopify_orders,
    ("shopify", "orders/updated"): shopify_orders,
    ("shopify", "orders/cancelled"): shopify_orders,
    ("shopify", "orders/polled"): shopify_orders_graphql,
}
"""By connector and topic: a module with `name` and `load`."""

WRITES: Mapping[tuple[str, str], Callable[[Any], dict[str, Any]]] = {
    ("dynamics365", "order.create"): dynamics365_orders.dump_booking,
    ("dynamics365", "order.readdress"): dynamics365_orders.dump_address_change,
    ("dynamics365", "order.cancel"): dynamics365_orders.dump_cancellation,
}
"""By connector and operation: what writes the partner's payload."""
