"""The demo's audit can fail: each kind of difference is found."""

from __future__ import annotations

import json
from typing import Any

import pytest

from syncworkers.policy.fulfilment import FulfilmentPolicy
from syncworkers.policy.policy import Policy
from syncworkers.sandbox.audit import audit
from tests.unit.orders import policy, store_policy, warehouse_policy

HERE = {
    "name": "Ada Byron",
    "address1": "1 Main St",
    "city": "Eugene",
    "zip_code": "97401",
    "country": "US",
}
ELSEWHERE = {**HERE, "city": "Salem"}
INVOICE = {"number": "CIV-1", "date": "2026-11-24", "amount": "30.95", "currency": "USD"}
LINES = [{"id": 1, "sku": "MUG", "quantity": 2, "price": "12.50", "gift_card": False}]


def shop(**changes: Any) -> dict[str, Any]:
    order = {
        "id": "5",
        "name": "#1001",
        "placed_at": 100.0,
        "total": "30.95",
        "currency": "USD",
        "cancelled": False,
        "shipping_method": "Standard",
        "shipping_address": {
            "city": "Eugene",
            "zip": "97401",
            "province_code": "OR",
            "country_code": "US",
            "address1": "1 Main St",
            "name": "Ada Byron",
        },
        "billing_address": None,
        "lines": LINES,
        "fulfillments": [
            {"tracking": {"number": "1Z9"}, "lines": [{"id": "1", "quantity": 2}]},
        ],
        "metafields": {"erp.invoices": json.dumps([INVOICE])},
    }
    return {**order, **changes}


def slip(**changes: Any) -> dict[str, Any]:
    fields = {
        "shipment_id": "shipbob-west/7",
        "slip": "PS-1",
        "posted_at": 130.0,
        "lines": [{"reference": "1", "quantity": "2"}],
    }
    return {**fields, **changes}


def erp(**changes: Any) -> dict[str, Any]:
    document = {
        "number": "US5",
        "reference": "shopify-us/5",
        "company": "usmf",
        "currency": "USD",
        "total": "30.950",
        "status": "Backorder",
        "created_at": 101.5,
        "lines": [
            {"reference": "1", "item": "1000", "quantity": "2", "price": "12.5", "warehouse": "13"}
        ],
        "address": {"city": "Eugene", "zip": "97401", "state": "OR"},
        "slips": [slip()],
        "invoices": [INVOICE],
    }
    return {**document, **changes}


def parcel(**changes: Any) -> dict[str, Any]:
    fields = {
        "id": 7,
        "status": "Completed",
        "recipient": HERE,
        "shipped": True,
        "tracking_number": "1Z9",
        "lines": [{"sku": "MUG", "quantity": 2}],
    }
    return {**fields, **changes}


def warehouse(**changes: Any) -> dict[str, Any]:
    part = {
        "reference": "shopify-us-5-1",
        "created_at": 104.0,
        "cancelled": False,
        "shipping_method": "Ground",
        "products": [{"sku": "MUG", "quantity": 2}],
        "shipments": [parcel()],
    }
    return {**part, **changes}


def compare(
    sold: list[dict[str, Any]],
    booked: list[dict[str, Any]],
    released: list[dict[str, Any]],
    early_slips: int = 0,
) -> Any:
    books = {
        "shopify-us": {"orders": sold},
        "d365-main": {"orders": booked, "early_slips": early_slips},
        "shipbob-west": {"orders": released},
    }
    fulfilment = FulfilmentPolicy(
        stores={"shopify-us": store_policy()},
        warehouses={"shipbob-west": warehouse_policy()},
        carriers={},
    )
    whole = Policy(
        partners={}, bookings={"shopify-us": policy()}, fulfilment=fulfilment, expectations={}
    )
    return audit(books, whole)


def test_equal_books_agree() -> None:
    found = compare([shop()], [erp()], [warehouse()])

    assert (found.ok, found.confirmed, found.shipments, found.invoices) == (True, 1, 1, 1)
    assert found.latencies == (4.0,)
    assert found.for_people == frozenset()


