"""Decide which nodes ship an order: deterministic, and every decision with its reason.

The company follows: all parts of an order leave from stock of one company, in which it is booked.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from syncworkers.errors import RejectedError, Violation
from syncworkers.policy.routing import RoutingRule, Split
from syncworkers.policy.units import UnitsPolicy
from syncworkers.rules.conditions import Matched, matched
from syncworkers.rules.eligibility import Goods, Node, refusal, short
from syncworkers.rules.units import Shelves

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from syncworkers.canonical.orders import SalesOrder
    from syncworkers.policy.booking import BookingPolicy
    from syncworkers.policy.fulfilment import StorePolicy, WarehousePolicy
    from syncworkers.policy.routing import RoutingPolicy

Stock = Mapping[str, Mapping[str, int]]
"""By node and SKU: how many can be sold, by the node's unit. A missing node is not judged by it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sale:
    """Where an order was sold, and what may ship it."""

    store: str
    brand: str
    policy: StorePolicy
    booking: BookingPolicy
    nodes: Mapping[str, WarehousePolicy]
    routing: RoutingPolicy
    stock: Stock = field(default_factory=dict)
    units: UnitsPolicy = field(default_factory=UnitsPolicy)


@dataclass(frozen=True, slots=True, kw_only=True)
class Routed:
    """Lines of an order, by their place in it from 0, that leave from one node, and why there."""

    node: str
    places: tuple[int, ...]
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """How an order is shipped: of which company's stock, and from where. No parts: nothing is."""

    company: str
    parts: tuple[Routed, ...]


def route(sale: Sale, order: SalesOrder) -> Route:
    """Route everything that must be shipped.

    The companies are tried in the order in which the rules name their nodes. Raises
    `RejectedError` where no company can ship all of it; the messages say why, node by node.
    """
    groups = _groups(sale, order)
    if not groups:
        return Route(company=sale.booking.company, parts=())
    companies = list(dict.fromkeys(node.company for group in groups for node in group.nodes))
    failed: list[_Failed] = []
    for company in companies:
        try:
            return _within(company, groups)
        except _Failed as error:
            failed.append(error)
    raise RejectedError("nobody can ship it", violations=list(_violations(sale, groups, failed)))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Group:
    """Lines that one rule decides about, and its nodes in their order."""

    rule: RoutingRule
    why: str
    goods: tuple[Goods, ...]
    nodes: tuple[Node, ...]

    def refusal(self, node: Node, lines: Sequence[Goods]) -> str | None:
        """Say why a node cannot ship all these lines; None: it can.

        What no node takes is a gap in the tables, for whoever builds the part to name.
        """
        known = [line for line in lines if any(one.takes(line) for one in self.nodes)]
        return refusal(node, self.rule, known)


class _Failed(Exception):  # noqa: N818 - not an error, a way out of one company
    """A company cannot ship these lines; why, by node."""

    def __init__(self, lines: Sequence[Goods], refusals: Mapping[str, str]) -> None:
        super().__init__()
        self.lines = lines
        self.refusals = refusals


def _groups(sale: Sale, order: SalesOrder) -> list[_Group]:
    goods = [
        Goods(place=place, sku=line.sku, quantity=line.quantity)
        for place, line in enumerate(order.lines)
        if line.requires_shipping and not line.gift_card
    ]
    default = RoutingRule(number=0, nodes=(sale.policy.warehouse,))
    found: dict[int, tuple[Matched, list[Goods]]] = {}
    for one in goods:
        hit = matched(sale.routing, order, store=sale.store, brand=sale.brand, sku=one.sku)
        hit = hit or Matched(rule=default, why=f"the warehouse of {sale.store}")
        found.setdefault(hit.rule.number, (hit, []))[1].append(one)
    return [
        _Group(
            rule=hit.rule,
            why=hit.why,
            goods=tuple(lines),
            nodes=tuple(_node(sale, name, order) for name in hit.rule.nodes),
        )
        for hit, lines in found.values()
    ]


def _node(sale: Sale, name: str, order: SalesOrder) -> Node:
    policy = sale.nodes[name]
    return Node(
        name=name,
        company=policy.company or sale.booking.company,
        policy=policy,
        stock=sale.stock.get(name),
        shelves=Shelves(
            name=name, items=policy.items, units=sale.units, day=order.placed_at.date()
        ),
    )


