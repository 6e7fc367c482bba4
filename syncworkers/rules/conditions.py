"""Which routing rule speaks of an order line, and in which words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from syncworkers.canonical.orders import Address

if TYPE_CHECKING:
    from collections.abc import Iterator

    from syncworkers.canonical.orders import SalesOrder
    from syncworkers.policy.routing import RoutingPolicy, RoutingRule


@dataclass(frozen=True, slots=True, kw_only=True)
class Matched:
    """The rule, and what of the line made it hold."""

    rule: RoutingRule
    why: str


def matched(
    policy: RoutingPolicy, order: SalesOrder, *, store: str, brand: str, sku: str
) -> Matched | None:
    """Return the first rule all of whose conditions hold; None if there is none."""
    address = order.shipping_address or Address()
    postcode = address.postal_code.replace(" ", "").upper()
    classes = {name for name, skus in policy.sku_classes.items() if sku in skus}
    for rule in policy.rules:
        simple = (
            (rule.stores, store),
            (rule.brands, brand),
            (rule.countries, address.country),
            (rule.currencies, order.currency),
        )
        if (
            all(not wanted or found in wanted for wanted, found in simple)
            and (not rule.postcodes or any(one.covers(postcode) for one in rule.postcodes))
            and (not rule.sku_classes or rule.sku_classes & classes)
            and _is_in_time(rule, order)
        ):
            said = _said(rule, order, store=store, brand=brand, postcode=postcode, classes=classes)
            return Matched(rule=rule, why=", ".join(said))
    return None


def _is_in_time(rule: RoutingRule, order: SalesOrder) -> bool:
    cut_off = rule.before
    return cut_off is None or order.placed_at.astimezone(cut_off.zone).time() < cut_off.time


def _said(  # noqa: PLR0913 - one for each condition
    rule: RoutingRule,
    order: SalesOrder,
    *,
    store: str,
    brand: str,
    postcode: str,
    classes: set[str],
) -> Iterator[str]:
    """Name the conditions that held."""
    yield f"rule {rule.number}"
    if rule.stores:
        yield f"store {store}"
    if rule.brands:
        yield f"brand {brand}"
    if rule.countries and order.shipping_address is not None:
        yield f"country {order.shipping_address.country}"
    if rule.postcodes:
        yield f"postcode {next(one for one in rule.postcodes if one.covers(postcode))}"
    if rule.currencies:
        yield f"currency {order.currency}"
    if rule.sku_classes:
        yield f"class {' and '.join(sorted(rule.sku_classes & classes))}"
    if rule.before is not None:
        yield f"before {rule.before.time:%H:%M} {rule.before.zone.key}"
