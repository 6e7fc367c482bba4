"""Every field we send is a field of the contracted entity set, with a value of its kind."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from mappings.dynamics365 import invoices
from mappings.dynamics365.customers import dump_account
from mappings.dynamics365.lengths import LENGTHS
from mappings.dynamics365.orders import dump_address_change, dump_booking
from syncworkers.canonical.bookings import AddressChange, Booking, BookingCharge, BookingLine
from syncworkers.canonical.customers import Account
from syncworkers.canonical.orders import Address
from syncworkers.connectors.base import Request, Verdict
from syncworkers.connectors.dynamics365 import Dynamics365, customers
from syncworkers.connectors.dynamics365.answers import read_refusal, refuse
from syncworkers.connectors.dynamics365.batch import Group, GroupReply, Operation, Reply, read
from syncworkers.connectors.dynamics365.events import receive
from syncworkers.connectors.dynamics365.settings import read_settings

SHARED = Path(__file__).parents[3] / "shared"
ENTITIES = SHARED / "contracts/dynamics365/entities.json"
SAMPLES = SHARED / "samples/dynamics365"
SETS = {
    "header": "SalesOrderHeadersV2",
    "lines": "SalesOrderLinesV3",
    "charges": "SalesOrderHeaderCharges?",
}
COMPANY = "dataAreaId"
"""Every company-bound set has it; the contract knows the fields of charges from CDM only."""
ADDRESS = Address(
    name="Ada Byron",
    company="Engines Ltd",
    street="Main St 1",
    street2="2nd floor",
    city="Springfield",
    region="CA",
    postal_code="94086",
    country="US",
    phone="+1 555 0100",
)
BOOKING = Booking(
    company="usmf",
    number="US1",
    reference="shopify-us/1",
    customer="ONLINE",
    customer_reference="PO-7",
    name="Ada Byron",
    email="ada@example.com",
    currency="USD",
    language="en-us",
    taxes_included=True,
    warehouse="13",
    delivery_mode="STD",
    payment_method="CARD",
    placed_on=dt.date(2026, 11, 24),
    address=ADDRESS,
    lines=(
        BookingLine(
            reference="1",
            item="T-01",
            description="Tea",
            quantity=1,
            unit_price=Decimal(2),
            unit_discount=Decimal(0),
            amount=Decimal(2),
            warehouse="13",
            delivery_mode="STD",
        ),
    ),
    charges=(BookingCharge(code="FREIGHT", description="Shipping", amount=Decimal(1)),),
    total=Decimal(3),
)
ACCOUNT = Account(
    company="usmf",
    number="U1",
    first_name="Ada",
    last_name="Byron",
    name="Ada Byron",
    group="10",
    currency="USD",
    language="en-us",
)
SETTINGS = read_settings(
    "d365-main",
    {
        "url": "https://erp.example",
        "token_url": "https://login.example/t/oauth2/v2.0/token",
        "client_id": "id",
        "client_secret": "hush",
        "default_company": "usmf",
        "event_secret": "present-event-secret",
    },
)

pytestmark = pytest.mark.skipif(
    not ENTITIES.exists(),
    reason=f"the contracts are kept beside the checkout, not in it: {ENTITIES}",
)


@pytest.fixture(scope="module")
def contract() -> dict[str, Any]:
    return json.loads(ENTITIES.read_text(encoding="utf-8"))


@pytest.mark.parametrize("part", ["header", "lines", "charges"])
def test_every_field_of_a_booking_is_a_field_of_its_set(part: str, contract: dict[str, Any]):
    payload = dump_booking(BOOKING)[part]
    rows = [payload] if isinstance(payload, dict) else payload
    fields = contract["entities"][SETS[part]]["fields"]

    assert [name for row in rows for name in row if name not in {*fields, COMPANY}] == []


def test_every_field_of_an_address_change_is_a_header_field(contract: dict[str, Any]):
    change = AddressChange(company="usmf", number="US1", reference="r", address=ADDRESS)
    fields = contract["entities"]["SalesOrderHeadersV2"]["fields"]

    assert [name for name in dump_address_change(change)["header"] if name not in fields] == []


@pytest.mark.parametrize("account", [ACCOUNT, replace(ACCOUNT, last_name="")])
def test_every_field_of_a_customer_is_a_field_of_its_set(
    account: Account, contract: dict[str, Any]
):
    customer = dump_account(account)["customer"]
    fields = contract["entities"]["CustomersV3"]["fields"]

    assert [name for name in customer if name not in fields] == []
    assert {name for name in customer if name != "PartyType"} - set(LENGTHS) == set()


@pytest.mark.parametrize(
    ("entity_set", "schema"),
    [("SalesInvoiceHeadersV2", invoices.Header), ("SalesInvoiceLinesV2", invoices.Line)],
)
def test_every_field_of_an_invoice_is_read_or_known_to_be_unused(
    entity_set: str, schema: type[Any], contract: dict[str, Any]
):
    fields = set(contract["entities"][entity_set]["fields"])
    read_ = {field.data_key for field in schema().load_fields.values()}

    assert (read_ | schema.ignored) - {COMPANY, "@odata.etag"} == fields
    assert read_ & schema.ignored == set()


def test_the_recorded_customer_is_read_as_created_and_found():
    [exchange] = json.loads((SAMPLES / "odata/create-customer.json").read_text())["exchanges"]
    row = exchange["response"]
    payload = {**exchange["request"]["data"], "CustomerAccount": row["CustomerAccount"]}
    request = Request(operation="customer.create", reference="r", payload={"customer": payload})

    def answer(status: int, fields: dict[str, Any]) -> list[GroupReply]:
        reply = Reply(status=status, headers={}, body=json.dumps(fields).encode())
        return [GroupReply(failure=None, replies=(reply,))]

    created = customers.judge_change(SETTINGS, request, answer(201, row))
    found = customers.judge_look(SETTINGS, request, answer(200, {"value": [row]}))

    assert (created.verdict, created.external_id, created.error) == (
        Verdict.CONFIRMED,
        "DAT-000053",
        None,
    )
    assert created.external_version == found.external_version == row["@odata.etag"]
    assert found.verdict is Verdict.ADOPTED


@pytest.mark.parametrize(
    ("sample", "topic", "event_id", "company"),
    [
        (
            "customer_changed",
            "FFYCustomerChangedBusinessEvent",
            "9C091AF1-5BAF-4CA9-B0A4-94D6E59A0D1C",
            "0031",
        ),
        (
            "dmf_import_status",
            "NAVAXDMFImportStatusBusinessEvent",
            "E6471158-09E3-4BDA-A508-924A8FE7A43B",
            "usmf",
        ),
    ],
)
def test_the_recorded_events_are_received_and_wait_unhandled(
    sample: str, topic: str, event_id: str, company: str
):
    event = json.loads((SAMPLES / f"business_events/{sample}.json").read_text())["payload"]

    received = receive(SETTINGS, json.dumps(event).encode(), "present-event-secret")

    assert event["LegalEntity"] == company
    assert (received.topic, received.external_id, received.contract) == (topic, event_id, "0.0")
    assert received.entity == f"{topic}:{event_id}"
    assert received.topic not in Dynamics365.handled


def test_every_enum_we_send_is_a_symbol_of_its_type(contract: dict[str, Any]):
    fields = contract["entities"]["SalesOrderHeadersV2"]["fields"]
    kinds = {
        name: fields[name][0].removeprefix("enum ")
        for name in dump_booking(BOOKING)["header"]
        if fields[name][0].startswith("enum ")
    }
    symbols = contract["enums"]

    assert kinds == {
        "ArePricesIncludingSalesTax": "NoYes",
        "SkipCreateAutoCharges": "NoYes",
        "IsDeliveryAddressOrderSpecific": "NoYes",
    }
    assert {"Yes", "No"} <= set(symbols["NoYes"])
    assert "Canceled" in symbols["SalesStatus"]


def test_every_text_we_send_has_a_known_length(contract: dict[str, Any]):
    payload = dump_booking(BOOKING)
    rows = [payload["header"], *payload["lines"], *payload["charges"]]
    enums = {"ChargeCategory", "ArePricesIncludingSalesTax", "SkipCreateAutoCharges"}
    enums |= {"IsDeliveryAddressOrderSpecific"}
    texts = {name for row in rows for name, value in row.items() if isinstance(value, str)}

    assert texts - enums - set(LENGTHS) == set()


def test_the_recorded_batch_answer_is_read():
    body = (SAMPLES / "batch/batch_response.txt").read_bytes()
    boundary = body.splitlines()[0].removeprefix(b"--").decode()
    group = Group((Operation(method="POST", path="CustomerGroups", body="{}"),))

    answers = read(f"multipart/mixed; boundary={boundary}", body, [group, group])

    seen = [reply for answer in answers for reply in answer.replies if reply is not None]
    assert [(one.status, one.headers["etag"]) for one in seen] == [
        (201, 'W/"JzEsNjg3MTk0Nzk4MzUn"'),
        (201, 'W/"JzEsNjg3MTk0Nzk4MzYn"'),
    ]
    assert [(one.fields() or {})["CustomerGroupId"] for one in seen] == ["1060", "1070"]


def body_of(case: dict[str, Any]) -> bytes:
    return (case.get("body_text") or json.dumps(case["body"])).encode()


def test_the_recorded_errors_are_read():
    cases = json.loads((SAMPLES / "errors/odata_write_errors.json").read_text())["cases"]
    outcomes = [refuse(read_refusal(case["status"], body_of(case))) for case in cases]

    assert [(one.verdict, [v.code for v in one.violations], one.pause) for one in outcomes] == [
        (Verdict.REJECTED, ["erp.value_unknown"], False),
        (Verdict.REJECTED, ["erp.site_missing"], False),
        (Verdict.UNKNOWN, [], False),
        (Verdict.RETRY, [], True),
    ]
