from __future__ import annotations

import json
from decimal import Decimal

import pytest

from syncworkers.connectors.base import Verdict
from syncworkers.connectors.dynamics365.answers import read_refusal, refuse
from syncworkers.connectors.dynamics365.comparison import (
    differences,
    line_differences,
    set_differences,
)
from syncworkers.connectors.dynamics365.odata import filter_address, key_address
from syncworkers.connectors.dynamics365.settings import read_settings

HTML = b"<html><body>502 Bad Gateway</body></html>"
CONNECTION = {
    "url": "https://erp.example/",
    "token_url": "https://login.example/t/oauth2/v2.0/token",
    "client_id": "id",
    "client_secret": "hush",
    "default_company": "USMF",
}


def error(message: str, kind: str = "AxODataWriteException") -> bytes:
    inner = {"message": message, "type": f"Some.OData.{kind}", "stacktrace": "at Secret.Place()"}
    return json.dumps({"error": {"code": "", "message": "An error.", "innererror": inner}}).encode()


def plain(message: str) -> bytes:
    return json.dumps({"error": {"code": "", "message": message}}).encode()


@pytest.mark.parametrize(
    ("status", "body", "verdict", "pause", "code"),
    [
        (429, plain("Number of requests"), Verdict.RETRY, True, None),
        (401, b"", Verdict.RETRY, True, None),
        (403, plain("Forbidden"), Verdict.RETRY, False, None),
        (404, plain("Entity set not found."), Verdict.RETRY, True, None),
        (408, b"", Verdict.UNKNOWN, False, None),
        (412, b"", Verdict.RETRY, False, None),
        (502, HTML, Verdict.UNKNOWN, False, None),
        (503, HTML, Verdict.UNKNOWN, False, None),
        (504, HTML, Verdict.UNKNOWN, False, None),
        (500, HTML, Verdict.UNKNOWN, False, None),
        (500, error("Update has been canceled."), Verdict.UNKNOWN, False, None),
        (599, b"", Verdict.UNKNOWN, False, None),
        (400, error("The record already exists."), Verdict.UNKNOWN, False, None),
        (400, error("Field 'X' must be filled in."), Verdict.REJECTED, False, "erp.refused"),
        (422, plain("No."), Verdict.REJECTED, False, "erp.refused"),
        (
            400,
            error("Inventory dimension Site is mandatory and must be specified."),
            Verdict.REJECTED,
            False,
            "erp.site_missing",
        ),
        (
            400,
            error("The value 'T-9' in field 'Item' is not found in the related table 'Items'."),
            Verdict.REJECTED,
            False,
            "erp.value_unknown",
        ),
        (400, error("The order is picked."), Verdict.REJECTED, False, "erp.too_late"),
    ],
)
def test_every_answer_to_a_create_has_one_verdict(
    status: int, body: bytes, verdict: Verdict, pause: object, code: str | None
):
    outcome = refuse(read_refusal(status, body))

    assert (outcome.verdict, outcome.pause, outcome.status) == (verdict, pause, status)
    assert [one.code for one in outcome.violations] == ([code] if code else [])


def test_a_failed_read_is_only_read_again():
    outcomes = [
        refuse(read_refusal(status, b""), is_read=True) for status in (400, 404, 429, 500, 502)
    ]

    assert {outcome.verdict for outcome in outcomes} == {Verdict.RETRY}
    assert {outcome.violations for outcome in outcomes} == {()}


def test_404_is_a_missing_order_on_a_key_and_drift_on_an_entity_set():
    gone = refuse(read_refusal(404, b"", change_of_key=True))
    drift = refuse(read_refusal(404, plain("Entity set not found."), change_of_key=True))

    assert (gone.verdict, gone.violations[0].code) == (Verdict.REJECTED, "erp.order_missing")
    assert (drift.verdict, drift.pause, drift.after) == (Verdict.RETRY, True, 300.0)


def test_429_waits_as_asked_and_half_a_minute_unasked():
    assert refuse(read_refusal(429, b"", after=2.5)).after == 2.5
    assert refuse(read_refusal(429, b"")).after == 30.0


def test_the_stack_trace_never_leaves():
    outcome = refuse(read_refusal(400, error("Refused.")))

    assert (outcome.error, outcome.answer) == ("Refused.", "Refused.")


