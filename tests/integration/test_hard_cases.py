"""What comes at the wrong moment, in the wrong shape, or after everybody has given up."""

from __future__ import annotations

import datetime as dt
import socket
import subprocess
import sys
import threading
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa

from syncworkers.canonical.kinds import Kind
from syncworkers.connectors.base import Outcome, Verdict
from syncworkers.errors import RejectedError, Violation
from syncworkers.flows.retry import retry
from syncworkers.flows.sweep import wake_due
from syncworkers.sandbox.shipbob.books import touch
from syncworkers.store import ledger
from tests.integration.journeys import (
    cases,
    erp_is_down,
    reference,
    several_units,
    ship_half,
    told,
    units,
)
from tests.integration.world import ERP, STORE, WAREHOUSE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from syncworkers.connectors.base import Request
    from tests.integration.world import World

CENTURIES_AHEAD = dt.datetime(2999, 1, 1, tzinfo=dt.UTC)


def make_due(world: World) -> None:
    with world.fleet.database.begin() as connection:
        connection.execute(sa.text("UPDATE line SET due_at = now() WHERE owner IS NULL"))


def retry_the_open_case(world: World, code: str) -> None:
    question = "SELECT id FROM exception_case WHERE state = 'open' AND code = :code"
    retry(world.fleet, world.ask(question, code=code), actor="ann")


def give_up_after(world: World, partner: str, attempts: int) -> None:
    partners: Any = world.fleet.partners
    policy = partners[partner].policy
    lane = replace(policy.lane, max_attempts=attempts)
    partners[partner] = replace(partners[partner], policy=replace(policy, lane=lane))


def deliver_without_waits(world: World, partner: str) -> None:
    """Deliver until nothing is left that could go."""
    going = "SELECT count(*) FROM line JOIN lane ON lane.id = line.lane WHERE blocked_by IS NULL"
    while world.ask(f"{going} AND name LIKE :name", name=f"%:{partner}"):
        make_due(world)
        world.deliver(partner)


def hear_of_shipments(world: World) -> None:
    threading.Event().wait(0.02)  # a warehouse's clock may be some milliseconds ahead
    world.poll(WAREHOUSE)
    world.process(Kind.SHIPMENT)


def create_accounts(world: World) -> None:
    bookings: Any = world.fleet.policy.bookings
    bookings[STORE] = replace(
        bookings[STORE], customers="create", customer_prefix="U", customer_group="10"
    )


def seconds_later(order: dict[str, Any], **changes: Any) -> dict[str, Any]:
    moment = dt.datetime.fromisoformat(order["updated_at"]) + dt.timedelta(seconds=1)
    return {**order, **changes, "updated_at": moment.isoformat()}


