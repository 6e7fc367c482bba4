from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncworkers.canonical.parts import PartLine
from syncworkers.canonical.shipments import PackedGoods, ReportedShipment, WarehouseReport
from syncworkers.canonical.shipments import WarehouseState as State
from syncworkers.errors import RejectedError
from syncworkers.rules import release, shipping
from syncworkers.rules.routing import Routed
from tests.unit.orders import AT, line, order, warehouse_policy


def part_line(number: int, item: str, quantity: int) -> PartLine:
    return PartLine(
        reference=f"L{number}",
        number=number,
        sku=f"SKU-{item}",
        item=item,
        title="",
        quantity=quantity,
        unit_price=Decimal(1),
    )


def packed(item: str, quantity: int) -> PackedGoods:
    return PackedGoods(item=item, sku=f"SKU-{item}", quantity=Decimal(quantity))


LINES = (part_line(1, "A", 2), part_line(2, "B", 1), part_line(3, "A", 3))


def given_to(goods: list[PackedGoods], before: shipping.Counted | None = None) -> dict[str, int]:
    lines = shipping.allot(LINES, before or {}, goods, "shipments[0]")
    return {one.reference: one.quantity for one in lines}


def test_goods_go_to_the_lines_in_their_order() -> None:
    assert given_to([packed("A", 4), packed("B", 1)]) == {"L1": 2, "L3": 2, "L2": 1}


def test_what_left_before_is_not_waited_for_any_more() -> None:
    assert given_to([packed("A", 2)], {"A": Decimal(1)}) == {"L1": 1, "L3": 1}


@pytest.mark.parametrize(
    ("goods", "code"),
    [
        ([packed("A", 6)], "shipment.exceeds_part"),
        ([packed("B", 1), packed("B", 1)], "shipment.exceeds_part"),
        ([packed("Z", 1)], "shipment.unknown_item"),
    ],
)
def test_more_than_asked_for_and_strange_goods_are_refused(
    goods: list[PackedGoods], code: str
) -> None:
    with pytest.raises(RejectedError) as refused:
        given_to(goods)

    [wrong] = refused.value.violations
    assert wrong.code == code
    assert wrong.path == f"shipments[0].goods[{len(goods) - 1}]"


def test_a_parcel_that_left_must_say_what_is_in_it() -> None:
    with pytest.raises(RejectedError) as refused:
        given_to([])

    assert [one.code for one in refused.value.violations] == ["shipment.empty"]


@given(parcels=st.permutations([("A", 1), ("A", 1), ("A", 3), ("B", 1)]))
def test_however_goods_are_split_and_ordered_the_same_units_have_left_in_the_end(
    parcels: list[tuple[str, int]],
) -> None:
    left: list[Any] = []
    before: shipping.Counted = {}
    for item, quantity in parcels:
        goods = [packed(item, quantity)]
        left.append(shipping.allot(LINES, before, goods, "shipments[0]"))
        before = shipping.added(before, goods)

    assert shipping.shipped(left) == {"L1": 2, "L2": 1, "L3": 3}
    assert shipping.is_complete(LINES, shipping.shipped(left))
    assert not shipping.is_complete(LINES, shipping.shipped(left[:-1]))


def reported(state: State, detail: str = "") -> ReportedShipment:
    return ReportedShipment(
        external_id="1",
        state=state,
        code=state.value,
        detail=detail,
        carrier="",
        service="",
        tracking_number="",
        tracking_url="",
        shipped_at=None,
        goods=(),
        milestones=(),
    )


@pytest.mark.parametrize(
    ("shipments", "expected"),
    [
        ([State.ACCEPTED, State.SHIPPED], (State.ACCEPTED, "Processing")),
        ([State.SHIPPED, State.ON_HOLD], (State.ON_HOLD, "bad address")),
        ([State.ON_HOLD, State.EXCEPTION], (State.EXCEPTION, "bad address")),
        (
            [State.SHIPPED, State.CANCELLED],
            (State.CANCELLED, "only a part of it left (Processing), and nothing more is to follow"),
        ),
    ],
)
def test_one_parcel_in_trouble_holds_the_part(
    shipments: list[State], expected: tuple[State, str]
) -> None:
    report = WarehouseReport(
        external_id="9",
        reference="r",
        state=State.ACCEPTED,
        code="Processing",
        updated_at=AT,
        shipments=tuple(reported(state, "bad address") for state in shipments),
    )

    assert shipping.stage(report, complete=False) == expected


def test_a_part_carries_what_its_warehouse_needs() -> None:
    gift = line(external_id="12", sku="", gift_card=True, requires_shipping=False)
    routed = Routed(node="shipbob-west", places=(0,), reason="the only one")
    found = release.part(
        "shopify-us", routed, warehouse_policy(), order(lines=(line(), gift)), number=1
    )

    assert found.reference == "shopify-us-5182437124-1"
    assert found.shipping_method == "Ground"
    assert [(one.reference, one.number, one.item, one.quantity) for one in found.lines] == [
        ("11", 1, "20000001", 2)
    ]


def test_a_reference_is_ours_by_the_store_it_begins_with() -> None:
    stores = ["shopify-us", "shopify-eu"]

    assert release.is_ours("shopify-us-5182437124-1", stores)
    assert not release.is_ours("shopify-usa-1", stores)
    assert not release.is_ours("manual order", stores)
