"""Orders and tracking as ShipBob tells them become reports; parts become its orders."""

from __future__ import annotations

import copy
import datetime as dt
import json
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from mappings.shipbob import orders, tracking
from mappings.shipbob.parts import dump_address_change, dump_cancellation, dump_part
from syncworkers.canonical.parts import PartAddressChange, PartCancellation
from syncworkers.canonical.shipments import (
    Milestone,
    MilestoneEvent,
    PackedGoods,
    ReportedShipment,
    WarehouseReport,
    WarehouseState,
)
from syncworkers.connectors.shipbob.orders import changed_at
from syncworkers.errors import RejectedError
from tests.unit.shipbob_parts import HOME, LINE, part

SHIPMENT: dict[str, Any] = {
    "id": 501,
    "order_id": 300,
    "reference_id": "shopify-us/1/1",
    "created_date": "2026-11-24T15:00:00Z",
    "last_update_at": "2026-11-24T18:00:00.5",
    "last_tracking_update_at": None,
    "status": "Completed",
    "status_details": [],
    "products": [
        {
            "id": 1,
            "reference_id": "MUG-BLU-01",
            "sku": "MUG-BLU-01",
            "name": "Mug",
            "inventory_items": [
                {"id": 20000001, "quantity": 2, "lot": "A", "quantity_committed": 2},
                {"id": 20000001, "quantity": 1, "lot": "B", "quantity_committed": 1},
            ],
        },
        {
            "id": 2,
            "reference_id": "KETTLE-08",
            "sku": None,
            "inventory_items": [{"id": 20000003, "quantity": 1}, {"id": 20000004, "quantity": 0}],
        },
    ],
    "tracking": {
        "carrier": "UPS",
        "carrier_service": "Ground",
        "tracking_number": "1Z999AA10123456784",
        "tracking_url": "https://ups.example/1Z999AA10123456784",
        "shipping_date": "2026-11-24T17:30:00+00:00",
    },
    "actual_fulfillment_date": "2026-11-24T17:00:00+00:00",
    "delivery_date": None,
    "location": {"id": 42, "name": "Moreno Valley (CA)"},
}
ORDER: dict[str, Any] = {
    "id": 300,
    "reference_id": "shopify-us/1/1",
    "status": "Fulfilled",
    "created_date": "2026-11-24T15:00:00Z",
    "shipments": [SHIPMENT],
    "shipping_method": "Standard",
}
TRACKED: dict[str, Any] = {
    "shipment_id": 501,
    "status": "InTransit",
    "substatus": "OutForDelivery",
    "location": "Portland, OR",
    "last_updated": "2026-11-25T09:00:01Z",
    "eta": None,
    "history": [
        {
            "status": "InTransit",
            "substatus": "OutForDelivery",
            "timestamp": "2026-11-25T08:00:00Z",
            "location": "Portland, OR",
            "message": "On the vehicle",
        },
        {"status": "InTransit", "timestamp": "2026-11-24T20:00:00Z", "location": "Ontario, CA"},
        {"status": "PreTransit", "timestamp": "2026-11-24T17:00:00Z", "location": None},
    ],
}


def at(hour: int, minute: int = 0, day: int = 24) -> dt.datetime:
    return dt.datetime(2026, 11, day, hour, minute, tzinfo=dt.UTC)


def order(shipments: list[dict[str, Any]] | None = None, **changes: Any) -> bytes:
    whole = copy.deepcopy(ORDER) | changes
    if shipments is not None:
        whole["shipments"] = shipments
    return json.dumps(whole).encode()


def shipment(**changes: Any) -> dict[str, Any]:
    return copy.deepcopy(SHIPMENT) | changes


def reported(**changes: Any) -> ReportedShipment:
    report, _ = orders.load(order([shipment(**changes)]))
    return report.shipments[0]


def test_a_shipped_order_becomes_a_report() -> None:
    report, drift = orders.load(order())

    assert drift == ()
    assert report == WarehouseReport(
        external_id="300",
        reference="shopify-us/1/1",
        state=WarehouseState.SHIPPED,
        code="Fulfilled",
        updated_at=dt.datetime(2026, 11, 24, 18, 0, 0, 500_000, dt.UTC),
        shipments=(
            ReportedShipment(
                external_id="501",
                state=WarehouseState.SHIPPED,
                code="Completed",
                detail="",
                carrier="UPS",
                service="Ground",
                tracking_number="1Z999AA10123456784",
                tracking_url="https://ups.example/1Z999AA10123456784",
                shipped_at=at(17, 30),
                goods=(
                    PackedGoods(item="20000001", sku="MUG-BLU-01", quantity=Decimal(3)),
                    PackedGoods(item="20000003", sku="KETTLE-08", quantity=Decimal(1)),
                ),
                milestones=(
                    MilestoneEvent(
                        milestone=Milestone.LABEL_CREATED,
                        occurred_at=at(17),
                        code="LabeledCreated",
                    ),
                ),
            ),
        ),
    )