def test_lost_doubled_and_unexpected_orders_are_found() -> None:
    found = compare(
        [shop(), shop(id="6", name="#1002", fulfillments=[], metafields={})],
        [erp(), erp(), erp(reference="x/9")],
        [warehouse(), warehouse(), warehouse(reference="x-9-1")],
    )

    assert found.lost == (
        "shopify-us 1002: not at d365-main",
        "shopify-us 1002: not at any warehouse",
    )
    assert "shopify-us 1001: 2 times at d365-main" in found.duplicated
    assert "shopify-us 1001: shopify-us-5-1 2 times at warehouses" in found.duplicated
    assert found.unexpected == ("d365-main has x/9", "shipbob-west has x-9-1")
    assert not found.ok


def test_an_order_cancelled_before_anybody_booked_it_is_not_lost() -> None:
    assert compare([shop(cancelled=True, fulfillments=[], metafields={})], [], []).ok


@pytest.mark.parametrize(
    ("field", "changes"),
    [
        ("number", {"number": "US6"}),
        ("company", {"company": "demf"}),
        ("currency", {"currency": "CAD"}),
        ("total", {"total": "30.94"}),
        ("lines", {"lines": []}),
        (
            "lines",
            {
                "lines": [
                    {
                        "reference": "1",
                        "item": "1000",
                        "quantity": "3",
                        "price": "12.5",
                        "warehouse": "13",
                    }
                ]
            },
        ),
        ("lines", {"lines": erp()["lines"] * 2}),
        ("shipment shipbob-west/7", {"slips": [slip(lines=[])]}),
    ],
)
def test_every_mismatch_at_the_erp_is_found(field: str, changes: dict[str, Any]) -> None:
    found = compare([shop()], [erp(**changes)], [warehouse()])

    assert [one.field for one in found.mismatched] == [field]
    assert (found.ok, found.confirmed) == (False, 0)


@pytest.mark.parametrize(
    ("field", "changes"),
    [
        ("goods", {"products": [{"sku": "MUG", "quantity": 3}]}),
        ("shipping method", {"shipping_method": "Air"}),
        ("cancelled", {"cancelled": False}),
    ],
)
def test_every_mismatch_at_the_warehouse_is_found(field: str, changes: dict[str, Any]) -> None:
    gone = field == "cancelled"
    order = shop(cancelled=True, fulfillments=[], metafields={}) if gone else shop()
    document = erp(status="Canceled", slips=[], invoices=[]) if gone else erp()
    part = warehouse(**changes, **({"shipments": []} if gone else {}))

    found = compare([order], [document], [part])

    assert [one.field for one in found.mismatched] == [field]


@pytest.mark.parametrize(
    ("products", "differing"),
    [
        ([{"sku": "MUG", "quantity": 2}, {"sku": "MUG", "quantity": 1}], []),
        ([{"sku": "MUG", "quantity": 3}], []),
        ([{"sku": "MUG", "quantity": 1}, {"sku": "MUG", "quantity": 1}], ["goods"]),
    ],
)
def test_every_line_of_one_sku_counts(products: list[dict[str, Any]], differing: list[str]) -> None:
    order = shop(lines=[*LINES, {**LINES[0], "id": 2, "quantity": 1}], fulfillments=[])
    first = erp()["lines"][0]
    document = erp(lines=[first, {**first, "reference": "2", "quantity": "1"}], slips=[])

    found = compare([order], [document], [warehouse(products=products, shipments=[])])

    assert [one.field for one in found.mismatched] == differing
    assert found.ok == (not differing)


def test_an_address_that_differs_at_the_erp_is_a_mismatch_until_it_was_too_late() -> None:
    document = erp(address={"city": "Salem", "zip": "97401", "state": "OR"})

    in_time = compare([shop(fulfillments=[])], [{**document, "slips": []}], [])
    late = compare([shop()], [document], [warehouse()])

    assert [one.field for one in in_time.mismatched] == ["address"]
    assert (late.mismatched, late.for_people) == ((), {"shopify-us 1001"})


def test_an_address_that_differs_before_anything_is_made_up_is_a_mismatch() -> None:
    idle = parcel(recipient=ELSEWHERE, status="Processing", shipped=False)

    found = compare([shop(fulfillments=[])], [erp(slips=[])], [warehouse(shipments=[idle])])

    assert [one.field for one in found.mismatched] == ["address of 7"]


