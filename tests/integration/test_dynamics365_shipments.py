"""Packing slips are posted in the simulated ERP once, whatever happens to the calls."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from syncworkers.canonical.shipments import ShippedLine
from syncworkers.connectors.base import Deadline, Verdict
from tests.integration.dynamics365_running import (
    HASTY,
    books,
    cancel,
    create,
    find,
    progress,
    push,
    running,
    ship,
    until,
)

REST = (ShippedLine(reference="12", sku="TEA-ASSAM-250", quantity=3),)


def slips_of(url: str) -> list[Any]:
    return [slip for order in books(url)["orders"] for slip in order["slips"]]


def test_fifty_shipments_travel_in_one_call() -> None:
    with running() as (erp, made, url):
        push(made, *(create(n) for n in range(1, 51)))

        outcomes = push(made, *(ship(n) for n in range(1, 51)))

        assert {one.verdict for one in outcomes} == {Verdict.CONFIRMED}
        assert [one.external_id for one in outcomes][:2] == ["usmf/PS-000001", "usmf/PS-000002"]
        assert len({one.call for one in outcomes}) == 1
        assert len(slips_of(url)) == 50
        assert erp.calls.books()["calls_by_operation"] == {"change": 1, "slip_post": 1, "token": 1}


def test_more_than_a_hundred_shipments_go_in_several_calls() -> None:
    with running() as (erp, made, url):
        push(made, *(create(n) for n in range(1, 102)))

        outcomes = push(made, *(ship(n) for n in range(1, 102)))

        assert {one.verdict for one in outcomes} == {Verdict.CONFIRMED}
        assert erp.calls.books()["calls_by_operation"]["slip_post"] == 2
        assert len(slips_of(url)) == 101


def test_a_shipment_stands_in_the_books_with_its_tracking() -> None:
    with running() as (erp, made, url):
        push(made, create(1))
        [half] = push(made, ship(1))
        header = erp.books.sets["SalesOrderHeadersV2"]["usmf", "US1"]
        on_the_way = (header["SalesOrderStatus"], header["SalesOrderProcessingStatus"])
        push(made, ship(2, 1, lines=REST, tracking_number=""))

        [order] = books(url)["orders"]

        assert on_the_way == ("Backorder", "PartiallyDelivered")
        assert (header["SalesOrderStatus"], header["SalesOrderProcessingStatus"]) == (
            "Delivered",
            "Delivered",
        )
        first, second = order["slips"]
        assert {**first, "posted_at": 0} == {
            "shipment_id": "shipbob-west/1",
            "slip": (half.external_id or "").removeprefix("usmf/"),
            "posted_at": 0,
            "tracking_number": "TRACK1",
            "lines": [{"reference": "11", "quantity": "2"}],
        }
        assert second["lines"] == [{"reference": "12", "quantity": "3"}]
        [tracking] = erp.books.sets["PackingSlipTrackingInformation"].values()
        del tracking["@odata.etag"]
        assert tracking == {
            "dataAreaId": "usmf",
            "SalesOrderNumber": "US1",
            "PackingSlipNumber": "PS-000001",
            "DeliveryDate": "2026-11-24T12:00:00Z",
            "TrackingNumber": "TRACK1",
            "TrackingURL": "https://track.example/1",
        }
        assert progress(url)["slips"] == 2


def test_a_repeated_shipment_is_adopted_with_the_slip_that_stands() -> None:
    with running() as (_, made, url):
        push(made, create(1))
        [posted] = push(made, ship(1))

        [again] = push(made, ship(1, tracking_number="CORRECTED"))

        assert (again.verdict, again.external_id) == (Verdict.ADOPTED, posted.external_id)
        assert len(slips_of(url)) == 1


def test_the_same_shipment_with_other_content_is_refused_and_found_different() -> None:
    with running() as (_, made, url):
        push(made, create(1))
        push(made, ship(1))
        other = ship(1, lines=REST)

        [pushed] = push(made, other)
        [found] = find(made, other)

        assert (pushed.verdict, pushed.violations[0].code) == (
            Verdict.REJECTED,
            "erp.shipment_differs",
        )
        assert (found.verdict, found.violations[0].code) == (
            Verdict.REJECTED,
            "erp.shipment_differs",
        )
        assert found.error == (
            "slip usmf/PS-000001 stands for this shipment with other content: lines: sent"
            ' [{"externalItemNumber":"12","quantity":3}],'
            ' stand [{"externalItemNumber":"11","quantity":2}]'
        )
        assert len(slips_of(url)) == 1


def test_what_cannot_be_posted_is_refused_with_its_cause_and_its_neighbours_are_not() -> None:
    with running() as (_, made, url):
        created = push(made, create(1), create(2), create(3))
        push(made, cancel(2, created[1].external_version))
        too_many = (ShippedLine(reference="11", sku="MUG-BLU-01", quantity=3),)
        strange = (ShippedLine(reference="99", sku="MUG-BLU-01", quantity=1),)

        outcomes = push(
            made,
            ship(9),
            ship(2),
            ship(3, lines=too_many),
            ship(4, 3, lines=strange),
            ship(1),
        )

        assert [[one.code for one in outcome.violations] for outcome in outcomes] == [
            ["erp.order_missing"],
            ["erp.order_cancelled"],
            ["erp.quantity_exceeds"],
            ["erp.refused"],
            [],
        ]
        assert outcomes[2].error == "Line 11: 3 cannot be delivered, 2 remain. (QuantityExceeds)"
        assert outcomes[4].verdict is Verdict.CONFIRMED
        assert books(url)["early_slips"] == 1
        assert [one["shipment_id"] for one in slips_of(url)] == ["shipbob-west/1"]


def test_a_delivered_order_is_cancelled_no_more() -> None:
    with running() as (_, made, __):
        [created] = push(made, create(1))
        push(made, ship(1))

        [outcome] = push(made, cancel(1, created.external_version))

        assert (outcome.verdict, outcome.violations[0].code) == (Verdict.REJECTED, "erp.too_late")


@pytest.mark.parametrize(
    ("fault", "first", "then"),
    [
        ("timeout_after", Verdict.UNKNOWN, Verdict.ADOPTED),
        ("timeout_before", Verdict.UNKNOWN, Verdict.ABSENT),
        ("reset", Verdict.UNKNOWN, Verdict.ABSENT),
        ("server_error", Verdict.UNKNOWN, Verdict.ABSENT),
        ("throttle", Verdict.RETRY, Verdict.ABSENT),
    ],
)
def test_a_shipment_whose_answer_is_lost_is_found_or_not(
    fault: str, first: Verdict, then: Verdict
) -> None:
    with running(patience=HASTY) as (erp, made, url):
        push(made, create(1))
        erp.plan.switch({"next": [fault]})

        [pushed] = push(made, ship(1))
        [found] = find(made, ship(1))
        [again] = push(made, ship(1))

        assert (pushed.verdict, found.verdict) == (first, then)
        assert pushed.pause is (fault == "throttle")
        assert again.verdict is (Verdict.ADOPTED if then is Verdict.ADOPTED else Verdict.CONFIRMED)
        assert len(slips_of(url)) == 1


def test_a_late_effect_is_met_by_the_repeat(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("syncworkers.sandbox.transport.LATE", 0.1)
    with running(patience=HASTY) as (erp, made, url):
        push(made, create(1))
        erp.plan.switch({"next": ["late_effect"]})
        [pushed] = push(made, ship(1))
        until(lambda: slips_of(url))

        [again] = push(made, ship(1))

        assert (pushed.verdict, again.verdict) == (Verdict.UNKNOWN, Verdict.ADOPTED)
        assert len(slips_of(url)) == 1


def test_a_shipment_left_out_of_the_answer_is_unknown_and_found() -> None:
    with running() as (erp, made, url):
        push(made, create(1), create(2))
        erp.slips.left_out_next = 1

        first, second = push(made, ship(1), ship(2))
        [found] = find(made, ship(2))

        assert (first.verdict, second.verdict) == (Verdict.CONFIRMED, Verdict.UNKNOWN)
        assert second.error == "the answer leaves this shipment out"
        assert (found.verdict, found.external_id) == (Verdict.ADOPTED, "usmf/PS-000002")
        assert len(slips_of(url)) == 2


def test_a_locked_order_is_tried_again_later() -> None:
    with running() as (erp, made, url):
        push(made, create(1))
        erp.slips.busy_next = 1

        [busy] = push(made, ship(1))
        [posted] = push(made, ship(1))

        assert (busy.verdict, busy.after, busy.pause) == (Verdict.RETRY, 30.0, False)
        assert posted.verdict is Verdict.CONFIRMED
        assert len(slips_of(url)) == 1


def test_a_service_that_is_not_there_pauses_and_names_the_setting() -> None:
    with running(shipment_service="Other/Service") as (_, made, url):
        push(made, create(1))

        [pushed] = push(made, ship(1))
        [found] = find(made, ship(1))

        assert (pushed.verdict, pushed.pause, pushed.after) == (Verdict.RETRY, True, 300.0)
        assert (found.verdict, found.pause) == (Verdict.RETRY, True)
        assert pushed.error is not None
        assert pushed.error.startswith(
            "[connection] shipment_service: the environment does not offer Other/Service"
        )
        assert slips_of(url) == []


def test_without_a_service_shipments_become_cases_and_nothing_is_sent() -> None:
    with running(shipment_service="") as (erp, made, _):
        [pushed] = push(made, ship(1))
        [found] = find(made, ship(1))

        assert (pushed.verdict, pushed.violations[0].code) == (
            Verdict.REJECTED,
            "erp.shipment_service_missing",
        )
        assert "[connection] shipment_service" in pushed.violations[0].message
        assert found.verdict is Verdict.REJECTED
        assert erp.calls.books()["calls"] == 0
        assert made.shipment_strategy == "none: shipments wait as cases"


def test_a_shipment_is_posted_in_the_call_after_its_neighbours_order() -> None:
    with running() as (erp, made, _):
        push(made, create(1))

        shipped, created = push(made, ship(1), create(2))

        assert (shipped.verdict, created.verdict) == (Verdict.CONFIRMED, Verdict.CONFIRMED)
        assert shipped.call != created.call
        log = [one["operation"] for one in erp.calls.books()["call_log"]]
        assert log == ["token", "change", "change", "slip_post"]


def test_after_a_throttled_order_no_shipment_is_sent() -> None:
    with running() as (erp, made, url):
        push(made, create(1))
        erp.plan.switch({"next": ["throttle"]})

        shipped, created = push(made, ship(1), create(2))

        assert (shipped.verdict, created.verdict) == (Verdict.NOT_STARTED, Verdict.RETRY)
        assert slips_of(url) == []


def test_after_the_deadline_no_shipment_is_sent() -> None:
    with running() as (erp, made, _):
        [outcome] = made.push([ship(1)], Deadline(0))

        assert outcome.verdict is Verdict.NOT_STARTED
        assert erp.calls.books()["calls"] == 0


def test_the_doctor_is_content_with_the_service_and_says_what_is_wrong_with_it() -> None:
    with running() as (_, made, __):
        assert made.check() == []
        assert made.shipment_strategy == (
            "packing slips by service SyncworkersServices/SyncworkersShipmentService"
        )

    with running(shipment_service="Other/Service") as (_, made, __):
        [complaint] = made.check()

        assert complaint.startswith(
            "[connection] shipment_service: the environment does not offer Other/Service"
        )


def test_quantities_of_one_order_line_are_added_up() -> None:
    twice = (ShippedLine(reference="12", sku="TEA-ASSAM-250", quantity=1),) * 2
    with running() as (erp, made, url):
        push(made, create(1))

        [posted] = push(made, ship(1, lines=twice))
        [found] = find(made, ship(1, lines=twice))

        assert (posted.verdict, found.verdict) == (Verdict.CONFIRMED, Verdict.ADOPTED)
        [slip] = slips_of(url)
        assert slip["lines"] == [{"reference": "12", "quantity": "2"}]
        [lot] = [
            one["InventoryLotId"]
            for one in erp.books.sets["SalesOrderLinesV3"].values()
            if one["ExternalItemNumber"] == "12"
        ]
        assert erp.books.delivered[lot] == Decimal(2)


def test_an_unreadable_request_of_one_shipment_alone_is_refused() -> None:
    with running() as (_, made, url):
        push(made, create(1))
        broken = ship(2, 1)
        broken.payload["shipment"]["lines"] = [{"externalItemNumber": "11", "quantity": "many"}]

        bad, good = push(made, broken, replace(ship(1), reference="other"))

        assert (bad.verdict, bad.status) == (Verdict.REJECTED, 400)
        assert good.verdict is Verdict.CONFIRMED
        assert len(slips_of(url)) == 1
