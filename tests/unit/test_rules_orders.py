from __future__ import annotations

import datetime as dt
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from syncworkers.errors import RejectedError
from syncworkers.rules.backoff import delay
from syncworkers.rules.orders import plan
from syncworkers.rules.sequence import decide
from tests.unit.orders import AT, HOME, line, order, policy

LATER = AT + dt.timedelta(minutes=1)


def planned(after: Any, *, before: Any = None, booked: bool = False, **changes: Any) -> Any:
    settings = {"account": None, "version": 2, **changes}
    table = settings.pop("policy", policy())
    return plan(table, before=before, after=after, booked=booked, **settings)


def test_a_first_sight_is_booked_and_expected_in_the_erp() -> None:
    found = planned(order())

    assert [one.operation for one in found.deliveries] == ["order.create"]
    assert found.expectations == ("erp_booked",)
    assert found.erp_number == "US5182437124"


def test_a_customer_with_an_account_is_booked_on_it() -> None:
    assert planned(order(), account="C-7").deliveries[0].body.customer == "C-7"


def test_without_a_one_time_account_the_order_waits_for_its_customer() -> None:
    found = planned(order(), policy=policy(one_time_customer=None))

    assert (found.deliveries, found.waiting_for) == ((), "customer:shopify-us:7")


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"cancelled_at": AT}, "cancelled before it was booked"),
        ({"test": True}, "a test order, which is never booked"),
    ],
)
def test_what_is_not_booked_has_a_reason(changes: dict[str, Any], reason: str) -> None:
    found = planned(order(**changes))

    assert (found.deliveries, found.reason) == ((), reason)


def test_a_cancelled_order_is_cancelled_once() -> None:
    gone = order(cancelled_at=LATER, updated_at=LATER)

    first = planned(gone, before=order(), booked=True)
    again = planned(replace(gone, note="x"), before=gone, booked=True)

    assert [one.operation for one in first.deliveries] == ["order.cancel"]
    assert (again.deliveries, again.reason) == ((), "it was cancelled before")


def test_a_new_address_is_sent() -> None:
    moved = order(shipping_address=replace(HOME, city="Salem"), updated_at=LATER)

    [sent] = planned(moved, before=order(), booked=True).deliveries

    assert (sent.operation, sent.body.address.city, sent.cause) == (
        "order.readdress",
        "Salem",
        "v2",
    )


@pytest.mark.parametrize(
    "changes",
    [
        {"lines": (line(quantity=3),)},
        {"total": Decimal("1.00")},
        {"shipping_method": "Express"},
        {"currency": "CAD"},
    ],
)
def test_goods_and_money_never_change_silently_after_booking(changes: dict[str, Any]) -> None:
    with pytest.raises(RejectedError) as refused:
        planned(order(**changes, updated_at=LATER), before=order(), booked=True)

    assert {one.code for one in refused.value.violations} == {"order.changed_after_booking"}


def test_a_change_the_erp_does_not_keep_is_applied_with_a_reason() -> None:
    found = planned(order(note="gift", updated_at=LATER), before=order(), booked=True)

    assert (found.deliveries, found.reason) == ((), "no change that the ERP keeps")


def test_the_newest_snapshot_by_the_stores_clock_counts() -> None:
    now, then = order(updated_at=LATER), order(note="old")

    assert decide(None, then).superseded is False
    assert decide(then, now).superseded is False
    assert decide(now, then).superseded is True


def test_the_same_snapshot_again_says_nothing_new() -> None:
    assert decide(order(), order(updated_at=LATER)).reason == "says nothing new"


def test_of_one_timestamp_the_cancelled_snapshot_counts() -> None:
    gone = order(cancelled_at=AT)

    assert decide(order(), gone).superseded is False
    assert decide(gone, order()).superseded is True


def test_waits_double_up_to_a_limit() -> None:
    waits = [delay(n, first=1.0, limit=60.0, jitter=1.0) for n in (1, 2, 3, 10, 1000)]

    assert waits == [1.0, 2.0, 4.0, 60.0, 60.0]
    assert delay(3, first=1.0, limit=60.0, jitter=0.0) < 4.0
