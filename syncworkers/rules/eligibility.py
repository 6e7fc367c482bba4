"""Whether a node may ship certain lines, and why not."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from syncworkers.rules.units import FRACTION

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from syncworkers.policy.fulfilment import WarehousePolicy
    from syncworkers.policy.routing import RoutingRule
    from syncworkers.rules.units import Pick, Shelves


@dataclass(frozen=True, slots=True, kw_only=True)
class Goods:
    """Sales units of an order line to ship; `place` is where the order has it, from 0."""

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
    shelves: Shelves

    def takes(self, line: Goods) -> bool:
        """Say whether it keeps what a line is made of, in units that come out whole."""
        return not (_unknown(self, [line]) or _divided(self, [line]))


def refusal(node: Node, rule: RoutingRule, lines: Sequence[Goods]) -> str | None:
    """Say why a node cannot ship all these lines together; None: it can."""
    if rule.node_kinds and node.policy.kind not in rule.node_kinds:
        return f"is of kind {node.policy.kind}"
    unknown = _unknown(node, lines)
    if unknown:
        return f"does not keep {_named(unknown)}"
    return "; ".join(_divided(node, lines)) or short(node, lines)


def short(node: Node, lines: Sequence[Goods]) -> str | None:
    """Say by how much a node is short; None where it is not, or its stock is not known."""
    if node.stock is None:
        return None
    wanted: dict[str, Decimal] = defaultdict(Decimal)
    for pick in _picks(node, lines):
        wanted[pick.sku] += pick.quantity
    missing = {sku: count - node.stock.get(sku, 0) for sku, count in wanted.items()}
    said = [f"SKU {sku} short by {count}" for sku, count in missing.items() if count > 0]
    return ", ".join(said) or None


def _picks(node: Node, lines: Sequence[Goods]) -> Iterator[Pick]:
    for line in lines:
        yield from node.shelves.pick(line.sku, line.quantity)[0]


def _unknown(node: Node, lines: Sequence[Goods]) -> list[str]:
    """Return the SKUs that a node does not keep."""
    skus = dict.fromkeys(pick.sku for pick in _picks(node, lines))
    return [sku for sku in skus if sku not in node.policy.items]


def _divided(node: Node, lines: Sequence[Goods]) -> list[str]:
    """Say which lines would have to be divided; other gaps are for whoever builds the part."""
    found = [node.shelves.pick(line.sku, line.quantity)[1] for line in lines]
    return [gap.what for gaps in found for gap in gaps if gap.code == FRACTION]


def _named(skus: Sequence[str]) -> str:
    return "SKU " + ", ".join(repr(sku) for sku in skus)
