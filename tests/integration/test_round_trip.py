"""The way back: what leaves the warehouse, store and ERP know, and the invoice comes back."""

from __future__ import annotations

import datetime as dt
import json
import threading
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from syncworkers.connectors.base import Record
from syncworkers.flows.expect import check_expectations
from syncworkers.flows.storing import Channel, store
from syncworkers.flows.trace import trace
from syncworkers.store import ledger, stories
from tests.integration.journeys import (
    at_once,
    bill,
    bill_everything,
    cases,
    erp_is_down,
    number,
    reference,
    several_units,
    ship_half,
    told,
    units,
    work,
)
from tests.integration.world import ERP, STORE, WAREHOUSE

if TYPE_CHECKING:
    from tests.integration.world import World

CALL_FAULTS = ["throttle", "server_error", "reset", "timeout_before", "timeout_after"]


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


def test_two_partial_shipments_out_of_order_add_up(world: World) -> None:
    order = several_units(world)
    books, floor = world.warehouse.books, world.warehouse.floor
    with books.lock:
        [first] = books.references[reference(order)].shipments
        second = books.split(first, {next(iter(units(order))): 1})
    assert second is not None
    floor.hold(reference(order))

    for ship in (second, first):
        floor.ship(reference(order))
        world.hear()
        newest = "SELECT external_id FROM shipment ORDER BY id DESC LIMIT 1"
        assert world.ask(newest) == str(ship.id)
        floor.accept(reference(order))

    [booked] = [one for one in world.booked() if one["number"] == f"US{order['id']}"]
    assert len(told(world, order)["fulfillments"]) == len(booked["slips"]) == 2
    assert world.ask("SELECT sum(quantity) FROM shipment_line") == sum(units(order).values())
    world.assert_sound()


def test_a_report_that_was_read_before_and_stored_after_a_newer_one_is_superseded(
    world: World,
) -> None:
    order = several_units(world)
    ship_half(world, order)
    moment = dt.datetime.now(dt.UTC)
    connection = world.fleet.partners[WAREHOUSE].connection
    window = (moment - dt.timedelta(minutes=5), moment + dt.timedelta(minutes=5))
    [page] = connection.changed("shipment", *window)
    [older] = [one for one in page if one.external_id == str(world.parts()[-1]["id"])]
    assert world.warehouse.floor.ship(reference(order))
    world.hear()

    way = Channel(partner=WAREHOUSE, source="poll", kind="shipment", topic="orders/read")
    record = Record(
        external_id=older.external_id, body=older.body or "", updated_at=older.updated_at
    )
    store(world.fleet, way, [record])
    world.settle()

    [(state, reason)] = world.rows("SELECT state, reason FROM message ORDER BY id DESC LIMIT 1")
    assert (state, reason.startswith("we have a newer report")) == ("superseded", True)
    assert len(told(world, order)["fulfillments"]) == 2
    world.assert_sound()


@pytest.mark.parametrize("minutes", [-1, 1])
def test_a_milestone_never_moves_back_whatever_its_time(world: World, minutes: int) -> None:
    order = world.release()
    floor = world.warehouse.floor
    floor.ship(reference(order))
    world.hear()
    [parcel] = world.parts()[0]["shipments"]
    floor.move(parcel["id"], "Delivered")
    world.hear()
    assert world.ask("SELECT milestone FROM shipment") == "delivered"

    beside = dt.datetime.now(dt.UTC) + dt.timedelta(minutes=minutes)
    floor.move(parcel["id"], "InTransit", at=beside)
    world.hear()

    assert world.ask("SELECT milestone FROM shipment") == "delivered"
    history = world.rows("SELECT milestone FROM shipment_milestone ORDER BY occurred_at")
    assert ("in_transit",) in history
    assert ("delivered",) in history
    world.assert_sound()