@pytest.mark.parametrize(
    ("word", "state"),
    [
        ("Processing", WarehouseState.ACCEPTED),
        ("PartiallyFulfilled", WarehouseState.ACCEPTED),
        ("Exception", WarehouseState.EXCEPTION),
        ("ImportReview", WarehouseState.EXCEPTION),
        ("Cancelled", WarehouseState.CANCELLED),
        ("Teleported", WarehouseState.UNKNOWN),
    ],
)
def test_an_orders_own_word_is_its_state(word: str, state: WarehouseState) -> None:
    report, _ = orders.load(order([], status=word))

    assert (report.state, report.code, report.shipments) == (state, word, ())
    assert report.updated_at == at(15)


@pytest.mark.parametrize(
    ("word", "state"),
    [
        ("None", WarehouseState.ACCEPTED),
        ("Processing", WarehouseState.ACCEPTED),
        ("OnHold", WarehouseState.ON_HOLD),
        ("Exception", WarehouseState.EXCEPTION),
        ("ImportReview", WarehouseState.EXCEPTION),
        ("CleanSweeped", WarehouseState.EXCEPTION),
        ("Cancelled", WarehouseState.CANCELLED),
        ("Teleported", WarehouseState.UNKNOWN),
    ],
)
def test_a_shipments_word_is_its_state_and_says_nothing_of_the_parcel(
    word: str, state: WarehouseState
) -> None:
    found = reported(status=word)

    assert (found.state, found.code) == (state, word)
    assert (found.shipped_at, found.milestones) == (None, ())


def test_a_label_is_no_shipment() -> None:
    found = reported(status="LabeledCreated")

    assert (found.state, found.shipped_at) == (WarehouseState.LABEL_CREATED, None)
    assert [one.milestone for one in found.milestones] == [Milestone.LABEL_CREATED]


@pytest.mark.parametrize(
    ("changes", "shipped_at"),
    [
        ({}, at(17, 30)),
        ({"tracking": None}, at(17)),
        (
            {"tracking": None, "actual_fulfillment_date": None},
            dt.datetime(2026, 11, 24, 18, 0, 0, 500_000, dt.UTC),
        ),
        (
            {"tracking": None, "actual_fulfillment_date": None, "last_update_at": None},
            at(15),
        ),
    ],
)
def test_when_it_left_is_taken_from_the_best_there_is(
    changes: dict[str, Any], shipped_at: dt.datetime
) -> None:
    assert reported(**changes).shipped_at == shipped_at


def test_a_delivery_date_is_a_milestone() -> None:
    found = reported(delivery_date="2026-11-25T10:00:00+00:00")

    assert found.milestones[-1] == MilestoneEvent(
        milestone=Milestone.DELIVERED, occurred_at=at(10, day=25), code="Delivered"
    )


def test_why_it_is_held_is_told_in_the_warehouses_words() -> None:
    details = [
        {
            "id": 1,
            "name": "OutOfStock",
            "description": "No Stock On Hand For Sku",
            "inventory_id": 20000001,
            "extra_information": {"validation_messages": ["Address is incomplete", None]},
        },
        {"id": 2, "name": "OnHold", "description": None, "extra_information": None},
    ]

    found = reported(status="Exception", status_details=details)

    assert found.detail == "OutOfStock: No Stock On Hand For Sku; Address is incomplete; OnHold"


def test_null_stands_for_nothing_everywhere() -> None:
    nothing = shipment(status=None, status_details=None, products=None, tracking=None)

    report, _ = orders.load(order([nothing], reference_id=None, status=None))

    assert (report.reference, report.code) == ("", "")
    assert (report.shipments[0].goods, report.shipments[0].carrier) == ((), "")


def test_what_the_contract_does_not_know_is_drift_by_its_path() -> None:
    odd = shipment(colour="blue")
    odd["products"][0]["inventory_items"][0]["bin"] = 7

    _, drift = orders.load(order([odd], mood="good"))

    assert drift == ("mood", "shipments[].colour", "shipments[].products[].inventory_items[].bin")


@pytest.mark.parametrize(
    ("body", "path"),
    [
        (b"{oops", ""),
        (b"[]", ""),
        (order(id=None), "id"),
        (order(id="x"), "id"),
        (order(shipments={}), "shipments"),
        (order([shipment(id=None)]), "shipments[0].id"),
        (order([shipment(last_update_at="soon")]), "shipments[0].last_update_at"),
        (
            order([shipment(products=[{"inventory_items": [{"id": 1, "quantity": 1.5}]}])]),
            "shipments[0].products[0].inventory_items[0].quantity",
        ),
        (order([], created_date=None), "created_date"),
    ],
)
def test_a_wrong_order_is_rejected_with_its_path(body: bytes, path: str) -> None:
    with pytest.raises(RejectedError) as raised:
        orders.load(body)

    assert [one.path for one in raised.value.violations] == [path]


