"""The database goes back in time in mid-journey: nothing is lost, nothing happens twice."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa

from syncworkers.errors import RejectedError
from syncworkers.flows.recover import recover
from syncworkers.flows.retry import retry
from syncworkers.flows.sweep import wake_due
from tests.integration.journeys import bill, cases, reference, several_units, ship_half, told
from tests.integration.world import ERP, STORE, WAREHOUSE

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.integration.world import World

KEPT = (
    "SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'alembic_version'"
)
SEQUENCES = "SELECT schemaname || '.' || sequencename, last_value FROM pg_sequences"


@dataclass(frozen=True, kw_only=True)
class Backup:
    """Every table as it was, and when that was."""

    at: dt.datetime
    tables: dict[str, bytes]
    sequences: dict[str, int | None]


def back_up(world: World) -> Backup:
    with world.fleet.database.begin() as connection:
        raw: Any = connection.connection.driver_connection
        tables = {}
        for (name,) in connection.execute(sa.text(KEPT)).all():
            with raw.cursor().copy(f"COPY {name} TO STDOUT (FORMAT binary)") as copy:
                tables[name] = b"".join(bytes(one) for one in copy)
        sequences = {row[0]: row[1] for row in connection.execute(sa.text(SEQUENCES))}
        at = connection.execute(sa.text("SELECT now()")).scalar_one()
    return Backup(at=at, tables=tables, sequences=sequences)


def restore(world: World, backup: Backup) -> None:
    with world.fleet.database.begin() as connection:
        raw: Any = connection.connection.driver_connection
        connection.execute(sa.text("SET LOCAL session_replication_role = replica"))
        connection.execute(sa.text(f"TRUNCATE {', '.join(backup.tables)} CASCADE"))
        for name, content in backup.tables.items():
            with raw.cursor().copy(f"COPY {name} FROM STDIN (FORMAT binary)") as copy:
                copy.write(content)
        for name, last in backup.sequences.items():
            connection.execute(
                sa.text("SELECT setval(CAST(:name AS regclass), :last, :called)"),
                {"name": name, "last": last or 1, "called": last is not None},
            )


def come_to_rest(world: World) -> None:
    """Poll everybody and work, until nothing is new and nothing waits."""
    for _ in range(4):
        world.poll(STORE)
        world.expire_leases()
        wake_due(world.fleet)
        world.settle()
        world.hear()


class Journey:
    """An order that leaves in two parcels and is billed, beside one that is called off."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.order: dict[str, Any] = {}
        self.second: dict[str, Any] = {}

    def accept(self) -> None:
        self.order = self.world.order()
        self.second = self.world.order()
        for order in (self.order, self.second):
            self.world.webhook("orders/create", order)
        self.world.process()

    def book(self) -> None:
        self.world.deliver(ERP)

    def release(self) -> None:
        self.world.settle()

    def change(self) -> None:
        books, customers = self.world.shop.books, self.world.shop.customers
        customers.readdress(str(self.order["id"]), {"city": "Salem"})
        customers.cancel(str(self.second["id"]))
        for order, topic in ((self.order, "orders/updated"), (self.second, "orders/cancelled")):
            self.world.webhook(topic, books.get(str(order["id"])) or {})
        self.world.settle()

    def ship(self) -> None:
        self.world.warehouse.floor.ship(reference(self.order))
        self.world.hear()

    def invoice(self) -> None:
        bill(self.world, self.order)
        self.world.hear()

    @property
    def steps(self) -> list[Callable[[], None]]:
        return [self.accept, self.book, self.release, self.change, self.ship, self.invoice]


@pytest.mark.parametrize("kept", range(7))
def test_whatever_was_done_after_the_backup_is_found_and_not_done_again(
    world: World, kept: int
) -> None:
    journey = Journey(world)
    for step in journey.steps[:kept]:
        step()
    backup = back_up(world)
    for step in journey.steps[kept:]:
        step()
    world.settle()

    restore(world, backup)
    recovered = recover(world.fleet, backup.at, actor="ann")
    come_to_rest(world)

    assert recovered.until > backup.at
    world.assert_sound()
    assert cases(world) == []
    [booked] = [one for one in world.booked() if one["number"] == f"US{journey.order['id']}"]
    assert len(booked["slips"]) == len(told(world, journey.order)["fulfillments"]) == 1
    assert len(json.loads(told(world, journey.order)["metafields"]["erp.invoices"])) == 1
    world.assert_sound()