def test_an_invoice_before_its_shipment_is_shown_at_once_and_matched_later(world: World) -> None:
    order = world.release()
    bill_everything(world, order)
    world.hear()

    assert "erp.invoices" in told(world, order)["metafields"]
    assert world.ask("SELECT count(*) FROM invoice_match WHERE shipment_id IS NULL") > 0
    assert world.rows("SELECT child_kind FROM lineage WHERE parent_kind = 'order'") == [
        ("part",),
        ("invoice",),
    ]

    world.warehouse.floor.ship(reference(order))
    world.hear()

    assert world.ask("SELECT count(*) FROM invoice_match WHERE shipment_id IS NULL") == 0
    assert world.rows("SELECT parent_kind FROM lineage WHERE child_kind = 'invoice'") == [
        ("shipment",)
    ]
    state = "SELECT state FROM expectation WHERE name = 'invoiced'"
    assert world.rows(state) == [("met",)]
    world.assert_sound()


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
    assert found.for_people == {number(order)}
    assert ledger.prove(world.fleet.database).findings == ()


def test_a_shipment_in_spite_of_a_taken_cancel_becomes_a_case_and_is_told_to_nobody(
    world: World,
) -> None:
    order = world.release()
    world.shop.customers.cancel(str(order["id"]))
    world.webhook("orders/cancelled", order)
    world.settle()
    with world.warehouse.books.lock:
        [part] = world.warehouse.books.orders.values()
        part.shipments[0].status = "Processing"
    world.warehouse.floor.ship(reference(order))
    world.hear()

    assert cases(world) == ["shipment.after_cancel"]
    assert told(world, order)["fulfillments"] == []
    assert world.booked()[0]["slips"] == []
    assert ledger.prove(world.fleet.database).findings == ()


def test_a_shipment_for_an_order_we_never_sent_becomes_a_case_that_names_it(
    world: World,
) -> None:
    stranger = world.warehouse.floor.foreign("MUG-BLU-01")

    world.hear()

    assert cases(world) == ["shipment.unknown_order"]
    error = world.ask("SELECT violations->0->>'message' FROM exception_case")
    assert stranger.reference in error
    assert "no store of ours sent" in error
    world.hear()
    assert cases(world) == ["shipment.unknown_order"]


def test_a_shipment_that_comes_before_its_order_waits_for_it(world: World) -> None:
    order = world.release()
    world.warehouse.floor.ship(reference(order))
    with world.fleet.database.begin() as connection:
        # As after a restore to a moment before the order came.
        connection.execute(sa.text("DELETE FROM sales_order"))
        connection.execute(
            sa.text("TRUNCATE message, message_body, delivery, link, entity_version, expectation")
        )
    threading.Event().wait(0.02)
    world.poll(WAREHOUSE)
    world.process("shipment")  # type: ignore[arg-type]
    assert world.rows("SELECT state, waiting_for FROM message") == [
        ("parked", f"part:{WAREHOUSE}:{reference(order)}")
    ]

    world.webhook("orders/create", order)
    world.settle()

    assert len(told(world, order)["fulfillments"]) == 1
    assert len(world.booked()) == len(world.parts()) == 1
    assert cases(world) == []
    world.assert_sound()


def test_what_waits_too_long_for_its_order_becomes_a_case(world: World) -> None:
    world.fleet.policy.expectations["parent_known"] = 0.0  # type: ignore[index]
    order = world.release()
    world.warehouse.floor.ship(reference(order))
    with world.fleet.database.begin() as connection:
        connection.execute(sa.text("DELETE FROM sales_order"))
    threading.Event().wait(0.02)
    world.poll(WAREHOUSE)

    world.process("shipment")  # type: ignore[arg-type]

    assert cases(world) == ["shipment.unknown_order"]


def test_an_invoice_reaches_the_store_though_its_fulfilment_was_refused(world: World) -> None:
    order = world.release()
    world.shop.customers.cancel(str(order["id"]))  # and nobody tells us
    world.warehouse.floor.ship(reference(order))
    world.hear()
    assert cases(world) == ["store.not_fulfillable"]

    bill(world, order)
    world.hear()

    known = told(world, order)
    assert known["fulfillments"] == []
    assert json.loads(known["metafields"]["erp.invoices"])
    world.assert_sound()


