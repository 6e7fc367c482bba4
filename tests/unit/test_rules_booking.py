from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncworkers.canonical.orders import Address, AdjustmentKind
from syncworkers.errors import RejectedError
from syncworkers.rules.booking import book
from tests.unit.orders import HOME, adjustment, line, order, policy


def codes(order_: Any, policy_: Any, customer: str | None = "ONLINE") -> list[tuple[str, str]]:
    with pytest.raises(RejectedError) as refused:
        book(policy_, order_, customer, ships_from={})
    return [(one.code, one.path) for one in refused.value.violations]


def test_an_order_becomes_lines_and_charges_that_make_its_total() -> None:
    booked = book(policy(), order(), "ONLINE", ships_from={})

    assert (booked.number, booked.reference) == ("US5182437124", "shopify-us/5182437124")
    assert [(one.item, one.quantity, one.amount) for one in booked.lines] == [
        ("1000", 2, Decimal("25.00"))
    ]
    assert [(one.code, one.amount) for one in booked.charges] == [("SHIPPING", Decimal("5.95"))]


@pytest.mark.parametrize(
    ("changes", "table", "expected"),
    [
        ({"lines": (line(sku="NEW"),)}, {}, ("item.unmapped", "lines[0].sku")),
        ({"lines": (line(sku=""),)}, {}, ("item.unmapped", "lines[0].sku")),
        (
            {"lines": (line(sku="", gift_card=True),)},
            {"gift_card_item": None},
            ("gift_card.unmapped", "lines[0].sku"),
        ),
        (
            {"shipping_address": replace(HOME, country="CA")},
            {},
            ("warehouse.unmapped", "shipping_address.country"),
        ),
        (
            {"shipping_method": "Drone"},
            {},
            ("delivery_mode.unmapped", "shipping_method"),
        ),
        ({"shipping_address": None}, {}, ("address.missing", "shipping_address")),
        (
            {"shipping_address": replace(HOME, city="")},
            {},
            ("address.incomplete", "shipping_address.city"),
        ),
        (
            {"payment_gateways": ("gift_card",)},
            {"payment_methods": {}},
            ("payment_method.unmapped", "payment_gateways"),
        ),
        ({"total": Decimal("30.96")}, {}, ("total.mismatch", "total")),
        ({"external_id": "9" * 19}, {}, ("number.too_long", "external_id")),
    ],
)
def test_a_missing_entry_is_refused_with_its_code_and_place(
    changes: dict[str, Any], table: dict[str, Any], expected: tuple[str, str]
) -> None:
    assert expected in codes(order(**changes), policy(**table))


@pytest.mark.parametrize("kind", [kind.value for kind in AdjustmentKind])
def test_an_amount_without_a_charge_code_is_refused(kind: str) -> None:
    one = order(adjustments=(adjustment(kind, "5.95"),))
    table = policy(charges={})

    assert codes(one, table) == [("charge.unmapped", "adjustments[0]")]


def test_all_that_is_missing_is_said_at_once() -> None:
    one = order(lines=(line(sku="A"), line(sku="B")), shipping_method="Drone")

    found = codes(one, policy())

    assert [code for code, _ in found][:3] == [
        "delivery_mode.unmapped",
        "item.unmapped",
        "item.unmapped",
    ]


def test_a_discount_that_does_not_divide_is_booked_to_the_cent() -> None:
    one = order(
        lines=(line(quantity=3, unit_price=Decimal("10.00"), discount=Decimal("1.00")),),
        total=Decimal("34.95"),
    )

    booked = book(policy(), one, "ONLINE", ships_from={})

    assert booked.lines[0].unit_discount == Decimal("0.33")
    assert [(one.code, one.amount) for one in booked.charges] == [
        ("SHIPPING", Decimal("5.95")),
        ("DISCOUNT", Decimal("-0.01")),
    ]


def test_what_needs_no_shipping_goes_to_the_billing_address_without_a_delivery_mode() -> None:
    one = order(
        lines=(line(sku="", gift_card=True, requires_shipping=False, quantity=1),),
        shipping_address=None,
        shipping_method="",
        adjustments=(),
        total=Decimal("12.50"),
    )

    booked = book(policy(), one, "ONLINE", ships_from={})

    assert (booked.lines[0].item, booked.delivery_mode, booked.address) == ("GIFT", "", HOME)


def test_a_guest_without_a_one_time_account_is_refused() -> None:
    assert codes(order(), policy(), customer=None) == [("customer.unmapped", "customer_id")]


def test_without_any_country_no_warehouse_is_guessed() -> None:
    one = order(shipping_address=Address(), billing_address=None)

    assert ("address.incomplete", "shipping_address.country") in codes(one, policy())


@given(
    prices=st.lists(
        st.tuples(st.integers(1, 50), st.decimals(0, 500, places=2), st.decimals(0, 100, places=2)),
        min_size=1,
        max_size=6,
    ),
    shipping=st.decimals(0, 50, places=2),
    residue=st.decimals("-0.05", "0.05", places=2),
)
def test_whatever_is_booked_comes_to_the_stores_total(
    prices: list[tuple[int, Decimal, Decimal]], shipping: Decimal, residue: Decimal
) -> None:
    lines = tuple(
        line(external_id=str(n), quantity=quantity, unit_price=price, discount=discount)
        for n, (quantity, price, discount) in enumerate(prices)
    )
    total = sum((q * p - d for q, p, d in prices), shipping + residue)
    adjustments = (
        adjustment("shipping", str(shipping)),
        adjustment("rounding", str(residue), "rounding"),
    )

    booked = book(
        policy(), order(lines=lines, adjustments=adjustments, total=total), "ONLINE", ships_from={}
    )

    placed = sum(one.amount for one in booked.lines) + sum(one.amount for one in booked.charges)
    assert placed == total
