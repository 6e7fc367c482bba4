"""What a GraphQL request costs, and the bucket it is paid from.

Imitates the calculated cost of the Admin API: paid in advance for what could come, given back for
what did not. How Shopify prices long pages today is cheaper than this (unverified in detail).
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
    value_from_ast_untyped,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

MUTATION_COST = 10
_LISTS = frozenset({"nodes", "edges"})

Variables = dict[str, Any]


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

    def give_back(self, points: float) -> float:
        """Return points that were not used; return the level after it."""
        with self._lock:
            self._level = min(self.maximum, self._level + points)
            return self._level


def operation_of(document: DocumentNode) -> OperationType:
    """Say whether a document reads or changes."""
    return next(
        one.operation for one in document.definitions if isinstance(one, OperationDefinitionNode)
    )


def requested_cost(document: DocumentNode, variables: Variables) -> int:
    """Price a request in advance.

    Scalars are free, an object is one point, a connection its page of nodes, a mutation ten.
    """
    fragments = {
        one.name.value: one.selection_set
        for one in document.definitions
        if isinstance(one, FragmentDefinitionNode)
    }
    total = 0
    for one in document.definitions:
        if not isinstance(one, OperationDefinitionNode):
            continue
        if one.operation is OperationType.MUTATION:
            total += MUTATION_COST * len(one.selection_set.selections)
            continue
        given = {**_defaults(one), **variables}
        total += _Prices(fragments, given).of(one.selection_set)
    return max(1, total)


def actual_cost(data: Any) -> int:
    """Price what really came: one point for each object in the answer."""
    if isinstance(data, dict):
        return sum(isinstance(one, dict) + actual_cost(one) for one in data.values())
    if isinstance(data, list):
        return sum(isinstance(one, dict) + actual_cost(one) for one in data)
    return 0


def _defaults(operation: OperationDefinitionNode) -> Variables:
    return {
        one.variable.name.value: value_from_ast_untyped(one.default_value)
        for one in operation.variable_definitions or ()
        if one.default_value is not None
    }


class _Prices:
    """Prices the selections of one query."""

    def __init__(self, fragments: Mapping[str, SelectionSetNode], variables: Variables) -> None:
        self._fragments = fragments
        self._variables = variables

    def of(self, selections: SelectionSetNode, *, page: int = 1) -> int:
        """Add up the fields; `page` is the size of the connection they stand in."""
        return sum(self._field(one, page) for one in self._fields(selections))

    def _fields(self, selections: SelectionSetNode) -> Iterator[FieldNode]:
        for one in selections.selections:
            if isinstance(one, FragmentSpreadNode):
                yield from self._fields(self._fragments[one.name.value])
            elif isinstance(one, InlineFragmentNode):
                yield from self._fields(one.selection_set)
            elif isinstance(one, FieldNode) and one.selection_set is not None:
                yield one

    def _field(self, one: FieldNode, page: int) -> int:
        selections = one.selection_set or SelectionSetNode(selections=())
        given = {
            argument.name.value: value_from_ast_untyped(argument.value, self._variables)
            for argument in one.arguments or ()
        }
        first = int(given.get("first") or 1)
        inner = self.of(selections, page=first)
        if "ids" in given:
            return len(given["ids"]) * (1 + inner)
        if one.name.value in _LISTS:
            return page * (1 + inner)
        is_connection = any(field.name.value in _LISTS for field in self._fields(selections))
        return (1 if is_connection else first) * (1 + inner)
