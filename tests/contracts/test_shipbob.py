"""What we send and what the simulator answers, against ShipBob's own OpenAPI files.

The defects of the files that their README names are repaired in a copy as they are read.
"""

from __future__ import annotations

import gzip
import json
import math
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Any

import pytest
import requests
from jsonschema import Draft4Validator

from mappings.shipbob.milestones import STATUSES
from mappings.shipbob.orders import (
    InventoryItem,
    OrderBody,
    Product,
    ShipmentBody,
    StatusDetail,
    Tracking,
)
from mappings.shipbob.parts import LENGTHS
from mappings.shipbob.states import ORDER_STATES, SHIPMENT_STATES
from mappings.shipbob.tracking import Entry, HistoryItem
from syncworkers.connectors.base import Deadline, Verdict
from syncworkers.connectors.exact_json import dump_json
from syncworkers.connectors.shipbob import webhooks
from syncworkers.connectors.shipbob.answers import BY_CODE
from syncworkers.sandbox.faults import FaultPlan
from syncworkers.sandbox.shipbob import app as shipbob
from syncworkers.sandbox.shipbob import catalogue
from tests.contracts.shared import folder
from tests.integration.world import serving
from tests.unit.shipbob_parts import (
    CHANNEL,
    TOKEN,
    cancel,
    connector,
    create,
    readdress,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from syncworkers.connectors.shipbob import ShipBob

pytestmark = pytest.mark.contract
PINNED = "2026-01"
BY_PRODUCT_ID = "Orders.AddProductToOrderByProductIdModel"


@cache
def contract(version: str = PINNED) -> dict[str, Any]:
    found = folder("contracts/shipbob") / f"shipbob-openapi-{version}.json.gz"
    with gzip.open(found) as packed:
        return _repaired(json.load(packed))  # type: ignore[no-any-return]


def _repaired(node: Any) -> Any:
    """Return a copy without the known defects, and as plain JSON Schema where it is a schema."""
    if isinstance(node, list):
        return [_repaired(one) for one in node]
    if not isinstance(node, dict):
        return node
    # Beside allOf and oneOf it forbids what these allow.
    fixed = {
        key: _repaired(value)
        for key, value in node.items()
        if not (key == "additionalProperties" and value is False)
    }
    if BY_PRODUCT_ID in fixed:
        required = fixed[BY_PRODUCT_ID]["required"]
        fixed[BY_PRODUCT_ID]["required"] = [one for one in required if one != "product_id"]
    if fixed.pop("nullable", False) is True:
        # OpenAPI 3.0 has a word of its own for what JSON Schema says with a type.
        fixed = {"anyOf": [fixed, {"type": "null"}]}
    return fixed


def complaints(schema: dict[str, Any], value: Any) -> list[str]:
    """Say what of a value its schema does not allow."""
    whole = {**schema, "components": contract()["components"]}
    found = Draft4Validator(whole).iter_errors(value)
    return [f"{error.json_path}: {error.message[:200]}" for error in found]


def answers(path: str, method: str, status: str) -> dict[str, Any]:
    said = contract()["paths"][f"/{PINNED}/{path}"][method]["responses"][status]
    return said["content"]["application/json"]["schema"]  # type: ignore[no-any-return]


def asks(path: str, method: str) -> dict[str, Any]:
    said = contract()["paths"][f"/{PINNED}/{path}"][method]["requestBody"]
    return said["content"]["application/json"]["schema"]  # type: ignore[no-any-return]


def component(name: str) -> dict[str, Any]:
    return contract()["components"]["schemas"][name]  # type: ignore[no-any-return]


def properties(name: str) -> set[str]:
    return set(component(name)["properties"])


@contextmanager
def running(speed: float = 100.0, **changes: Any) -> Iterator[tuple[shipbob.Warehouse, ShipBob]]:
    warehouse = shipbob.build(
        FaultPlan(level="none", seed=1),
        token=TOKEN,
        channel_id=CHANNEL,
        speed=speed,
        autopilot=False,
    )
    with serving(warehouse.program) as url:
        made = connector(url, **changes)
        yield warehouse, made
        made.close()


def call(made: ShipBob, method: str, path: str, sent: Any = None) -> requests.Response:
    headers = {"Authorization": f"Bearer {TOKEN}", "shipbob_channel_id": str(CHANNEL)}
    body = None if sent is None else dump_json(sent)
    return requests.request(
        method, f"{made._settings.base}/{path}", data=body, headers=headers, timeout=5
    )


def test_the_check_itself_can_fail() -> None:
    schema = asks("order", "post")
    good = json.loads(dump_json(dict(create().payload)))

    assert complaints(schema, good) == []
    assert complaints(schema, {**good, "type": "B2C"})
    assert complaints(schema, {**good, "products": []})
    assert complaints(schema, {**good, "recipient": {"name": "Ada"}})
    assert complaints(schema, {**good, "order_number": None}) == []
    assert complaints(schema, {**good, "shipping_method": None})
    assert complaints(answers("order", "get", "200"), [{"status": "Teleported"}])
    assert complaints(answers("order", "get", "200"), [{"shipments": [{"id": "9"}]}])
    assert complaints(answers("webhook", "get", "200"), {"items": [{"topics": ["tea"]}]})


@pytest.mark.parametrize(
    "request_",
    [create(), create(email="", order_number="")],
    ids=["whole", "bare"],
)
def test_an_order_we_send_is_an_order_of_the_contract(request_: Any) -> None:
    sent = json.loads(dump_json(request_.payload))

    assert complaints(asks("order", "post"), sent) == []
    assert sent.keys() <= properties("Orders.CreateOrderModel")
    assert sent["recipient"].keys() <= properties("Orders.RecipientInfoViewModel")
    assert sent["recipient"]["address"].keys() <= properties("Orders.AddressViewModel")
    for line in sent["products"]:
        assert line.keys() <= properties("Orders.AddProductToOrderByReferenceIdModel")


def test_a_new_address_we_send_is_one_of_the_contract() -> None:
    sent = readdress().payload["address"]

    assert complaints(asks("shipment/{shipmentId}:updateAddress", "put"), sent) == []
    assert sent.keys() <= properties("Orders.UpdateAddressRequest")


def test_the_lengths_we_keep_are_the_contracts() -> None:
    order, recipient = (
        component(name)["properties"]
        for name in ("Orders.CreateOrderModel", "Orders.RecipientInfoViewModel")
    )
    limits = {
        "reference_id": order["reference_id"]["maxLength"],
        "order_number": order["order_number"]["anyOf"][0]["maxLength"],
        "recipient.name": recipient["name"]["maxLength"],
        "recipient.phone_number": recipient["phone_number"]["anyOf"][0]["maxLength"],
    }

    assert limits == LENGTHS


def test_our_tables_know_every_word_of_the_contract_and_no_other() -> None:
    tracked = component("Tracking.TrackingHistoryItem")["properties"]["status"]
    topics = set(component("Webhooks.Topics")["enum"])

    assert set(ORDER_STATES) == set(component("Orders.OrderStatus")["enum"])
    assert set(SHIPMENT_STATES) == set(component("Orders.OrderStatusEnum")["enum"])
    assert set(STATUSES) == set(tracked["anyOf"][0]["enum"])
    assert set(BY_CODE) == set(component("Orders.ErrorCode")["enum"])
    assert topics >= webhooks.HANDLED
    assert topics == catalogue.TOPICS


@pytest.mark.parametrize(
    ("schema", "model"),
    [
        (OrderBody(), "Orders.OrderViewModel"),
        (ShipmentBody(), "Orders.ShipmentViewModel"),
        (Product(), "Orders.ShipmentProductViewModel"),
        (InventoryItem(), "Orders.InventoryViewModel"),
        (StatusDetail(), "Orders.StatusDetailViewModel"),
        (Tracking(), "Orders.TrackingViewModel"),
        (Entry(), "Tracking.ShipmentTrackingResponse"),
        (HistoryItem(), "Tracking.TrackingHistoryItem"),
    ],
)
def test_our_readings_know_every_field_of_the_contract_and_no_other(
    schema: Any, model: str
) -> None:
    read = {field.data_key or name for name, field in schema.load_fields.items()}

    assert read | schema.ignored == properties(model)
    assert not read & schema.ignored


@pytest.mark.parametrize("version", ["2025-07", PINNED])
def test_every_operation_we_use_is_in_the_contract(version: str) -> None:
    used = {
        ("order", "get"),
        ("order", "post"),
        ("order/{orderId}:cancel", "post"),
        ("shipping-method", "get"),
        ("channel", "get"),
        ("webhook", "get"),
        ("webhook", "post"),
    }
    new = {("shipments-tracking", "get"), ("shipment/{shipmentId}:updateAddress", "put")}
    paths = contract(version)["paths"]
    known = {
        (path.removeprefix(f"/{version}/"), method) for path in paths for method in paths[path]
    }

    assert used <= known
    assert (new & known == new) is (version == PINNED)


def test_the_simulators_orders_are_orders_of_the_contract() -> None:
    with running() as (warehouse, made):
        made_order = call(made, "POST", "order", dict(create().payload))
        strange = dict(create(2).payload)
        strange["products"] = [{"reference_id": "NEW", "name": "New", "quantity": 1}]
        call(made, "POST", "order", strange)
        order_id = made_order.json()["id"]
        warehouse.floor.ship("shopify-us/1/1", {"KETTLE-08": 1})
        gone, _ = warehouse.books.references["shopify-us/1/1"].shipments
        warehouse.floor.move(gone.id, "Delivered", substatus="Delivered", location="Reno, NV")
        one = call(made, "GET", f"order/{order_id}")
        listed = call(made, "GET", "order")
        tracked = call(made, "GET", f"shipments-tracking?ShipmentIds={gone.id}")

    assert complaints(answers("order", "post", "201"), made_order.json()) == []
    assert complaints(answers("order/{orderId}", "get", "200"), one.json()) == []
    assert complaints(answers("order", "get", "200"), listed.json()) == []
    assert complaints(answers("shipments-tracking", "get", "200"), tracked.json()) == []
    assert (len(listed.json()), len(tracked.json())) == (2, 1)
    for order in listed.json():
        assert order.keys() <= properties("Orders.OrderViewModel")
        for shipment in order["shipments"]:
            assert shipment.keys() == properties("Orders.ShipmentViewModel")
            assert shipment["tracking"].keys() == properties("Orders.TrackingViewModel")
    assert tracked.json()[0].keys() == properties("Tracking.ShipmentTrackingResponse")


def test_the_simulators_three_answers_to_a_cancel_are_of_the_contract() -> None:
    path = "order/{orderId}:cancel"
    with running() as (warehouse, made):
        made.push([create(number) for number in (1, 2, 3)], Deadline(5))
        warehouse.floor.label("shopify-us/2/1")
        warehouse.floor.ship("shopify-us/3/1", {"KETTLE-08": 1})
        ids = list(warehouse.books.orders)
        by_reference = [warehouse.books.references[f"shopify-us/{n}/1"].id for n in (1, 2, 3)]
        said = [call(made, "POST", f"order/{one}:cancel").json() for one in by_reference]
        again = call(made, "POST", f"order/{by_reference[0]}:cancel")

    assert len(ids) == 3
    assert [one["status"] for one in said] == ["Success", "Failure", "PartialSuccess"]
    for one in said:
        assert complaints(answers(path, "post", "200"), one) == []
        assert one.keys() == properties("Orders.CanceledOrderViewModel")
    assert complaints(answers(path, "post", "422"), again.json()) == []


def test_the_simulators_answers_to_changes_of_a_shipment_are_of_the_contract() -> None:
    address = "shipment/{shipmentId}:updateAddress"
    with running() as (warehouse, made):
        made.push([create()], Deadline(5))
        [shipment] = warehouse.books.shipments
        sent = dict(readdress().payload["address"])
        done = call(made, "PUT", f"shipment/{shipment}:updateAddress", sent)
        wrong = call(made, "PUT", f"shipment/{shipment}:updateAddress", {})
        warehouse.floor.label("shopify-us/1/1")
        late = call(made, "PUT", f"shipment/{shipment}:updateAddress", sent)
        refused = call(made, "POST", f"shipment/{shipment}:cancel")

    assert complaints(answers(address, "put", "200"), done.json()) == []
    assert complaints(answers(address, "put", "200"), late.json()) == []
    assert complaints(answers(address, "put", "400"), wrong.json()) == []
    cancelled = answers("shipment/{shipmentId}:cancel", "post", "422")
    assert complaints(cancelled, refused.json()) == []
    assert late.json()["error"].keys() == properties("Orders.ErrorResponse")


def test_the_simulators_refusals_of_an_order_are_of_the_contract() -> None:
    with running() as (_, made):
        bad = call(made, "POST", "order", {"type": "DTC"})
        call(made, "POST", "order", dict(create().payload))
        twice = call(made, "POST", "order", dict(create().payload))
        query = call(made, "GET", "order?Limit=0")
        tracking = call(made, "GET", "shipments-tracking")

    assert [bad.status_code, twice.status_code, query.status_code] == [400, 422, 400]
    assert complaints(answers("order", "post", "400"), bad.json()) == []
    assert complaints(answers("order", "post", "422"), twice.json()) == []
    assert complaints(answers("order", "get", "400"), query.json()) == []
    assert complaints(answers("shipments-tracking", "get", "400"), tracking.json()) == []


def test_the_simulators_account_is_of_the_contract() -> None:
    with running(webhook_url="https://us.example/webhooks/shipbob-west") as (_, made):
        sent = {
            "topics": sorted(webhooks.HANDLED),
            "url": "https://us.example/webhooks/shipbob-west",
            "description": "syncworkers",
            "secret": made._settings.webhook_secrets[0],
        }
        created = call(made, "POST", "webhook", sent)
        refused = call(made, "POST", "webhook", {"topics": []})
        listed = call(made, "GET", "webhook")
        channels = call(made, "GET", "channel?RecordsPerPage=1")
        methods = call(made, "GET", "shipping-method")

    assert complaints(asks("webhook", "post"), sent) == []
    assert complaints(answers("webhook", "post", "200"), created.json()) == []
    assert complaints(answers("webhook", "post", "422"), refused.json()) == []
    assert complaints(answers("webhook", "get", "200"), listed.json()) == []
    assert complaints(answers("channel", "get", "200"), channels.json()) == []
    assert complaints(answers("shipping-method", "get", "200"), methods.json()) == []
    assert listed.json()["items"][0].keys() == properties("Webhooks.V2.WebhookViewModelV2")
    assert channels.json()["next"].startswith("/2026-01/channel?cursor=")


def test_at_the_true_limit_the_151st_call_in_a_minute_waits_as_long_as_it_is_told() -> None:
    with running(speed=1.0) as (warehouse, made):
        left = [call(made, "GET", "channel").headers["x-remaining-calls"] for _ in range(149)]
        [last] = made.push([create()], Deadline(5))
        refused = call(made, "GET", "channel")
        [outcome] = made.push([create(2)], Deadline(5))

    assert (warehouse.limit.calls, warehouse.limit.window) == (150, 60.0)
    assert left == [str(number) for number in range(149, 0, -1)]
    assert last.verdict is Verdict.CONFIRMED
    seconds = int(refused.headers["x-retry-after"])
    assert 40 < seconds <= 60
    assert (refused.status_code, refused.headers["Retry-After"]) == (429, str(seconds))
    assert refused.json() == {
        "statusCode": 429,
        "message": f"Rate limit is exceeded. Try again in {seconds} seconds.",
    }
    assert (outcome.verdict, outcome.pause, outcome.status) == (Verdict.RETRY, True, 429)
    assert math.isclose(outcome.after or 0, seconds, abs_tol=2)
    assert list(warehouse.books.references) == ["shopify-us/1/1"]


def test_what_we_cancel_needs_no_body() -> None:
    said = contract()["paths"][f"/{PINNED}/order/{{orderId}}:cancel"]["post"]

    assert "requestBody" not in said
    assert cancel().payload.keys() == {"reference", "reason"}
