"""The query root of the simulated shop."""

# ruff: noqa: N802, N803 - the names of fields and arguments are Shopify's

from __future__ import annotations

import base64
import datetime as dt
import re
from typing import TYPE_CHECKING, Any

from syncworkers.sandbox.shopify.fulfilment_view import (
    fulfilment_node,
    fulfilment_order_node,
    metafield_node,
    subscription_node,
)
from syncworkers.sandbox.shopify.handling import fulfilment_orders
from syncworkers.sandbox.shopify.view import order_node

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from syncworkers.sandbox.shopify.books import Books
    from syncworkers.sandbox.shopify.handling import Handling
    from syncworkers.sandbox.shopify.webhooks import WebhookSender

Fields = dict[str, Any]
SCOPES = (
    "read_customers",
    "read_locations",
    "read_merchant_managed_fulfillment_orders",
    "read_orders",
    "write_merchant_managed_fulfillment_orders",
    "write_orders",
)
_WINDOW = re.compile(r"updated_at:(>=|<=)'([^']+)'")


class Reads:
    """Resolves the fields of the query root."""

    def __init__(
        self, books: Books, sender: WebhookSender, shop: str, version: str, currency: str
    ) -> None:
        self._books = books
        self._sender = sender
        self._version = version
        self.shop = {
            "id": "gid://shopify/Shop/1",
            "name": shop.partition(".")[0],
            "myshopifyDomain": shop,
            "currencyCode": currency,
        }
        self.currentAppInstallation = {"accessScopes": [{"handle": one} for one in SCOPES]}

    def webhookSubscriptions(self, _info: Any, first: int = 50, after: str | None = None) -> Fields:
        """Return a page of the app's subscriptions; `after` is the last id of the page before."""
        behind = int(after or 0)
        left = [one for one in self._sender.subscriptions() if one.id > behind]
        page = left[:first]
        more = len(left) > len(page)
        end = str(page[-1].id) if page else None
        return {
            "nodes": [subscription_node(one) for one in page],
            "pageInfo": {"hasNextPage": more, "endCursor": end},
        }

    def publicApiVersions(self, _info: Any) -> list[Fields]:
        """Return the versions we speak."""
        return [{"handle": self._version, "supported": True}]

    def order(self, _info: Any, id: str) -> Fields | None:  # noqa: A002 - Shopify's name
        """Return one order."""
        return self._order(id.rpartition("/")[2])

    def nodes(self, _info: Any, ids: list[str]) -> list[Fields | None]:
        """Return objects by gid, in the given order, null for what is not there."""
        kinds: dict[str, Callable[[str], Fields | None]] = {
            "Order": self._order,
            "FulfillmentOrder": self._fulfilment_order,
            "Fulfillment": self.fulfilment,
        }
        found = []
        for gid in ids:
            kind, _, plain = gid.removeprefix("gid://shopify/").partition("/")
            found.append(kinds[kind](plain) if kind in kinds else None)
        return found

    def orders(
        self,
        _info: Any,
        first: int = 50,
        after: str | None = None,
        query: str = "",
        sortKey: str = "",
    ) -> Fields:
        """Return a page of the orders that changed in a window."""
        bounds = dict(_WINDOW.findall(query))
        since = dt.datetime.fromisoformat(bounds.get(">=", "1970-01-01T00:00:00Z"))
        until = dt.datetime.fromisoformat(bounds.get("<=", "9999-01-01T00:00:00Z"))
        found = self._books.changed(since, until)
        if after:
            found = [one for one in found if _cursor(one) > _decoded(after)]
        page = found[:first]
        return {
            "nodes": [self._shown(one) for one in page],
            "pageInfo": {
                "hasNextPage": len(found) > len(page),
                "endCursor": _encoded(_cursor(page[-1])) if page else None,
            },
        }

    def _order(self, order_id: str) -> Fields | None:
        with self._books.lock:
            order = self._books.get(order_id)
            return order and self._shown(order)

    def _shown(self, order: Fields) -> Fields:
        """Give the lists of an order as connections that page."""
        with self._books.lock:
            handling = self._books.handling(str(order["id"]))
            more = self._handled(order, handling) if handling else {}
        node = order_node(order)
        return {
            **node,
            "lineItems": _connection(node["lineItems"]),
            "shippingLines": _shipping_lines(node["shippingLines"]),
            **more,
        }

    def _handled(self, order: Fields, handling: Handling) -> Fields:
        lines = _line_nodes(order)
        ways = [
            {**node, "lineItems": _connection(node["lineItems"])}
            for node in (
                fulfilment_order_node(one, lines) for one in fulfilment_orders(order, handling)
            )
        ]
        made = [_fulfilment_shown(fulfilment_node(one, lines)) for one in handling.fulfilments]
        noted = dict(handling.metafields)

        def fulfillments(_info: Any, first: int | None = None) -> list[Fields]:
            return made[:first]

        def metafield(_info: Any, key: str, namespace: str = "") -> Fields | None:
            found = noted.get((namespace, key))
            return metafield_node(found) if found else None

        return {
            "fulfillmentOrders": _connection(ways),
            "fulfillments": fulfillments,
            "metafield": metafield,
        }

    def _fulfilment_order(self, wanted: str) -> Fields | None:
        with self._books.lock:
            order = self._books.get(wanted[:-1])
            handling = self._books.handling(wanted[:-1])
            for one in fulfilment_orders(order, handling) if order and handling else ():
                if order and one.id == wanted:
                    node = fulfilment_order_node(one, _line_nodes(order))
                    return {**node, "lineItems": _connection(node["lineItems"])}
        return None

    def fulfilment(self, wanted: str) -> Fields | None:
        """Return one fulfilment by its plain id."""
        with self._books.lock:
            found = self._books.fulfilment(wanted)
            order = self._books.get(found[0]) if found else None
            if found is None or order is None:
                return None
            return _fulfilment_shown(fulfilment_node(found[1], _line_nodes(order)))


def _line_nodes(order: Fields) -> dict[str, Fields]:
    ids = [str(line["id"]) for line in order["line_items"]]
    return dict(zip(ids, order_node(order)["lineItems"], strict=True))


def _fulfilment_shown(node: Fields) -> Fields:
    return {**node, "fulfillmentLineItems": _connection(node["fulfillmentLineItems"])}


def _connection(items: Sequence[Fields]) -> Callable[..., Fields]:
    """Give a list as a connection that pages."""

    def page(_info: Any, first: int = 10, after: str | None = None) -> Fields:
        start = int(after) if after else 0
        found = items[start : start + first]
        end = start + len(found)
        cursor = str(end) if found else None
        return {
            "nodes": found,
            "pageInfo": {"hasNextPage": end < len(items), "endCursor": cursor},
        }

    return page


def _shipping_lines(items: Sequence[Fields]) -> Callable[..., Fields]:
    def page(
        _info: Any,
        first: int = 3,
        includeRemovals: bool = False,  # noqa: FBT001, FBT002 - Shopify's name
    ) -> Fields:
        return {"nodes": [one for one in items if includeRemovals or not one["isRemoved"]][:first]}

    return page


def _cursor(order: Fields) -> tuple[float, str]:
    return dt.datetime.fromisoformat(order["updated_at"]).timestamp(), str(order["id"])


def _encoded(cursor: tuple[float, str]) -> str:
    return base64.b64encode(f"{cursor[0]}|{cursor[1]}".encode()).decode()


def _decoded(cursor: str) -> tuple[float, str]:
    moment, _, order_id = base64.b64decode(cursor).decode().partition("|")
    return float(moment), order_id
