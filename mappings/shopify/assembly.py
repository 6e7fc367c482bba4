"""Build a canonical order from the fields that both shapes of a Shopify order have.

The store's total is authoritative: what lines, tax and adjustments do not explain is a rounding
adjustment, seen and booked. Amounts are in the shop's own currency.
"""

from __future__ import annotations

from decimal import ROUND_DOWN, Decimal
from typing import TYPE_CHECKING, Any

from syncworkers.canonical.orders import (
    Address,
    Adjustment,
    AdjustmentKind,
    OrderLine,
    SalesOrder,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    Fields = Mapping[str, Any]

_NOTHING = Decimal(0)


def assemble(order: Fields) -> SalesOrder:
    """Build the order; `order` holds the loaded fields of `OrderBody` or `OrderNode`."""
    lines = tuple(_lines(order["lines"]))
    shipping = [line for line in order["shipping_lines"] if not line["removed"]]
    adjustments = list(_adjustments(order, shipping))
    explained = sum((line.quantity * line.unit_price - line.discount for line in lines), _NOTHING)
    explained += sum((one.amount for one in adjustments), _NOTHING)
    if order["total"] != explained:
        adjustments.append(
            Adjustment(
                kind=AdjustmentKind.ROUNDING, code="rounding", amount=order["total"] - explained
            )
        )
    customer = order["customer"] or {}
    address = _address(order["shipping_address"])
    created_at = order["created_at"]
    return SalesOrder(
        external_id=order["id"],
        number=order["name"].removeprefix("#") or order["id"],
        placed_at=order["processed_at"] or created_at,
        updated_at=order["updated_at"] or created_at,
        cancelled_at=order["cancelled_at"],
        currency=order["currency"],
        total=order["total"],
        tax_total=order["tax_total"] or _NOTHING,
        taxes_included=order["taxes_included"],
        test=order["test"],
        customer_id=customer.get("id"),
        customer_name=_name(customer) or (address.name if address else ""),
        email=order["email"],
        po_number=order["po_number"],
        note=order["note"],
        shipping_method=shipping[0]["title"] if shipping else "",
        payment_gateways=tuple(order["payment_gateways"]),
        shipping_address=address,
        billing_address=_address(order["billing_address"]),
        lines=lines,
        adjustments=tuple(adjustments),
    )


def _lines(lines: Sequence[Fields]) -> Iterator[OrderLine]:
    """Keep what is still owed: removed units and lines are not, a tip is no line."""
    for line in lines:
        ordered = line["quantity"]
        current = line["current_quantity"]
        quantity = ordered if current is None else current
        if not quantity or line["tip"]:
            continue
        allocated = sum(line["discounts"], _NOTHING) or line["total_discount"] or _NOTHING
        yield OrderLine(
            external_id=line["id"],
            sku=line["sku"],
            title=line["title"],
            quantity=quantity,
            unit_price=line["price"],
            discount=_share(allocated, quantity, ordered),
            tax=_share(sum(line["taxes"], _NOTHING), quantity, ordered),
            requires_shipping=line["requires_shipping"],
            gift_card=line["gift_card"],
        )


def _share(amount: Decimal, quantity: int, ordered: int) -> Decimal:
    """Return what of a whole line's amount belongs to the units still owed."""
    if quantity >= ordered:
        return amount
    return (amount * quantity / ordered).quantize(Decimal("0.01"), rounding=ROUND_DOWN)


def _adjustments(order: Fields, shipping: Sequence[Fields]) -> Iterator[Adjustment]:
    for line in shipping:
        price = line["discounted_price"]
        if price is None:
            price = line["price"] - sum(line["discounts"], _NOTHING)
        if price:
            yield Adjustment(kind=AdjustmentKind.SHIPPING, code=line["title"], amount=price)
    amounts = {
        AdjustmentKind.TIP: order["tip"],
        AdjustmentKind.DUTY: order["duties"],
        # Where prices include tax, the lines carry it already.
        AdjustmentKind.TAX: None if order["taxes_included"] else order["tax_total"],
    }
    for kind, amount in amounts.items():
        if amount:
            yield Adjustment(kind=kind, code=kind.value, amount=amount)


def _name(person: Fields) -> str:
    parts = (person.get("first_name"), person.get("last_name"))
    return " ".join(part for part in parts if part)


def _address(fields: Fields | None) -> Address | None:
    if fields is None:
        return None
    return Address(
        name=fields["name"] or _name(fields),
        company=fields["company"],
        street=fields["street"],
        street2=fields["street2"],
        city=fields["city"],
        region=fields["region"],
        postal_code=fields["postal_code"],
        country=fields["country"],
        phone=fields["phone"],
    )
