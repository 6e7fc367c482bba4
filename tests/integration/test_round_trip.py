"""The way back: what leaves the warehouse, store and ERP know, and the invoice comes back."""

from __future__ import annotations

import json
import threading
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING

import sqlalchemy as sa

from syncworkers.flows.expect import check_expectations
from syncworkers.flows.trace import trace
from syncworkers.store import ledger, stories
from tests.integration.journeys import (
    at_once,
    bill,
    cases,
    erp_is_down,
    number,
    reference,
    several_units,
    ship_half,
    told,
    work,
)
from tests.integration.world import STORE, WAREHOUSE

if TYPE_CHECKING:
    from tests.integration.world import World


def test_a_shipped_order_is_known_at_its_store_and_in_the_erp_and_its_invoice_at_the_store(
    world: World,
) -> None:
    order = world.release()

    assert world.warehouse.floor.ship(reference(order))
    world.hear()
    bill(world, order)
    world.hear()

    [booked] = world.booked()
    known = told(world, order)
    [parcel] = world.parts()[0]["shipments"]
    assert [one["shipment_id"] for one in booked["slips"]] == [f"shipbob-west/{parcel['id']}"]
    assert [one["tracking"]["number"] for one in known["fulfillments"]] == [
        parcel["tracking_number"]
    ]
    [shown] = json.loads(known["metafields"]["erp.invoices"])
    assert shown["number"] == booked["invoices"][0]["number"]
    assert Decimal(shown["amount"]) == Decimal(order["total_price"])
    assert shown["url"] == f"https://erp.example.com/invoices/usmf/{shown['number']}"
    kinds = "SELECT parent_kind, child_kind FROM lineage ORDER BY parent_kind, child_kind"
    assert world.rows(kinds) == [
        ("order", "part"),
        ("part", "shipment"),
        ("shipment", "invoice"),
    ]
    assert world.rows("SELECT DISTINCT state FROM expectation") == [("met",)]
    assert cases(world) == []
    world.assert_sound()


def test_the_warehouse_gets_an_order_only_once_the_erp_has_it(world: World) -> None:
    erp_is_down(world, down=True)
    order = world.order()
    world.webhook("orders/create", order)
    work(world)

    assert world.parts() == []
    with world.fleet.session() as session:
        [waiting] = stories.waiting_at_gates(session)
    assert (waiting["partner"], waiting["gate"], waiting["parts"]) == (WAREHOUSE, "erp_booked", 1)
    [story] = trace(world.fleet, number(order))
    assert story.stage == "ERP"
    assert "paused (it is down)" in story.next_step
    assert story.tree is not None
    assert "waits for order.create at d365-main" in story.tree.children[0].state

    erp_is_down(world, down=False)
    world.settle()
    assert [part["reference"] for part in world.parts()] == [reference(order)]
    world.assert_sound()


def test_an_order_that_is_let_go_at_once_ships_while_the_erp_is_down_and_is_posted_in_order(
    world: World,
) -> None:
    at_once(world)
    erp_is_down(world, down=True)
    order = world.order()
    world.webhook("orders/create", order)
    work(world)
    assert world.warehouse.floor.ship(reference(order))
    threading.Event().wait(0.02)
    world.poll(WAREHOUSE)
    work(world)

    assert len(told(world, order)["fulfillments"]) == 1
    assert world.booked() == []

    erp_is_down(world, down=False)
    world.settle()
    [booked] = world.booked()
    assert len(booked["slips"]) == 1
    assert world.erp.slips.early == 0
    world.assert_sound()


def test_a_method_the_warehouse_has_not_is_refused_before_anything_leaves_us(
    world: World,
) -> None:
    order = world.order()
    order["shipping_lines"][0]["title"] = "Drone"
    world.webhook("orders/create", order)
    world.settle()

    codes = [one["code"] for one in world.ask("SELECT violations FROM exception_case")]
    assert codes == ["delivery_mode.unmapped", "warehouse.method_unmapped"]
    assert world.parts() == world.booked() == []


