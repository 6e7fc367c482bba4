"""Business events in every form they come in, and bytes in none."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncworkers.connectors.base import ProofError, Received
from syncworkers.connectors.dynamics365.events import receive
from syncworkers.connectors.dynamics365.settings import read_settings

SECRET = "present-event-secret"
SETTINGS = read_settings(
    "d365-main",
    {
        "url": "https://erp.example",
        "token_url": "https://login.example/t/oauth2/v2.0/token",
        "client_id": "id",
        "client_secret": "hush",
        "default_company": "usmf",
        "event_secret": SECRET,
    },
)
GUID = "E6471158-09E3-4BDA-A508-924A8FE7A43B"
OLD = {
    "BusinessEventId": "SalesInvoicePostedBusinessEvent",
    "ControlNumber": 5637145327,
    "EventId": GUID,
    "EventTime": "/Date(1590738930000)/",
    "LegalEntity": "USMF",
    "MajorVersion": 0,
    "MinorVersion": 0,
    "InvoiceAccount": "C-1",
    "InvoiceId": "CIV-000001",
    "SalesOrderId": "US1",
}
NEW = {
    **{name: value for name, value in OLD.items() if name != "LegalEntity"},
    "EventId": f"{{{GUID.lower()}}}",
    "BusinessEventLegalEntity": "usmf",
    "EventTimeIso8601": "2026-11-24T15:42:46.3440655Z",
    "ParentContextRecordSubjects": [],
}
OLDEST = {
    name: value for name, value in OLD.items() if name not in {"BusinessEventId", "ControlNumber"}
}
GRID = {"id": "1", "eventType": "x", "subject": "y", "dataVersion": "1"}


def heard(event: Any) -> Received:
    return receive(SETTINGS, json.dumps(event).encode(), SECRET)


@pytest.mark.parametrize(
    "event",
    [
        OLD,
        NEW,
        OLDEST,
        {**GRID, "data": OLD},
        {**GRID, "data": json.dumps(NEW)},
        [{**GRID, "data": OLDEST}],
    ],
    ids=["old", "new", "oldest", "grid", "grid with a text", "grid in a list"],
)
def test_a_posted_invoice_is_understood_in_every_envelope(event: Any) -> None:
    assert heard(event) == Received(
        external_id=GUID,
        topic="SalesInvoicePostedBusinessEvent",
        kind="invoice",
        entity="usmf/CIV-000001",
        event_id=GUID,
        contract="0.0",
    )


def test_an_event_without_an_id_is_told_apart_by_what_it_says() -> None:
    event = {name: value for name, value in OLD.items() if name != "EventId"}
    digest = hashlib.sha256(json.dumps(event).encode()).hexdigest()

    received = heard(event)

    assert (received.external_id, received.event_id) == (f"sha256:{digest}", None)
    assert received.entity == "usmf/CIV-000001"


def test_numbers_keep_their_blanks_and_slashes() -> None:
    assert heard({**OLD, "InvoiceId": " CIV/2026 1"}).entity == "usmf/ CIV/2026 1"


def test_a_free_text_invoice_and_other_events_are_kept_under_their_own_name() -> None:
    event = {**OLD, "BusinessEventId": "CustFreeTextInvoicePostedBusinessEvent"}

    received = heard(event)

    assert received.topic == "CustFreeTextInvoicePostedBusinessEvent"
    assert received.entity == f"CustFreeTextInvoicePostedBusinessEvent:{GUID}"


def test_an_invoice_of_a_company_that_is_not_ours_is_nothing_to_act_on() -> None:
    received = heard({**OLD, "LegalEntity": "DEMF"})

    assert received.topic == "SalesInvoicePostedBusinessEvent/elsewhere"
    assert received.entity == f"SalesInvoicePostedBusinessEvent/elsewhere:{GUID}"


@pytest.mark.parametrize(
    "change",
    [{"InvoiceId": ""}, {"InvoiceId": 7}, {"InvoiceId": "9" * 101}, {"LegalEntity": None}],
)
def test_an_invoice_event_that_names_no_invoice_is_unknown(change: dict[str, Any]) -> None:
    assert heard({**OLD, **change}).topic == "unknown"


def test_what_no_database_could_store_is_left_out() -> None:
    received = heard({**OLD, "EventId": "a\x00b\ud800c", "InvoiceId": "CIV\x00-1"})

    assert (received.external_id, received.entity) == ("ABC", "usmf/CIV-1")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"[]",
        b"7",
        b'"text"',
        b'{"data":7}',
        b'{"data":"<html>"}',
        b'{"EventId":NaN}',
        b'{"EventId":"x","InvoiceId":1e999999999}',
        b"[" * 100_000,
        b"\xff\xfe",
    ],
)
def test_a_proven_body_that_is_no_event_is_stored_as_unknown(body: bytes) -> None:
    received = receive(SETTINGS, body, SECRET)

    assert (received.topic, received.kind) == ("unknown", "invoice")
    assert received.external_id.startswith("sha256:") or received.external_id == "X"


@given(st.binary() | st.recursive(st.text() | st.integers(), st.lists, max_leaves=5).map(repr))
def test_no_bytes_make_it_raise(body: Any) -> None:
    raw = body if isinstance(body, bytes) else str(body).encode("utf-8", "replace")

    assert receive(SETTINGS, raw, SECRET).kind == "invoice"


def test_without_the_secret_nothing_is_read() -> None:
    for path in ("", "x", SECRET[:-1], SECRET.upper()):
        with pytest.raises(ProofError):
            receive(SETTINGS, b"{}", path)
