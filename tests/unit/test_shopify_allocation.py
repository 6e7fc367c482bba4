"""From which fulfilment orders a parcel is taken: exactly its lines, from one location."""

from __future__ import annotations

from collections import Counter
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from syncworkers.connectors.shopify.allocation import allocate
from syncworkers.connectors.shopify.standing import FulfilmentOrder, FulfilmentOrderLine, Standing
from syncworkers.errors import Violation


def order(name: str, location: str, /, **remaining: int) -> FulfilmentOrder:
    return FulfilmentOrder(
        id=name,
        status="OPEN",
        location=location,
        place=location,
        may_fulfil=True,
        lines=tuple(
            FulfilmentOrderLine(id=f"{name}/{line}", line=line, remaining=units)
            for line, units in remaining.items()
        ),
    )


def held(name: str, location: str, status: str = "ON_HOLD", **remaining: int) -> FulfilmentOrder:
    whole = order(name, location, **remaining)
    return FulfilmentOrder(
        id=name,
        status=status,
        location=location,
        place=location,
        may_fulfil=False,
        lines=whole.lines,
    )


def standing(*orders: FulfilmentOrder, cancelled: bool = False) -> Standing:
    return Standing(order="o", cancelled=cancelled, orders=orders, fulfilments=())


def taken(groups: Any) -> dict[str, dict[str, int]]:
    return {
        one["fulfillmentOrderId"]: {
            part["id"]: part["quantity"] for part in one["fulfillmentOrderLineItems"]
        }
        for one in groups
    }


def refused(found: Any) -> tuple[str, str]:
    assert isinstance(found, Violation)
    return found.code, found.message


def test_a_line_spread_over_fulfilment_orders_of_one_location_is_taken_from_several() -> None:
    found = allocate({"a": 5, "b": 1}, standing(order("1", "x", a=3), order("2", "x", a=4, b=2)))

    assert taken(found) == {"1": {"1/a": 3}, "2": {"2/a": 2, "2/b": 1}}


def test_a_location_that_has_all_is_preferred_to_several_that_have_parts() -> None:
    found = allocate({"a": 2}, standing(order("1", "x", a=1), order("2", "y", a=2)))

    assert taken(found) == {"2": {"2/a": 2}}


def test_several_locations_are_refused_with_their_names() -> None:
    found = allocate({"a": 1, "b": 1}, standing(order("1", "y", b=1), order("2", "x", a=1)))

    code, told = refused(found)
    assert code == "store.several_locations"
    assert told.startswith("the lines are assigned to several locations (x, y)")


def test_what_is_held_is_named_and_what_is_free_is_taken() -> None:
    some = standing(held("1", "x", a=1), order("2", "x", b=1), held("3", "x", "SCHEDULED", a=1))

    assert taken(allocate({"b": 1}, some)) == {"2": {"2/b": 1}}
    assert refused(allocate({"a": 1, "b": 1}, some)) == (
        "store.not_fulfillable",
        "fulfilment order 1 is ON_HOLD, 3 is SCHEDULED: release it in the store, then retry",
    )


def test_too_few_units_are_told_line_by_line() -> None:
    found = allocate({"g/a": 2, "g/b": 1}, standing(order("1", "x", **{"g/a": 1, "g/b": 1})))

    assert refused(found) == (
        "store.already_fulfilled",
        "line a: 2 to ship, 1 left, line b: 1 to ship, 1 left",
    )


def test_a_cancelled_order_and_an_unseen_line_are_not_fulfillable() -> None:
    assert refused(allocate({"a": 1}, standing(order("1", "x", a=1), cancelled=True))) == (
        "store.not_fulfillable",
        "the order is cancelled in the store",
    )
    assert refused(allocate({"z": 1}, standing(order("1", "x", a=1))))[0] == "store.not_fulfillable"


UNITS = st.dictionaries(st.sampled_from("abc"), st.integers(0, 4), max_size=3)


@given(
    st.lists(st.tuples(UNITS, st.sampled_from("xy"), st.booleans()), max_size=4),
    st.dictionaries(st.sampled_from("abc"), st.integers(1, 5), min_size=1),
)
def test_never_more_than_there_is_never_another_line_and_never_two_locations(
    given_orders: list[tuple[dict[str, int], str, bool]], wanted: dict[str, int]
) -> None:
    orders = [
        (order if is_free else held)(str(place), location, **units)
        for place, (units, location, is_free) in enumerate(given_orders)
    ]

    found = allocate(wanted, standing(*orders))

    if isinstance(found, Violation):
        for location in "xy":
            free = Counter[str]()
            for one in orders:
                if one.location == location and one.may_fulfil:
                    free.update({each.line: each.remaining for each in one.lines})
            assert any(free[line] < units for line, units in wanted.items())
        return
    there = {each.id: each for one in orders if one.may_fulfil for each in one.lines}
    sums = Counter[str]()
    for group in found:
        assert group["fulfillmentOrderLineItems"]
        for part in group["fulfillmentOrderLineItems"]:
            assert 0 < part["quantity"] <= there[part["id"]].remaining
            sums[there[part["id"]].line] += part["quantity"]
    assert sums == Counter(wanted)
    places = {one.id: one.location for one in orders}
    assert len({places[group["fulfillmentOrderId"]] for group in found}) == 1