@pytest.mark.parametrize(
    ("sold", "booked", "said"),
    [
        ({"fulfillments": []}, {}, ("lost", "shopify-us 1001: shipment 1Z9 not at the store")),
        ({}, {"slips": []}, ("lost", "shopify-us 1001: shipment shipbob-west/7 not at d365-main")),
        ({"metafields": {}}, {}, ("lost", "shopify-us 1001: invoice CIV-1 not at the store")),
        (
            {"fulfillments": shop()["fulfillments"] * 2},
            {},
            ("duplicated", "shopify-us 1001: shipment 1Z9 2 times at the store"),
        ),
        (
            {},
            {"slips": [slip(), slip()]},
            ("duplicated", "shopify-us 1001: shipment shipbob-west/7 2 times at d365-main"),
        ),
        (
            {"metafields": {"erp.invoices": json.dumps([INVOICE, INVOICE])}},
            {},
            ("duplicated", "shopify-us 1001: invoice CIV-1 2 times at the store"),
        ),
        (
            {},
            {"slips": [slip(), slip(shipment_id="shipbob-west/8")]},
            ("unexpected", "shopify-us 1001: shipment shipbob-west/8 at d365-main"),
        ),
        ({}, {"invoices": []}, ("unexpected", "shopify-us 1001: invoice CIV-1 at the store")),
        (
            {},
            {"slips": [slip(posted_at=99.0)]},
            ("unexpected", "shopify-us 1001: slip PS-1 came before its order"),
        ),
    ],
)
def test_what_store_and_erp_should_know_of_goods_is_checked(
    sold: dict[str, Any], booked: dict[str, Any], said: tuple[str, str]
) -> None:
    found = compare([shop(**sold)], [erp(**booked)], [warehouse()])

    assert getattr(found, said[0]) == (said[1],)
    assert (found.ok, found.confirmed) == (False, 0)


def test_a_packing_slip_before_its_order_is_never_right() -> None:
    found = compare([shop()], [erp()], [warehouse()], early_slips=1)

    assert found.unexpected == ("d365-main got a packing slip before its order",)


def test_a_cancel_that_came_too_late_is_for_people_and_agrees() -> None:
    found = compare([shop(cancelled=True, fulfillments=[])], [erp()], [warehouse()])

    assert (found.ok, found.for_people) == (True, {"shopify-us 1001"})


def test_an_address_that_came_too_late_is_for_people_and_agrees() -> None:
    gone = warehouse(shipments=[parcel(recipient=ELSEWHERE)])

    found = compare([shop()], [erp()], [gone])

    assert (found.ok, found.for_people) == (True, {"shopify-us 1001"})


WEST = warehouse_policy(company="usmf", erp_warehouse="13")
TWO_LINES = [LINES[0], {**LINES[0], "id": 2, "sku": "TEA"}]


def compare_two(**changes: Any) -> Any:
    """An order of two lines that leaves from two warehouses."""
    east = {"reference": "shopify-us-5-2", "products": [{"sku": "TEA", "quantity": 2}]}
    document = erp(slips=[], invoices=[])
    first = document["lines"][0]
    second = {**first, "reference": "2", "item": "1001", "warehouse": "24"}
    document["lines"] = [first, second | changes.get("second", {})]
    books = {
        "shopify-us": {"orders": [shop(lines=TWO_LINES, fulfillments=[], metafields={})]},
        "d365-main": {"orders": [document]},
        "shipbob-west": {"orders": [warehouse(shipments=[])]},
        "shipbob-east": {"orders": [warehouse(shipments=[], **east)]},
    }
    east_policy = warehouse_policy(company=changes.get("company", "usmf"), erp_warehouse="24")
    fulfilment = FulfilmentPolicy(
        stores={"shopify-us": store_policy()},
        warehouses={"shipbob-west": WEST, "shipbob-east": east_policy},
        carriers={},
    )
    booking = policy(items={"MUG": "1000", "TEA": "1001"})
    whole = Policy(
        partners={}, bookings={"shopify-us": booking}, fulfilment=fulfilment, expectations={}
    )
    return audit(books, whole)


def test_an_order_that_leaves_from_two_warehouses_agrees() -> None:
    assert compare_two().ok


def test_a_line_booked_on_another_warehouse_than_ships_it_is_found() -> None:
    found = compare_two(second={"warehouse": "13"})

    assert [one.field for one in found.mismatched] == ["ships from"]


def test_a_part_that_leaves_from_another_companys_stock_is_found() -> None:
    found = compare_two(company="demf")

    assert [(one.field, one.partner) for one in found.mismatched] == [("company", "shipbob-east")]