def test_a_poll_and_a_report_agree_on_when_an_order_changed() -> None:
    bodies = [
        order(),
        order([]),
        order([shipment(last_tracking_update_at="2026-11-26T00:00:00.1234567Z")]),
        order([shipment(last_update_at=None), shipment(id=502)]),
    ]

    for body in bodies:
        assert orders.load(body)[0].updated_at == changed_at(json.loads(body))


def test_tracking_becomes_events_in_the_order_they_happened() -> None:
    report, drift = tracking.load(json.dumps(TRACKED))

    assert drift == ()
    assert (report.external_id, report.updated_at) == (
        "501",
        dt.datetime(2026, 11, 25, 9, 0, 1, tzinfo=dt.UTC),
    )
    assert report.milestones == (
        MilestoneEvent(milestone=Milestone.LABEL_CREATED, occurred_at=at(17), code="PreTransit"),
        MilestoneEvent(
            milestone=Milestone.IN_TRANSIT,
            occurred_at=at(20),
            code="InTransit",
            location="Ontario, CA",
        ),
        MilestoneEvent(
            milestone=Milestone.OUT_FOR_DELIVERY,
            occurred_at=at(8, day=25),
            code="InTransit/OutForDelivery",
            location="Portland, OR",
        ),
    )


def test_the_present_status_is_an_event_only_where_the_history_lacks_it() -> None:
    report, _ = tracking.load(json.dumps(TRACKED | {"status": "Delivered", "substatus": None}))

    assert report.milestones[-1] == MilestoneEvent(
        milestone=Milestone.DELIVERED,
        occurred_at=dt.datetime(2026, 11, 25, 9, 0, 1, tzinfo=dt.UTC),
        code="Delivered",
        location="Portland, OR",
    )
    assert len(report.milestones) == 4


@pytest.mark.parametrize(
    ("status", "substatus", "milestone", "code"),
    [
        ("PreTransit", None, Milestone.LABEL_CREATED, "PreTransit"),
        ("InTransit", None, Milestone.IN_TRANSIT, "InTransit"),
        ("InTransit", "In Transit", Milestone.IN_TRANSIT, "InTransit/In Transit"),
        ("InTransit", "Out for Delivery", Milestone.OUT_FOR_DELIVERY, "InTransit/Out for Delivery"),
        ("InTransit", "out_for_delivery", Milestone.OUT_FOR_DELIVERY, "InTransit/out_for_delivery"),
        ("InTransit", "Delayed", Milestone.DELAYED, "InTransit/Delayed"),
        ("InTransit", "Failed Attempt", Milestone.DELIVERY_ATTEMPTED, "InTransit/Failed Attempt"),
        ("Delivery attempt Failed", "", Milestone.DELIVERY_ATTEMPTED, "Delivery attempt Failed"),
        ("Available for Pickup", "", Milestone.AVAILABLE_FOR_PICKUP, "Available for Pickup"),
        ("Delivered", "Delivered", Milestone.DELIVERED, "Delivered/Delivered"),
        ("DeliveryException", "", Milestone.DELAYED, "DeliveryException"),
        ("Exception", "", Milestone.EXCEPTION, "Exception"),
        ("Failed", "", Milestone.EXCEPTION, "Failed"),
        ("Return to sender", "", Milestone.RETURNING, "Return to sender"),
        ("Cancelled", "", Milestone.CANCELLED, "Cancelled"),
        ("Teleported", "", Milestone.UNKNOWN, "Teleported"),
    ],
)
def test_every_status_of_a_carrier_has_its_milestone(
    status: str, substatus: str | None, milestone: Milestone, code: str
) -> None:
    told = {"status": status, "substatus": substatus, "timestamp": "2026-11-24T20:00:00Z"}

    report, _ = tracking.load(json.dumps({"shipment_id": 1, "history": [told]}))

    assert [(one.milestone, one.code) for one in report.milestones] == [(milestone, code)]
    assert report.updated_at == at(20)


def test_no_status_is_no_event() -> None:
    nothing = {
        "shipment_id": 1,
        "status": None,
        "last_updated": "2026-11-24T20:00:00Z",
        "history": [{"status": None, "timestamp": "2026-11-24T20:00:00Z"}],
    }

    assert tracking.load(json.dumps(nothing))[0].milestones == ()