def _within(company: str, groups: Iterable[_Group]) -> Route:
    """Route everything to nodes of one company; raises `_Failed`."""
    parts: dict[str, list[int]] = {}
    reasons: dict[str, list[str]] = {}
    for group in groups:
        for name, lines, reason in _assign(company, group):
            parts.setdefault(name, []).extend(line.place for line in lines)
            reasons.setdefault(name, []).append(reason)
    return Route(
        company=company,
        parts=tuple(
            Routed(node=name, places=tuple(sorted(places)), reason="; ".join(reasons[name]))
            for name, places in parts.items()
        ),
    )


def _assign(company: str, group: _Group) -> Iterator[tuple[str, Sequence[Goods], str]]:
    """Give the lines of a group to nodes: the first that takes all, else as the rule may split."""
    refusals: dict[str, str] = {}
    for node in group.nodes:
        why_not = _other_company(company, node) or group.refusal(node, group.goods)
        if why_not is None:
            yield node.name, group.goods, _reason(node, group, group.goods, refusals)
            return
        refusals[node.name] = why_not
    if group.rule.split is Split.NEVER:
        raise _Failed(group.goods, refusals)
    yield from _split(company, group, refusals)


def _split(
    company: str, group: _Group, refusals: Mapping[str, str]
) -> Iterator[tuple[str, Sequence[Goods], str]]:
    """Let as few nodes as possible ship: the one that takes most lines first, then by order."""
    left = list(group.goods)
    nodes = [node for node in group.nodes if _other_company(company, node) is None]
    given = []
    while left and nodes:
        node, taken = max(
            ((node, _taken(node, group, left)) for node in nodes), key=lambda one: len(one[1])
        )
        if not taken:
            break
        nodes.remove(node)
        left = [one for one in left if one not in taken]
        given.append((node, taken))
    if left:
        raise _Failed(left, refusals)
    for node, taken in given:
        others = {name: why for name, why in refusals.items() if name != node.name}
        yield node.name, taken, _reason(node, group, taken, others)


def _taken(node: Node, group: _Group, lines: Sequence[Goods]) -> list[Goods]:
    """Return the lines that a node takes, in their order: one SKU may run out on the way."""
    taken: list[Goods] = []
    for line in lines:
        if group.refusal(node, [*taken, line]) is None:
            taken.append(line)
    return taken


def _other_company(company: str, node: Node) -> str | None:
    return None if node.company == company else f"is stock of {node.company}, not of {company}"


def _reason(node: Node, group: _Group, taken: Sequence[Goods], refusals: Mapping[str, str]) -> str:
    """Say why a node was chosen, and why the ones before it were not."""
    what = "all lines" if len(taken) == len(group.goods) else f"{len(taken)} lines"
    stocked = "kept there" if node.stock is None else "in stock"
    said = [f"node {node.name}: {group.why}, {what} {stocked}"]
    return "; ".join([*said, *(f"{name} refused: {why}" for name, why in refusals.items())])


def _violations(
    sale: Sale, groups: Sequence[_Group], failed: Sequence[_Failed]
) -> Iterator[Violation]:
    """Say for every line that is left over why no node ships it."""
    if _shippable_apart(groups):
        message = (
            "its goods are stock of several companies, and an order is booked in one: "
            + "; ".join(sorted({_told(one.refusals) for one in failed}))
            + "; move the stock, or have it ordered apart"
        )
        yield Violation(path="lines", code="fulfilment.several_companies", message=message)
        return
    for line in failed[0].lines:
        why = "; ".join(dict.fromkeys(_told(one.refusals) for one in failed))
        yield _unshippable(sale, groups, line, why)


def _told(refusals: Mapping[str, str]) -> str:
    return "; ".join(f"{name} {why}" for name, why in refusals.items())


def _shippable_apart(groups: Sequence[_Group]) -> bool:
    """Say whether some node, of whatever company, takes each single line."""
    return len({node.company for group in groups for node in group.nodes}) > 1 and all(
        any(group.refusal(node, [line]) is None for node in group.nodes)
        for group in groups
        for line in group.goods
    )


def _unshippable(sale: Sale, groups: Sequence[_Group], line: Goods, why: str) -> Violation:
    nodes = next(group.nodes for group in groups if line in group.goods)
    lacking = any(short(node, [line]) for node in nodes)
    return Violation(
        path=f"lines[{line.place}].sku",
        code="fulfilment.short" if lacking else "fulfilment.no_node",
        message=f"no node ships SKU {line.sku!r} for {sale.store}: {why}",
    )
