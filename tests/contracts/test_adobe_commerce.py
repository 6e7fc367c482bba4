"""Recorded orders load or are refused with a path; what we send fits Adobe's own schemas."""

from __future__ import annotations

import datetime as dt
import gzip
import json
from decimal import Decimal
from functools import cache
from typing import Any

import pytest
from jsonschema import Draft4Validator

from mappings.adobe_commerce import invoices, orders, shipments
from syncworkers.canonical.invoices import InvoiceNotice, InvoiceSummary
from syncworkers.canonical.shipments import Shipment, ShippedLine
from syncworkers.connectors.adobe_commerce.comments import comment_body
from syncworkers.connectors.adobe_commerce.markers import keys_in
from syncworkers.connectors.adobe_commerce.shipments import ship_body, track_body
from syncworkers.connectors.base import Request
from syncworkers.errors import RejectedError
from syncworkers.sandbox.adobe_commerce.books import Books
from syncworkers.sandbox.adobe_commerce.maker import OrderMaker
from tests.contracts.shared import folder

RECORDED = {
    "order_configurable_new.json": ("000000019", 1),
    "order_configurable_plus_simple_new.json": ("000000013", 2),
    "order_simple_cashondelivery_tax_incl_discount.json": ("000000102", 1),
    "order_simple_discount_new.json": ("000000014", 2),
    "order_simple_processing.json": ("000000015", 2),
    "order_simple_shipped_not_invoiced.json": ("000000015", 2),
}
"""Number and lines of each recorded order."""
NOT_ORDERS = ("order_comment_post.json", "order_save_response_partial_entity.json")
SHIPMENT = Shipment(
    reference="shipbob-eu/500000001",
    store_order="9",
    company="demf",
    erp_number="AC9",
    shipped_at=dt.datetime(2026, 11, 24, tzinfo=dt.UTC),
    carrier="FedEx Ground",
    service="Ground",
    tracking_number="794600000010",
    tracking_url="",
    notify_customer=True,
    lines=(ShippedLine(reference="16", sku="MUG", quantity=2),),
)


@cache
def contract() -> dict[str, Any]:
    place = folder("contracts/adobe_commerce") / "openapi_admin_2.4.9.json.gz"
    with gzip.open(place) as packed:
        found: dict[str, Any] = json.load(packed)
    return found


def violations(schema: dict[str, Any], document: Any) -> list[str]:
    whole = {**schema, "definitions": contract()["definitions"]}
    return [
        f"{one.json_path}: {one.message}" for one in Draft4Validator(whole).iter_errors(document)
    ]


def body_schema(path: str) -> dict[str, Any]:
    parameters = contract()["paths"][path]["post"]["parameters"]
    return dict(next(one["schema"] for one in parameters if one["in"] == "body"))


def request(operation: str, payload: dict[str, Any]) -> Request:
    return Request(operation=operation, reference=SHIPMENT.reference, payload=payload)


@pytest.mark.parametrize("name", sorted(RECORDED))
def test_a_recorded_order_loads_with_its_total_to_the_cent(name: str) -> None:
    raw = (folder("samples/adobe_commerce") / "orders" / name).read_bytes()

    order, drift = orders.load(raw)

    assert (order.number, len(order.lines)) == RECORDED[name]
    assert drift == ()
    told = json.loads(raw)
    assert float(order.total) == told["grand_total"]
    explained = sum(one.quantity * one.unit_price - one.discount for one in order.lines)
    assert explained + sum(one.amount for one in order.adjustments) == order.total


@pytest.mark.parametrize("name", NOT_ORDERS)
def test_what_is_no_order_is_refused_with_a_path(name: str) -> None:
    raw = (folder("samples/adobe_commerce") / "orders" / name).read_bytes()

    with pytest.raises(RejectedError) as refused:
        orders.load(raw)

    assert "entity_id" in {one.path for one in refused.value.violations}


def test_what_ships_fits_the_schema() -> None:
    body = ship_body(
        request("shipment.create", shipments.dump_shipment(SHIPMENT)), {"shipbob-eu": "eu"}
    )

    assert violations(body_schema("/V1/order/{orderId}/ship"), body) == []
    assert keys_in([body["comment"]]) == {SHIPMENT.reference}


def test_a_track_fits_the_schema() -> None:
    body = track_body(request("shipment.track", shipments.dump_tracking(SHIPMENT)), "7000")

    assert violations(body_schema("/V1/shipment/track"), body) == []


def test_a_comment_fits_the_schema() -> None:
    one = InvoiceSummary(
        number="CIV-1",
        date=dt.date(2026, 11, 24),
        amount=Decimal("30.95"),
        currency="EUR",
        url="https://erp.example.com/CIV-1",
    )
    notice = InvoiceNotice(reference="adobe-eu/9", store_order="9", invoices=(one,))
    [comment] = invoices.dump_invoices(notice)["comments"]

    body = comment_body({"entity_id": 9, "status": "processing"}, comment)

    assert violations(body_schema("/V1/orders/{id}/comments"), body) == []


def test_what_the_simulator_shows_fits_the_schema() -> None:
    books = Books()
    order = OrderMaker(3).make("2026-11-24 15:50:17")
    books.place(order)
    ships = [one for one in order["items"] if one["product_type"] == "simple"]
    parent = ships[0].get("parent_item_id", ships[0]["item_id"])
    top = next(one for one in order["items"] if one["item_id"] == parent)
    item = ships[0] if top["product_type"] == "bundle" else top
    books.ship(order["entity_id"], {"items": [{"order_item_id": item["item_id"], "qty": 1}]})

    shown = {**order, "payment": {**order["payment"], "account_status": "", "cc_last4": ""}}
    [shipment] = books.shipments.values()
    for kind, document in (("order", shown), ("shipment", shipment)):
        schema = {"$ref": f"#/definitions/sales-data-{kind}-interface"}
        assert violations(schema, document) == []