@pytest.mark.parametrize(
    ("body", "path"),
    [
        (b"{oops", ""),
        (b'{"shipment_id": 1}', "last_updated"),
        (b'{"last_updated": "2026-11-24T20:00:00Z"}', "shipment_id"),
        (b'{"shipment_id": 1, "history": [{"timestamp": "soon"}]}', "history[0].timestamp"),
    ],
)
def test_wrong_tracking_is_rejected_with_its_path(body: bytes, path: str) -> None:
    with pytest.raises(RejectedError) as raised:
        tracking.load(body)

    assert [one.path for one in raised.value.violations] == [path]


@given(some.binary(max_size=40))
def test_no_bytes_raise_anything_else(body: bytes) -> None:
    for mapping in (orders, tracking):
        with pytest.raises(RejectedError):
            mapping.load(body)


def test_a_part_becomes_an_order() -> None:
    assert dump_part(part()) == {
        "reference_id": "shopify-us/1/1",
        "order_number": "1001",
        "purchase_date": "2026-11-24T15:00:00.000Z",
        "type": "DTC",
        "shipping_method": "Standard",
        "recipient": {
            "name": "Ada Byron",
            "email": "ada@example.com",
            "phone_number": "+1 555 0100",
            "address": {
                "address1": "12 Main St",
                "address2": "2nd floor",
                "company_name": "Engines Ltd",
                "city": "Portland",
                "state": "OR",
                "zip_code": "97201",
                "country": "US",
            },
        },
        "products": [
            {
                "reference_id": "MUG-BLU-01",
                "sku": "MUG-BLU-01",
                "name": "Stoneware mug, blue",
                "external_line_id": 1,
                "quantity": 2,
                "quantity_unit_of_measure_code": "EA",
                "unit_price": Decimal("12.50"),
            },
            {
                "reference_id": "KETTLE-08",
                "sku": "KETTLE-08",
                "name": "Kettle 0.8 l",
                "external_line_id": 2,
                "quantity": 1,
                "quantity_unit_of_measure_code": "EA",
                "unit_price": Decimal("64.90"),
            },
        ],
    }


def test_what_is_empty_is_not_sent_and_names_are_made_up_for() -> None:
    bare = replace(HOME, name="", street2="", region="", postal_code="", phone="", country="us")

    body = dump_part(
        part(email="", order_number="", address=bare, lines=(replace(LINE, title=""),))
    )

    assert body["recipient"] == {
        "name": "Engines Ltd",
        "address": {
            "address1": "12 Main St",
            "company_name": "Engines Ltd",
            "city": "Portland",
            "country": "US",
        },
    }
    assert "order_number" not in body
    assert body["products"][0]["name"] == "MUG-BLU-01"


def test_a_new_address_replaces_every_part_of_the_old_one() -> None:
    address = replace(HOME, company="", street2="", phone="")

    change = PartAddressChange(reference="shopify-us/1/1", email="", address=address)

    assert dump_address_change(change) == {
        "reference": "shopify-us/1/1",
        "address": {
            "recipient_name": "Ada Byron",
            "street_address1": "12 Main St",
            "street_address2": "",
            "company_name": "",
            "city": "Portland",
            "state": "OR",
            "zip_code": "97201",
            "country_code": "US",
        },
    }


def test_a_cancellation_names_the_part() -> None:
    cancellation = PartCancellation(reference="shopify-us/1/1", reason="customer")

    assert dump_cancellation(cancellation) == {
        "reference": "shopify-us/1/1",
        "reason": "customer",
    }


def test_what_the_warehouse_would_refuse_is_refused_here_all_at_once() -> None:
    address = replace(HOME, name="n" * 301, street=" ", city="", country="USA", phone="1" * 51)
    bad = part(
        reference="a,b",
        order_number="9" * 401,
        shipping_method="",
        address=address,
        lines=(replace(LINE, quantity=0), replace(LINE, sku="")),
    )

    with pytest.raises(RejectedError) as raised:
        dump_part(bad)

    assert [(one.path, one.code) for one in raised.value.violations] == [
        ("shipping_method", "field.missing"),
        ("order_number", "text.too_long"),
        ("reference_id", "reference.unfit"),
        ("products[0].quantity", "quantity.invalid"),
        ("products[1].sku", "field.missing"),
        ("recipient.address.address1", "field.missing"),
        ("recipient.address.city", "field.missing"),
        ("recipient.name", "text.too_long"),
        ("recipient.phone_number", "text.too_long"),
        ("recipient.address.country", "country.unknown"),
    ]


def test_a_part_without_lines_and_an_address_nobody_knows_are_refused() -> None:
    with pytest.raises(RejectedError, match="products: must be given"):
        dump_part(part(lines=()))
    change = PartAddressChange(reference="r", email="", address=replace(HOME, country=""))
    with pytest.raises(RejectedError, match=r"recipient\.address\.country"):
        dump_address_change(change)
