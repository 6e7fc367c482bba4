"""Admin GraphQL of the simulated shop: executed against its schema, paid from a cost bucket."""

from __future__ import annotations

import base64
import datetime as dt
import math
import re
import threading
import time
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLSchema,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
    build_schema,
    execute_sync,
    parse,
    validate,
    value_from_ast_untyped,
)

from syncworkers.sandbox.shopify.view import order_node

if TYPE_CHECKING:
    from syncworkers.sandbox.shopify.books import Books

Answer = dict[str, Any]
MAXIMUM_QUERY_COST = 1000
_WINDOW = re.compile(r"updated_at:(>=|<=)'([^']+)'")


class CostBucket:
    """Shopify's leaky bucket: so many points, restored at a rate a second."""

    def __init__(self, maximum: float, restore_rate: float) -> None:
        self.maximum = maximum
        self.restore_rate = restore_rate
        self._level = maximum
        self._at = time.monotonic()
        self._lock = threading.Lock()

    def take(self, cost: float) -> tuple[bool, float]:
        """Take points; return whether they were there, and the level after it."""
        with self._lock:
            now = time.monotonic()
            self._level = min(self.maximum, self._level + (now - self._at) * self.restore_rate)
            self._at = now
            if self._level < cost:
                return False, self._level
            self._level -= cost
            return True, self._level


class Api:
    """Answers GraphQL requests from the shop's books."""

    def __init__(self, books: Books, bucket: CostBucket, *, shop: str, version: str) -> None:
        self._books = books
        self._bucket = bucket
        self._shop = shop
        self._version = version
        self._schema = _schema()

    def answer(self, query: str, variables: dict[str, Any]) -> Answer:
        """Run one query; errors and cost stand in the answer, the status is always 200."""
        try:
            document = _parsed(query)
        except GraphQLError as error:
            return {"errors": [{"message": error.message}]}
        wrong = _validated(query)
        if wrong:
            return {"errors": [{"message": one} for one in wrong]}
        cost = requested_cost(document, variables)
        if cost > MAXIMUM_QUERY_COST:
            text = f"Query cost is {cost}, which exceeds the single query max cost limit (1000)."
            return {"errors": [{"message": text, "extensions": {"code": "MAX_COST_EXCEEDED"}}]}
        paid, level = self._bucket.take(cost)
        if not paid:
            throttled = {"message": "Throttled", "extensions": {"code": "THROTTLED"}}
            return {"errors": [throttled], "extensions": self._cost(cost, None, level)}
        result = execute_sync(
            self._schema,
            document,
            root_value=_Root(self._books, self._shop, self._version),
            variable_values=variables,
        )
        answer: Answer = {"data": result.data, "extensions": self._cost(cost, cost, level)}
        if result.errors:
            answer["errors"] = [{"message": error.message} for error in result.errors]
        return answer

    def _cost(self, requested: float, actual: float | None, level: float) -> Answer:
        return {
            "cost": {
                "requestedQueryCost": requested,
                "actualQueryCost": actual,
                "throttleStatus": {
                    "maximumAvailable": self._bucket.maximum,
                    "currentlyAvailable": math.floor(level),
                    "restoreRate": self._bucket.restore_rate,
                },
            }
        }


@cache
def _schema() -> GraphQLSchema:
    text = (resources.files(__package__) / "schema.graphql").read_text("utf-8")
    return build_schema(text)


@cache
def _parsed(query: str) -> DocumentNode:
    return parse(query)


@cache
def _validated(query: str) -> list[str]:
    return [error.message for error in validate(_schema(), _parsed(query))]