def test_a_cancel_that_wore_out_and_is_retried_reaches_the_erp_as_well(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = world.release()
    world.shop.customers.cancel(str(order["id"]))
    down = Outcome(verdict=Verdict.RETRY, error="503")
    with monkeypatch.context() as patched:
        connection = world.fleet.partners[WAREHOUSE].connection
        patched.setattr(connection, "push", lambda requests, _: [down for _ in requests])
        world.webhook("orders/cancelled", order)
        world.settle(seconds=40)
    make_due(world)
    world.deliver(ERP)
    assert cases(world) == ["attempts.worn_out"]
    assert world.booked()[0]["status"] != "Canceled"

    retry_the_open_case(world, "attempts.worn_out")
    world.settle()

    assert world.booked()[0]["status"] == "Canceled"
    assert cases(world) == []
    assert ledger.prove(world.fleet.database).findings == ()


def test_what_stayed_undecided_is_looked_up_when_a_person_retries_it(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = several_units(world)
    ship_half(world, order)
    _lose_its_number(world, order)
    connection = world.fleet.partners[STORE].connection
    really = connection.push

    def push_and_hear_nothing(requests: Sequence[Request], deadline: Any) -> list[Outcome]:
        return [replace(one, verdict=Verdict.UNKNOWN) for one in really(requests, deadline)]

    away = Outcome(verdict=Verdict.RETRY, error="503")
    give_up_after(world, STORE, 3)
    with monkeypatch.context() as patched:
        patched.setattr(connection, "push", push_and_hear_nothing)
        patched.setattr(connection, "find", lambda requests, _: [away for _ in requests])
        hear_of_shipments(world)
        deliver_without_waits(world, STORE)
    assert cases(world) == ["outcome.undecided"]

    retry_the_open_case(world, "outcome.undecided")
    world.settle()

    assert len(told(world, order)["fulfillments"]) == 1
    assert cases(world) == []


def _lose_its_number(world: World, order: dict[str, Any]) -> None:
    with world.warehouse.books.lock:
        for shipment in world.warehouse.books.references[reference(order)].shipments:
            if shipment.parcel is not None:
                shipment.parcel = replace(shipment.parcel, number="")


def test_a_look_up_that_wears_out_and_then_succeeds_leaves_nothing_behind(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = world.release()
    world.warehouse.floor.ship(reference(order))
    connection = world.fleet.partners[STORE].connection
    really_push, really_find = connection.push, connection.find
    give_up_after(world, STORE, 3)

    def push(requests: Sequence[Request], deadline: Any) -> list[Outcome]:
        return [replace(one, verdict=Verdict.UNKNOWN) for one in really_push(requests, deadline)]

    looks: list[int] = []

    def find(requests: Sequence[Request], deadline: Any) -> list[Outcome]:
        looks.append(len(requests))
        if len(looks) < 5:  # the last claim looks twice
            return [Outcome(verdict=Verdict.RETRY, error="503") for _ in requests]
        found: list[Outcome] = really_find(requests, deadline)
        return found

    monkeypatch.setattr(connection, "push", push)
    monkeypatch.setattr(connection, "find", find)
    hear_of_shipments(world)
    deliver_without_waits(world, STORE)

    assert len(told(world, order)["fulfillments"]) == 1
    assert cases(world) == []


def test_a_cancel_after_a_worker_died_over_a_waiting_part_comes_to_rest(world: World) -> None:
    erp_is_down(world, down=True)
    order = world.order()
    world.webhook("orders/create", order)
    world.process()
    make_due(world)
    world.die("deliver", at=3, partner=WAREHOUSE)
    for _ in range(6):
        world.expire_leases()
        wake_due(world.fleet)
        make_due(world)
        world.deliver(WAREHOUSE)

    world.shop.customers.cancel(str(order["id"]))
    world.webhook("orders/cancelled", order)
    world.process()
    erp_is_down(world, down=False)
    world.settle()

    assert world.parts() == []
    assert cases(world) == []
    world.assert_sound()


def test_a_topic_nobody_reads_does_not_keep_polls_from_their_work(world: World) -> None:
    order = world.release()
    assert world.webhook("orders/fulfilled", order) == 200
    world.shop.customers.cancel(str(order["id"]))  # and the webhook is lost
    world.poll(STORE)
    world.settle()

    assert world.booked()[0]["status"] == "Canceled"


@pytest.mark.parametrize("after", [None, {"id": 88, "first_name": "Bob", "last_name": "Coy"}])
def test_the_first_snapshot_decides_whose_account_an_order_is_booked_on(
    world: World, after: dict[str, Any] | None
) -> None:
    create_accounts(world)
    order = world.order()
    order["customer"] = {"id": 77, "first_name": "Ada", "last_name": "Byron"}
    world.webhook("orders/create", order)
    world.webhook("orders/updated", seconds_later(order, customer=after))

    world.settle()

    accounts = world.rows("SELECT customer_id, account FROM customer_account")
    assert [one["customer"] for one in world.booked()] == ["U77"]
    assert accounts == [("77", "U77")]
    assert "bug" not in cases(world)


def test_two_parcels_of_equal_goods_under_one_number_are_two_fulfilments(world: World) -> None:
    order = several_equal_units(world)
    [sku] = [sku for sku, quantity in units(order).items() if quantity > 1][:1]
    for _ in range(2):
        world.warehouse.floor.ship(reference(order), {sku: 1})
    with world.warehouse.books.lock:
        for shipment in world.warehouse.books.references[reference(order)].shipments:
            if shipment.parcel is not None:
                shipment.parcel = replace(shipment.parcel, number="MASTER1")

    world.hear()

    assert len(told(world, order)["fulfillments"]) == 2
    assert cases(world) == []


def several_equal_units(world: World) -> dict[str, Any]:
    while True:
        order = world.release()
        if any(quantity > 1 for quantity in units(order).values()):
            return order


def test_an_id_that_belongs_to_another_object_becomes_a_case(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = world.release(), world.release()
    connection = world.fleet.partners[ERP].connection
    really = connection.push

    def push(requests: Sequence[Request], deadline: Any) -> list[Outcome]:
        return [
            replace(one, external_id="usmf/PS-1") if request.operation == "shipment.create" else one
            for request, one in zip(requests, really(requests, deadline), strict=True)
        ]

    monkeypatch.setattr(connection, "push", push)
    for order in (first, second):
        world.warehouse.floor.ship(reference(order))
        world.hear()

    assert cases(world) == ["link.taken"]
    assert ledger.prove(world.fleet.database).findings == ()


def test_a_warehouse_that_is_through_with_only_a_part_is_a_case(world: World) -> None:
    order = several_units(world)
    ship_half(world, order)
    world.warehouse.floor.cancel(reference(order))

    world.hear()
    world.hear()

    assert cases(world) == ["warehouse.cancelled"]
    ended = "SELECT state FROM expectation WHERE name = 'shipped' AND state <> 'open'"
    assert world.rows(ended) == [("cancelled",)]


def test_a_parcel_that_was_taken_back_is_a_case(world: World) -> None:
    order = world.release()
    world.warehouse.floor.ship(reference(order))
    world.hear()
    with world.warehouse.books.lock:
        [shipment] = world.warehouse.books.references[reference(order)].shipments
        shipment.status = "Cancelled"
        touch(shipment)

    for _ in range(2):
        world.hear()

    assert cases(world).count("parcel.cancelled") == 1


def test_one_time_far_ahead_does_not_outdate_what_follows(world: World) -> None:
    order = world.release()
    with world.warehouse.books.lock:
        [shipment] = world.warehouse.books.references[reference(order)].shipments
        shipment.tracked_at = CENTURIES_AHEAD
    world.hear()
    with world.warehouse.books.lock:
        shipment.tracked_at = None
    world.warehouse.floor.ship(reference(order))

    world.hear()

    assert len(told(world, order)["fulfillments"]) == 1
    world.assert_sound()


def test_an_order_from_far_ahead_can_still_be_cancelled(world: World) -> None:
    order = world.order()
    world.webhook("orders/create", {**order, "updated_at": CENTURIES_AHEAD.isoformat()})
    world.settle()
    world.shop.customers.cancel(str(order["id"]))
    # The store's clock is behind ours.
    with world.shop.books.lock:
        world.shop.books._orders[str(order["id"])]["updated_at"] = order["updated_at"]

    world.webhook("orders/cancelled", order)
    world.settle()

    assert world.booked()[0]["status"] == "Canceled"


def test_a_worker_that_is_gone_from_this_machine_is_not_waited_for(world: World) -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as ended:
        ended.wait()
    order = world.order()
    world.webhook("orders/create", order)
    world.die("process", at=2, worker=f"{socket.gethostname()}:{ended.pid}")
    world.die("process", at=2, worker="another-machine:1")
    assert world.ask("SELECT count(*) FROM line WHERE owner IS NOT NULL") == 1

    wake_due(world.fleet)
    world.process()

    assert world.states() == [("orders/create", "applied")]


def test_a_worker_of_another_machine_keeps_its_lease(world: World) -> None:
    world.webhook("orders/create", world.order())
    world.die("process", at=2, worker="another-machine:1")

    wake_due(world.fleet)

    assert world.ask("SELECT count(*) FROM line WHERE owner IS NOT NULL") == 1


def test_however_long_a_partner_asks_us_to_wait_somebody_looks_within_an_hour(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.webhook("orders/create", world.order())
    world.process()
    for_ever = Outcome(
        verdict=Verdict.RETRY, after=1e13, pause=True, error="429", status=429, call="c"
    )
    connection = world.fleet.partners[ERP].connection
    monkeypatch.setattr(connection, "push", lambda requests, _: [for_ever for _ in requests])

    world.deliver(ERP)

    wait = world.ask("SELECT max(paused_until) - now() FROM lane")
    assert dt.timedelta(minutes=59) < wait <= dt.timedelta(hours=1)


def test_trouble_that_turns_into_other_trouble_is_one_open_case(world: World) -> None:
    order = world.release()
    floor = world.warehouse.floor
    for step, code in ((floor.hold, "warehouse.on_hold"), (floor.fail, "warehouse.exception")):
        step(reference(order))
        world.hear()
        assert cases(world) == [code]

    floor.accept(reference(order))
    floor.ship(reference(order))
    world.hear()

    assert cases(world) == []


def test_a_partner_that_refuses_to_be_polled_is_one_case_until_it_answers(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    refusal = RejectedError(
        "400", violations=[Violation(path="", code="partner.contract", message="400")]
    )

    def refuse(*_: Any) -> Any:
        raise refusal

    with monkeypatch.context() as patched:
        patched.setattr(world.fleet.partners[STORE].connection, "changed", refuse)
        assert [world.poll(STORE) for _ in range(3)] == [0, 0, 0]
    assert cases(world) == ["poll.refused"]

    world.poll(STORE)

    assert cases(world) == []


def test_one_object_that_cannot_be_read_again_does_not_take_others_along(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    orders = [world.release() for _ in range(3)]
    connection = world.fleet.partners[WAREHOUSE].connection
    really = connection.fetch
    bad = str(world.warehouse.books.references[reference(orders[1])].id)

    def fetch(kind: str, ids: Sequence[str]) -> Any:
        if bad in ids:
            raise RejectedError(
                "400", violations=[Violation(path="", code="partner.contract", message="400")]
            )
        return really(kind, ids)

    monkeypatch.setattr(connection, "fetch", fetch)
    connection.subscribe()
    for order in orders:
        world.warehouse.floor.ship(reference(order))
    world.wait_for(lambda: world.warehouse.webhooks.delivered == len(orders))

    world.settle()

    assert [len(told(world, order)["fulfillments"]) for order in orders] == [1, 0, 1]
    assert cases(world) == ["partner.contract"]
