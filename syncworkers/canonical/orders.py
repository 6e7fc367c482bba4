"""A sales order as the store sold it."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum


class AdjustmentKind(StrEnum):
    """Amounts of an order that are no line: each is booked by an explicit table or refused."""

    SHIPPING = "shipping"
    HANDLING = "handling"
    DISCOUNT = "discount"
    TIP = "tip"
    DUTY = "duty"
    TAX = "tax"
    ROUNDING = "rounding"


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """A postal address; `country` is ISO 3166-1 alpha-2, `region` the store's province code."""

    name: str = ""
    company: str = ""
    street: str = ""
    street2: str = ""
    city: str = ""
    region: str = ""
    postal_code: str = ""
    country: str = ""
    phone: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderLine:
    """One line still owed to the customer.

    `quantity` is in sales units, `unit_price` and the line totals `discount` and `tax` are in the
    order's currency.
    """

    external_id: str
    sku: str
    title: str
    quantity: int
    unit_price: Decimal
    discount: Decimal
    tax: Decimal
    requires_shipping: bool
    gift_card: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Adjustment:
    """An amount beside the lines. `code` is the store's own word for it (a shipping method)."""

    kind: AdjustmentKind
    code: str
    amount: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class SalesOrder:
    """A whole snapshot of an order at its store.

    `external_id` is the store's permanent id, `number` what people call it. `updated_at` orders
    snapshots of one order. `total` is authoritative: what lines, tax and adjustments do not explain
    stands as a rounding adjustment. All times are aware UTC.
    """

    external_id: str
    number: str
    placed_at: dt.datetime
    updated_at: dt.datetime
    cancelled_at: dt.datetime | None
    currency: str
    total: Decimal
    tax_total: Decimal
    taxes_included: bool
    test: bool
    customer_id: str | None
    customer_name: str
    email: str
    po_number: str
    note: str
    shipping_method: str
    payment_gateways: tuple[str, ...]
    shipping_address: Address | None
    billing_address: Address | None
    lines: tuple[OrderLine, ...]
    adjustments: tuple[Adjustment, ...]
    store_view: str = ""
    """Which view of the store sold it, where it has several; brands may differ by view."""
    on_hold: str = ""
    """Why the store does not want it carried out yet, in its own word."""
