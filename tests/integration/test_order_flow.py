"""A Shopify order stands in Dynamics 365, once, whatever happens on the way."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa

from syncworkers.flows.expect import check_expectations
from syncworkers.flows.retry import retry
from syncworkers.sandbox.dynamics365.books import Master
from syncworkers.store import ledger

if TYPE_CHECKING:
    from tests.integration.world import World

ELSEWHERE = {"city": "Eugene", "zip": "97401", "province_code": "OR", "address1": "1 New Rd"}


def key(order: dict[str, Any]) -> str:
    return str(order["id"])


def at_erp(world: World) -> list[Any]:
    return world.rows(
        "SELECT operation, state FROM delivery WHERE partner = 'd365-main' ORDER BY id"
    )


def test_an_order_received_by_webhook_stands_in_the_erp(world: World) -> None:
    order = world.order()

    assert world.webhook("orders/create", order) == 200
    world.settle()

    [booked] = world.booked()
    assert booked["number"] == f"US{order['id']}"
    assert booked["reference"] == f"shopify-us/{order['id']}"
    assert booked["total"] == order["total_price"]
    assert world.states() == [("orders/create", "applied")]
    world.assert_sound()


def test_an_update_before_its_create_ends_right(world: World) -> None:
    created = world.order()
    world.shop.customers.readdress(key(created), ELSEWHERE)
    updated = world.shop.books.get(key(created))

    world.webhook("orders/updated", updated or {})
    world.settle()
    world.webhook("orders/create", created)
    world.settle()

    assert world.states() == [("orders/updated", "applied"), ("orders/create", "superseded")]
    assert [one["address"]["city"] for one in world.booked()] == ["Eugene"]
    world.assert_sound()


def test_a_cancel_before_its_create_books_nothing(world: World) -> None:
    created = world.order()
    world.shop.customers.cancel(key(created))
    cancelled = world.shop.books.get(key(created))

    world.webhook("orders/cancelled", cancelled or {})
    world.settle()
    world.webhook("orders/create", created)
    world.settle()

    assert world.states() == [("orders/cancelled", "applied"), ("orders/create", "superseded")]
    assert world.booked() == []
    world.assert_sound()


def test_a_cancel_behind_a_create_that_was_never_tried_cancels_both(world: World) -> None:
    created = world.order()
    world.webhook("orders/create", created)
    world.process()
    world.shop.customers.cancel(key(created))
    world.webhook("orders/cancelled", created)
    world.process()

    world.settle()

    assert world.booked() == []
    assert world.parts() == []
    states = world.rows("SELECT operation, state FROM delivery ORDER BY operation")
    assert states == [
        ("order.cancel", "cancelled"),
        ("order.create", "cancelled"),
        ("part.cancel", "cancelled"),
        ("part.create", "cancelled"),
    ]
    assert world.rows("SELECT DISTINCT state FROM expectation") == [("cancelled",)]
    world.assert_sound()


def test_a_booked_order_is_cancelled_in_the_erp(world: World) -> None:
    created = world.order()
    world.webhook("orders/create", created)
    world.settle()
    world.shop.customers.cancel(key(created))

    world.webhook("orders/cancelled", created)
    world.settle()

    assert [one["status"] for one in world.booked()] == ["Canceled"]
    world.assert_sound()


def test_a_cancel_is_only_a_hint_until_the_shop_says_so(world: World) -> None:
    created = world.order()
    world.webhook("orders/create", created)
    world.settle()
    forged = {**created, "cancelled_at": created["created_at"]}

    world.webhook("orders/cancelled", forged)
    world.settle()

    assert world.states()[1] == ("orders/cancelled", "superseded")
    assert [one["status"] for one in world.booked()] == ["Backorder"]
    world.assert_sound()


def test_a_cancel_of_an_order_the_shop_does_not_have_becomes_a_case(world: World) -> None:
    stranger = world.maker.make("2026-11-24T10:00:00-05:00")

    assert world.webhook("orders/cancelled", stranger) == 200
    world.settle()

    assert world.states() == [("orders/cancelled", "rejected")]
    assert world.rows("SELECT code, state FROM exception_case") == [("reread.absent", "open")]


def test_a_new_address_reaches_the_booked_order(world: World) -> None:
    created = world.order()
    world.webhook("orders/create", created)
    world.settle()
    world.shop.customers.readdress(key(created), ELSEWHERE)

    world.webhook("orders/updated", world.shop.books.get(key(created)) or {})
    world.settle()

    assert [one["address"]["city"] for one in world.booked()] == ["Eugene"]
    world.assert_sound()


def test_an_order_edited_after_booking_becomes_a_case_and_changes_nothing(world: World) -> None:
    created = world.order()
    world.webhook("orders/create", created)
    world.settle()

    def edit(order: dict[str, Any]) -> None:
        order["line_items"][0]["quantity"] += 1
        order["line_items"][0]["current_quantity"] += 1

    edited = world.shop.books.change(key(created), edit)
    world.webhook("orders/updated", edited or {})
    world.settle()

    assert world.states()[1] == ("orders/updated", "rejected")
    assert world.ask("SELECT code FROM exception_case") == "order.changed_after_booking"
    assert len(world.booked()) == 1
    assert ledger.prove(world.fleet.database).findings == ()


def test_the_same_order_by_webhook_and_by_poll_at_once_is_booked_once(world: World) -> None:
    orders = [world.order() for _ in range(5)]
    together = threading.Barrier(2)

    def webhooks() -> None:
        together.wait()
        for order in orders:
            world.webhook("orders/create", order)

    def poll() -> None:
        together.wait()
        world.poll()

    threads = [threading.Thread(target=step) for step in (webhooks, poll)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    world.settle(workers=2)

    assert len(world.booked()) == 5
    assert world.ask("SELECT count(*) FROM delivery WHERE operation = 'order.create'") == 5
    world.assert_sound()


def test_the_same_order_ten_times_from_three_sources_with_eight_workers_is_booked_once(
    world: World,
) -> None:
    order = world.order()
    start = threading.Barrier(11)

    def send(position: int) -> None:
        start.wait()
        match position % 3:
            case 0:
                world.webhook("orders/create", order)
            case 1:
                world.webhook("orders/updated", order)
            case _:
                world.poll()

    threads = [threading.Thread(target=send, args=[position]) for position in range(10)]
    for thread in threads:
        thread.start()
    start.wait()
    world.settle(workers=8)
    for thread in threads:
        thread.join()
    world.settle(workers=8)

    assert len(world.booked()) == 1
    assert world.ask("SELECT count(*) FROM sales_order") == 1
    assert world.ask("SELECT count(*) FROM message WHERE state = 'applied'") == 1
    assert world.erp.calls.books()["calls_by_operation"]["change"] == 1
    world.assert_sound()


def test_an_order_whose_webhook_was_lost_is_found_by_the_poll(world: World) -> None:
    orders = [world.order() for _ in range(7)]

    assert world.poll() == 7
    world.settle()

    assert len(world.booked()) == len(orders)
    assert world.poll() == 0
    world.assert_sound()


def test_an_order_with_many_lines_is_read_whole_by_the_poll(world: World) -> None:
    order = world.order()

    def grow(body: dict[str, Any]) -> None:
        first = body["line_items"][0]
        first["discount_allocations"], first["tax_lines"] = [], []
        body["line_items"] = [{**first, "id": first["id"] + n} for n in range(61)]

    whole = world.shop.books.change(key(order), grow) or {}
    world.shop.books.place({**whole, "current_total_tax": "0.00"})

    world.poll()
    world.settle()

    [booked] = world.booked()
    assert len(booked["lines"]) == 61


@pytest.mark.parametrize(
    "fault", ["server_error", "reset", "timeout_before", "timeout_after", "throttle", "outage"]
)
def test_a_fault_of_the_erp_costs_time_and_nothing_else(world: World, fault: str) -> None:
    for _ in range(3):
        world.webhook("orders/create", world.order())
    world.erp.plan.switch({"next": [fault]})

    world.settle(workers=2)

    assert len(world.booked()) == 3
    assert world.ask("SELECT count(*) FROM exception_case") == 0
    world.assert_sound()


@pytest.mark.parametrize("fault", ["server_error", "reset", "timeout_after", "throttle"])
def test_a_fault_during_a_cancel_costs_time_and_nothing_else(world: World, fault: str) -> None:
    created = world.order()
    world.webhook("orders/create", created)
    world.settle()
    world.shop.customers.cancel(key(created))
    world.webhook("orders/cancelled", created)
    world.erp.plan.switch({"next": [fault]})

    world.settle()

    assert [one["status"] for one in world.booked()] == ["Canceled"]
    world.assert_sound()


def test_an_effect_that_lands_late_is_found_and_not_repeated(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("syncworkers.sandbox.transport.LATE", 0.1)
    world.webhook("orders/create", world.order())
    world.erp.plan.switch({"next": ["late_effect"]})

    world.settle()

    assert len(world.booked()) == 1
    verdicts = world.rows("SELECT action, verdict FROM attempt ORDER BY id")
    assert verdicts[:2] == [("push", "unknown"), ("find", "adopted")]
    world.assert_sound()


def test_an_unmapped_item_becomes_a_case_that_a_person_can_retry(world: World) -> None:
    order = world.order()
    order["line_items"][0]["sku"] = "NOBODY-KNOWS"
    world.webhook("orders/create", order)
    world.settle()

    case, code, violations = world.rows("SELECT id, code, violations FROM exception_case")[0]
    assert (code, violations[0]["path"]) == ("item.unmapped", "lines[0].sku")
    assert world.booked() == []

    world.fleet.policy.bookings["shopify-us"].items["NOBODY-KNOWS"] = "1000"  # type: ignore[index]
    known = world.fleet.policy.fulfilment.warehouses["shipbob-west"].items
    known["NOBODY-KNOWS"] = "20000001"  # type: ignore[index]
    retry(world.fleet, case, actor="ann")
    world.settle()

    assert len(world.booked()) == 1
    assert world.ask("SELECT state FROM exception_case") == "resolved"
    assert world.ask("SELECT actor FROM audit") == "ann"
    assert ledger.prove(world.fleet.database).findings == ()


def test_a_refused_create_blocks_its_line_until_a_person_retries(world: World) -> None:
    world.erp.books.master = Master(customers=frozenset())
    created = world.order()
    world.webhook("orders/create", created)
    world.settle()
    world.shop.customers.readdress(key(created), ELSEWHERE)
    world.webhook("orders/updated", world.shop.books.get(key(created)) or {})
    world.settle()

    assert at_erp(world) == [
        ("order.create", "dead"),
        ("order.readdress", "open"),
    ]
    case = world.ask("SELECT blocked_by FROM line")
    assert world.ask("SELECT code FROM exception_case WHERE id = :id", id=case) == (
        "erp.value_unknown"
    )
    assert ledger.prove(world.fleet.database).findings == ()

    world.erp.books.master = Master()
    retry(world.fleet, case, actor="ann")
    world.settle()

    assert [one["address"]["city"] for one in world.booked()] == ["Eugene"]
    world.assert_sound()


def test_one_bad_order_stops_none_of_its_batch(world: World) -> None:
    good = [world.order() for _ in range(9)]
    bad = world.maker.make("2026-11-24T10:00:00-05:00")
    bad["line_items"][0]["quantity"] = -1
    for order in [*good[:4], bad, *good[4:]]:
        world.webhook("orders/create", order)

    world.settle()

    assert len(world.booked()) == 9
    assert (
        world.ask("SELECT violations->0->>'path' FROM exception_case") == "line_items[0].quantity"
    )
    world.assert_sound()


def test_a_topic_nobody_reads_is_kept_and_waits(world: World) -> None:
    assert world.webhook("orders/paid", world.order()) == 200
    world.settle()

    waiting = world.rows("SELECT topic, state, waiting_for FROM message")
    assert waiting == [("orders/paid", "parked", "topic:orders/paid")]
    assert ledger.prove(world.fleet.database).findings == ()


def test_an_overdue_booking_opens_a_case_by_itself(world: World) -> None:
    world.webhook("orders/create", world.order())
    world.process()
    with world.fleet.session() as session:
        session.connection().exec_driver_sql("UPDATE expectation SET due_at = now()")

    check_expectations(world.fleet)

    assert world.ask("SELECT state FROM expectation") == "overdue"
    assert world.ask("SELECT about FROM exception_case") == "expectation"
    world.settle()
    assert world.ask("SELECT state FROM expectation") == "met"


def test_new_keys_of_a_payload_are_noted_and_fail_nothing(world: World) -> None:
    order = {**world.order(), "tarot_card": "the tower"}
    order["line_items"][0]["aura"] = "green"

    world.webhook("orders/create", order)
    world.settle()

    assert len(world.booked()) == 1
    drift = world.rows("SELECT path FROM contract_drift ORDER BY path")
    assert drift == [("line_items[].aura",), ("tarot_card",)]


def test_the_way_stays_within_its_budget_of_writes_and_commits(world: World) -> None:
    def written() -> int:
        threading.Event().wait(1.2)  # Postgres gathers its statistics for a second
        return int(
            world.ask("SELECT sum(n_tup_ins + n_tup_upd + n_tup_del) FROM pg_stat_user_tables")
        )

    before = written()
    for _ in range(50):
        world.webhook("orders/create", world.order())
    commits: list[str | None] = []

    def count_writing(connection: sa.Connection) -> None:
        written = connection.exec_driver_sql("SELECT pg_current_xact_id_if_assigned()::text")
        commits.extend(written.scalars().all())

    sa.event.listen(world.fleet.database, "commit", count_writing)
    per_stage = []
    for stage in (world.process, world.deliver):
        commits.clear()
        stage()
        per_stage.append(len([one for one in commits if one is not None]))
    writes = written() - before

    assert len(world.booked()) == 50
    # A batch is a claim and an outcome; what only reads costs no flush.
    assert per_stage == [2, 2]
    assert writes / 50 <= 25


def test_a_change_that_landed_before_its_create_was_known_raises_no_false_alarm(
    world: World,
) -> None:
    """A worker dies after it sent the create and the new address of one order."""
    created = world.order()
    world.webhook("orders/create", created)
    world.shop.customers.readdress(key(created), ELSEWHERE)
    world.webhook("orders/updated", world.shop.books.get(key(created)) or {})
    world.process()
    world.die("deliver", at=3)
    assert [one["address"]["city"] for one in world.booked()] == ["Eugene"]
    world.expire_leases()

    world.settle()

    assert at_erp(world) == [
        ("order.create", "confirmed"),
        ("order.readdress", "confirmed"),
    ]
    assert world.ask("SELECT count(*) FROM exception_case") == 0
    world.assert_sound()
