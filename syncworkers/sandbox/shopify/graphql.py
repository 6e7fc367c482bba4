"""Admin GraphQL of the simulated shop: executed against its schema, paid from a cost bucket."""

from __future__ import annotations

import math
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any

from graphql import (
    DocumentNode,
    GraphQLError,
    GraphQLSchema,
    OperationType,
    build_schema,
    execute_sync,
    parse,
    validate,
)

from syncworkers.sandbox.shopify.changes import Changes
from syncworkers.sandbox.shopify.costs import actual_cost, operation_of, requested_cost
from syncworkers.sandbox.shopify.reads import Reads

if TYPE_CHECKING:
    from syncworkers.sandbox.shopify.apps import Apps
    from syncworkers.sandbox.shopify.books import Books
    from syncworkers.sandbox.shopify.costs import CostBucket
    from syncworkers.sandbox.shopify.webhooks import WebhookSender

Answer = dict[str, Any]
MAXIMUM_QUERY_COST = 1000


class Api:
    """Answers GraphQL requests from the shop's books, and writes to them."""

    def __init__(
        self,
        books: Books,
        apps: Apps,
        sender: WebhookSender,
        bucket: CostBucket,
        *,
        shop: str,
        version: str,
        currency: str,
    ) -> None:
        self._bucket = bucket
        self._reads = Reads(books, sender, shop, version, currency)
        self._changes = Changes(apps, sender, self._reads.fulfilment)
        self._schema = _schema()

    def answer(self, query: str, variables: dict[str, Any]) -> Answer:
        """Run one request; errors and cost stand in the answer, the status is always 200."""
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
        return self._run(document, variables, cost)

    def _run(self, document: DocumentNode, variables: dict[str, Any], cost: int) -> Answer:
        changes = operation_of(document) is OperationType.MUTATION
        result = execute_sync(
            self._schema,
            document,
            root_value=self._changes if changes else self._reads,
            variable_values=variables,
        )
        actual = cost if changes else min(cost, max(1, actual_cost(result.data)))
        level = self._bucket.give_back(cost - actual)
        answer: Answer = {"data": result.data, "extensions": self._cost(cost, actual, level)}
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
