"""Orders of Adobe Commerce as canonical ones: every kind of product counted once."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mappings.adobe_commerce import orders
from syncworkers.canonical.orders import AdjustmentKind
from syncworkers.errors import RejectedError
from syncworkers.sandbox.adobe_commerce.maker import OrderMaker

ADDRESS = {
    "firstname": "Zoë",
    "lastname": "Grünwald",
    "street": ["Torstraße 8", "Hof", "3. Stock"],
    "city": "Berlin",
    "postcode": "10119",
    "country_id": "DE",
    "region": "Berlin",
    "telephone": None,
}


def row(number: int, **changes: Any) -> dict[str, Any]:
    fields = {
        "item_id": number,
        "sku": f"SKU-{number}",
        "name": "Something",
        "product_type": "simple",
        "qty_ordered": 1,
        "qty_canceled": 0,
        "price": 10,
        "row_total": 10,
        "discount_amount": 0,
        "tax_amount": 0,
        "is_virtual": 0,
    }
    return fields | changes


def body(*rows: dict[str, Any], **changes: Any) -> bytes:
    shipping = {"address": ADDRESS, "method": "flatrate_flatrate"}
    fields = {
        "entity_id": 9,
        "increment_id": "000000013",
        "store_id": 2,
        "created_at": "2026-11-24 15:50:17",
        "updated_at": "2026-11-24 15:51:00",
        "state": "new",
        "order_currency_code": "EUR",
        "grand_total": 10,
        "tax_amount": 0,
        "shipping_amount": 0,
        "customer_is_guest": 1,
        "customer_email": "zoe@example.com",
        "items": list(rows) or [row(1)],
        "billing_address": ADDRESS,
        "payment": {"method": "checkmo", "cc_last4": None, "account_status": None},
        "extension_attributes": {"shipping_assignments": [{"shipping": shipping}]},
    }
    return json.dumps(fields | changes).encode()


def load(*rows: dict[str, Any], **changes: Any) -> Any:
    return orders.load(body(*rows, **changes))[0]


def refused(*rows: dict[str, Any], **changes: Any) -> list[tuple[str, str]]:
    with pytest.raises(RejectedError) as error:
        load(*rows, **changes)
    return [(one.path, one.code) for one in error.value.violations]


def lines(order: Any) -> list[tuple[str, int, Decimal, bool]]:
    return [
        (one.external_id, one.quantity, one.unit_price, one.requires_shipping)
        for one in order.lines
    ]


def test_an_order_is_read_with_its_address_method_and_view() -> None:
    order = load()

    assert (order.external_id, order.number, order.store_view) == ("9", "000000013", "2")
    assert order.placed_at.isoformat() == "2026-11-24T15:50:17+00:00"
    assert (order.shipping_method, order.payment_gateways) == ("flatrate_flatrate", ("checkmo",))
    address = order.shipping_address
    assert (address.name, address.street2) == ("Zoë Grünwald", "Hof 3. Stock")
    assert (address.region, address.phone) == ("Berlin", "")
    assert (order.customer_id, order.customer_name) == (None, "Zoë Grünwald")


def test_a_configurable_product_is_its_parent_alone() -> None:
    parent = row(1, product_type="configurable", qty_ordered=2, price=69, row_total=138)
    child = row(2, parent_item_id=1, qty_ordered=2, price=69, row_total=0)

    order = load(parent, child, grand_total=138)

    assert lines(order) == [("1", 2, Decimal(69), True)]
    assert order.adjustments == ()


def test_a_bundle_is_its_parts_where_they_have_the_prices() -> None:
    parent = row(1, product_type="bundle", qty_ordered=2, price=16, row_total=32)
    parts = [
        row(2, parent_item_id=1, qty_ordered=2, price=6, row_total=12),
        row(3, parent_item_id="1", qty_ordered=2, price=10, row_total=20),
    ]

    order = load(parent, *parts, grand_total=32)

    assert lines(order) == [("2", 2, Decimal(6), True), ("3", 2, Decimal(10), True)]


def test_a_bundle_with_a_price_of_its_own_costs_and_its_parts_ship() -> None:
    parent = row(1, product_type="bundle", price=25, row_total=25)
    parts = [row(2, parent_item_id=1, price=0, row_total=0)]

    order = load(parent, *parts, grand_total=25)

    assert lines(order) == [("2", 1, Decimal(0), True), ("1", 1, Decimal(25), False)]


@pytest.mark.parametrize("kind", ["virtual", "downloadable"])
def test_what_is_no_thing_is_not_shipped(kind: str) -> None:
    order = load(row(1, product_type=kind, is_virtual=1))

    assert lines(order) == [("1", 1, Decimal(10), False)]
    assert order.shipping_address is None


def test_an_order_without_shipping_has_no_assignment() -> None:
    order = load(row(1, product_type="virtual", is_virtual=1), extension_attributes=None)

    assert (order.shipping_method, order.shipping_address) == ("", None)


def test_gift_cards_and_credit_pay_and_are_no_discount() -> None:
    extension = {"gift_cards_amount": 4, "customer_balance_amount": "2.5000"}

    order = load(grand_total=3.5, extension_attributes=extension)

    assert order.total == 10
    assert order.payment_gateways == ("gift_card", "store_credit", "checkmo")


def test_tax_that_a_discount_took_too_much_of_is_booked_as_tax() -> None:
    order = load(
        row(1, price=100, discount_amount=23.8, tax_amount=15.2),
        grand_total=95.2,
        tax_amount=15.2,
        discount_tax_compensation_amount=3.8,
    )

    taxes = [one.amount for one in order.adjustments if one.kind is AdjustmentKind.TAX]
    assert taxes == [Decimal("15.2"), Decimal("3.8")]
    assert order.total == Decimal("95.2")


def test_the_noise_of_floats_and_a_cent_of_rounding_are_seen() -> None:
    order = load(row(1, price=3.3333, qty_ordered=3), grand_total=10.000000000000002)

    [rounding] = order.adjustments
    assert (rounding.kind, rounding.amount) == (AdjustmentKind.ROUNDING, Decimal("0.0001"))
    assert order.total == 10


@pytest.mark.parametrize("state", ["pending_payment", "payment_review", "holded"])
def test_what_the_shop_holds_back_says_so(state: str) -> None:
    assert load(state=state).on_hold == state


def test_a_cancelled_order_keeps_what_was_ordered() -> None:
    order = load(row(1, qty_canceled=1), state="canceled")

    assert order.cancelled_at == order.updated_at
    assert lines(order) == [("1", 1, Decimal(10), True)]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"state": "pending"}, ("state", "order.state_unknown")),
        ({"items": [row(1, qty_canceled=1)]}, ("items", "order.cancelled_in_part")),
        ({"grand_total": 11}, ("grand_total", "total.unexplained")),
        ({"items": [row(1, qty_ordered=0.5)]}, ("items[0].qty_ordered", "payload.invalid")),
        ({"items": [row(1, price="NaN")]}, ("items[0].price", "payload.invalid")),
        ({"items": [row(1, item_id=True)]}, ("items[0].item_id", "payload.invalid")),
        ({"created_at": "24.11.2026"}, ("created_at", "payload.invalid")),
        ({"order_currency_code": "Euro"}, ("order_currency_code", "payload.invalid")),
        ({"entity_id": None}, ("entity_id", "payload.invalid")),
    ],
)
def test_what_cannot_be_right_is_refused_with_its_path(
    changes: dict[str, Any], expected: tuple[str, str]
) -> None:
    assert refused(**changes) == [expected]


def test_a_key_that_nobody_knows_is_drift() -> None:
    strange = {"shipping_assignments": [], "loyalty_tier": "gold"}

    order, drift = orders.load(body(extension_attributes=strange, brand_new=1))

    assert order.number == "000000013"
    assert drift == ("brand_new", "extension_attributes.loyalty_tier")


@given(seed=st.integers(0, 10_000))
def test_whatever_the_simulated_shop_sells_is_explained_to_the_cent(seed: int) -> None:
    made = OrderMaker(seed).make("2026-11-24 15:50:17")

    order, drift = orders.load(json.dumps(made))

    explained = sum(one.quantity * one.unit_price - one.discount for one in order.lines)
    explained += sum(one.amount for one in order.adjustments)
    assert explained == order.total
    assert drift == ()
    tops = [one for one in made["items"] if "parent_item_id" not in one]
    assert sum(one["row_total"] for one in tops) == pytest.approx(
        float(sum(one.quantity * one.unit_price for one in order.lines))
    )
