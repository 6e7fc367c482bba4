"""A partner that is only observed: everything is planned for it, and nothing is written to it."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from syncworkers import bootstrap
from syncworkers.errors import RejectedError
from syncworkers.flows import modes
from syncworkers.flows.deliver import deliver_due
from syncworkers.flows.expect import check_expectations
from syncworkers.flows.observe import LiveDeadline
from syncworkers.flows.sweep import wake_due
from syncworkers.store import ledger
from tests.integration.journeys import cases, told
from tests.integration.world import ERP, STORE, WAREHOUSE

if TYPE_CHECKING:
    from tests.integration.world import World

WRITES = {
    ERP: {"change", "slip_post"},
    WAREHOUSE: {"create", "cancel", "readdress", "subscribe", "cancel_shipment"},
    STORE: {"fulfillment_create", "fulfillment_tracking_update", "metafields_set"},
}
"""What the simulators' logs call a call that writes."""


def observed(world: World, *partners: str) -> None:
    for partner in partners:
        modes.observe(world.fleet, partner, actor="ann", reason="shadow", patience=5.0)


def live(world: World, partner: str, **more: Any) -> modes.ModeChange:
    return modes.go_live(world.fleet, partner, actor="ann", reason="cutover", **more)


def written(world: World) -> dict[str, set[str]]:
    """Return by partner the writing operations that its own log of calls shows."""
    logs = {ERP: world.erp.calls, WAREHOUSE: world.warehouse.calls, STORE: world.shop.calls}
    return {
        name: set(log.books()["calls_by_operation"]) & WRITES[name] for name, log in logs.items()
    }


def deliveries(world: World, partner: str) -> list[tuple[str, str]]:
    question = "SELECT operation, state FROM delivery WHERE partner = :partner ORDER BY id"
    return world.rows(question, partner=partner)


def assert_ledger(world: World) -> None:
    assert ledger.prove(world.fleet.database).findings == ()


def test_what_is_owed_to_an_observed_partner_rests_as_planned(world: World) -> None:
    observed(world, ERP, WAREHOUSE)

    world.release()

    assert deliveries(world, ERP) == [("order.create", "parked")]
    assert deliveries(world, WAREHOUSE) == [("part.create", "parked")]
    resting = world.rows(
        "SELECT waiting_for, due_at > now(), finished_at FROM delivery ORDER BY id"
    )
    assert resting == [(f"live:{ERP}", True, None), (f"live:{WAREHOUSE}", True, None)]
    assert world.booked() == []
    assert world.parts() == []
    assert written(world) == {ERP: set(), WAREHOUSE: set(), STORE: set()}
    assert cases(world) == []
    assert_ledger(world)


def test_going_live_sends_what_rests_once_after_a_look(world: World) -> None:
    observed(world, ERP, WAREHOUSE)
    world.release()

    change = live(world, ERP)
    live(world, WAREHOUSE)
    world.settle()

    assert change.released == 1
    assert len(world.booked()) == 1
    assert len(world.parts()) == 1
    looks = world.rows("SELECT action, verdict FROM attempt ORDER BY id")
    assert looks[:2] == [("find", "absent"), ("find", "absent")]
    world.assert_sound()
    acts = world.rows(
        "SELECT actor, act, detail->>'mode', detail->>'reason' FROM audit"
        " WHERE detail->>'partner' = :partner ORDER BY id",
        partner=ERP,
    )
    assert acts == [
        ("ann", "partners.mode", "observe", "shadow"),
        ("ann", "partners.mode", "live", "cutover"),
    ]


def test_a_live_partner_waits_for_what_an_observed_one_has_not_done(world: World) -> None:
    observed(world, ERP)
    order = world.order()
    world.webhook("orders/create", order)

    for _ in range(3):
        world.process()
        world.deliver(ERP)
        world.deliver(WAREHOUSE)

    assert deliveries(world, WAREHOUSE) == [("part.create", "open")]
    assert world.parts() == []


def test_an_observed_partner_is_expected_to_do_nothing(world: World) -> None:
    observed(world, ERP, WAREHOUSE)
    world.release()
    with world.fleet.database.begin() as connection:
        connection.exec_driver_sql("UPDATE expectation SET due_at = now() - interval '1 hour'")

    assert check_expectations(world.fleet) == 0

    live(world, ERP)
    live(world, WAREHOUSE)
    assert check_expectations(world.fleet) == 0  # its time begins anew
    assert cases(world) == []


def test_planned_work_that_looks_by_itself_rests_again(world: World) -> None:
    observed(world, ERP, WAREHOUSE)
    world.release()
    with world.fleet.database.begin() as connection:
        connection.exec_driver_sql("UPDATE delivery SET due_at = now()")

    wake_due(world.fleet)
    world.settle()

    assert deliveries(world, ERP) == [("order.create", "parked")]
    assert written(world)[ERP] == set()
    assert_ledger(world)


