"""Do the files of the configuration agree with each other?"""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from syncworkers.policy.policy import Policy


def disagreements(policy: Policy, names: Sequence[str]) -> Iterator[str]:
    """Yield where the files do not agree, each with its remedy; `names` are all partner files."""
    yield from _bookings(policy, names)
    yield from _fulfilment(policy)
    yield from _nodes(policy)
    yield from _routing(policy)
    for name in policy.calendars:
        if name not in policy.fulfilment.warehouses:
            hint = meant(name, sorted(policy.fulfilment.warehouses))
            yield f"calendars.toml: [{name}]: there is no warehouse of that name{hint}"
    yield from _units(policy)


def meant(key: str, known: Sequence[str]) -> str:
    """Return a hint at the known name that looks most like `key`; empty if none does."""
    close = difflib.get_close_matches(key, known, n=1)
    return f" (did you mean {close[0]}?)" if close else ""


def _bookings(policy: Policy, names: Sequence[str]) -> Iterator[str]:
    for store, booking in policy.bookings.items():
        for key, wanted in (("table name", store), ("erp", booking.erp)):
            if wanted not in names:
                hint = meant(wanted, names)
                yield f"booking.toml: [{store}] {key}: no partners/{wanted}.toml{hint}"
    for name, partner in policy.partners.items():
        if partner.role == "store" and name not in policy.bookings:
            yield f"booking.toml: [{name}] missing: how are its orders booked?"


def _fulfilment(policy: Policy) -> Iterator[str]:
    fulfilment = policy.fulfilment
    roles = {name: partner.role for name, partner in policy.partners.items()}
    for name in sorted(fulfilment.stores.keys() | fulfilment.warehouses.keys()):
        wanted = "store" if name in fulfilment.stores else "warehouse"
        if roles and roles.get(name) != wanted:
            hint = meant(name, sorted(roles))
            yield f"fulfilment.toml: {name}: no {wanted} of that name{hint}"
    for name, store in fulfilment.stores.items():
        if store.warehouse not in fulfilment.warehouses:
            hint = meant(store.warehouse, sorted(fulfilment.warehouses))
            yield (
                f"fulfilment.toml: stores.{name}.warehouse: there is no table"
                f" [warehouses.{store.warehouse}]{hint}"
            )
    for name, role in roles.items():
        if role == "store" and name not in fulfilment.stores:
            yield f"fulfilment.toml: [stores.{name}] missing: who ships its orders?"


def _nodes(policy: Policy) -> Iterator[str]:
    """A company that ships must have a table in the booking of a store at least."""
    known = {one.company for booking in policy.bookings.values() for one in booking.all()}
    for name, node in policy.fulfilment.warehouses.items():
        if policy.bookings and node.company is not None and node.company not in known:
            hint = meant(node.company, sorted(known))
            yield (
                f"fulfilment.toml: warehouses.{name}.company: no store is booked in "
                f"{node.company}{hint}: add [<store>.companies.{node.company}] to booking.toml"
            )


def _routing(policy: Policy) -> Iterator[str]:
    nodes = sorted(policy.fulfilment.warehouses)
    stores = sorted(policy.fulfilment.stores)
    brands = sorted(
        {one.brand for one in policy.partners.values() if one.role == "store"}
        | {brand for one in policy.fulfilment.stores.values() for brand in one.brands.values()}
    )
    for rule in policy.routing.rules:
        for key, named, known in (
            ("nodes", rule.nodes, nodes),
            ("stores", sorted(rule.stores), stores),
            ("brands", sorted(rule.brands), brands),
        ):
            for name in named:
                if policy.partners and name not in known:
                    hint = meant(name, known)
                    yield f"routing.toml: rule {rule.number}: {key}: there is no {name}{hint}"


def _units(policy: Policy) -> Iterator[str]:
    """A name in `units.toml` that nobody else knows would be counted by each without a word."""
    units, nodes = policy.units, policy.fulfilment.warehouses
    sold = {sku for one in policy.bookings.values() for each in one.all() for sku in each.items}
    kept = {sku for node in nodes.values() for sku in node.items}
    erps = {one.erp for one in policy.bookings.values()}
    named: list[tuple[str, str, Collection[str]]] = [
        *(("sold: no store has SKU", sku, sold) for sku in units.sold),
        *(("kept: there is no warehouse", name, nodes) for name in units.kept),
        *(("symbols: there is no ERP", name, erps) for name in units.symbols),
        *(
            (f"kept.{name}: it does not keep SKU", sku, nodes[name].items)
            for name, skus in units.kept.items()
            if name in nodes
            for sku in skus
        ),
        *(
            ("conversions: there is no warehouse", one.partner, nodes)
            for one in units.conversions
            if one.partner is not None
        ),
        *(
            ("conversions: nobody sells or keeps SKU", one.sku, sold | kept)
            for one in units.conversions
            if one.sku is not None
        ),
        *(("kits: no store has SKU", kit.sku, sold) for kit in units.kits),
        *(
            (f"kits: {kit.sku}: no warehouse keeps SKU", one.sku, kept)
            for kit in units.kits
            for one in kit.components
        ),
    ]
    for what, name, known in named:
        if name not in known:
            yield f"units.toml: {what} {name}{meant(name, sorted(known))}"
