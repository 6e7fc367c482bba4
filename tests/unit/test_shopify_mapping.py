from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mappings.shopify import orders, orders_graphql
from syncworkers.errors import RejectedError
from syncworkers.sandbox.shopify.books import cancel
from syncworkers.sandbox.shopify.maker import OrderMaker
from syncworkers.sandbox.shopify.view import order_node

NOW = "2026-11-24T10:00:00-05:00"


def body(**changes: Any) -> dict[str, Any]:
    order = {
        "id": 9007199254740993,
        "name": "#1001",
        "created_at": NOW,
        "currency": "USD",
        "total_price": "26.50",
        "line_items": [{"id": 1, "sku": "MUG", "title": "Mug", "quantity": 2, "price": "12.50"}],
        "total_tax": "1.50",
    }
    return {**order, **changes}


def load(**changes: Any) -> Any:
    return orders.load(json.dumps(body(**changes)))[0]


def refused(text: str | bytes) -> list[tuple[str, str]]:
    with pytest.raises(RejectedError) as error:
        orders.load(text)
    return [(one.path, one.code) for one in error.value.violations]


def test_a_minimal_order_is_understood() -> None:
    order = load()

    assert (order.external_id, order.number) == ("9007199254740993", "1001")
    assert (order.placed_at.isoformat(), order.total) == (
        "2026-11-24T15:00:00+00:00",
        Decimal("26.50"),
    )
    assert [(one.kind.value, one.amount) for one in order.adjustments] == [("tax", Decimal("1.50"))]


def test_present_amounts_and_quantities_are_preferred() -> None:
    line = {"id": 1, "title": "Mug", "quantity": 3, "current_quantity": 1, "price": "10.00"}
    discount = {"discount_allocations": [{"amount": "3.00"}]}
    gone = {"id": 2, "title": "Tea", "quantity": 1, "current_quantity": 0, "price": "5.00"}

    order = load(line_items=[line | discount, gone], current_total_price="9.00", total_tax="0")

    assert [(one.external_id, one.quantity, one.discount) for one in order.lines] == [
        ("1", 1, Decimal("1.00"))
    ]
    assert order.total == Decimal("9.00")
    assert order.adjustments == ()


def test_what_the_total_does_not_explain_is_a_rounding_adjustment() -> None:
    order = load(total_price="26.53")

    amounts = [(one.kind.value, one.amount) for one in order.adjustments]
    assert amounts[-1] == ("rounding", Decimal("0.03"))


def test_tax_that_prices_include_is_not_added() -> None:
    order = load(taxes_included=True, total_price="25.00")

    assert (order.adjustments, order.tax_total) == ((), Decimal("1.50"))


def test_a_tip_is_no_line() -> None:
    tip = {"id": 3, "title": "Tip", "quantity": 1, "price": "5.00", "tip_payment_gateway": "card"}

    order = load(
        line_items=[*body()["line_items"], tip], total_tip_received="5.00", total_price="31.50"
    )

    assert len(order.lines) == 1
    assert [(one.kind.value, one.amount) for one in order.adjustments] == [
        ("tip", Decimal("5.00")),
        ("tax", Decimal("1.50")),
    ]


def test_a_removed_shipping_line_counts_no_more() -> None:
    lines = [
        {"title": "Express", "price": "9.00", "is_removed": True},
        {"title": "Standard", "price": "5.00", "discount_allocations": [{"amount": "1.00"}]},
    ]

    order = load(shipping_lines=lines, total_price="30.50")

    assert order.shipping_method == "Standard"
    assert [one.amount for one in order.adjustments] == [Decimal("4.00"), Decimal("1.50")]


def test_null_customer_addresses_and_names_are_fine() -> None:
    order = load(customer=None, shipping_address=None, billing_address={"name": None}, email=None)

    assert (order.customer_id, order.customer_name, order.email) == (None, "", "")
    assert order.shipping_address is None


def test_what_no_database_can_store_is_left_out() -> None:
    order = load(note="a\u0000b\ud800c", name="#10\u00001")

    assert (order.note, order.number) == ("abc", "101")


def test_unknown_keys_are_told_by_path_and_fail_nothing() -> None:
    order = body(tarot="tower")
    order["line_items"][0]["aura"] = "green"
    order["customer"] = {"id": 1, "zodiac": "lion"}

    _, drift = orders.load(json.dumps(order))

    assert drift == ("customer.zodiac", "line_items[].aura", "tarot")


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"id": True}, "id"),
        ({"id": -1}, "id"),
        ({"id": "gid://shopify/Order/x"}, "id"),
        ({"currency": "usd"}, "currency"),
        ({"total_price": "NaN"}, "total_price"),
        ({"total_price": "1e30"}, "total_price"),
        ({"total_price": "0.0000001"}, "total_price"),
        ({"created_at": "2026-11-24T10:00:00"}, "created_at"),
        ({"created_at": "yesterday"}, "created_at"),
        ({"created_at": "0001-01-01T00:00:00+14:00"}, "created_at"),
        ({"line_items": None}, "line_items"),
        ({"line_items": [None]}, "line_items[0]"),
        ({"line_items": [{"id": 1, "quantity": 1.5, "price": "1"}]}, "line_items[0].quantity"),
        ({"line_items": [{"id": 1, "quantity": -1, "price": "1"}]}, "line_items[0].quantity"),
        ({"line_items": [{"id": 1, "quantity": 1}]}, "line_items[0].price"),
    ],
)
def test_a_wrong_field_is_refused_with_its_place(changes: dict[str, Any], path: str) -> None:
    assert path in [place for place, _ in refused(json.dumps(body(**changes)))]


@pytest.mark.parametrize(
    "text",
    [b"", b"null", b"[]", b"{", b"\xff\xfe", b"[" * 50_000, b'{"id":' + b"9" * 5000 + b"}",
     b'{"id": NaN}', b'{"id": 1e9999999999999999999}'],
)  # fmt: skip
def test_what_is_no_order_at_all_is_refused(text: bytes) -> None:
    assert refused(text)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from([*body(), "customer", "shipping_address", "tip"]), JSON))
def test_whatever_comes_is_an_order_or_a_refusal(changes: dict[str, Any]) -> None:
    try:
        order, _ = orders.load(json.dumps(body(**changes)))
    except RejectedError as error:
        assert error.violations
    else:
        assert order.external_id


@given(st.binary(max_size=200))
def test_whatever_bytes_come_nothing_but_a_refusal_is_raised(text: bytes) -> None:
    for mapping in (orders, orders_graphql):
        with pytest.raises(RejectedError):
            mapping.load(text)


def test_a_webhook_and_a_poll_say_the_same_of_one_order() -> None:
    maker = OrderMaker(3)
    for number in range(200):
        order = maker.make(NOW)
        if number % 10 == 0:
            cancel(order)
        node = order_node(order)
        node |= {name: {"nodes": node[name]} for name in ("lineItems", "shippingLines")}

        webhook, drift = orders.load(json.dumps(order))
        polled, strange = orders_graphql.load(json.dumps(node))

        assert webhook == polled
        # What GraphQL gave without being asked (names of types, the untouched total) is told.
        assert (drift, "currentTotalPriceSet" in strange) == ((), False)