def test_keys_are_encoded_quotes_doubled_and_blanks_kept():
    key = {"dataAreaId": "usmf", "ItemNumber": " O'Brian/1&2"}

    assert key_address("Items", key) == (
        "Items(dataAreaId=%27usmf%27,ItemNumber=%27%20O%27%27Brian%2F1%262%27)?cross-company=true"
    )
    assert filter_address("Items", key) == (
        "Items?$filter=dataAreaId%20eq%20%27usmf%27%20and%20ItemNumber%20eq%20"
        "%27%20O%27%27Brian%2F1%262%27&cross-company=true"
    )


def test_only_real_differences_are_named():
    sent = {"dataAreaId": "usmf", "SalesPrice": Decimal("10.00"), "Name": "a\nb", "Own": "x"}
    stands = {"dataAreaId": "USMF", "SalesPrice": 10, "Name": "A\r\nb", "More": 1}

    assert differences(sent, stands) == []
    assert differences({"SalesPrice": Decimal("10.00")}, {"SalesPrice": Decimal("9.5")}) == [
        "SalesPrice: sent 10.00, stands 9.5"
    ]
    assert differences({"State": ""}, {"State": None}) == []


def test_a_lines_amount_is_compared_with_what_follows_from_its_prices():
    sent = {
        "OrderedSalesQuantity": 3,
        "SalesPrice": Decimal("10.10"),
        "LineDiscountAmount": Decimal("0.1"),
    }

    assert line_differences(sent, {"LineAmount": 30}) == []
    assert line_differences(sent, {"LineAmount": Decimal("29.7")}) == [
        "LineAmount: expected 30.00, stands 29.7"
    ]


def test_lines_and_charges_are_compared_as_sets():
    line = {
        "ExternalItemNumber": "1",
        "ItemNumber": "T",
        "OrderedSalesQuantity": 1,
        "SalesPrice": Decimal(5),
    }
    freight = {"SalesChargeCode": "FREIGHT", "FixedChargeAmount": Decimal("4.90")}
    stands = {**freight, "FixedChargeAmount": Decimal("4.9")}

    assert set_differences([line], [line], [freight], [stands]) == []
    assert set_differences([line], [], [freight], []) == [
        "line 1: is missing",
        "lines: sent 1, stand 0",
        "charges: sent FREIGHT 4.90, stand none",
    ]


def test_settings_have_defaults_for_what_is_the_same_everywhere():
    settings = read_settings("d365-main", CONNECTION)

    assert settings.url == "https://erp.example"
    assert settings.scope == "https://erp.example/.default"
    assert (settings.header_set, settings.line_set) == ("SalesOrderHeadersV2", "SalesOrderLinesV3")
    assert (settings.companies, settings.default_company) == (frozenset({"usmf"}), "usmf")
    assert "hush" not in repr(settings)
    assert (settings.customer_set, settings.invoice_header_set, settings.invoice_line_set) == (
        "CustomersV3",
        "SalesInvoiceHeadersV2",
        "SalesInvoiceLinesV2",
    )
    assert (settings.shipment_service, settings.event_secrets) == ("", ())


def test_event_secrets_are_kept_and_not_shown():
    secrets = {"event_secret": "hush" * 4, "previous_event_secret": "hush" * 5}

    settings = read_settings("d365-main", {**CONNECTION, **secrets})

    assert settings.event_secrets == ("hush" * 4, "hush" * 5)
    assert "hush" not in repr(settings)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"client_secret": ""}, 'client_secret is missing: give a text, or { env = "NAME" }'),
        ({"url": "erp.example"}, "url must be an https address without a query"),
        ({"header_set": "Sales Orders"}, "header_set must be the name of an entity set"),
        ({"companies": ["dat"]}, "companies must contain default_company (usmf)"),
        ({"companies": "usmf"}, "companies must be a list of legal entities"),
        ({"batch_bytes": True}, "batch_bytes must be a number of bytes"),
        ({"customer_set": "Customers V3"}, "customer_set must be the name of an entity set"),
        ({"shipment_service": "Service"}, 'must be "<service group>/<service>"'),
        ({"shipment_service": "a/b/c"}, 'must be "<service group>/<service>"'),
        ({"shipment_service": ""}, "shipment_service is missing"),
        ({"event_secret": "hush"}, "event_secret must be 16 characters or more"),
        ({"previous_event_secret": "hush/hush/hush/hush"}, "previous_event_secret must be 16"),
        ({"clientid": "x"}, "clientid is not known; known are batch_bytes, cancel_status"),
    ],
)
def test_wrong_settings_are_named_with_a_remedy(change: dict[str, object], complaint: str):
    with pytest.raises(ValueError, match=r"d365-main\.toml") as raised:
        read_settings("d365-main", {**CONNECTION, **change})

    assert complaint in str(raised.value)
    assert "hush" not in str(raised.value)
