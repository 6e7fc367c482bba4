"""What a warehouse takes for what a store sold, and what its parcels make whole again."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncworkers.canonical.parts import PartLine
from syncworkers.canonical.shipments import PackedGoods
from syncworkers.errors import RejectedError
from syncworkers.policy.routing import RoutingPolicy, RoutingRule
from syncworkers.policy.units import Component, Conversion, Kit, UnitsPolicy
from syncworkers.rules import booking, release, routing, shipping
from syncworkers.rules.routing import Routed
from syncworkers.rules.units import Shelves, exact
from tests.unit.orders import AT, line, order, policy, store_policy, warehouse_policy

TODAY = dt.date(2026, 11, 24)
EVE = TODAY - dt.timedelta(days=1)
ITEMS = {"MUG": "1", "TEA": "2", "FILTER": "3", "RICE": "4"}


def conversion(unit: str, factor: str, into: str, **changes: Any) -> Conversion:
    fields: dict[str, Any] = {"since": dt.date(2026, 1, 1), **changes}
    return Conversion(unit=unit, into=into, factor=Fraction(factor), **fields)


def kit(since: dt.date = dt.date(2026, 1, 1), **components: int) -> Kit:
    made_of = tuple(Component(sku=sku, quantity=Fraction(n)) for sku, n in components.items())
    return Kit(sku="KIT", since=since, components=made_of)


def shelves(units: UnitsPolicy, *, items: Any = None, day: dt.date = TODAY) -> Shelves:
    return Shelves(name="west", items=items or ITEMS, units=units, day=day)


def picked(shelf: Shelves, sku: str, quantity: int) -> list[tuple[str, str, str]]:
    picks, gaps = shelf.pick(sku, quantity)
    assert gaps == []
    return [(one.sku, str(one.quantity), one.unit) for one in picks]


def gap(shelf: Shelves, sku: str, quantity: int) -> tuple[str, str]:
    _, [found] = shelf.pick(sku, quantity)
    return found.code, found.what


def test_without_tables_everything_is_counted_by_the_piece() -> None:
    assert picked(shelves(UnitsPolicy()), "MUG", 3) == [("MUG", "3", "each")]


def test_a_case_is_packed_as_its_pieces_and_pieces_as_cases() -> None:
    twelve = (conversion("case", "12", "each"),)
    sold = UnitsPolicy(sold={"FILTER": "case"}, conversions=twelve)
    kept = UnitsPolicy(kept={"west": {"FILTER": "case"}}, conversions=twelve)

    assert picked(shelves(sold), "FILTER", 2) == [("FILTER", "24", "each")]
    assert picked(shelves(kept), "FILTER", 24) == [("FILTER", "2", "case")]


def test_a_fraction_of_what_cannot_be_divided_is_refused() -> None:
    kept = UnitsPolicy(
        kept={"west": {"FILTER": "case"}}, conversions=(conversion("case", "12", "each"),)
    )

    assert gap(shelves(kept), "FILTER", 30) == (
        "units.fraction",
        (
            "keeps SKU 'FILTER' by case: 30 each are 5/2, no whole number of case; sell it by as"
            " many as fill one, or keep it by a smaller unit"
        ),
    )


def test_what_may_be_divided_is_counted_exactly_or_refused() -> None:
    def kept(factor: str) -> Shelves:
        bags = (conversion("each", factor, "kg"),)
        units = UnitsPolicy(
            divisible=frozenset({"kg"}), kept={"west": {"RICE": "kg"}}, conversions=bags
        )
        return shelves(units)

    assert picked(kept("0.1"), "RICE", 3) == [("RICE", "0.3", "kg")]
    assert picked(kept("1/3"), "RICE", 3) == [("RICE", "1", "kg")]
    assert gap(kept("1/3"), "RICE", 1)[0] == "units.fraction"


def test_a_missing_conversion_names_the_key_to_add() -> None:
    code, what = gap(shelves(UnitsPolicy(sold={"FILTER": "case"})), "FILTER", 1)

    assert code == "units.unmapped"
    assert "add [[conversions]] with sku = 'FILTER', from = 'case' and to = 'each'" in what


def test_a_conversion_counts_from_its_day_on() -> None:
    units = UnitsPolicy(
        sold={"FILTER": "case"},
        conversions=(
            conversion("case", "12", "each"),
            conversion("case", "10", "each", since=TODAY),
        ),
    )

    counts = [picked(shelves(units, day=day), "FILTER", 1)[0][1] for day in (EVE, TODAY)]

    assert counts == ["12", "10"]
    assert gap(shelves(units, day=dt.date(2025, 12, 31)), "FILTER", 1)[0] == "units.unmapped"


def test_a_skus_own_conversion_goes_before_its_warehouses_and_that_before_any() -> None:
    general = conversion("case", "12", "each")
    there = conversion("case", "10", "each", partner="west")
    own = conversion("case", "8", "each", sku="FILTER")
    elsewhere = conversion("case", "6", "each", sku="FILTER", partner="east")

    def count(*conversions: Conversion) -> str:
        units = UnitsPolicy(sold={"FILTER": "case"}, conversions=conversions)
        return picked(shelves(units), "FILTER", 1)[0][1]

    assert [count(general), count(there, general), count(own, there, general, elsewhere)] == [
        "12",
        "10",
        "8",
    ]


def test_units_convert_over_other_units() -> None:
    units = UnitsPolicy(
        sold={"FILTER": "pallet"},
        conversions=(conversion("case", "12", "each"), conversion("pallet", "40", "case")),
    )

    assert picked(shelves(units), "FILTER", 2) == [("FILTER", "960", "each")]


def test_a_kit_is_taken_apart_as_it_was_made_on_the_day() -> None:
    units = UnitsPolicy(kits=(kit(MUG=2, TEA=1), kit(since=TODAY, MUG=1, TEA=3)))

    assert picked(shelves(units, day=EVE), "KIT", 2) == [("MUG", "4", "each"), ("TEA", "2", "each")]
    assert picked(shelves(units), "KIT", 2) == [("MUG", "2", "each"), ("TEA", "6", "each")]


def test_a_kit_that_is_kept_put_together_is_taken_as_it_is() -> None:
    units = UnitsPolicy(kits=(kit(MUG=2, TEA=1),))

    assert picked(shelves(units, items={**ITEMS, "KIT": "9"}), "KIT", 2) == [("KIT", "2", "each")]


def test_a_kit_of_another_day_and_a_missing_component_name_the_key_to_add() -> None:
    units = UnitsPolicy(kits=(kit(since=TODAY, MUG=2, TEA=1),))

    early = gap(shelves(units, day=EVE), "KIT", 1)
    without = gap(shelves(units, items={"MUG": "1"}), "KIT", 1)

    assert early[0] == without[0] == "kit.unmapped"
    assert "nothing says what it was made of on 2026-11-23; add [[kits]]" in early[1]
    assert "add 'TEA' to [warehouses.west.items] of config/fulfilment.toml" in without[1]


@given(numerator=st.integers(1, 10**9), denominator=st.integers(1, 10**4))
def test_a_number_is_written_exactly_or_not_at_all(numerator: int, denominator: int) -> None:
    number = Fraction(numerator, denominator)

    written = exact(number, places=6)

    assert (written is None) == ((number * 10**6).denominator != 1)
    assert written is None or Fraction(written) == number


UNITS = UnitsPolicy(
    sold={"FILTER": "case"},
    symbols={"d365-main": {"case": "cs"}},
    conversions=(conversion("case", "12", "each"),),
    kits=(kit(MUG=2, TEA=1),),
)
LINES = (
    line(external_id="1", sku="KIT", quantity=2),
    line(external_id="2", sku="FILTER", quantity=3, unit_price=Decimal(20)),
    line(external_id="3", sku="MUG", quantity=1, unit_price=Decimal(7)),
)


def part_lines() -> tuple[PartLine, ...]:
    routed = Routed(node="west", places=(0, 1, 2), reason="the only one")
    sold = order(lines=LINES, shipping_method="Standard")
    warehouse = warehouse_policy(items=ITEMS)
    return release.part("shopify-us", routed, warehouse, sold, number=1, units=UNITS).lines


def test_a_part_keeps_what_was_sold_and_what_is_packed() -> None:
    found = [
        (one.number, one.reference, one.sku, one.item, one.quantity, one.sold_unit, one.counted)
        for one in part_lines()
    ]

    assert found == [
        (1, "1", "MUG", "1", 2, "each", 4),
        (2, "1", "TEA", "2", 2, "each", 2),
        (3, "2", "FILTER", "3", 3, "case", 36),
        (4, "3", "MUG", "1", 1, "each", 1),
    ]
    assert [one.kit for one in part_lines()] == ["KIT", "KIT", "", ""]
    assert [one.unit_price for one in part_lines()] == [None, None, Decimal("1.67"), Decimal(7)]


def test_what_cannot_be_packed_is_said_of_every_line_at_once() -> None:
    routed = Routed(node="west", places=(0, 1, 2), reason="the only one")
    asked = order(lines=LINES)
    warehouse = warehouse_policy(items={"MUG": "1", "FILTER": "3"})
    units = UnitsPolicy(sold={"FILTER": "case"}, kits=UNITS.kits)

    with pytest.raises(RejectedError) as refused:
        release.part("shopify-us", routed, warehouse, asked, number=1, units=units)

    assert [(one.path, one.code) for one in refused.value.violations] == [
        ("lines[0].sku", "kit.unmapped"),
        ("lines[1].sku", "units.unmapped"),
    ]


def test_the_erp_gets_the_sold_quantity_and_its_own_symbol() -> None:
    asked = order(lines=LINES, total=Decimal("97.95"))
    known = policy(items={"KIT": "K", "FILTER": "F", "MUG": "M"})

    booked = booking.book(known, asked, "C1", ships_from={}, units=UNITS)

    assert [(one.quantity, one.unit) for one in booked.lines] == [(2, ""), (3, "cs"), (1, "")]


def test_a_unit_without_a_symbol_names_the_key_to_add() -> None:
    known = policy(items={"FILTER": "F"})
    asked = order(lines=LINES[1:2], total=Decimal("65.95"))

    with pytest.raises(RejectedError) as refused:
        booking.book(known, asked, "C1", ships_from={}, units=UnitsPolicy(sold={"FILTER": "case"}))

    [wrong] = refused.value.violations
    assert (wrong.code, wrong.path) == ("units.unmapped", "lines[0].sku")
    assert "add 'case' to [symbols.d365-main] of config/units.toml" in wrong.message


def sale(units: UnitsPolicy, west: Any, east: Any, stock: Any = None) -> routing.Sale:
    rule = RoutingRule(number=1, nodes=("west", "east"))
    return routing.Sale(
        store="shopify-us",
        brand="acme",
        policy=store_policy(warehouse="west"),
        booking=policy(),
        nodes={"west": warehouse_policy(items=west), "east": warehouse_policy(items=east)},
        routing=RoutingPolicy(rules=(rule,)),
        stock=stock or {},
        units=units,
    )


def test_a_kit_ships_from_where_all_its_components_are() -> None:
    asked = order(lines=LINES[:1])

    found = routing.route(sale(UNITS, {"MUG": "1"}, {"MUG": "1", "TEA": "2"}), asked)

    assert [one.reason for one in found.parts] == [
        "node east: rule 1, all lines kept there; west refused: does not keep SKU 'TEA'"
    ]


def test_stock_is_compared_as_the_warehouse_counts() -> None:
    asked = order(lines=LINES[:1])
    stock = {"west": {"MUG": 3, "TEA": 2}, "east": {"MUG": 4, "TEA": 2}}

    found = routing.route(sale(UNITS, ITEMS, ITEMS, stock), asked)

    assert [one.reason for one in found.parts] == [
        "node east: rule 1, all lines in stock; west refused: SKU MUG short by 1"
    ]


def test_what_one_node_would_have_to_divide_ships_from_another() -> None:
    units = UnitsPolicy(
        kept={"west": {"MUG": "case"}}, conversions=(conversion("case", "12", "each"),)
    )
    asked = order(lines=(line(sku="MUG", quantity=5),))

    found = routing.route(sale(units, ITEMS, ITEMS), asked)

    assert [one.node for one in found.parts] == ["east"]
    assert "west refused: keeps SKU 'MUG' by case: 5 each are 5/12" in found.parts[0].reason


def goods(item: str, quantity: int) -> PackedGoods:
    return PackedGoods(item=item, sku="", quantity=Decimal(quantity))


def told(parcels: list[list[PackedGoods]]) -> list[dict[str, int]]:
    """Sales units by order line that each parcel makes whole."""
    found: list[dict[str, int]] = []
    before: shipping.Counted = {}
    for parcel in parcels:
        lines = shipping.allot(part_lines(), before, parcel, "shipments[0]")
        found.append({one.reference: one.quantity for one in lines})
        before = shipping.added(before, parcel)
    return found


def test_a_sold_unit_is_told_with_the_parcel_that_makes_it_whole() -> None:
    assert told(
        [
            [goods("1", 1), goods("3", 11)],  # the mug sold alone, and most of a case
            [goods("1", 4)],  # the mugs of both kits
            [goods("2", 1), goods("3", 13)],
            [goods("2", 1), goods("3", 12)],
        ]
    ) == [{"3": 1}, {}, {"1": 1, "2": 2}, {"1": 1, "2": 1}]


UNITS_PACKED = [("1", 5), ("2", 2), ("3", 36)]


@given(data=st.data())
def test_whatever_the_split_and_order_of_parcels_the_totals_are_the_same(data: Any) -> None:
    pieces = data.draw(st.permutations([item for item, n in UNITS_PACKED for _ in range(n)]))
    cuts = sorted(data.draw(st.sets(st.integers(1, len(pieces) - 1), max_size=6)))
    bounds = list(zip([0, *cuts], [*cuts, len(pieces)], strict=True))
    parcels = [[goods(item, 1) for item in pieces[start:end]] for start, end in bounds]

    found = told(parcels)

    totals = {key: sum(one.get(key, 0) for one in found) for key in ("1", "2", "3")}
    assert totals == {"1": 2, "2": 3, "3": 1}
    every = [one for parcel in parcels for one in parcel]
    assert shipping.leftover(part_lines(), shipping.added({}, every)) == []


@given(counts=st.tuples(st.integers(0, 5), st.integers(0, 2), st.integers(0, 36)), data=st.data())
def test_what_was_told_depends_on_the_sum_alone_and_never_exceeds_it(
    counts: tuple[int, int, int], data: Any
) -> None:
    pieces = [item for item, n in zip("123", counts, strict=True) for _ in range(n)]
    order_ = data.draw(st.permutations(pieces))

    at_once = told([[goods(item, 1) for item in pieces]]) if pieces else [{}]
    one_by_one = told([[goods(item, 1)] for item in order_])

    totals = {key: sum(one.get(key, 0) for one in one_by_one) for key in ("1", "2", "3")}
    assert totals == {key: at_once[0].get(key, 0) for key in ("1", "2", "3")}
    mugs, tea, filters = counts
    assert 2 * totals["1"] + totals["3"] <= mugs
    assert totals["1"] <= tea
    assert totals["2"] == filters // 12


def test_what_makes_nothing_whole_is_named() -> None:
    packed = shipping.added({}, [goods("1", 4), goods("2", 1), goods("3", 30)])

    assert shipping.whole(part_lines(), packed) == {"1": 1, "2": 2, "3": 1}
    assert shipping.leftover(part_lines(), packed) == [
        "6 each of SKU FILTER",
        "1 each of SKU MUG",
    ]


def test_more_than_the_components_of_what_was_sold_is_refused() -> None:
    with pytest.raises(RejectedError) as refused:
        told([[goods("1", 3)], [goods("1", 3)]])

    [wrong] = refused.value.violations
    assert wrong.code == "shipment.exceeds_part"
    assert wrong.message.startswith("1 of 3 units of 1 are more than")


def test_parcels_from_before_goods_were_kept_count_as_their_lines_say() -> None:
    old = PartLine(
        reference="9", number=1, sku="MUG", item="1", title="", quantity=3, unit_price=None
    )
    first = shipping.allot([old], {}, [goods("1", 2)], "")

    assert shipping.packed([old], [(first, None), ((), [goods("1", 1)])]) == {"1": Decimal(3)}


def test_the_day_of_an_order_is_that_on_which_it_was_placed_in_utc() -> None:
    units = UnitsPolicy(kits=(kit(MUG=2), kit(since=TODAY, MUG=3)))
    routed = Routed(node="west", places=(0,), reason="the only one")

    def mugs(placed_at: dt.datetime) -> list[Decimal]:
        asked = order(lines=LINES[:1], placed_at=placed_at)
        warehouse = warehouse_policy(items=ITEMS)
        made = release.part("shopify-us", routed, warehouse, asked, number=1, units=units)
        return [one.counted for one in made.lines]

    midnight = AT.replace(hour=0)
    assert mugs(midnight - dt.timedelta(seconds=1)) == [4]
    assert mugs(midnight) == [6]