class _Root:
    """Resolves the fields of the query root."""

    def __init__(self, books: Books, shop: str, version: str) -> None:
        self._books = books
        self._version = version
        self.shop = {
            "id": "gid://shopify/Shop/1",
            "name": shop.partition(".")[0],
            "myshopifyDomain": shop,
            "currencyCode": "USD",
        }
        self.currentAppInstallation = {"accessScopes": [{"handle": "read_orders"}]}

    def publicApiVersions(self, _info: Any) -> list[Answer]:  # noqa: N802 - Shopify's name
        """Return the versions we speak."""
        return [{"handle": self._version, "supported": True}]

    def order(self, _info: Any, id: str) -> Answer | None:  # noqa: A002 - Shopify's name
        """Return one order."""
        found = self._books.get(id.rpartition("/")[2])
        return found and _paged(order_node(found))

    def nodes(self, _info: Any, ids: list[str]) -> list[Answer | None]:
        """Return orders by gid, in the given order, null for what is not there."""
        return [self.order(None, one) for one in ids]

    def orders(
        self,
        _info: Any,
        first: int = 50,
        after: str | None = None,
        query: str = "",
        sortKey: str = "",  # noqa: N803 - Shopify's name
    ) -> Answer:
        """Return a page of the orders that changed in a window."""
        bounds = dict(_WINDOW.findall(query))
        since = dt.datetime.fromisoformat(bounds.get(">=", "1970-01-01T00:00:00Z"))
        until = dt.datetime.fromisoformat(bounds.get("<=", "9999-01-01T00:00:00Z"))
        found = self._books.changed(since, until)
        if after:
            found = [one for one in found if _cursor(one) > _decoded(after)]
        page = found[:first]
        return {
            "nodes": [_paged(order_node(one)) for one in page],
            "pageInfo": {
                "hasNextPage": len(found) > len(page),
                "endCursor": _encoded(_cursor(page[-1])) if page else None,
            },
        }


def _cursor(order: Answer) -> tuple[float, str]:
    return dt.datetime.fromisoformat(order["updated_at"]).timestamp(), str(order["id"])


def _encoded(cursor: tuple[float, str]) -> str:
    return base64.b64encode(f"{cursor[0]}|{cursor[1]}".encode()).decode()


def _decoded(cursor: str) -> tuple[float, str]:
    moment, _, order_id = base64.b64decode(cursor).decode().partition("|")
    return float(moment), order_id


def _paged(order: Answer) -> Answer:
    """Give the lists of an order as connections that page."""
    lines, shipping = order["lineItems"], order["shippingLines"]

    def line_items(_info: Any, first: int = 10, after: str | None = None) -> Answer:
        start = int(after) if after else 0
        page = lines[start : start + first]
        end = start + len(page)
        return {
            "nodes": page,
            "pageInfo": {"hasNextPage": end < len(lines), "endCursor": str(end) if page else None},
        }

    def shipping_lines(
        _info: Any,
        first: int = 3,
        includeRemovals: bool = False,  # noqa: N803, FBT001, FBT002 - Shopify's name
    ) -> Answer:
        shown = [one for one in shipping if includeRemovals or not one["isRemoved"]]
        return {"nodes": shown[:first]}

    return {**order, "lineItems": line_items, "shippingLines": shipping_lines}


def requested_cost(document: DocumentNode, variables: dict[str, Any]) -> int:
    """Price a query: scalars are free, an object one point, a connection its page of nodes."""
    fragments = {
        one.name.value: one.selection_set
        for one in document.definitions
        if isinstance(one, FragmentDefinitionNode)
    }
    total = 0
    for one in document.definitions:
        if isinstance(one, OperationDefinitionNode):
            total += _cost(one.selection_set, fragments, variables)
    return max(1, total)


def _cost(
    selections: SelectionSetNode,
    fragments: dict[str, SelectionSetNode],
    variables: dict[str, Any],
    *,
    page: int = 1,
) -> int:
    total = 0
    for one in selections.selections:
        if isinstance(one, FragmentSpreadNode):
            total += _cost(fragments[one.name.value], fragments, variables, page=page)
        elif isinstance(one, InlineFragmentNode):
            total += _cost(one.selection_set, fragments, variables, page=page)
        elif isinstance(one, FieldNode) and one.selection_set is not None:
            given = {
                argument.name.value: value_from_ast_untyped(argument.value, variables)
                for argument in one.arguments or ()
            }
            inner = _cost(one.selection_set, fragments, variables, page=given.get("first") or 1)
            count = len(given["ids"]) if "ids" in given else 1
            if one.name.value in {"nodes", "edges"} and "ids" not in given:
                count = page
            total += count * (1 + inner)
    return total
