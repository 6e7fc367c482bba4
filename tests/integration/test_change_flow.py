"""A change of mind races the warehouse: a cancel, a new address."""

from __future__ import annotations

from typing import TYPE_CHECKING

from syncworkers.flows.trace import trace
from syncworkers.store import ledger
from tests.integration.journeys import (
    cases,
    number,
    reference,
    told,
)

if TYPE_CHECKING:
    from tests.integration.world import World


def test_a_cancel_the_warehouse_takes_ends_in_the_erp_too(world: World) -> None:
    order = world.release()
    world.shop.customers.cancel(str(order["id"]))

    world.webhook("orders/cancelled", order)
    world.settle()

    assert [part["cancelled"] for part in world.parts()] == [True]
    assert [one["status"] for one in world.booked()] == ["Canceled"]
    assert cases(world) == []
    world.hear()
    assert cases(world) == []
    world.assert_sound()


def test_a_cancel_that_loses_the_race_keeps_the_order_alive_and_opens_a_case(
    world: World,
) -> None:
    order = world.release()
    world.shop.customers.cancel(str(order["id"]))
    world.warehouse.floor.label(reference(order))

    world.webhook("orders/cancelled", order)
    world.settle()
    world.warehouse.floor.ship(reference(order))
    world.hear()

    assert cases(world) == ["warehouse.cancel_refused"]
    [booked] = world.booked()
    assert (booked["status"] == "Canceled", len(booked["slips"])) == (False, 1)
    assert told(world, order)["fulfillments"] == []
    states = world.rows("SELECT operation, state FROM delivery WHERE operation LIKE '%.cancel'")
    assert sorted(states) == [("order.cancel", "cancelled"), ("part.cancel", "dead")]
    [story] = trace(world.fleet, number(order))
    assert story.next_step.startswith("a person: case")
    found = world.audit()
    assert found.ok
    assert found.for_people == {f"shopify-us {number(order)}"}
    assert ledger.prove(world.fleet.database).findings == ()


def test_a_new_address_reaches_the_warehouse_while_there_is_time(world: World) -> None:
    order = world.release()
    moved = {"city": "Eugene", "zip": "97401", "province_code": "OR", "address1": "1 New Rd"}
    world.shop.customers.readdress(str(order["id"]), moved)

    world.webhook("orders/updated", world.shop.books.get(str(order["id"])) or {})
    world.settle()

    assert world.parts()[0]["recipient"]["city"] == "Eugene"
    assert cases(world) == []
    world.assert_sound()