def test_a_batch_that_was_claimed_before_the_change_is_waited_for(world: World) -> None:
    order = world.order()
    world.webhook("orders/create", order)
    world.process()
    world.erp.plan.switch({"next": ["slow"]})
    worker = threading.Thread(target=deliver_due, args=(world.fleet, ERP))
    worker.start()
    change = modes.observe(world.fleet, ERP, actor="ann", reason="stop", patience=10.0)
    calls = world.erp.calls.books()["calls_by_operation"].get("change", 0)
    worker.join()

    assert change.under_way == 0
    assert world.erp.calls.books()["calls_by_operation"].get("change", 0) == calls


def test_a_killed_worker_leaves_nothing_that_is_written_later(world: World) -> None:
    order = world.order()
    world.webhook("orders/create", order)
    world.process()
    world.die("deliver", at=2)  # it has claimed, and has not begun
    observed_at_once = modes.observe(world.fleet, ERP, actor="ann", reason="shadow", patience=0.0)
    world.expire_leases()
    wake_due(world.fleet)
    observed(world, WAREHOUSE)
    world.settle()

    assert observed_at_once.under_way == 1
    assert deliveries(world, ERP) == [("order.create", "parked")]
    assert world.booked() == []

    live(world, ERP)
    live(world, WAREHOUSE)
    world.settle()
    world.assert_sound()


def test_a_flapping_mode_neither_loses_nor_doubles(world: World) -> None:
    orders = [world.order() for _ in range(8)]
    for order in orders:
        world.webhook("orders/create", order)
    stop = threading.Event()

    def flap() -> None:
        while not stop.is_set():
            modes.observe(world.fleet, ERP, actor="ann", reason="flap", patience=0.0)
            modes.go_live(world.fleet, ERP, actor="ann", reason="flap")

    flapping = threading.Thread(target=flap)
    flapping.start()
    for _ in range(6):
        world.process()
        workers = [threading.Thread(target=world.deliver) for _ in range(2)]
        for one in workers:
            one.start()
        for one in workers:
            one.join()
    stop.set()
    flapping.join()
    live(world, ERP)
    world.settle()

    assert len(world.booked()) == 8
    world.assert_sound()


def test_an_unknown_partner_is_refused_with_the_names_there_are(world: World) -> None:
    with pytest.raises(RejectedError, match=r"there are .*d365-main"):
        modes.observe(world.fleet, "d365", actor="ann", reason="")

    assert world.rows("SELECT * FROM audit") == []


def test_the_store_is_observed_as_well(world: World) -> None:
    order = world.release()
    observed(world, STORE)
    world.warehouse.floor.ship(f"shopify-us-{order['id']}-1")
    world.hear()

    assert ("shipment.create", "parked") in deliveries(world, STORE)
    assert told(world, order)["fulfillments"] == []
    assert written(world)[STORE] == set()

    live(world, STORE)
    world.settle()
    assert len(told(world, order)["fulfillments"]) == 1


def test_a_batch_under_way_makes_no_further_call_once_its_partner_is_observed(
    world: World,
) -> None:
    deadline = LiveDeadline(world.fleet, WAREHOUSE, 60.0)
    before = deadline.passed()

    observed(world, WAREHOUSE)
    world.wait_for(deadline.passed)

    assert before is False
    assert deadline.remaining() > 50


def test_without_the_databases_word_no_call_is_made(world: World) -> None:
    gone = bootstrap.connect("postgresql+psycopg://nobody@127.0.0.1:9/none")
    deadline = LiveDeadline(replace(world.fleet, database=gone), WAREHOUSE, 60.0)

    world.wait_for(deadline.passed)


def test_going_live_looks_first_at_what_was_new_just_before(world: World) -> None:
    """An order that the earlier integration did last, and that we read late."""
    observed(world, ERP, WAREHOUSE)
    live(world, ERP, watch=60.0)
    live(world, WAREHOUSE, watch=0.0)

    world.release()

    looks = world.rows("SELECT action, verdict FROM attempt ORDER BY id")
    assert looks[:3] == [("find", "absent"), ("find", "absent"), ("push", "confirmed")]
    assert "find" not in {action for action, _ in looks[3:]}
    world.assert_sound()


def test_a_created_order_that_is_already_there_under_our_reference_is_adopted(
    world: World,
) -> None:
    """We were live, it was sent, and the answer was lost as the partner became observed."""
    order = world.order()
    world.webhook("orders/create", order)
    world.process()
    world.die("deliver", at=3)  # it was sent, and nobody heard of it
    observed(world, WAREHOUSE)
    modes.observe(world.fleet, ERP, actor="ann", reason="stop", patience=0.0)
    world.expire_leases()
    wake_due(world.fleet)
    world.settle()
    assert deliveries(world, ERP) == [("order.create", "parked")]

    live(world, ERP)
    live(world, WAREHOUSE)
    world.settle()

    assert len(world.booked()) == 1
    world.assert_sound()