def test_what_did_not_follow_in_time_becomes_a_case_and_what_did_does_not(world: World) -> None:
    order = world.release()
    world.hear()
    with world.fleet.database.begin() as connection:
        connection.execute(sa.text("UPDATE expectation SET due_at = now() WHERE state = 'open'"))
        # As if the hand-over had been recorded after the warehouse's first word.
        connection.execute(
            sa.text("UPDATE expectation SET state = 'open' WHERE name = 'acknowledged'")
        )
        connection.execute(sa.text("UPDATE expectation SET due_at = now()"))

    check_expectations(world.fleet)

    named = world.rows("SELECT code, entity FROM exception_case")
    assert named == [("overdue.shipped", number(order))]
    states = world.rows("SELECT name, state FROM expectation ORDER BY name")
    assert states == [
        ("acknowledged", "met"),
        ("erp_booked", "met"),
        ("released", "met"),
        ("shipped", "overdue"),
    ]


def test_our_own_writes_come_back_from_the_store_and_are_not_fetched_again(world: World) -> None:
    order = world.release()
    world.warehouse.floor.ship(reference(order))
    world.hear()
    world.webhook("orders/updated", world.shop.books.get(str(order["id"])) or {})
    world.settle()
    assert world.states()[-1] == ("orders/updated", "superseded")

    assert world.poll(STORE) == 0


def test_webhooks_of_warehouse_and_erp_do_it_without_any_poll(world: World) -> None:
    order = world.release()
    connection = world.fleet.partners[WAREHOUSE].connection
    assert "order.shipped" in connection.subscribe()
    assert connection.subscribe() == []

    world.warehouse.floor.ship(reference(order))
    world.wait_for(lambda: world.warehouse.webhooks.delivered == 1)
    world.settle()

    assert len(told(world, order)["fulfillments"]) == 1
    bill(world, order)
    world.wait_for(lambda: world.erp.sender.delivered == 1)
    world.settle()
    assert "erp.invoices" in told(world, order)["metafields"]
    assert [row[0] for row in world.rows("SELECT DISTINCT source FROM message")] == ["webhook"]
    world.assert_sound()


def test_an_account_is_made_once_for_two_orders_of_one_customer(world: World) -> None:
    bookings = world.fleet.policy.bookings
    table = replace(bookings[STORE], customers="create", customer_prefix="U", customer_group="10")
    bookings[STORE] = table  # type: ignore[index]
    orders = [world.order(), world.order()]
    for order in orders:
        order["customer"] = {"id": 77, "first_name": "Ada", "last_name": "Byron"}
        world.webhook("orders/create", order)

    world.settle(workers=2)
    third = world.order()
    third["customer"] = {"id": 77, "first_name": "Ada", "last_name": "Byron"}
    world.webhook("orders/create", third)
    world.settle()

    assert [one["customer"] for one in world.booked()] == ["U77"] * 3
    made = world.rows("SELECT operation, state FROM delivery WHERE operation = 'customer.create'")
    assert made == [("customer.create", "confirmed")]
    assert world.rows("SELECT customer_id, account FROM customer_account") == [("77", "U77")]
    assert ledger.prove(world.fleet.database).findings == ()


def test_the_story_of_an_order_is_a_tree_with_its_stage_and_who_must_act(world: World) -> None:
    order = several_units(world)
    stages = [trace(world.fleet, number(order))[0].stage]
    ship_half(world, order)
    world.hear()
    stages.append(trace(world.fleet, number(order))[0].stage)
    world.warehouse.floor.ship(reference(order))
    world.hear()
    stages.append(trace(world.fleet, number(order))[0].stage)
    for parcel in world.parts()[-1]["shipments"]:
        world.warehouse.floor.move(parcel["id"], "Delivered")
    world.hear()
    stages.append(trace(world.fleet, number(order))[0].stage)
    bill(world, order)
    world.hear()

    [story] = trace(world.fleet, number(order))
    assert [*stages, story.stage] == ["warehouse", "warehouse", "carrier", "invoice", "done"]
    assert story.tree is not None
    [part] = story.tree.children
    kinds = [(one.kind, [two.kind for two in one.children]) for one in part.children]
    assert kinds == [("shipment", ["invoice"]), ("shipment", ["invoice"])]
    for name in (reference(order), world.parts()[-1]["shipments"][0]["tracking_number"]):
        assert [one.number for one in trace(world.fleet, name)] == [number(order)]
