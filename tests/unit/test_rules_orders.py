from __future__ import annotations

import datetime as dt
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from syncworkers.canonical.kinds import Kind
from syncworkers.errors import RejectedError
from syncworkers.rules.backoff import delay
from syncworkers.rules.effects import AWAITED, may_go
from syncworkers.rules.orders import plan
from syncworkers.rules.plans import Known, KnownAccount, KnownPart, Policies
from syncworkers.rules.sequence import decide
from tests.unit.orders import AT, HOME, line, order, policy, store_policy, warehouse_policy

LATER = AT + dt.timedelta(minutes=1)
PART = KnownPart(number=1, warehouse="shipbob-west", reference="shopify-us-5182437124-1")


def planned(after: Any, *, before: Any = None, booked: bool = False, **changes: Any) -> Any:
    policies = Policies(
        booking=changes.pop("policy", policy()),
        store=changes.pop("store", store_policy()),
        warehouses={"shipbob-west": changes.pop("warehouse", warehouse_policy())},
    )
    account = KnownAccount(
        number=changes.pop("account", None), owed=changes.pop("account_owed", False)
    )
    known = {"accounts": {"usmf": account}, "version": 2, "parts": (), **changes}
    return plan(policies, Known(before=before, booked=booked, **known), after)


def asked(found: Any) -> list[tuple[str, str, list[str]]]:
    """Where, what, and what it waits for."""
    return [
        (one.key.partner, one.key.operation, [key.operation for key in one.after])
        for one in found.effects
    ]


def test_a_first_sight_is_booked_and_its_warehouse_waits_for_the_booking() -> None:
    found = planned(order())

    assert asked(found) == [
        ("d365-main", "order.create", []),
        ("shipbob-west", "part.create", ["order.create"]),
    ]
    assert [(one.name, one.partner, one.kind) for one in found.expectations] == [
        ("erp_booked", "d365-main", Kind.ORDER),
        ("released", "shipbob-west", Kind.PART),
    ]
    assert found.erp_number == "US5182437124"
    [part] = found.parts
    assert (part.gate, part.part.reference) == ("erp_booked", "shopify-us-5182437124-1")


def test_a_small_order_goes_to_its_warehouse_at_once_where_that_is_the_policy() -> None:
    store = store_policy(release_after="validated", release_limit={"USD": Decimal(30)})

    small = planned(order(total=Decimal("25.00"), adjustments=()), store=store)
    large = planned(order(), store=store)

    assert [one.after for one in small.effects] == [(), ()]
    assert [one.gate for one in small.parts + large.parts] == ["validated", "erp_booked"]


def test_a_currency_without_a_limit_always_waits_for_the_erp() -> None:
    store = store_policy(release_after="validated", release_limit={"EUR": Decimal(1000)})

    assert [one.gate for one in planned(order(), store=store).parts] == ["erp_booked"]


def test_an_order_without_goods_has_no_part() -> None:
    card = line(sku="", gift_card=True, requires_shipping=False)
    found = planned(order(lines=(card,), shipping_address=None))

    assert asked(found) == [("d365-main", "order.create", [])]
    assert found.parts == ()


def test_a_customer_with_an_account_is_booked_on_it() -> None:
    assert planned(order(), account="C-7").effects[0].body.customer == "C-7"


def test_a_customer_whose_account_must_be_linked_is_waited_for() -> None:
    found = planned(order(), policy=policy(customers="link"))

    assert (found.effects, found.waiting_for) == ((), "customer:shopify-us:7")


def test_a_guest_is_booked_on_the_one_time_account_whatever_the_policy() -> None:
    found = planned(order(customer_id=None), policy=policy(customers="link"))

    assert found.effects[0].body.customer == "ONLINE"


def test_an_account_is_made_before_the_order_that_needs_it() -> None:
    table = policy(customers="create", customer_prefix="U", customer_group="10")

    first = planned(order(), policy=table)
    second = planned(order(), policy=table, account_owed=True)

    assert asked(first)[:2] == [
        ("d365-main", "customer.create", []),
        ("d365-main", "order.create", ["customer.create"]),
    ]
    account = first.effects[0].body
    assert (account.number, account.first_name, account.last_name) == ("U7", "Ada", "Byron")
    assert first.effects[1].body.customer == "U7"
    assert asked(second)[0] == ("d365-main", "order.create", ["customer.create"])


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"cancelled_at": AT}, "cancelled before it was booked"),
        ({"test": True}, "a test order, which is never booked"),
    ],
)
def test_what_is_not_booked_has_a_reason(changes: dict[str, Any], reason: str) -> None:
    found = planned(order(**changes))

    assert (found.effects, found.reason) == ((), reason)


def test_gaps_of_erp_and_warehouse_are_named_together() -> None:
    strange = order(lines=(line(sku="ODD"),), shipping_method="Drone")

    with pytest.raises(RejectedError) as refused:
        planned(strange)

    assert sorted(one.code for one in refused.value.violations) == [
        "delivery_mode.unmapped",
        "item.unmapped",
        "warehouse.item_unmapped",
        "warehouse.method_unmapped",
    ]
    told = [one.message for one in refused.value.violations if "fulfilment.toml" in one.message]
    assert "add 'ODD' to [warehouses.shipbob-west.items] of config/fulfilment.toml" in told[0]


