"""Customers and shipments as the ERP takes them."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any

import pytest

from mappings.dynamics365.customers import dump_account
from mappings.dynamics365.shipments import dump_shipment
from syncworkers.canonical.customers import Account
from syncworkers.canonical.shipments import Shipment, ShippedLine
from syncworkers.errors import RejectedError

ADA = Account(
    company="USMF",
    number="U7012",
    first_name="Ada",
    last_name="Byron",
    name="Ada Byron",
    group="10",
    currency="USD",
    language="en-us",
)
SHIPMENT = Shipment(
    reference="shipbob-west/901",
    store_order="5182437124",
    company="USMF",
    erp_number="US5182437124",
    shipped_at=dt.datetime(2026, 11, 24, 9, 30, 15, 999, dt.timezone(-dt.timedelta(hours=8))),
    carrier="FedEx",
    service="Ground",
    tracking_number="7712",
    tracking_url="https://track.example/7712",
    notify_customer=True,
    lines=(
        ShippedLine(reference="14001", sku="MUG", quantity=2),
        ShippedLine(reference="14002", sku="TEA", quantity=1),
    ),
)


def codes(error: RejectedError) -> list[tuple[str, str]]:
    return [(one.path, one.code) for one in error.violations]


def test_a_customer_with_a_last_name_is_a_person() -> None:
    assert dump_account(ADA) == {
        "customer": {
            "dataAreaId": "usmf",
            "CustomerAccount": "U7012",
            "PartyType": "Person",
            "PersonFirstName": "Ada",
            "PersonLastName": "Byron",
            "CustomerGroupId": "10",
            "SalesCurrencyCode": "USD",
            "LanguageId": "en-us",
        }
    }


def test_a_person_without_a_first_name_sends_none() -> None:
    customer = dump_account(replace(ADA, first_name=""))["customer"]

    assert "PersonFirstName" not in customer
    assert customer["PersonLastName"] == "Byron"


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"first_name": ""}, "Ada Byron"),
        ({"first_name": "", "name": "Engines Ltd"}, "Engines Ltd"),
        ({"name": ""}, "Ada"),
        ({"first_name": "", "name": ""}, "U7012"),
    ],
)
def test_without_a_last_name_the_one_name_there_is_must_do(
    changes: dict[str, Any], name: str
) -> None:
    customer = dump_account(replace(ADA, last_name="", language="", **changes))["customer"]

    assert customer == {
        "dataAreaId": "usmf",
        "CustomerAccount": "U7012",
        "PartyType": "Organization",
        "OrganizationName": name,
        "CustomerGroupId": "10",
        "SalesCurrencyCode": "USD",
    }


def test_a_customer_the_erp_would_cut_or_miss_something_of_is_refused_all_at_once() -> None:
    with pytest.raises(RejectedError) as raised:
        dump_account(replace(ADA, group="", number="U" * 21, last_name="B" * 26))

    assert codes(raised.value) == [
        ("customer.CustomerGroupId", "field.missing"),
        ("customer.CustomerAccount", "text.too_long"),
        ("customer.PersonLastName", "text.too_long"),
    ]


def test_a_shipment_names_its_order_its_parcel_and_the_lines_in_it() -> None:
    assert dump_shipment(SHIPMENT) == {
        "shipment": {
            "shipmentId": "shipbob-west/901",
            "dataAreaId": "usmf",
            "salesOrderNumber": "US5182437124",
            "shippedAt": "2026-11-24T17:30:15Z",
            "carrier": "FedEx",
            "carrierService": "Ground",
            "trackingNumber": "7712",
            "trackingUrl": "https://track.example/7712",
            "lines": [
                {"externalItemNumber": "14001", "quantity": 2},
                {"externalItemNumber": "14002", "quantity": 1},
            ],
        }
    }


def test_goods_of_one_order_line_become_one_line() -> None:
    twice = (*SHIPMENT.lines, ShippedLine(reference="14001", sku="MUG", quantity=3))

    lines = dump_shipment(replace(SHIPMENT, lines=twice))["shipment"]["lines"]

    assert lines == [
        {"externalItemNumber": "14001", "quantity": 5},
        {"externalItemNumber": "14002", "quantity": 1},
    ]


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({"lines": ()}, [("shipment.lines", "shipment.empty")]),
        ({"erp_number": ""}, [("shipment.salesOrderNumber", "field.missing")]),
        ({"reference": "r" * 61}, [("shipment.shipmentId", "text.too_long")]),
        ({"tracking_number": "t" * 101}, [("shipment.trackingNumber", "text.too_long")]),
        (
            {"lines": (ShippedLine(reference="1" * 21, sku="MUG", quantity=0),)},
            [
                ("shipment.lines[0].quantity", "quantity.wrong"),
                ("shipment.lines[0].externalItemNumber", "text.too_long"),
            ],
        ),
    ],
)
def test_a_shipment_that_cannot_be_posted_is_refused(
    changes: dict[str, Any], found: list[tuple[str, str]]
) -> None:
    with pytest.raises(RejectedError) as raised:
        dump_shipment(replace(SHIPMENT, **changes))

    assert codes(raised.value) == found
