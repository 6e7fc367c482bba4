"""The round trip with faults of partners and dying workers: nothing is lost or repeated."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from tests.integration.journeys import (
    cases,
    reference,
    told,
)
from tests.integration.world import ERP, STORE, WAREHOUSE

if TYPE_CHECKING:
    from tests.integration.world import World


CALL_FAULTS = ["throttle", "server_error", "reset", "timeout_before", "timeout_after"]


@pytest.mark.parametrize("fault", CALL_FAULTS)
@pytest.mark.parametrize("partner", [STORE, ERP, WAREHOUSE])
def test_a_fault_on_the_way_costs_time_and_nothing_else(
    world: World, partner: str, fault: str
) -> None:
    order = world.order()
    sides = {STORE: world.shop.plan, ERP: world.erp.plan, WAREHOUSE: world.warehouse.plan}
    if partner == WAREHOUSE:
        sides[partner].switch({"next": [fault]})
    world.webhook("orders/create", order)
    world.settle()
    world.warehouse.floor.ship(reference(order))
    threading.Event().wait(0.02)
    world.poll(WAREHOUSE)
    world.process("shipment")  # type: ignore[arg-type]
    if partner != WAREHOUSE:
        sides[partner].switch({"next": [fault]})
    world.settle()

    assert sides[partner].counts() == {f"call.{fault}": 1}
    assert len(world.parts()) == len(world.booked()) == 1
    assert len(world.booked()[0]["slips"]) == len(told(world, order)["fulfillments"]) == 1
    assert cases(world) == []
    world.assert_sound()


@pytest.mark.parametrize("partner", [STORE, ERP, WAREHOUSE])
def test_a_worker_that_dies_after_its_effect_is_found_out_and_nothing_is_repeated(
    world: World, partner: str
) -> None:
    order = world.order()
    world.webhook("orders/create", order)
    world.process()
    world.deliver(ERP)
    if partner == WAREHOUSE:
        world.die("deliver", at=3, partner=WAREHOUSE)
    else:
        world.settle()
        world.warehouse.floor.ship(reference(order))
        threading.Event().wait(0.02)
        world.poll(WAREHOUSE)
        world.process("shipment")  # type: ignore[arg-type]
        world.die("deliver", at=3, partner=partner)
    world.expire_leases()

    world.settle()

    if partner == WAREHOUSE:
        assert world.warehouse.books.duplicate_attempts == 0
    assert len(world.parts()) == 1
    world.assert_sound()
