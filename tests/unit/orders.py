"""A sound order and policy to start from; tests change one thing."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

from syncworkers.canonical.orders import Address, Adjustment, AdjustmentKind, OrderLine, SalesOrder
from syncworkers.policy.booking import BookingPolicy
from syncworkers.policy.fulfilment import StorePolicy, WarehousePolicy

AT = dt.datetime(2026, 11, 24, 12, tzinfo=dt.UTC)
HOME = Address(
    name="Ada Byron",
    street="1 Main St",
    city="Eugene",
    region="OR",
    postal_code="97401",
    country="US",
)


def line(**changes: Any) -> OrderLine:
    fields = {
        "external_id": "11",
        "sku": "MUG",
        "title": "Mug",
        "quantity": 2,
        "unit_price": Decimal("12.50"),
        "discount": Decimal(0),
        "tax": Decimal(0),
        "requires_shipping": True,
        "gift_card": False,
    }
    return OrderLine(**{**fields, **changes})


def adjustment(kind: str, amount: str, code: str = "Standard") -> Adjustment:
    return Adjustment(kind=AdjustmentKind(kind), code=code, amount=Decimal(amount))


def order(**changes: Any) -> SalesOrder:
    fields: dict[str, Any] = {
        "external_id": "5182437124",
        "number": "1001",
        "placed_at": AT,
        "updated_at": AT,
        "cancelled_at": None,
        "currency": "USD",
        "total": Decimal("30.95"),
        "tax_total": Decimal(0),
        "taxes_included": False,
        "test": False,
        "customer_id": "7",
        "customer_name": "Ada Byron",
        "email": "ada@example.com",
        "po_number": "",
        "note": "",
        "shipping_method": "Standard",
        "payment_gateways": ("shopify_payments",),
        "shipping_address": HOME,
        "billing_address": HOME,
        "lines": (line(),),
        "adjustments": (adjustment("shipping", "5.95"),),
    }
    return SalesOrder(**{**fields, **changes})


def policy(**changes: Any) -> BookingPolicy:
    fields: dict[str, Any] = {
        "store": "shopify-us",
        "erp": "d365-main",
        "company": "usmf",
        "order_prefix": "US",
        "language": "en-us",
        "customers": "one_time",
        "customer_prefix": "",
        "customer_group": "",
        "one_time_customer": "ONLINE",
        "gift_card_item": "GIFT",
        "accept_test_orders": False,
        "items": {"MUG": "1000"},
        "warehouses": {"US": "13"},
        "delivery_modes": {"Standard": "GROUND"},
        "charges": {kind: kind.value.upper() for kind in AdjustmentKind},
        "payment_methods": {"shopify_payments": "CARD", "gift_card": "GIFT"},
    }
    return BookingPolicy(**{**fields, **changes})


def store_policy(**changes: Any) -> StorePolicy:
    fields: dict[str, Any] = {
        "warehouse": "shipbob-west",
        "release_after": "erp_booked",
        "release_limit": {},
        "notify_customer": True,
        "invoice_url": "https://erp.example.com/{company}/{number}",
    }
    return StorePolicy(**{**fields, **changes})


def warehouse_policy(**changes: Any) -> WarehousePolicy:
    fields: dict[str, Any] = {
        "shipping_methods": {"Standard": "Ground"},
        "items": {"MUG": "20000001", "TEA": "20000002"},
    }
    return WarehousePolicy(**{**fields, **changes})
