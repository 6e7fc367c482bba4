"""The ShipBob connector against the simulated warehouse, over real sockets."""

from __future__ import annotations

import datetime as dt
import json
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from mappings.shipbob import orders as order_mapping
from mappings.shipbob import tracking as tracking_mapping
from syncworkers.canonical.shipments import Milestone, WarehouseState
from syncworkers.connectors.base import Deadline, Outcome, Request, Verdict
from syncworkers.connectors.shipbob import orders as reading
from syncworkers.engine.budgets import LocalBudget
from syncworkers.errors import CredentialsError, RejectedError, RetryableError
from syncworkers.sandbox.faults import FaultPlan
from syncworkers.sandbox.shipbob import app as shipbob
from tests.integration.world import serving
from tests.unit.shipbob_parts import (
    CHANNEL,
    LINE,
    TOKEN,
    cancel,
    connector,
    create,
    readdress,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from syncworkers.connectors.base import Budget, Header
    from syncworkers.connectors.shipbob import ShipBob

HOOK = "http://127.0.0.1:9/webhooks/shipbob-west"
TOPICS = [
    "order.shipment.cancelled",
    "order.shipment.delivered",
    "order.shipment.exception",
    "order.shipment.on_hold",
    "order.shipped",
]


@contextmanager
def running(
    budget: Budget | None = None, *, call_deadline: float = 5.0, **changes: Any
) -> Iterator[tuple[shipbob.Warehouse, ShipBob]]:
    warehouse = shipbob.build(
        FaultPlan(level="none", seed=1),
        token=TOKEN,
        channel_id=CHANNEL,
        speed=100.0,
        caller_deadline=call_deadline,
        autopilot=False,
    )
    with serving(warehouse.program) as url:
        made = connector(url, budget, call_deadline=call_deadline, **changes)
        yield warehouse, made
        made.close()


def push(made: ShipBob, *wanted: Request) -> list[Outcome]:
    return made.push(wanted, Deadline(5))


def find(made: ShipBob, *wanted: Request) -> list[Outcome]:
    return made.find(wanted, Deadline(5))


def verdicts(outcomes: list[Outcome]) -> list[Verdict]:
    return [one.verdict for one in outcomes]


def codes(outcomes: list[Outcome]) -> list[list[str]]:
    return [[violation.code for violation in one.violations] for one in outcomes]


def ref(number: int = 1) -> str:
    return f"shopify-us/{number}/1"


def calls(warehouse: shipbob.Warehouse) -> dict[str, int]:
    return warehouse.calls.books()["calls_by_operation"]  # type: ignore[no-any-return]


def window() -> tuple[dt.datetime, dt.datetime]:
    now = dt.datetime.now(dt.UTC)
    return now - dt.timedelta(minutes=5), now + dt.timedelta(minutes=5)


def split(warehouse: shipbob.Warehouse, number: int = 1) -> list[int]:
    """Ship one mug of an order; return the ids of both shipments, the shipped one first."""
    assert warehouse.floor.ship(ref(number), {"MUG-BLU-01": 1})
    return [one.id for one in warehouse.books.references[ref(number)].shipments]


def test_fifty_parts_are_created_a_call_each() -> None:
    with running() as (warehouse, made):
        outcomes = push(made, *(create(number) for number in range(1, 51)))

        assert set(verdicts(outcomes)) == {Verdict.CONFIRMED}
        assert {one.error for one in outcomes} == {None}
        by_reference = {name: str(one.id) for name, one in warehouse.books.references.items()}
        assert [one.external_id for one in outcomes] == [
            by_reference[ref(number)] for number in range(1, 51)
        ]
        assert calls(warehouse) == {"create": 50}
        assert len({one.call for one in outcomes}) == 50


def test_a_created_order_is_what_was_asked_for() -> None:
    with running() as (warehouse, made):
        [outcome] = push(made, create())

        [order] = warehouse.books.orders.values()
        assert (order.reference, order.method) == (ref(), "Standard")
        assert [(one.sku, one.inventory_id, one.quantity) for one in order.shipments[0].goods] == [
            ("MUG-BLU-01", 20000001, 2),
            ("KETTLE-08", 20000003, 1),
        ]
        assert order.sent["products"][0]["unit_price"] == 12.5
        assert outcome.status == 201
        assert '"unit_price":12.50' in (outcome.sent or "")


def test_a_repeated_create_is_adopted_and_not_doubled() -> None:
    with running() as (warehouse, made):
        [first] = push(made, create())

        [again, other] = push(made, create(), create(2))

        assert (again.verdict, other.verdict) == (Verdict.ADOPTED, Verdict.CONFIRMED)
        assert (again.external_id, again.error) == (first.external_id, None)
        assert warehouse.books.duplicate_attempts == 1
        assert len(warehouse.books.orders) == 2


def test_all_that_are_there_already_are_looked_up_in_one_call() -> None:
    with running() as (warehouse, made):
        requests = [create(number) for number in range(1, 21)]
        push(made, *requests)

        again = push(made, *requests)

        assert set(verdicts(again)) == {Verdict.ADOPTED}
        assert len({one.call for one in again}) == 1
        assert calls(warehouse) == {"create": 40, "orders": 1}


def test_a_reference_taken_by_other_content_is_refused() -> None:
    with running() as (_, made):
        push(made, create())
        other = create(lines=(replace(LINE, quantity=7),))

        outcomes = [*push(made, other), *find(made, other)]

        assert codes(outcomes) == [["warehouse.reference_taken"]] * 2
        assert "sent 7 of MUG-BLU-01, stands 1 of KETTLE-08, 2 of MUG-BLU-01" in str(outcomes[0])


def test_a_shipping_method_that_nobody_set_up_is_noticed() -> None:
    with running() as (_, made):
        [outcome] = push(made, create(shipping_method="By pigeon"))
        [looked] = find(made, create(shipping_method="By pigeon"))

    assert (outcome.verdict, looked.verdict) == (Verdict.CONFIRMED, Verdict.ADOPTED)
    assert outcome.error == (
        "the warehouse keeps other values than sent:"
        " shipping_method: sent 'By pigeon', stands 'Standard'"
    )
    assert (looked.error or "").startswith("adopted, with other values than ours: shipping_method")


def test_an_order_the_warehouse_cannot_read_is_refused_with_its_own_paths() -> None:
    with running() as (warehouse, made):
        bad = create()
        bad.payload["recipient"]["address"]["city"] = ""
        bad.payload["products"][1]["quantity"] = 0

        [outcome, good] = push(made, bad, create(2))

        assert (outcome.verdict, good.verdict) == (Verdict.REJECTED, Verdict.CONFIRMED)
        assert [(one.path, one.code) for one in outcome.violations] == [
            ("recipient.address.city", "warehouse.refused"),
            ("products[1].quantity", "warehouse.refused"),
        ]
        assert list(warehouse.books.references) == [ref(2)]


@pytest.mark.parametrize(
    ("fault", "first", "then"),
    [
        ("timeout_after", Verdict.UNKNOWN, Verdict.ADOPTED),
        ("timeout_before", Verdict.UNKNOWN, Verdict.ABSENT),
        ("reset", Verdict.UNKNOWN, Verdict.ABSENT),
        ("server_error", Verdict.UNKNOWN, Verdict.ABSENT),
        ("throttle", Verdict.RETRY, Verdict.ABSENT),
        ("slow", Verdict.CONFIRMED, Verdict.ADOPTED),
    ],
)
def test_a_lost_create_is_found_or_not(fault: str, first: Verdict, then: Verdict) -> None:
    with running(call_deadline=1.0) as (warehouse, made):
        warehouse.plan.switch({"next": [fault]})

        pushed = push(made, create())
        found = find(made, create())

        assert (verdicts(pushed), verdicts(found)) == ([first], [then])
        assert (pushed[0].pause, pushed[0].after) == (
            (True, 1.0) if fault == "throttle" else (False, None)
        )
        assert len(warehouse.books.orders) == (then is Verdict.ADOPTED)


def test_a_create_that_lands_late_is_met_by_its_repeat(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("syncworkers.sandbox.transport.LATE", -0.5)
    with running(call_deadline=1.0) as (warehouse, made):
        warehouse.plan.switch({"next": ["late_effect"]})

        pushed = [*push(made, create()), *push(made, create())]

        assert verdicts(pushed) == [Verdict.UNKNOWN, Verdict.ADOPTED]
        assert len(warehouse.books.orders) == 1


@pytest.mark.parametrize(
    ("fault", "then"), [("timeout_after", Verdict.ADOPTED), ("reset", Verdict.ABSENT)]
)
def test_a_lost_cancel_is_found_or_not(fault: str, then: Verdict) -> None:
    with running(call_deadline=1.0) as (warehouse, made):
        [created] = push(made, create())
        request = cancel(external_id=created.external_id)
        warehouse.plan.switch({"next": ["slow", fault]})

        pushed = push(made, request)
        found = find(made, request)

        assert (verdicts(pushed), verdicts(found)) == ([Verdict.UNKNOWN], [then])


def test_a_refused_token_pauses_the_warehouse_and_is_not_told() -> None:
    with running(access_token="pat-old") as (warehouse, made):
        outcomes = [*push(made, create(), create(2)), *find(made, create()), *push(made, cancel())]

        assert set(verdicts(outcomes)) <= {Verdict.RETRY, Verdict.NOT_STARTED}
        assert (outcomes[0].pause, outcomes[0].credentials) == (True, True)
        assert "pat-old" not in repr(outcomes)
        assert warehouse.books.orders == {}
        with pytest.raises(CredentialsError, match="401") as raised:
            made.fetch("shipment", ["1"])
        assert "pat-old" not in str(raised.value)


def test_a_wrong_channel_pauses_the_warehouse() -> None:
    with running(channel_id="5") as (_, made):
        [outcome] = push(made, create())

    assert (outcome.verdict, outcome.pause, outcome.credentials) == (Verdict.RETRY, True, True)
    assert "channel_id" in (outcome.error or "")


def test_a_cancel_has_three_answers_and_a_repeat_needs_none() -> None:
    with running() as (warehouse, made):
        ids = [one.external_id for one in push(made, *(create(number) for number in (1, 2, 3)))]
        requests = [cancel(number, ids[number - 1]) for number in (1, 2, 3)]
        warehouse.floor.label(ref(2))
        split(warehouse, 3)

        outcomes = push(made, *requests)
        again = push(made, requests[0])

        assert verdicts(outcomes) == [Verdict.CONFIRMED, Verdict.REJECTED, Verdict.REJECTED]
        assert codes(outcomes) == [[], ["warehouse.cancel_refused"], ["warehouse.cancel_partial"]]
        assert "Shipment is already labeled" in (outcomes[1].error or "")
        assert "only a part was cancelled; shipment" in (outcomes[2].error or "")
        assert (again[0].verdict, again[0].external_id) == (Verdict.ADOPTED, ids[0])
        assert warehouse.books.cancel_answers == {"Success": 1, "Failure": 1, "PartialSuccess": 1}
        # One look for all three, one more for the refused one, one for the repeat.
        assert calls(warehouse) == {"cancel": 3, "create": 3, "orders": 3}
        assert verdicts(find(made, *requests)) == [Verdict.ADOPTED, Verdict.ABSENT, Verdict.ABSENT]


def test_an_order_is_cancelled_by_our_reference_where_its_id_is_not_known() -> None:
    with running() as (warehouse, made):
        push(made, create())

        [outcome] = push(made, cancel())

        assert outcome.verdict is Verdict.CONFIRMED
        assert warehouse.books.references[ref()].status == "Cancelled"


@pytest.mark.parametrize("request_", [cancel(), cancel(external_id="7"), readdress()])
def test_an_order_that_is_not_there_cannot_change(request_: Request) -> None:
    with running() as (_, made):
        outcomes = [*push(made, request_), *find(made, request_)]

    assert codes(outcomes) == [["warehouse.order_missing"]] * 2


def test_an_id_that_is_somebody_elses_order_is_left_alone() -> None:
    with running() as (warehouse, made):
        [created] = push(made, create())

        outcomes = push(made, cancel(2, created.external_id))

        assert codes(outcomes) == [["warehouse.reference_differs"]]
        assert warehouse.books.references[ref()].status == "Processing"


def test_a_new_address_reaches_what_has_not_left_and_what_has_left_is_told() -> None:
    with running() as (warehouse, made):
        [created] = push(made, create())
        gone, still = split(warehouse)
        request = readdress(external_id=created.external_id)

        changed = push(made, request)
        again = push(made, request)

        cities = {
            one.id: one.recipient["address"]["city"] for one in warehouse.books.shipments.values()
        }
        assert cities == {gone: "Portland", still: "Salem"}
        assert codes(changed) == codes(again) == [["warehouse.too_late"]]
        told = f"already on the way to the former address: shipment {gone}"
        assert {one.error for one in (*changed, *again)} == {told}
        assert calls(warehouse)["readdress"] == 1
        assert verdicts(find(made, request, readdress(city="Eugene"))) == [Verdict.ABSENT] * 2


def test_a_new_address_that_stands_already_is_not_sent_again() -> None:
    with running() as (warehouse, made):
        push(made, create())
        request = readdress()

        outcomes = [*push(made, request), *push(made, request)]
        warehouse.floor.ship(ref())
        outcomes += push(made, request)

        assert verdicts(outcomes) == [Verdict.CONFIRMED, Verdict.ADOPTED, Verdict.ADOPTED]
        assert calls(warehouse)["readdress"] == 1


def test_a_label_makes_a_new_address_too_late() -> None:
    with running() as (warehouse, made):
        push(made, *(create(number) for number in (1, 2, 3)))
        warehouse.floor.label(ref(1))
        warehouse.floor.ship(ref(2))
        warehouse.floor.cancel(ref(3))

        outcomes = push(made, *(readdress(number) for number in (1, 2, 3)))

        assert codes(outcomes) == [["warehouse.too_late"]] * 3
        assert outcomes[0].error == "CONFLICT: Shipment is already labeled"
        assert calls(warehouse)["readdress"] == 1


def test_one_shipment_of_two_that_is_too_late_is_told_and_the_other_changed() -> None:
    with running() as (warehouse, made):
        push(made, create())
        split(warehouse)
        labeled, still = warehouse.books.references[ref()].shipments
        labeled.status = "LabeledCreated"

        outcomes = push(made, readdress())

        assert codes(outcomes) == [["warehouse.too_late"]]
        assert still.recipient["address"]["city"] == "Salem"


def test_a_shipped_parcel_that_has_the_address_already_counts_as_readdressed() -> None:
    with running() as (warehouse, made):
        push(made, create())
        push(made, readdress())
        warehouse.floor.ship(ref())

        assert verdicts(find(made, readdress(), readdress(city="Eugene"))) == [
            Verdict.ADOPTED,
            Verdict.ABSENT,
        ]


def test_one_push_may_ask_for_different_things() -> None:
    with running() as (_, made):
        push(made, create(1), create(2))
        praise = replace(create(9), operation="part.praise")

        outcomes = push(made, cancel(1), create(3), readdress(2), praise)
        found = find(made, cancel(1), create(3), readdress(2), praise)

        assert verdicts(outcomes) == [*[Verdict.CONFIRMED] * 3, Verdict.REJECTED]
        assert verdicts(found) == [*[Verdict.ADOPTED] * 3, Verdict.REJECTED]
        assert codes(outcomes)[3] == codes(found)[3] == ["operation.unknown"]


def test_after_a_429_no_further_call_is_begun() -> None:
    with running() as (warehouse, made):
        warehouse.limit.calls = 1
        made.fetch("shipment", ["1"])

        first = push(made, create(1))
        rest = made.push([create(2), cancel(3)], Deadline(0.3))

        assert (first[0].verdict, first[0].pause) == (Verdict.RETRY, True)
        assert 55 < (first[0].after or 0) <= 60
        assert verdicts(rest) == [Verdict.NOT_STARTED] * 2
        assert calls(warehouse) == {"create": 1, "orders": 1}


def test_after_the_deadline_nothing_is_begun() -> None:
    with running() as (warehouse, made):
        requests = [create(), cancel(2), readdress(3)]

        outcomes = [*made.push(requests, Deadline(0)), *made.find(requests, Deadline(0))]

        assert verdicts(outcomes) == [Verdict.NOT_STARTED] * 6
        assert calls(warehouse) == {}


def test_what_the_allowance_does_not_reach_is_not_started() -> None:
    with running(LocalBudget(maximum=2.0, rate=0.1)) as (warehouse, made):
        outcomes = made.push([create(number) for number in range(1, 6)], Deadline(0.3))

        assert sorted(verdicts(outcomes)) == [Verdict.CONFIRMED] * 2 + [Verdict.NOT_STARTED] * 3
        assert len(warehouse.books.orders) == 2
        with pytest.raises(RetryableError, match="allowance") as raised:
            made.fetch("shipment", ["1"])
        assert raised.value.throttled
        assert 5 < (raised.value.after or 0) < 11


def test_a_short_wait_for_the_allowance_is_waited() -> None:
    with running(LocalBudget(maximum=1.0, rate=20.0)) as (_, made):
        outcomes = push(made, *(create(number) for number in range(1, 5)))

    assert set(verdicts(outcomes)) == {Verdict.CONFIRMED}


def test_the_warehouses_count_of_calls_left_is_adopted_when_it_is_low() -> None:
    budget = LocalBudget(maximum=1000.0, rate=0.001)
    with running(budget) as (warehouse, made):
        warehouse.limit.calls = 12
        made.fetch("shipment", ["1"])
        assert budget.take(500.0) == 0.0
        for number in range(4):
            made.fetch("shipment", [str(number + 2)])

    # Of 12 calls 7 are left, whatever our own bucket held.
    assert budget._level == pytest.approx(7.0, abs=1.0)
    assert budget._rate == 1000.0


def test_changed_orders_come_in_pages_with_their_bodies(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("syncworkers.connectors.shipbob.account.PAGE", 50)
    with running() as (warehouse, made):
        for number in range(1, 61):
            warehouse.books.enter(json.loads(json.dumps(create(number).payload, default=float)))

        pages = list(made.changed("shipment", *window()))

        assert [len(page) for page in pages] == [50, 10]
        headers = [header for page in pages for header in page]
        assert len({one.external_id for one in headers}) == 60
        reports = [order_mapping.load(one.body or "") for one in headers]
        assert [one.updated_at for one in headers] == [report.updated_at for report, _ in reports]
        assert {drift for _, drift in reports} == {()}
        # A window of several pages is read until a pass brings nothing new.
        assert calls(warehouse) == {"orders": 4}


def test_a_window_holds_both_its_ends_and_nothing_else() -> None:
    with running() as (warehouse, made):
        for number in (1, 2):
            push(made, create(number))
        [first, second] = [warehouse.books.references[ref(number)] for number in (1, 2)]
        moment = second.shipments[0].updated_at = first.shipments[0].updated_at + dt.timedelta(1)

        at_once = list(made.changed("shipment", moment, moment))
        before = list(made.changed("shipment", moment - dt.timedelta(hours=25), moment))
        after = list(made.changed("shipment", moment + dt.timedelta(milliseconds=1), moment))

    assert [ids(pages) for pages in (at_once, before, after)] == [
        [str(second.id)],
        [str(first.id), str(second.id)],
        [],
    ]


def ids(pages: list[list[Header]]) -> list[str]:
    return [header.external_id for page in pages for header in page]


def test_an_order_that_changes_during_the_sweep_hides_no_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("syncworkers.connectors.shipbob.account.PAGE", 3)
    with running() as (warehouse, made):
        push(made, *(create(number) for number in range(1, 8)))
        since, until = window()
        now = dt.datetime.now(dt.UTC)
        pages = made.changed("shipment", since, now)

        first = next(pages)
        # The first leaves the window, and the fourth moves up to the page just read.
        moved = warehouse.books.orders[int(first[0].external_id)]
        moved.shipments[0].updated_at = until
        rest = list(pages)

        assert sorted(ids([first, *rest])) == sorted(str(one) for one in warehouse.books.orders)


def test_whole_orders_are_read_and_absent_or_odd_ones_left_out() -> None:
    with running() as (warehouse, made):
        push(made, *(create(number) for number in (1, 2)))
        known = [str(one) for one in warehouse.books.orders]

        records = made.fetch("shipment", [*known, "404", "order.shipped:msg_1", "", "9" * 30])
        nothing = made.fetch("shipment", ["x"])

        assert sorted(one.external_id for one in records) == sorted(known)
        assert nothing == []
        assert calls(warehouse)["orders"] == 1
        body = json.loads(records[0].body)
        assert reading.changed_at(body) == records[0].updated_at


def test_many_orders_are_read_a_hundred_a_call() -> None:
    with running() as (warehouse, made):
        assert made.fetch("shipment", [str(number) for number in range(1, 231)]) == []

        assert calls(warehouse) == {"orders": 3}


def test_parcels_are_tracked_twenty_five_a_call() -> None:
    with running() as (warehouse, made):
        push(made, *(create(number) for number in range(1, 28)))
        for number in range(1, 28):
            warehouse.floor.ship(ref(number))
        known = list(warehouse.books.shipments)
        warehouse.floor.move(known[0], "InTransit", location="Ontario, CA")
        warehouse.floor.move(known[0], "Delivered", substatus="Delivered")

        records = made.track([*map(str, known), "404", "odd"])

        assert len(records) == 27
        assert calls(warehouse)["tracking"] == 2
        [record] = [one for one in records if one.external_id == str(known[0])]
        report, drift = tracking_mapping.load(record.body)
        assert (report.external_id, report.updated_at, drift) == (
            record.external_id,
            record.updated_at,
            (),
        )
        assert [one.milestone for one in report.milestones] == [
            Milestone.LABEL_CREATED,
            Milestone.IN_TRANSIT,
            Milestone.DELIVERED,
        ]


def test_the_way_of_an_order_is_read_step_by_step() -> None:
    with running() as (warehouse, made):
        [created] = push(made, create())
        number = created.external_id or ""

        def states() -> tuple[WarehouseState, list[WarehouseState]]:
            [record] = made.fetch("shipment", [number])
            report, drift = order_mapping.load(record.body)
            assert drift == ()
            return report.state, [one.state for one in report.shipments]

        seen = [states()]
        for step in ("accept", "hold", "accept", "label", "ship"):
            assert getattr(warehouse.floor, step)(ref())
            seen.append(states())

    accepted, shipped = WarehouseState.ACCEPTED, WarehouseState.SHIPPED
    assert seen == [
        (accepted, [accepted]),
        (accepted, [accepted]),
        (accepted, [WarehouseState.ON_HOLD]),
        (accepted, [accepted]),
        (accepted, [WarehouseState.LABEL_CREATED]),
        (shipped, [shipped]),
    ]


@pytest.mark.parametrize("read", ["fetch", "track", "changed"])
@pytest.mark.parametrize(
    ("fault", "after"), [("throttle", 1.0), ("server_error", 2.0), ("reset", None)]
)
def test_a_failed_read_may_be_done_again(fault: str, after: float | None, read: str) -> None:
    with running() as (warehouse, made):
        warehouse.plan.switch({"next": [fault, fault]})
        reads = {
            "fetch": lambda: made.fetch("shipment", ["1"]),
            "track": lambda: made.track(["1"]),
            "changed": lambda: list(made.changed("shipment", *window())),
        }

        with pytest.raises(RetryableError) as error:
            reads[read]()

    assert (error.value.after, error.value.throttled) == (after, fault == "throttle")


def test_a_call_that_hangs_is_given_up_at_its_deadline() -> None:
    with running(call_deadline=1.0) as (warehouse, made):
        warehouse.plan.switch({"next": ["timeout_before"]})

        with pytest.raises(RetryableError, match="timed out"):
            made.fetch("shipment", ["1"])


def test_only_shipments_are_read_here() -> None:
    made = connector("http://127.0.0.1:9")

    with pytest.raises(ValueError, match="not read for order"):
        made.fetch("order", ["1"])
    with pytest.raises(ValueError, match="not read for order"):
        made.changed("order", *window())


def test_an_ended_version_is_refused_with_what_to_look_at() -> None:
    with running(api_version="2025-01") as (_, made):
        with pytest.raises(RejectedError, match="api_version"):
            made.fetch("shipment", ["1"])
        [outcome] = push(made, create())

    assert (outcome.verdict, outcome.pause, outcome.after) == (Verdict.RETRY, True, 300.0)


def test_what_is_missing_is_subscribed_once() -> None:
    with running(webhook_url=HOOK) as (warehouse, made):
        warehouse.webhooks.create(["order.shipped"], HOOK)
        warehouse.webhooks.create(TOPICS, "http://127.0.0.1:9/somebody-else")

        created, again = made.subscribe(), made.subscribe()

        assert (created, again) == (TOPICS[:4], [])
        assert [one.topics for one in warehouse.webhooks.all()][2] == tuple(TOPICS[:4])
        assert warehouse.webhooks.all()[2].secrets == made._settings.webhook_secrets[:1]


def test_a_subscription_that_was_switched_off_is_missing() -> None:
    with running(webhook_url=HOOK) as (warehouse, made):
        made.subscribe()
        warehouse.webhooks.enable(enabled=False)

        assert "no enabled webhook subscription sends order.shipment.cancelled" in made.check()[0]
        assert made.subscribe() == TOPICS


def test_nothing_is_subscribed_where_webhooks_are_arranged_by_hand() -> None:
    with running() as (warehouse, made):
        assert made.subscribe() == []
        assert calls(warehouse) == {}


def test_a_subscription_whose_answer_is_lost_may_be_made_again() -> None:
    with running(call_deadline=1.0, webhook_url=HOOK) as (warehouse, made):
        warehouse.plan.switch({"next": ["slow", "timeout_after"]})

        with pytest.raises(RetryableError, match="timed out"):
            made.subscribe()

        assert made.subscribe() == []


def test_the_doctor_finds_nothing_wrong_and_says_what_is() -> None:
    with running(webhook_url=HOOK) as (_, made):
        url = made._settings.url
        assert made.check() == [
            f"no enabled webhook subscription sends {', '.join(TOPICS)} to {HOOK}: subscribe anew"
        ]
        made.subscribe()
        assert made.check() == []
        assert connector(url).check() == []
        [unknown] = connector(url, channel_id=5).check()
        assert unknown == (
            "[connection] channel_id 5 is none of the token's channels:"
            " 128944 (syncworkers), 128945 (ShipBob Default)"
        )
        assert connector(url, channel_id=CHANNEL + 1).check() == [
            "channel 128945 lacks the scope orders_write: choose one that has it"
        ]
        assert (
            "api_version 2026-01 ended on 2020-01-31"
            in connector(url, sunset="2020-01-31").check()[0]
        )
        [refused] = connector(url, access_token="pat-old").check()
        assert "refuses our token (401)" in refused
    assert "cannot be read" in made.check()[0]


def test_only_active_shipping_methods_are_told() -> None:
    with running() as (_, made):
        assert made.shipping_methods() == {"Standard", "2-Day", "Overnight"}
