"""Which node ships what, why, and of whose stock."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncworkers.errors import RejectedError
from syncworkers.policy.fulfilment import NodeKind, WarehousePolicy
from syncworkers.policy.routing import CutOff, PostcodeRange, RoutingPolicy, RoutingRule, Split
from syncworkers.rules.routing import Route, Sale, route
from tests.unit.orders import HOME, line, order, policy, store_policy

SKUS = ("MUG", "TEA", "KETTLE")
NODES = ("west", "east", "eu")


def node(*skus: str, **changes: Any) -> WarehousePolicy:
    return WarehousePolicy(
        shipping_methods={}, items={sku: f"id of {sku}" for sku in skus}, **changes
    )


def sale(rules: tuple[RoutingRule, ...] = (), **changes: Any) -> Sale:
    fields: dict[str, Any] = {
        "store": "shopify-us",
        "brand": "acme",
        "policy": store_policy(warehouse="west"),
        "booking": policy(),
        "nodes": {
            "west": node("MUG", "TEA"),
            "east": node("MUG", "TEA", "KETTLE"),
            "eu": node("MUG", company="demf"),
        },
        "routing": RoutingPolicy(rules=rules, sku_classes={"heavy": frozenset({"KETTLE"})}),
    }
    return Sale(**{**fields, **changes})


def rule(*nodes: str, number: int = 1, **changes: Any) -> RoutingRule:
    return RoutingRule(number=number, nodes=nodes, **changes)


def sold(*skus: str, quantity: int = 1, **changes: Any) -> Any:
    lines = tuple(
        line(external_id=str(place), sku=sku, quantity=quantity) for place, sku in enumerate(skus)
    )
    return order(lines=lines, **changes)


def parts(found: Route) -> list[tuple[str, tuple[int, ...]]]:
    return [(one.node, one.places) for one in found.parts]


def refused(one: Sale, asked: Any) -> list[tuple[str, str, str]]:
    with pytest.raises(RejectedError) as error:
        route(one, asked)
    return [(found.code, found.path, found.message) for found in error.value.violations]


def test_without_a_rule_the_stores_warehouse_ships() -> None:
    found = route(sale(), sold("MUG"))

    assert (found.company, parts(found)) == ("usmf", [("west", (0,))])
    assert found.parts[0].reason == "node west: the warehouse of shopify-us, all lines kept there"


def test_what_needs_no_shipping_has_no_node() -> None:
    card = order(lines=(line(sku="", gift_card=True, requires_shipping=False),))

    assert route(sale(), card) == Route(company="usmf", parts=())


def test_the_first_rule_that_holds_decides_and_says_so() -> None:
    rules = (
        rule("east", number=1, countries=frozenset({"CA"})),
        rule("east", number=2, postcodes=(PostcodeRange(first="1", last="1"),)),
        rule("west", number=3, postcodes=(PostcodeRange(first="9", last="9"),)),
        rule("east", number=4),
    )
    asked = sold("MUG", shipping_address=replace(HOME, postal_code="97 201"))

    [part] = route(sale(rules), asked).parts

    assert part.reason == "node west: rule 3, postcode 9…, all lines kept there"


def test_a_node_that_is_short_is_named_with_how_much() -> None:
    stock = {"west": {"MUG": 10, "TEA": 0}, "east": {"MUG": 5, "TEA": 5}}
    found = route(sale((rule("west", "east"),), stock=stock), sold("MUG", "TEA", quantity=2))

    assert [one.reason for one in found.parts] == [
        "node east: rule 1, all lines in stock; west refused: SKU TEA short by 2"
    ]


def test_a_node_of_another_kind_is_refused() -> None:
    nodes = {"west": node("MUG", kind=NodeKind.STORE), "east": node("MUG")}
    wanted = rule("west", "east", node_kinds=frozenset({NodeKind.THIRD_PARTY}))

    [part] = route(sale((wanted,), nodes=nodes), sold("MUG")).parts

    assert part.reason == "node east: rule 1, all lines kept there; west refused: is of kind store"


def test_lines_are_split_only_where_the_rule_allows_it() -> None:
    asked = sold("MUG", "KETTLE", "TEA")
    nodes = {"west": node("MUG", "TEA"), "east": node("KETTLE")}

    split = route(sale((rule("west", "east", split=Split.BY_LINE),), nodes=nodes), asked)
    whole = refused(sale((rule("west", "east"),), nodes=nodes), asked)

    assert parts(split) == [("west", (0, 2)), ("east", (1,))]
    assert split.parts[1].reason == (
        "node east: rule 1, 1 lines kept there; west refused: does not keep SKU 'KETTLE'"
    )
    assert {code for code, _, _ in whole} == {"fulfilment.no_node"}
    assert "west does not keep SKU 'KETTLE'; east does not keep SKU 'MUG', 'TEA'" in whole[0][2]


def test_a_class_of_goods_may_leave_from_elsewhere() -> None:
    rules = (
        rule("east", number=1, sku_classes=frozenset({"heavy"})),
        rule("west", number=2),
    )

    found = route(sale(rules), sold("MUG", "KETTLE"))

    assert parts(found) == [("west", (0,)), ("east", (1,))]
    assert found.parts[1].reason.startswith("node east: rule 1, class heavy")


def test_the_company_follows_from_where_it_ships() -> None:
    rules = (rule("eu", countries=frozenset({"US"})),)

    assert route(sale(rules), sold("MUG")).company == "demf"


def test_a_company_that_cannot_ship_all_is_not_mixed_with_one_that_can() -> None:
    rules = (rule("eu", "east", split=Split.BY_LINE),)

    found = route(sale(rules), sold("MUG", "KETTLE"))

    assert (found.company, parts(found)) == ("usmf", [("east", (0, 1))])
    assert "eu refused: is stock of demf, not of usmf" in found.parts[0].reason


def test_goods_of_several_companies_are_refused() -> None:
    nodes = {"west": node("MUG"), "eu": node("TEA", company="demf")}
    one = sale((rule("west", "eu", split=Split.BY_LINE),), nodes=nodes)

    [(code, path, message)] = refused(one, sold("MUG", "TEA"))

    assert (code, path) == ("fulfilment.several_companies", "lines")
    assert "eu is stock of demf, not of usmf" in message


def test_what_nobody_has_enough_of_is_short() -> None:
    stock = {"west": {"MUG": 1}}

    [(code, path, message)] = refused(sale(stock=stock), sold("MUG", quantity=3))

    assert (code, path) == ("fulfilment.short", "lines[0].sku")
    assert "west SKU MUG short by 2" in message


def test_two_lines_of_one_sku_share_its_stock() -> None:
    stock = {"west": {"MUG": 3}, "east": {"MUG": 3}}
    one = sale((rule("west", "east", split=Split.BY_LINE),), stock=stock)

    assert parts(route(one, sold("MUG", "MUG", quantity=2))) == [("west", (0,)), ("east", (1,))]


@pytest.mark.parametrize(("hour", "expected"), [(20, "west"), (21, "east"), (22, "east")])
def test_what_missed_the_cut_off_leaves_from_elsewhere(hour: int, expected: str) -> None:
    cut_off = CutOff(time=dt.time(14), zone=ZoneInfo("America/Los_Angeles"))
    rules = (rule("west", number=1, before=cut_off), rule("east", number=2))
    placed = dt.datetime(2026, 7, 1, hour, tzinfo=dt.UTC)

    [part] = route(sale(rules), sold("MUG", placed_at=placed)).parts

    assert part.node == expected


@pytest.mark.parametrize(
    ("written", "postcode", "within"),
    [
        (("9", "9"), "94107", True),
        (("9", "9"), "8", False),
        (("80000", "96199"), "96199-1234", True),
        (("80000", "96199"), "96200", False),
        (("SW1", "SW3"), "SW2A1AA", True),
        (("SW1", "SW3"), "SE1", False),
    ],
)
def test_postcodes_lie_within_ranges(written: tuple[str, str], postcode: str, within: bool) -> None:
    assert PostcodeRange(first=written[0], last=written[1]).covers(postcode) is within


levels = st.dictionaries(st.sampled_from(SKUS), st.integers(0, 6))


@given(
    skus=st.lists(st.sampled_from(SKUS), min_size=1, max_size=6),
    kept=st.fixed_dictionaries({name: st.sets(st.sampled_from(SKUS)) for name in NODES}),
    companies=st.fixed_dictionaries({name: st.sampled_from(["usmf", "demf"]) for name in NODES}),
    stock=st.dictionaries(st.sampled_from(NODES), levels),
    tried=st.permutations(NODES),
    split=st.sampled_from(Split),
    quantity=st.integers(1, 3),
)
def test_whatever_is_sold_every_line_leaves_once_of_one_companys_stock_or_it_is_said_why(
    *,
    skus: list[str],
    kept: dict[str, set[str]],
    companies: dict[str, str],
    stock: dict[str, dict[str, int]],
    tried: list[str],
    split: Split,
    quantity: int,
) -> None:
    nodes = {name: node(*kept[name], company=companies[name]) for name in NODES}
    one = sale((rule(*tried, split=split),), nodes=nodes, stock=stock)
    asked = sold(*skus, quantity=quantity)
    try:
        found = route(one, asked)
    except RejectedError as error:
        assert all(violation.message for violation in error.violations)
        return

    assert route(one, asked) == found
    assert sorted(place for part in found.parts for place in part.places) == list(range(len(skus)))
    assert {companies[part.node] for part in found.parts} == {found.company}
    for part in found.parts:
        for sku in set(skus):
            units = quantity * sum(skus[place] == sku for place in part.places)
            assert (
                not units
                or units <= stock.get(part.node, {}).get(sku, units)
                or not any(sku in kept[name] for name in NODES)
            )
