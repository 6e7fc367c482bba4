"""Whether a node may ship certain lines, and why not."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from syncworkers.policy.fulfilment import WarehousePolicy
    from syncworkers.policy.routing import RoutingRule


@dataclass(frozen=True, slots=True, kw_only=True)
class Goods:
    """Units of an order line that must be shipped; `place` is where the order has it, from 0."""

    place: int
    sku: str
    quantity: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A place that goods ship from; `stock` None: how much it has is not known, nor asked."""

    name: str
    company: str
    policy: WarehousePolicy
    stock: Mapping[str, int] | None


def refusal(node: Node, rule: RoutingRule, lines: Sequence[Goods]) -> str | None:
    """Say why a node cannot ship all these lines together; None: it can."""
    if rule.node_kinds and node.policy.kind not in rule.node_kinds:
        return f"is of kind {node.policy.kind}"
    unknown = list(dict.fromkeys(line.sku for line in lines if line.sku not in node.policy.items))
    if unknown:
        return f"does not keep {_named(unknown)}"
    return short(node, lines)


def short(node: Node, lines: Sequence[Goods]) -> str | None:
    """Say by how much a node is short; None where it is not, or its stock is not known."""
    if node.stock is None:
        return None
    wanted: Counter[str] = Counter()
    for line in lines:
        wanted[line.sku] += line.quantity
    missing = {sku: units - node.stock.get(sku, 0) for sku, units in wanted.items()}
    said = [f"SKU {sku} short by {units}" for sku, units in missing.items() if units > 0]
    return ", ".join(said) or None


def _named(skus: Sequence[str]) -> str:
    return "SKU " + ", ".join(repr(sku) for sku in skus)
