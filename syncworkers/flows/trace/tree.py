"""What came of an order, as a tree: parts, their shipments, and the invoices for those."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from syncworkers.rules import effects

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from syncworkers.store.stories import Facts

Row = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """One object: what it is, since when, how it stands at each side, and what came of it."""

    kind: str
    name: str
    at: dt.datetime
    state: str
    children: tuple[Node, ...] = ()


SCHEDULED = (
    ("released from", "release_at"),
    ("leaves by", "ship_by"),
    ("promised by", "promised_at"),
)
"""What its warehouse's calendar says of a part."""


def grow(facts: Facts) -> Node | None:
    """Draw the tree along the edges of the lineage; None before an order was accepted."""
    if facts.order is None:
        return None
    return _node(facts, "order", facts.order["id"])


def _node(facts: Facts, kind: str, key: int) -> Node:
    edges = [
        edge for edge in facts.lineage if (edge["parent_kind"], edge["parent_id"]) == (kind, key)
    ]
    children = tuple(_node(facts, edge["child_kind"], edge["child_id"]) for edge in edges)
    return DRAWN[kind](facts, key, children)


def _order(facts: Facts, key: int, children: tuple[Node, ...]) -> Node:
    order = facts.order or {}
    said = [f"{order['total']} {order['currency']}"]
    if order["cancelled_at"] is not None:
        said.append(f"cancelled {order['cancelled_at']:%Y-%m-%d %H:%M} UTC")
    booked = _standing(facts, effects.ORDER_CREATE, "order", key)
    said += [f"{order['erp']}: {booked[order['erp']]}"] if order["erp"] in booked else []
    name = f"{order['number']} of {order['partner']}"
    return Node(
        kind="order", name=name, at=order["placed_at"], state="; ".join(said), children=children
    )


def _part(facts: Facts, key: int, children: tuple[Node, ...]) -> Node:
    part = next(one for one in facts.parts if one["id"] == key)
    wanted = sum(wanted_units(part["lines"]).values())
    left = sum(one["units"] for one in facts.shipments if one["part_id"] == key)
    released = _standing(facts, effects.PART_CREATE, "part", key)
    said = [f"{left} of {wanted} units left", *released.values()]
    said += [f"warehouse says {part['code']}"] if part["code"] else [f"gate {part['gate']}"]
    said += [
        f"cancel {state}" for state in _standing(facts, effects.PART_CANCEL, "part", key).values()
    ]
    said += [part["route"]] if part["route"] else []
    said += list(_packing(part["lines"]))
    said += [
        f"{what} {part[key]:%a %Y-%m-%d %H:%M} UTC"
        for what, key in SCHEDULED
        if part[key] is not None
    ]
    return Node(
        kind="part",
        name=f"{part['reference']} at {part['partner']}",
        at=part["created_at"],
        state="; ".join(said),
        children=children,
    )


def wanted_units(lines: Sequence[Row]) -> dict[str, int]:
    """Return the sales units by order line; a kit is several lines of one."""
    return {line["reference"]: line["quantity"] for line in lines}


def _packing(lines: Sequence[Row]) -> Iterator[str]:
    """Say what the warehouse packs, where that is not simply what was sold."""
    sold: dict[str, list[str]] = {}
    for line in lines:
        packed = line.get("packed")
        if packed is None or (line["unit"] == line["sold_unit"] and not line["kit"]):
            continue
        name = f"{line['quantity']} {line['sold_unit']} {line['kit'] or line['sku']}"
        sold.setdefault(name, []).append(f"{packed} {line['unit']} {line['sku']}")
    yield from (f"{name} = {' + '.join(packed)}" for name, packed in sold.items())


def _shipment(facts: Facts, key: int, children: tuple[Node, ...]) -> Node:
    shipment = next(one for one in facts.shipments if one["id"] == key)
    told = _standing(facts, effects.SHIPMENT_CREATE, "shipment", key)
    flag = f" ({shipment['flag']})" if shipment["flag"] else ""
    said = [
        f"{shipment['units']} units",
        f"{shipment['milestone']}{flag}",
        *(f"{partner}: {state}" for partner, state in told.items()),
    ]
    carrier = f"{shipment['carrier']} {shipment['tracking_number']}".strip()
    return Node(
        kind="shipment",
        name=carrier or shipment["external_id"],
        at=shipment["shipped_at"],
        state="; ".join(said),
        children=children,
    )


def _invoice(facts: Facts, key: int, children: tuple[Node, ...]) -> Node:
    invoice = next(one for one in facts.invoices if one["id"] == key)
    mine = [one for one in facts.matches if one["invoice_id"] == key]
    said = [f"{invoice['total']} {invoice['currency']} of {invoice['date']}"]
    if any(one["order_line"] is None for one in mine):
        said.append("bills what was not ordered")
    if any(one["shipment_id"] is None for one in mine):
        said.append("bills what has not left")
    if not all(one["certain"] for one in mine):
        said.append("not certain which")
    return Node(
        kind="invoice",
        name=invoice["number"],
        at=invoice["received_at"],
        state="; ".join(said),
        children=children,
    )


DRAWN: Mapping[str, Callable[[Facts, int, tuple[Node, ...]], Node]] = {
    "order": _order,
    "part": _part,
    "shipment": _shipment,
    "invoice": _invoice,
}
"""By kind: how it is drawn."""


def _standing(facts: Facts, operation: str, kind: str, key: int) -> dict[str, str]:
    """Say by partner how an operation on one entity stands, with the partner's id where known."""
    links = {
        one["partner"]: one["external_id"]
        for one in facts.links
        if (one["kind"], one["entity_id"]) == (kind, key)
    }
    found = {}
    for one in facts.deliveries:
        mine = (one["operation"], one["entity_kind"], one["entity_id"])
        if mine == (operation, kind, key):
            waits = f", waits for {' and '.join(one['waits_for'])}" if one["waits_for"] else ""
            done = f"is {links[one['partner']]}" if one["partner"] in links else "done"
            state = done if one["state"] == "confirmed" else f"{operation} {one['state']}{waits}"
            found[one["partner"]] = state
    return found