def test_a_parcel_without_a_tracking_number_is_found_again(world: World) -> None:
    order = several_units(world)
    backup = back_up(world)
    ship_half(world, order)
    lose_numbers(world, order)
    world.hear()
    assert len(told(world, order)["fulfillments"]) == 1

    restore(world, backup)
    recover(world.fleet, backup.at, actor="ann")
    come_to_rest(world)

    assert len(told(world, order)["fulfillments"]) == 1
    assert cases(world) == []


def lose_numbers(world: World, order: dict[str, Any]) -> None:
    with world.warehouse.books.lock:
        for shipment in world.warehouse.books.references[reference(order)].shipments:
            if shipment.parcel is not None:
                shipment.parcel = replace(shipment.parcel, number="")


def test_a_dead_delivery_that_went_through_in_the_lost_time_is_found_when_it_is_retried(
    world: World,
) -> None:
    order = world.release()
    world.erp.plan.switch({"next": []})
    with world.fleet.database.begin() as connection:
        connection.execute(
            sa.text("UPDATE delivery SET state = 'dead' WHERE operation = 'order.create'")
        )
        connection.execute(
            sa.text(
                "INSERT INTO exception_case (state, about, about_id, partner, entity_kind, entity,"
                " code, error, violations, correlation_id) SELECT 'open', 'delivery', id, partner,"
                " 'order', 'x', 'x', 'x', '[]', correlation_id FROM delivery"
                " WHERE operation = 'order.create'"
            )
        )
    backup = back_up(world)

    recover(world.fleet, backup.at, actor="ann")
    retry(world.fleet, world.ask("SELECT id FROM exception_case"), actor="ann")
    world.settle()

    assert len(world.booked()) == 1
    asked = "SELECT action FROM attempt ORDER BY id DESC LIMIT 1"
    assert world.ask(asked) == "find"
    assert str(order["id"]) in world.booked()[0]["number"]


def test_it_may_be_run_again_and_says_what_it_did(world: World) -> None:
    world.webhook("orders/create", world.order())
    world.process()
    world.poll(STORE)
    since = dt.datetime.now(dt.UTC) - dt.timedelta(minutes=5)

    first, second = (recover(world.fleet, since, actor="ann") for _ in range(2))

    assert (first.deliveries, first.cursors) == (2, 1)
    assert (second.deliveries, second.cursors) == (0, 0)
    assert world.rows("SELECT actor, act FROM audit") == [("ann", "recover")] * 2


def test_a_time_in_the_future_is_refused(world: World) -> None:
    tomorrow = dt.datetime.now(dt.UTC) + dt.timedelta(days=1)

    with pytest.raises(RejectedError, match="lies in the future"):
        recover(world.fleet, tomorrow, actor="ann")


def test_it_is_refused_while_a_worker_holds_lines(world: World) -> None:
    world.webhook("orders/create", world.order())
    world.process()
    world.die("deliver", at=3, partner=ERP)

    with pytest.raises(RejectedError, match="stop all workers first"):
        recover(world.fleet, dt.datetime.now(dt.UTC), actor="ann")

    world.expire_leases()
    assert recover(world.fleet, dt.datetime.now(dt.UTC), actor="ann").deliveries


def test_parts_are_not_pushed_blindly_while_the_recovery_lasts(world: World) -> None:
    recover(world.fleet, dt.datetime.now(dt.UTC), actor="ann")

    order = world.release()

    assert len(world.parts()) == len(world.booked()) == 1
    first = "SELECT action FROM attempt WHERE delivery_ids @> ARRAY[(SELECT min(id) FROM delivery)]"
    assert world.rows(f"{first} ORDER BY id")[0] == ("find",)
    assert world.parts()[0]["reference"] == reference(order)
    assert WAREHOUSE in {row[0] for row in world.rows("SELECT partner FROM delivery")}
