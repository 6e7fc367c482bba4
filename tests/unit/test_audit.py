"""The demo's audit can fail: each kind of difference is found."""

from __future__ import annotations

from typing import Any

import pytest

from syncworkers.sandbox.audit import audit
from tests.unit.orders import policy


def shop(**changes: Any) -> dict[str, Any]:
    order = {
        "id": "5",
        "name": "#1001",
        "placed_at": 100.0,
        "total": "30.95",
        "currency": "USD",
        "cancelled": False,
        "shipping_address": {"city": "Eugene", "zip": "97401", "province_code": "OR"},
        "billing_address": None,
        "lines": [{"id": 1, "sku": "MUG", "quantity": 2, "price": "12.50", "gift_card": False}],
    }
    return {**order, **changes}


def erp(**changes: Any) -> dict[str, Any]:
    document = {
        "number": "US5",
        "reference": "shopify-us/5",
        "company": "usmf",
        "currency": "USD",
        "total": "30.950",
        "status": "Backorder",
        "created_at": 101.5,
        "lines": [{"reference": "1", "item": "1000", "quantity": "2", "price": "12.5"}],
        "address": {"city": "Eugene", "zip": "97401", "state": "OR"},
    }
    return {**document, **changes}


def compare(sold: list[dict[str, Any]], booked: list[dict[str, Any]]) -> Any:
    return audit({"orders": sold}, {"orders": booked}, "shopify-us", policy())


def test_equal_books_agree() -> None:
    found = compare([shop()], [erp()])

    assert (found.ok, found.confirmed, found.latencies) == (True, 1, (1.5,))


def test_a_lost_a_doubled_and_an_unexpected_order_are_found() -> None:
    found = compare([shop(), shop(id="6", name="#1002")], [erp(), erp(), erp(reference="x/9")])

    assert found.lost == ("#1002",)
    assert found.duplicated == ("shopify-us/5",)
    assert found.unexpected == ("x/9",)
    assert not found.ok


def test_an_order_cancelled_before_anybody_booked_it_is_not_lost() -> None:
    assert compare([shop(cancelled=True)], []).ok


@pytest.mark.parametrize(
    ("field", "changes"),
    [
        ("number", {"number": "US6"}),
        ("company", {"company": "demf"}),
        ("currency", {"currency": "CAD"}),
        ("total", {"total": "30.94"}),
        ("cancelled", {"status": "Canceled"}),
        ("address", {"address": {"city": "Salem", "zip": "97401", "state": "OR"}}),
        ("lines", {"lines": []}),
        (
            "lines",
            {"lines": [{"reference": "1", "item": "1000", "quantity": "3", "price": "12.5"}]},
        ),
        ("lines", {"lines": erp()["lines"] * 2}),
    ],
)
def test_every_kind_of_mismatch_is_found(field: str, changes: dict[str, Any]) -> None:
    found = compare([shop()], [erp(**changes)])

    assert [one.field for one in found.mismatched] == [field]
    assert (found.ok, found.confirmed) == (False, 0)
