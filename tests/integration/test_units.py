"""A store sells a kit and a case; the warehouse ships pieces; the store hears of what it sold."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from syncworkers.flows import trace
from syncworkers.sandbox.shopify.books import now_text
from tests.integration import world as whole
from tests.integration.journeys import bill, cases, number, reference, told
from tests.integration.world import QUICK

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import sqlalchemy as sa
    from redis import Redis

    from syncworkers.servers import Servers
    from tests.integration.world import World

KIT, CASE = "TEA-TIME", "FILTER-100"
UNITS = f"""
[booking.shopify-us.items]
{KIT} = "1900"

[units.sold]
{CASE} = "case"

[units.symbols.d365-main]
case = "cs"

[[units.conversions]]
sku = "{CASE}"
from = "case"
to = "each"
factor = 12
since = "2020-01-01"

[[units.kits]]
sku = "{KIT}"
since = "2020-01-01"
components = [{{ sku = "MUG-BLU-01", quantity = 2 }}, {{ sku = "TEA-ASSAM-250", quantity = 1 }}]
"""
NO_FACTOR = UNITS.replace('from = "case"', 'from = "box"')


@pytest.fixture
def world(
    request: pytest.FixtureRequest,
    *,
    clean_database: sa.Engine,
    redis_client: Redis,
    running_servers: Servers,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[World]:
    """A world with a kit and a case; with a parameter, with other tables."""
    urls = running_servers.database_url, running_servers.redis_url
    overlay = QUICK + getattr(request, "param", UNITS)
    with whole.world(*urls, tmp_path, monkeypatch, overlay=overlay) as started:
        yield started


def sell(world: World) -> dict[str, Any]:
    """Have a kit and a case ordered, and nothing else."""
    while True:
        order = world.maker.make(now_text())
        lines = order["line_items"]
        goods = len(lines) == 2 and not any(line["gift_card"] for line in lines)
        if goods and order["shipping_address"] and not order["taxes_included"]:
            break
    for line, sku in zip(lines, (KIT, CASE), strict=True):
        line["sku"] = sku
    world.shop.customers.place(order, topic=None)
    world.webhook("orders/create", order)
    world.settle()
    return order


def sold(order: dict[str, Any]) -> tuple[int, int]:
    kits, filters = (line["quantity"] for line in order["line_items"])
    return kits, filters


def ship(world: World, order: dict[str, Any], **units: int) -> None:
    names = {"mugs": "MUG-BLU-01", "tea": "TEA-ASSAM-250", "filters": CASE}
    lines = {names[name]: count for name, count in units.items()}
    assert world.warehouse.floor.ship(reference(order), lines or None)
    world.hear()


def test_a_kit_and_a_case_go_to_erp_and_warehouse_and_come_back_whole(world: World) -> None:
    order = sell(world)
    kits, filters = sold(order)
    ids = [str(line["id"]) for line in order["line_items"]]

    [part] = world.parts()
    assert [(one["sku"], one["quantity"]) for one in part["products"]] == [
        ("MUG-BLU-01", 2 * kits),
        ("TEA-ASSAM-250", kits),
        (CASE, 12 * filters),
    ]
    with world.erp.books.lock:
        rows = list(world.erp.books.sets["SalesOrderLinesV3"].values())
    assert [
        (one["ItemNumber"], int(one["OrderedSalesQuantity"]), one["SalesUnitSymbol"])
        for one in rows
    ] == [("1900", kits, "ea"), ("1007", filters, "cs")]

    ship(world, order, mugs=2 * kits, filters=7)

    # Neither a kit nor a case is whole.
    assert told(world, order)["fulfillments"] == []
    assert world.booked()[0]["slips"] == []
    assert world.ask("SELECT count(*) FROM shipment") == 1
    assert world.ask("SELECT count(*) FROM shipment_line") == 0
    [story] = trace.trace(world.fleet, number(order))
    assert story.stage == "warehouse"
    assert story.tree is not None
    state = story.tree.children[0].state
    assert state.startswith(f"0 of {kits + filters} units left")
    assert f"{kits} each {KIT} = {2 * kits} each MUG-BLU-01 + {kits} each TEA-ASSAM-250" in state
    assert f"{filters} case {CASE} = {12 * filters} each {CASE}" in state
    world.assert_sound()

    ship(world, order)
    bill(world, order)
    world.hear()

    [fulfilment] = told(world, order)["fulfillments"]
    assert {str(one["id"]): one["quantity"] for one in fulfilment["lines"]} == dict(
        zip(ids, (kits, filters), strict=True)
    )
    [booked] = world.booked()
    assert len(booked["slips"]) == len(booked["invoices"]) == 1
    assert world.rows("SELECT DISTINCT state FROM expectation") == [("met",)]
    assert world.rows("SELECT order_line, quantity FROM shipment_line ORDER BY position") == list(
        zip(ids, (kits, filters), strict=True)
    )
    packed = "SELECT sum((g->>'quantity')::numeric) FROM shipment, jsonb_array_elements(packed) g"
    assert world.ask(packed) == 3 * kits + 12 * filters
    assert cases(world) == []
    world.assert_sound()


def test_a_report_read_twice_tells_nothing_twice(world: World) -> None:
    order = sell(world)
    kits, filters = sold(order)
    for _ in range(filters - 1):
        ship(world, order, filters=12)
    ship(world, order, filters=11)
    ship(world, order, filters=1, tea=kits)
    ship(world, order)
    world.hear()
    world.hear()

    lines = [one["lines"] for one in told(world, order)["fulfillments"]]
    assert sum(one["quantity"] for each in lines for one in each) == kits + filters
    assert len(lines) == filters + 1
    assert world.ask("SELECT sum(quantity) FROM shipment_line") == kits + filters
    world.assert_sound()


def test_what_can_never_be_whole_becomes_a_case_that_names_it(world: World) -> None:
    order = sell(world)
    kits, filters = sold(order)
    ship(world, order, mugs=2 * kits - 1, filters=12 * filters)

    assert world.warehouse.floor.cancel(reference(order))
    world.hear()

    assert sorted(cases(world)) == ["units.fraction", "warehouse.cancelled"]
    error = world.ask("SELECT error FROM exception_case WHERE code = 'units.fraction'")
    assert f"{2 * kits - 1} each of SKU MUG-BLU-01 left without making whole" in error
    [fulfilment] = told(world, order)["fulfillments"]
    assert [one["quantity"] for one in fulfilment["lines"]] == [filters]
    world.assert_sound()


@pytest.mark.parametrize("world", [NO_FACTOR], indirect=True)
def test_a_missing_conversion_becomes_a_case_that_names_the_key(world: World) -> None:
    order = sell(world)

    assert cases(world) == ["units.unmapped"]
    message = world.ask("SELECT violations->0->>'message' FROM exception_case")
    assert f"add [[conversions]] with sku = {CASE!r}, from = 'case' and to = 'each'" in message
    assert world.booked() == world.parts() == []
    assert told(world, order)["fulfillments"] == []