def test_a_gap_is_named_at_its_line_of_the_order() -> None:
    card = line(external_id="1", sku="CARD", gift_card=True, requires_shipping=False)

    with pytest.raises(RejectedError) as refused:
        planned(order(lines=(card, line(sku="ODD"))))

    places = {one.code: one.path for one in refused.value.violations}
    assert places["warehouse.item_unmapped"] == places["item.unmapped"] == "lines[1].sku"


DEMF = policy(company="demf", order_prefix="DE", warehouses={}, currencies=frozenset({"EUR"}))


def shipped_by_demf(**changes: Any) -> Any:
    """Plan an order that another company's warehouse ships."""
    german = warehouse_policy(company="demf", erp_warehouse="DE1")
    own = policy(others={"demf": DEMF})
    return planned(order(**changes), policy=own, warehouse=german)


def test_an_order_is_booked_in_the_company_whose_stock_ships_it() -> None:
    found = shipped_by_demf(currency="EUR")

    booked = found.effects[0].body
    assert (found.company, booked.company, booked.number) == ("demf", "demf", "DE5182437124")
    assert (booked.warehouse, booked.lines[0].warehouse) == ("DE1", "DE1")
    assert (
        found.parts[0].route
        == "node shipbob-west: the warehouse of shopify-us, all lines kept there"
    )


def test_a_company_books_no_currency_that_it_does_not_name() -> None:
    with pytest.raises(RejectedError) as refused:
        shipped_by_demf(currency="USD")

    assert [one.code for one in refused.value.violations] == ["currency.unmapped"]


def test_a_company_without_tables_is_named() -> None:
    with pytest.raises(RejectedError) as refused:
        planned(order(), warehouse=warehouse_policy(company="demf"))

    [violation] = refused.value.violations
    assert violation.code == "company.unmapped"
    assert "[shopify-us.companies.demf] to config/booking.toml" in violation.message


def test_what_was_decided_once_stays_whatever_the_tables_say_now() -> None:
    gone = order(cancelled_at=LATER, updated_at=LATER)

    found = planned(
        gone,
        before=order(),
        booked=True,
        company="demf",
        policy=policy(others={"demf": DEMF}),
        parts=[PART],
    )

    assert [getattr(one.body, "company", None) for one in found.effects] == [None, "demf"]


def test_a_part_at_a_warehouse_that_left_the_configuration_is_for_a_person() -> None:
    gone = order(cancelled_at=LATER, updated_at=LATER)
    elsewhere = replace(PART, warehouse="harbor")

    with pytest.raises(RejectedError) as refused:
        planned(gone, before=order(), booked=True, parts=[elsewhere])

    assert [one.code for one in refused.value.violations] == ["route.forgotten"]


def test_a_cancelled_order_is_cancelled_once_and_its_warehouse_decides_first() -> None:
    gone = order(cancelled_at=LATER, updated_at=LATER)

    first = planned(gone, before=order(), booked=True, parts=[PART])
    again = planned(replace(gone, note="x"), before=gone, booked=True, parts=[PART])

    assert asked(first) == [
        ("shipbob-west", "part.cancel", []),
        ("d365-main", "order.cancel", ["part.cancel"]),
    ]
    assert (again.effects, again.reason) == ((), "it was cancelled before")


def test_without_a_part_the_erp_cancels_at_once() -> None:
    gone = order(cancelled_at=LATER, updated_at=LATER)

    assert asked(planned(gone, before=order(), booked=True)) == [("d365-main", "order.cancel", [])]


def test_a_new_address_is_sent_to_erp_and_warehouse() -> None:
    moved = order(shipping_address=replace(HOME, city="Salem"), updated_at=LATER)

    sent = planned(moved, before=order(), booked=True, parts=[PART]).effects

    assert [(one.key.operation, one.key.cause, one.body.address.city) for one in sent] == [
        ("order.readdress", "v2", "Salem"),
        ("part.readdress", "v2", "Salem"),
    ]


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

    assert (found.effects, found.reason) == ((), "no change that the ERP keeps")


@pytest.mark.parametrize(
    ("operation", "awaited", "verdict"),
    [
        ("part.create", "confirmed", True),
        ("part.create", "open", None),
        ("part.create", None, None),
        ("part.create", "dead", None),
        ("part.create", "cancelled", False),
        ("order.cancel", "confirmed", True),
        ("order.cancel", "cancelled", True),
        ("order.cancel", "open", None),
        ("order.cancel", "dead", False),
    ],
)
def test_what_waits_goes_stays_or_falls_with_what_it_waits_for(
    operation: str, awaited: str | None, verdict: bool | None
) -> None:
    assert may_go(operation, awaited) is verdict


def test_whatever_an_effect_waits_for_wakes_those_who_wait() -> None:
    create = policy(customers="create", customer_prefix="U", customer_group="10")
    plans = [
        planned(order()),
        planned(order(), policy=create),
        planned(
            order(cancelled_at=LATER, updated_at=LATER), before=order(), booked=True, parts=(PART,)
        ),
    ]

    waited_for = {key.operation for one in plans for effect in one.effects for key in effect.after}

    assert waited_for == AWAITED


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
