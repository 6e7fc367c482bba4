"""A posted invoice as read from the ERP becomes ours, or is refused with its paths."""

from __future__ import annotations

import datetime as dt
import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mappings.dynamics365 import invoices
from syncworkers.canonical.invoices import Invoice, InvoiceLine
from syncworkers.errors import RejectedError

HEADER = {
    "@odata.etag": 'W/"1"',
    "dataAreaId": "USMF",
    "InvoiceNumber": " CIV/7",
    "InvoiceDate": "2026-11-24T12:00:00Z",
    "LedgerVoucher": "ARIV-7",
    "SalesOrderNumber": "US1",
    "CustomersOrderReference": "shopify-us/1",
    "CurrencyCode": "USD",
    "TotalInvoiceAmount": 40.94,
    "TotalTaxAmount": 0,
    "TotalChargeAmount": 5.95,
}
LINE = {
    "dataAreaId": "usmf",
    "InvoiceNumber": " CIV/7",
    "LineCreationSequenceNumber": 2,
    "ProductNumber": "1003",
    "ProductName": "Tea",
    "ProductDescription": "Tea, loose",
    "InvoicedQuantity": 3,
    "SalesPrice": 3.33,
    "LineAmount": 9.99,
    "LineTotalTaxAmount": 0.5,
}
MUG = {
    **LINE,
    "LineCreationSequenceNumber": 1,
    "ProductNumber": "1000",
    "ProductName": "Mug",
    "ProductDescription": "",
    "InvoicedQuantity": 2.0,
    "SalesPrice": 12.5,
    "LineAmount": 25,
}


def load(header: dict[str, Any], *lines: dict[str, Any]) -> tuple[Invoice, tuple[str, ...]]:
    return invoices.load(json.dumps({"header": header, "lines": lines}))


def test_header_and_lines_become_an_invoice_with_exact_amounts() -> None:
    invoice, drift = load(HEADER, LINE, MUG)

    assert drift == ()
    assert invoice == Invoice(
        external_id="usmf/ CIV/7",
        number=" CIV/7",
        company="usmf",
        order_number="US1",
        customer_reference="shopify-us/1",
        date=dt.date(2026, 11, 24),
        currency="USD",
        total=Decimal("40.94"),
        tax_total=Decimal(0),
        charge_total=Decimal("5.95"),
        lines=(
            InvoiceLine(
                number=1,
                item="1000",
                description="Mug",
                quantity=Decimal(2),
                unit_price=Decimal("12.5"),
                amount=Decimal(25),
                tax=Decimal("0.5"),
            ),
            InvoiceLine(
                number=2,
                item="1003",
                description="Tea, loose",
                quantity=Decimal(3),
                unit_price=Decimal("3.33"),
                amount=Decimal("9.99"),
                tax=Decimal("0.5"),
            ),
        ),
    )


@pytest.mark.parametrize("number", [None, 0, 1.5, 1])
def test_lines_whose_numbers_tell_none_apart_are_numbered_as_they_came(number: Any) -> None:
    odd = {"LineCreationSequenceNumber": number}

    invoice, _ = load(HEADER, {**LINE, **odd}, {**MUG, **odd})

    assert [(one.number, one.item) for one in invoice.lines] == [(1, "1003"), (2, "1000")]


def test_what_came_back_is_negative() -> None:
    credit = {"TotalInvoiceAmount": -9.99, "TotalChargeAmount": 0}

    invoice, _ = load({**HEADER, **credit}, {**LINE, "InvoicedQuantity": -3, "LineAmount": -9.99})

    assert (invoice.total, invoice.lines[0].quantity) == (Decimal("-9.99"), Decimal(-3))


def test_a_day_is_never_shifted() -> None:
    for text in ("2026-11-24", "2026-11-24T12:00:00Z", "2026-11-24T00:00:00-11:00"):
        invoice, _ = load({**HEADER, "InvoiceDate": text}, LINE)

        assert invoice.date == dt.date(2026, 11, 24)


def test_new_fields_are_drift_and_do_no_harm() -> None:
    _, drift = load({**HEADER, "Colour": 1}, {**LINE, "Shade": 2})

    assert drift == ("header.Colour", "lines[].Shade")


@pytest.mark.parametrize(
    ("header", "line", "paths"),
    [
        ({"InvoiceDate": "1900-01-01T12:00:00Z"}, {}, ["header.InvoiceDate"]),
        ({"InvoiceDate": ""}, {}, ["header.InvoiceDate"]),
        ({"InvoiceNumber": ""}, {}, ["header.InvoiceNumber"]),
        ({"dataAreaId": None}, {}, ["header.dataAreaId"]),
        ({"CurrencyCode": "$"}, {}, ["header.CurrencyCode"]),
        ({"TotalInvoiceAmount": "much"}, {}, ["header.TotalInvoiceAmount"]),
        ({"TotalTaxAmount": None}, {}, ["header.TotalTaxAmount"]),
        ({}, {"LineAmount": 1e300}, ["lines[0].LineAmount"]),
        ({}, {"InvoicedQuantity": 1e10}, ["lines[0].InvoicedQuantity"]),
        ({}, {"SalesPrice": None}, ["lines[0].SalesPrice"]),
    ],
)
def test_what_cannot_be_true_is_refused_by_path(
    header: dict[str, Any], line: dict[str, Any], paths: list[str]
) -> None:
    with pytest.raises(RejectedError) as raised:
        load({**HEADER, **header}, {**LINE, **line})

    assert [one.path for one in raised.value.violations] == paths


ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=3,
)


@given(
    header=st.dictionaries(st.sampled_from(sorted(HEADER)), ANY),
    line=st.dictionaries(st.sampled_from(sorted(LINE)), ANY),
)
def test_no_values_make_it_raise_anything_else(
    header: dict[str, Any], line: dict[str, Any]
) -> None:
    try:
        invoice, _ = load({**HEADER, **header}, {**LINE, **line})
    except RejectedError as error:
        assert error.violations
    else:
        assert len(invoice.lines) == 1


@pytest.mark.parametrize("body", [b"", b"[]", b"\xff", b'{"header":7,"lines":[]}', b"[" * 99999])
def test_bytes_that_are_no_invoice_are_refused(body: bytes) -> None:
    with pytest.raises(RejectedError):
        invoices.load(body)