def test_an_invoice_of_nobodys_order_is_left_alone(world: World) -> None:
    books = world.erp.books
    books.create(
        "SalesOrderHeadersV2",
        {"SalesOrderNumber": "PHONE-1", "OrderingCustomerAccountNumber": "C-1"},
    )
    books.create(
        "SalesOrderLinesV3",
        {
            "SalesOrderNumber": "PHONE-1",
            "ItemNumber": "1000",
            "OrderedSalesQuantity": 1,
            "SalesPrice": Decimal(5),
            "ExternalItemNumber": "1",
            "ShippingWarehouseId": "13",
        },
    )
    with books.lock:
        header = books.sets["SalesOrderHeadersV2"][("usmf", "PHONE-1")]
        world.erp.invoicing.post(header, {"1": Decimal(1)})

    world.hear()

    [(state, reason)] = world.rows("SELECT state, reason FROM message")
    assert (state, reason) == (
        "superseded",
        "it is for no order of a store (sales order PHONE-1)",
    )


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
        world.die("deliver", at=2, partner=WAREHOUSE)
    else:
        world.settle()
        world.warehouse.floor.ship(reference(order))
        threading.Event().wait(0.02)
        world.poll(WAREHOUSE)
        world.process("shipment")  # type: ignore[arg-type]
        world.die("deliver", at=2, partner=partner)
    world.expire_leases()

    world.settle()

    if partner == WAREHOUSE:
        assert world.warehouse.books.duplicate_attempts == 0
    assert len(world.parts()) == 1
    world.assert_sound()


def test_tracking_that_comes_late_reaches_the_store(world: World) -> None:
    order = world.release()
    world.warehouse.floor.ship(reference(order))
    with world.warehouse.books.lock:
        [part] = world.warehouse.books.orders.values()
        parcel = part.shipments[0].parcel
        part.shipments[0].parcel = replace(parcel, number="")
    world.hear()
    assert [one["tracking"]["number"] for one in told(world, order)["fulfillments"]] == [None]

    with world.warehouse.books.lock:
        part.shipments[0].parcel = parcel
    world.warehouse.floor.move(part.shipments[0].id, "InTransit")
    world.hear()

    assert parcel is not None
    assert [one["tracking"]["number"] for one in told(world, order)["fulfillments"]] == [
        parcel.number
    ]
    world.assert_sound()


def test_more_shipped_than_ordered_is_refused_with_the_place_in_the_report(world: World) -> None:
    order = world.release()
    with world.warehouse.books.lock:
        [part] = world.warehouse.books.orders.values()
        part.shipments[0].goods[0].quantity += 1
    world.warehouse.floor.ship(reference(order))
    world.hear()

    assert cases(world) == ["shipment.exceeds_part"]
    path = world.ask("SELECT violations->0->>'path' FROM exception_case")
    assert path.startswith("shipments[0].goods[")
    assert told(world, order)["fulfillments"] == []
    assert world.booked()[0]["slips"] == []


def test_a_held_part_becomes_a_case_that_ends_when_the_warehouse_goes_on(world: World) -> None:
    order = world.release()
    world.warehouse.floor.hold(reference(order))
    world.hear()
    assert cases(world) == ["warehouse.on_hold"]

    world.warehouse.floor.accept(reference(order))
    world.hear()

    assert cases(world) == []
    assert cases(world, "resolved") == ["warehouse.on_hold"]


def test_a_warehouse_that_gives_up_an_order_opens_a_case(world: World) -> None:
    order = world.release()
    world.warehouse.floor.cancel(reference(order))

    world.hear()

    assert cases(world) == ["warehouse.cancelled"]
    assert world.booked()[0]["status"] != "Canceled"


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


def test_a_new_address_reaches_the_warehouse_while_there_is_time(world: World) -> None:
    order = world.release()
    moved = {"city": "Eugene", "zip": "97401", "province_code": "OR", "address1": "1 New Rd"}
    world.shop.customers.readdress(str(order["id"]), moved)

    world.webhook("orders/updated", world.shop.books.get(str(order["id"])) or {})
    world.settle()

    assert world.parts()[0]["recipient"]["city"] == "Eugene"
    assert cases(world) == []
    world.assert_sound()


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
