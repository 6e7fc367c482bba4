"""Build a canonical order from an Adobe Commerce order.

Prices are without tax, whatever the shop shows; what is booked and what is picked are the same
rows. A configurable product is its parent row alone, a bundle its parts. The total the customer
owes is the grand total and what gift cards, store credit and reward points paid of it: those are
tenders, not discounts.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from syncworkers.canonical.orders import (
    Address,
    Adjustment,
    AdjustmentKind,
    OrderLine,
    SalesOrder,
)
from syncworkers.errors import RejectedError, Violation

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    Fields = Mapping[str, Any]

CANCELLED = "canceled"
WAITING = frozenset({"pending_payment", "payment_review", "holded"})
"""States in which the shop does not want an order carried out yet."""
STATES = WAITING | {"new", "processing", "complete", "closed", CANCELLED}
BUNDLE = "bundle"
INTANGIBLE = frozenset({"virtual", "downloadable"})
GIFT_CARD = "giftcard"
TENDERS = {
    "gift_cards": "gift_card",
    "store_credit": "store_credit",
    "reward_points": "reward_points",
}
"""By field: the name of the tender."""
CENT = Decimal("0.01")
_NOTHING: Mapping[str, Any] = {}


def assemble(order: Fields) -> SalesOrder:
    """Build the order; `order` holds the loaded fields of `OrderBody`.

    Raises `RejectedError` for states nobody knows, for orders that were cancelled in part, and for
    a total that its parts do not explain.
    """
    _check_state(order)
    extension = order["extension"] or _NOTHING
    shipping = next((one["shipping"] for one in extension.get("assignments", ())), None) or _NOTHING
    payment = order["payment"] or _NOTHING
    tenders = {name: extension.get(field) for field, name in TENDERS.items()}
    paid_otherwise = sum((amount for amount in tenders.values() if amount), Decimal(0))
    total = order["grand_total"] + paid_otherwise
    lines = tuple(_lines(order["items"]))
    adjustments = (*_adjustments(order, extension, shipping),)
    rounding = _rounding(total, lines, adjustments)
    address = _address(shipping.get("address"))
    billing = _address(order["billing_address"])
    name = " ".join(part for part in (order["first_name"], order["last_name"]) if part)
    return SalesOrder(
        external_id=order["id"],
        number=order["number"],
        placed_at=order["placed_at"],
        updated_at=order["updated_at"] or order["placed_at"],
        cancelled_at=_cancelled_at(order),
        currency=order["currency"],
        total=total,
        tax_total=order["tax"],
        taxes_included=False,
        test=False,
        customer_id=None if order["guest"] else order["customer_id"],
        customer_name=name or next((one.name for one in (billing, address) if one), ""),
        email=order["email"],
        po_number=payment.get("po_number", ""),
        note=order["note"],
        shipping_method=shipping.get("method", ""),
        payment_gateways=(
            *(name for name, amount in tenders.items() if amount),
            *filter(None, [payment.get("method")]),
        ),
        shipping_address=address if any(line.requires_shipping for line in lines) else None,
        billing_address=billing,
        lines=lines,
        adjustments=(*adjustments, *rounding),
        store_view=str(order["store_view"]),
        on_hold=order["state"] if order["state"] in WAITING else "",
    )


def _check_state(order: Fields) -> None:
    state = order["state"]
    if state not in STATES:
        message = f"{state!r} is no state of an order that we know: tell whoever keeps this mapping"
        raise _wrong("state", "order.state_unknown", message)
    partly = [row["sku"] for row in order["items"] if row["cancelled"] and state != CANCELLED]
    if partly:
        message = (
            f"{', '.join(partly)} of it was cancelled, and the rest was not: change it in the ERP "
            "and at the warehouse by hand"
        )
        raise _wrong("items", "order.cancelled_in_part", message)


def _cancelled_at(order: Fields) -> Any:
    """Return when it was cancelled: the shop keeps only that it was."""
    return (order["updated_at"] or order["placed_at"]) if order["state"] == CANCELLED else None


def _lines(rows: Sequence[Fields]) -> Iterator[OrderLine]:
    parts: dict[str, list[Fields]] = {}
    for row in rows:
        if row["parent"] is not None:
            parts.setdefault(row["parent"], []).append(row)
    for row in rows:
        if row["parent"] is not None or not row["quantity"]:
            continue
        mine = parts.get(row["id"], []) if row["kind"] == BUNDLE else []
        yield from (_line(part) for part in mine if part["quantity"])
        # Of a bundle with a price of its own, the parts cost nothing and the bundle does.
        if not mine or not any(part["row_total"] for part in mine):
            yield _line(row, intangible=bool(mine))


def _line(row: Fields, *, intangible: bool = False) -> OrderLine:
    gift_card = row["kind"] == GIFT_CARD
    ships = not (intangible or gift_card or row["virtual"] or row["kind"] in INTANGIBLE)
    return OrderLine(
        external_id=row["id"],
        sku=row["sku"],
        title=row["title"],
        quantity=int(row["quantity"]),
        unit_price=row["price"],
        discount=row["discount"],
        tax=row["tax"],
        requires_shipping=ships,
        gift_card=gift_card,
    )


def _adjustments(order: Fields, extension: Fields, shipping: Fields) -> Iterator[Adjustment]:
    wrapping = sum(
        (
            extension.get(name, Decimal(0))
            for name in ("wrapping", "items_wrapping", "gift_message_card")
        ),
        Decimal(0),
    )
    amounts = (
        (AdjustmentKind.SHIPPING, shipping.get("method"), order["shipping"]),
        (AdjustmentKind.DISCOUNT, "shipping discount", -order["shipping_discount"]),
        (AdjustmentKind.HANDLING, "gift wrapping", wrapping),
        (AdjustmentKind.TAX, "tax", order["tax"]),
        # What a discount on prices with tax took of the tax too much.
        (
            AdjustmentKind.TAX,
            "tax of discounts",
            order["hidden_tax"] + order["shipping_hidden_tax"],
        ),
    )
    for kind, code, amount in amounts:
        if amount:
            yield Adjustment(kind=kind, code=code or kind.value, amount=amount)


def _rounding(
    total: Decimal, lines: Sequence[OrderLine], adjustments: Sequence[Adjustment]
) -> tuple[Adjustment, ...]:
    """Book what rounding leaves, a cent a line at most, on a line of its own; more is refused."""
    explained = sum((line.quantity * line.unit_price - line.discount for line in lines), Decimal(0))
    explained += sum((one.amount for one in adjustments), Decimal(0))
    rest = total - explained
    if not rest:
        return ()
    if abs(rest) > CENT * (len(lines) + 1):
        message = (
            f"lines, shipping and tax come to {explained}, the total is {total}: find out what the "
            f"{rest} are, and have this mapping know it"
        )
        raise _wrong("grand_total", "total.unexplained", message)
    return (Adjustment(kind=AdjustmentKind.ROUNDING, code="rounding", amount=rest),)


def _address(fields: Fields | None) -> Address | None:
    if fields is None:
        return None
    streets: list[str] = fields["street"] or []
    return Address(
        name=" ".join(part for part in (fields["first_name"], fields["last_name"]) if part),
        company=fields["company"],
        street=streets[0] if streets else "",
        street2=" ".join(filter(None, streets[1:])),
        city=fields["city"],
        region=fields["region_code"] or fields["region"],
        postal_code=fields["postal_code"],
        country=fields["country"],
        phone=fields["phone"],
    )


def _wrong(path: str, code: str, message: str) -> RejectedError:
    return RejectedError(message, violations=[Violation(path=path, code=code, message=message)])
