"""Let an order go to its warehouse: which part, on whose word, and what it must carry."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from syncworkers.canonical.parts import Part, PartLine
from syncworkers.errors import RejectedError, Violation
from syncworkers.policy.fulfilment import AFTER_BOOKING, AFTER_VALIDATION
from syncworkers.rules import booking

if TYPE_CHECKING:
    from collections.abc import Iterable

    from syncworkers.canonical.orders import OrderLine, SalesOrder
    from syncworkers.policy.fulfilment import StorePolicy, WarehousePolicy
    from syncworkers.rules.routing import Routed


CERTIFY = "certify-"
"""How the references of what `partners certify` makes begin: nobody waits for it."""


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
    store: str, routed: Routed, warehouse: WarehousePolicy, order: SalesOrder, *, number: int
) -> Part:
    """Build what a warehouse is to ship: the part of this `number`, from 1.

    Raises `RejectedError` with all violations at once.
    """
    tables = _Tables(name=routed.node, warehouse=warehouse)
    lines = tuple(
        tables.line(order.lines[place], number=row, place=place)
        for row, place in enumerate(routed.places, start=1)
    )
    method = tables.method(order.shipping_method)
    address = order.shipping_address
    violations = tables.violations + ([booking.ADDRESS_MISSING] if address is None else [])
    if violations or address is None:
        raise RejectedError("cannot be released", violations=violations)
    return Part(
        reference=reference(store, order.external_id, number),
        order_number=order.number,
        placed_at=order.placed_at,
        shipping_method=method,
        email=order.email,
        address=address,
        lines=lines,
    )


@dataclass(slots=True, kw_only=True)
class _Tables:
    """Looks up what the warehouse calls things, and notes every missing entry."""

    name: str
    warehouse: WarehousePolicy
    violations: list[Violation] = field(default_factory=list)

    def method(self, name: str) -> str:
        """Return the warehouse's method for the store's."""
        found = self.warehouse.shipping_methods.get(name)
        if found is None:
            what = f"has no method for it; {self._add('shipping_methods', name)}"
            self._refuse("shipping_method", "warehouse.method_unmapped", what)
        return found or ""

    def line(self, line: OrderLine, *, number: int, place: int) -> PartLine:
        """Return an order line as a line of the part; `place` is where the order has it, from 0."""
        item = self.warehouse.items.get(line.sku)
        if item is None:
            what = f"does not know SKU {line.sku!r}; {self._add('items', line.sku)}"
            self._refuse(f"lines[{place}].sku", "warehouse.item_unmapped", what)
        return PartLine(
            reference=line.external_id,
            number=number,
            sku=line.sku,
            item=item or "",
            title=line.title,
            quantity=line.quantity,
            unit_price=line.unit_price,
        )

    def _add(self, table: str, key: str) -> str:
        place = f"[warehouses.{self.name}.{table}] of config/fulfilment.toml"
        return f"add {key!r} to {place}"

    def _refuse(self, path: str, code: str, what: str) -> None:
        message = f"{self.name} {what}"
        self.violations.append(Violation(path=path, code=code, message=message))
