"""Let an order go to its warehouse: which part, on whose word, and what it must carry."""

from __future__ import annotations

from typing import TYPE_CHECKING

from syncworkers.canonical.parts import Part, PartLine
from syncworkers.errors import RejectedError, Violation
from syncworkers.policy.fulfilment import AFTER_BOOKING, AFTER_VALIDATION

if TYPE_CHECKING:
    from collections.abc import Iterable

    from syncworkers.canonical.orders import OrderLine, SalesOrder
    from syncworkers.policy.fulfilment import StorePolicy, WarehousePolicy


def reference(store: str, order_id: str, number: int) -> str:
    """Return our reference of a part: it follows from the store's permanent order id alone."""
    return f"{store}-{order_id}-{number}"


def is_ours(found: str, stores: Iterable[str]) -> bool:
    """Say whether a reference is one that we give."""
    return any(found.startswith(f"{store}-") for store in stores)


def gate(policy: StorePolicy, order: SalesOrder) -> str:
    """Say what the order waits for before its warehouse gets it."""
    if policy.release_after == AFTER_BOOKING:
        return AFTER_BOOKING
    limit = policy.release_limit.get(order.currency)
    return AFTER_BOOKING if limit is None or order.total > limit else AFTER_VALIDATION


def part(
    store: str, policy: StorePolicy, warehouse: WarehousePolicy, order: SalesOrder
) -> Part | None:
    """Build what the warehouse is to ship; None if there is nothing to ship.

    Raises `RejectedError` with all violations at once.
    """
    shippable = [line for line in order.lines if line.requires_shipping and not line.gift_card]
    if not shippable:
        return None
    violations: list[Violation] = []
    lines = tuple(
        _line(policy, warehouse, line, number, violations)
        for number, line in enumerate(shippable, start=1)
    )
    method = warehouse.shipping_methods.get(order.shipping_method)
    if method is None:
        violations.append(
            _missing(
                "shipping_method",
                "warehouse.method_unmapped",
                f"{policy.warehouse} has no method for it",
                policy,
                "shipping_methods",
                order.shipping_method,
            )
        )
    if order.shipping_address is None:
        message = "goods that are shipped need a delivery address: add it in the store"
        violations.append(
            Violation(path="shipping_address", code="address.missing", message=message)
        )
    if violations or order.shipping_address is None:
        raise RejectedError("cannot be released", violations=violations)
    return Part(
        reference=reference(store, order.external_id, 1),
        order_number=order.number,
        placed_at=order.placed_at,
        shipping_method=method or "",
        email=order.email,
        address=order.shipping_address,
        lines=lines,
    )


def _line(
    policy: StorePolicy,
    warehouse: WarehousePolicy,
    line: OrderLine,
    number: int,
    violations: list[Violation],
) -> PartLine:
    item = warehouse.items.get(line.sku)
    if item is None:
        violations.append(
            _missing(
                f"lines[{number - 1}].sku",
                "warehouse.item_unmapped",
                f"{policy.warehouse} does not know SKU {line.sku!r}",
                policy,
                "items",
                line.sku,
            )
        )
    return PartLine(
        reference=line.external_id,
        number=number,
        sku=line.sku,
        item=item or "",
        title=line.title,
        quantity=line.quantity,
        unit_price=line.unit_price,
    )


def _missing(  # noqa: PLR0913, PLR0917 - where, what, and the entry that would mend it
    path: str, code: str, what: str, policy: StorePolicy, table: str, key: str
) -> Violation:
    place = f"[warehouses.{policy.warehouse}.{table}] of config/fulfilment.toml"
    return Violation(path=path, code=code, message=f"{what}; add {key!r} to {place}")
