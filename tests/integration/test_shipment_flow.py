"""What leaves the warehouse: in parts, late, out of order, too much, or for nobody."""

from __future__ import annotations

import datetime as dt
import threading
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from syncworkers.connectors.base import Record
from syncworkers.flows.storing import Channel, store
from syncworkers.store import ledger
from tests.integration.journeys import (
    cases,
    reference,
    several_units,
    ship_half,
    told,
    units,
)
from tests.integration.world import WAREHOUSE

if TYPE_CHECKING:
    from tests.integration.world import World


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
