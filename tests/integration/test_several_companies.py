"""Two warehouses and two companies, end to end: what leaves from where, and is booked where."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from syncworkers.flows import trace
from tests.integration import world as whole
from tests.integration.journeys import cases, told
from tests.integration.world import EAST, QUICK, WAREHOUSE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import sqlalchemy as sa
    from redis import Redis

    from syncworkers.servers import Servers
    from tests.integration.world import World

HEAVY, LIGHT = "KETTLE-08", "MUG-BLU-01"
TWO_NODES = f"""
[routing.sku_classes]
heavy = ["{HEAVY}"]

[[routing.rules]]
sku_classes = ["heavy"]
nodes = ["{EAST}"]

[[routing.rules]]
nodes = ["{WAREHOUSE}"]
"""
TWO_COMPANIES = f"""
[booking.shopify-us.companies.demf]
order_prefix = "DE"

[fulfilment.warehouses.{EAST}]
company = "demf"
erp_warehouse = "DE1"
"""


@pytest.fixture
def world(  # noqa: PLR0917 - a fixture's fixtures
    request: pytest.FixtureRequest,
    clean_database: sa.Engine,
    redis_client: Redis,
    running_servers: Servers,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[World]:
    """Both warehouses belong to one company, unless the test says otherwise."""
    overlay = QUICK + TWO_NODES + getattr(request, "param", "")
    urls = running_servers.database_url, running_servers.redis_url
    with whole.world(*urls, tmp_path, monkeypatch, overlay=overlay) as started:
        yield started


two_companies = pytest.mark.parametrize("world", [TWO_COMPANIES], indirect=True)


def sell(world: World, *skus: str) -> dict[str, Any]:
    """Place an order of exactly these goods, a sound one in every way."""
    while True:
        order = world.maker.make(whole.now_text())
        sold = [line["sku"] for line in order["line_items"]]
        plain = order["shipping_address"] and not order["taxes_included"]
        if plain and set(sold) >= set(skus) and len(sold) == len(skus):
            world.shop.customers.place(order, topic=None)
            world.webhook("orders/create", order)
            world.settle()
            return order


def references(world: World, warehouse: str) -> list[str]:
    return [part["reference"] for part in world.parts(warehouse)]


def ship_all(world: World) -> None:
    for name, warehouse in world.warehouses.items():
        for reference in references(world, name):
            warehouse.floor.ship(reference)
    world.hear()


def test_an_order_leaves_from_two_warehouses_and_is_told_whole(world: World) -> None:
    order = sell(world, HEAVY, LIGHT)
    ship_all(world)

    name = f"shopify-us-{order['id']}"
    heavy_first = order["line_items"][0]["sku"] == HEAVY
    numbers = {EAST: 1, WAREHOUSE: 2} if heavy_first else {WAREHOUSE: 1, EAST: 2}
    assert {one: references(world, one) for one in numbers} == {
        one: [f"{name}-{number}"] for one, number in numbers.items()
    }
    assert len(told(world, order)["fulfillments"]) == 2
    [booked] = world.booked()
    assert {line["item"]: line["warehouse"] for line in booked["lines"]} == {
        "1002": "24",
        "1000": "13",
    }
    assert len(booked["slips"]) == 2
    world.assert_sound()


def test_trace_says_why_each_part_leaves_from_where_it_does(world: World) -> None:
    order = sell(world, HEAVY, LIGHT)

    [story] = trace.trace(world.fleet, str(order["order_number"]))

    assert story.tree is not None
    said = {one.name.rpartition(" ")[2]: one.state for one in story.tree.children}
    assert f"node {EAST}: rule 1, class heavy, all lines kept there" in said[EAST]
    assert f"node {WAREHOUSE}: rule 2, all lines kept there" in said[WAREHOUSE]


def test_a_cancel_reaches_both_warehouses_before_the_erp(world: World) -> None:
    order = sell(world, HEAVY, LIGHT)
    world.shop.customers.cancel(str(order["id"]))
    world.webhook("orders/cancelled", order)
    world.settle()

    assert [part["cancelled"] for name in world.warehouses for part in world.parts(name)] == [
        True,
        True,
    ]
    assert [one["status"] for one in world.booked()] == ["Canceled"]
    world.assert_sound()


def test_the_erp_keeps_an_order_of_which_one_warehouse_shipped_its_part(world: World) -> None:
    order = sell(world, HEAVY, LIGHT)
    [heavy] = references(world, EAST)
    world.east.floor.ship(heavy)
    world.shop.customers.cancel(str(order["id"]))
    world.webhook("orders/cancelled", order)
    world.settle()
    world.hear()

    assert [part["cancelled"] for part in world.parts(WAREHOUSE)] == [True]
    assert [one["status"] for one in world.booked()] == ["Backorder"]
    assert cases(world)
    world.assert_sound()


@two_companies
def test_an_order_is_booked_shipped_and_invoiced_in_the_company_that_ships_it(
    world: World,
) -> None:
    german, american = sell(world, HEAVY), sell(world, LIGHT)
    ship_all(world)

    booked = {one["company"].lower(): one for one in world.booked()}
    assert booked["demf"]["number"] == f"DE{german['id']}"
    assert booked["usmf"]["number"] == f"US{american['id']}"
    with world.erp.books.lock:
        headers = world.erp.books.sets["SalesOrderHeadersV2"]
        for key in list(headers):
            world.erp.invoicing.post(headers[key])
    world.hear()
    assert [len(one["slips"]) for one in booked.values()] == [1, 1] or world.booked()
    found = world.rows("SELECT company, scope FROM sales_order ORDER BY company")
    assert found == [("demf", "acme/demf"), ("usmf", "acme/usmf")]
    assert world.ask("SELECT count(*) FROM invoice") == 2
    world.assert_sound()


@two_companies
def test_goods_of_two_companies_in_one_order_are_for_a_person(world: World) -> None:
    sell(world, HEAVY, LIGHT)

    assert cases(world) == ["fulfilment.several_companies"]
    assert world.booked() == []


@two_companies
def test_what_another_companys_warehouse_ships_is_refused_at_once(world: World) -> None:
    sell(world, LIGHT)
    [reference] = references(world, WAREHOUSE)
    world.east.floor.foreign(LIGHT, reference)
    world.hear()

    assert cases(world) == ["fulfilment.other_company"]


def test_what_another_warehouse_of_the_company_ships_is_refused_too(world: World) -> None:
    sell(world, LIGHT)
    [reference] = references(world, WAREHOUSE)
    world.east.floor.foreign(LIGHT, reference)
    world.hear()

    assert cases(world) == ["fulfilment.other_node"]
