"""What a store is told: shipments as fulfilments, invoices as metafields."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from mappings import WRITES
from mappings.shopify.invoices import dump_invoices
from mappings.shopify.shipments import dump_shipment, dump_tracking
from syncworkers.canonical.invoices import InvoiceNotice, InvoiceSummary
from syncworkers.canonical.shipments import Shipment, ShippedLine
from syncworkers.errors import RejectedError

LINE = ShippedLine(reference="9007199254740993", sku="MUG", quantity=2)
SHIPMENT = Shipment(
    reference="shipbob-west/5-1",
    store_order="9100000000000001",
    company="usmf",
    erp_number="US1",
    shipped_at=dt.datetime(2026, 11, 24, 12, tzinfo=dt.UTC),
    carrier="UPS",
    service="Ground",
    tracking_number="1Z999",
    tracking_url="https://ups.example.com/1Z999",
    notify_customer=True,
    lines=(LINE,),
)
INVOICE = InvoiceSummary(
    number="INV-1",
    date=dt.date(2026, 11, 25),
    amount=Decimal("1234567.10"),
    currency="USD",
    url="https://erp.example.com/1",
)
NOTICE = InvoiceNotice(reference="us/1", store_order="9100000000000001", invoices=(INVOICE,))


def reasons(write: Any, body: Any) -> list[tuple[str, str]]:
    with pytest.raises(RejectedError) as error:
        write(body)
    return [(one.path, one.code) for one in error.value.violations]


def noted(notice: InvoiceNotice) -> dict[str, tuple[str, Any]]:
    return {
        one["key"]: (one["type"], json.loads(one["value"]))
        for one in dump_invoices(notice)["metafields"]
    }


def test_a_shipment_names_order_lines_tracking_and_wish() -> None:
    assert dump_shipment(SHIPMENT) == {
        "order": "gid://shopify/Order/9100000000000001",
        "lines": [{"line_item": "gid://shopify/LineItem/9007199254740993", "quantity": 2}],
        "tracking": {
            "company": "UPS",
            "number": "1Z999",
            "url": "https://ups.example.com/1Z999",
        },
        "notify": True,
    }


def test_units_of_one_line_are_added_up() -> None:
    twice = replace(SHIPMENT, lines=(LINE, replace(LINE, reference="3"), LINE))

    assert [(one["line_item"][-3:], one["quantity"]) for one in dump_shipment(twice)["lines"]] == [
        ("993", 4),
        ("m/3", 2),
    ]


def test_what_is_empty_is_not_sent_and_an_address_needs_a_number() -> None:
    bare = replace(SHIPMENT, carrier=" ", tracking_number="", notify_customer=False)

    payload = dump_shipment(bare)

    assert (payload["tracking"], payload["notify"]) == ({}, False)
    assert dump_shipment(replace(bare, carrier="UPS"))["tracking"] == {"company": "UPS"}


def test_tracking_alone_names_no_lines() -> None:
    assert dump_tracking(replace(SHIPMENT, tracking_url="")) == {
        "order": "gid://shopify/Order/9100000000000001",
        "tracking": {"company": "UPS", "number": "1Z999"},
        "notify": True,
    }


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"lines": ()}, ("lines", "field.missing")),
        ({"lines": (replace(LINE, quantity=0),)}, ("lines[0].quantity", "field.invalid")),
        ({"lines": (LINE, replace(LINE, reference="x"))}, ("lines[1]", "field.invalid")),
        ({"lines": (replace(LINE, reference="1\n"),)}, ("lines[0]", "field.invalid")),
        ({"store_order": ""}, ("order", "field.invalid")),
        ({"store_order": "٣"}, ("order", "field.invalid")),
        ({"tracking_url": "ups.com/1Z"}, ("tracking.url", "field.invalid")),
        ({"tracking_url": "javascript:alert(1)"}, ("tracking.url", "field.invalid")),
        ({"tracking_url": "https://[1/"}, ("tracking.url", "field.invalid")),
        ({"tracking_url": "https://ups.com/1 Z"}, ("tracking.url", "field.invalid")),
    ],
)
def test_a_shipment_the_store_could_not_take_is_refused_with_its_place(
    changes: dict[str, Any], reason: tuple[str, str]
) -> None:
    assert reasons(dump_shipment, replace(SHIPMENT, **changes)) == [reason]


def test_all_reasons_are_given_at_once() -> None:
    wrong = replace(SHIPMENT, store_order="x", lines=(), tracking_url="x")

    assert reasons(dump_shipment, wrong) == [
        ("order", "field.invalid"),
        ("lines", "field.missing"),
        ("tracking.url", "field.invalid"),
    ]


def test_tracking_without_a_number_is_refused() -> None:
    assert reasons(dump_tracking, replace(SHIPMENT, tracking_number=" ")) == [
        ("tracking.number", "field.missing")
    ]


def test_invoices_are_noted_whole_and_by_number_in_their_order() -> None:
    other = replace(INVOICE, number="Ä-2", amount=Decimal("1E+2"), url="")

    payload = dump_invoices(replace(NOTICE, invoices=(INVOICE, other)))

    assert [(one["ownerId"], one["namespace"]) for one in payload["metafields"]] == [
        ("gid://shopify/Order/9100000000000001", "erp")
    ] * 2
    assert noted(replace(NOTICE, invoices=(INVOICE, other))) == {
        "invoices": (
            "json",
            [
                {
                    "number": "INV-1",
                    "date": "2026-11-25",
                    "amount": "1234567.10",
                    "currency": "USD",
                    "url": "https://erp.example.com/1",
                },
                {
                    "number": "Ä-2",
                    "date": "2026-11-25",
                    "amount": "100",
                    "currency": "USD",
                    "url": "",
                },
            ],
        ),
        "invoice_numbers": ("list.single_line_text_field", ["INV-1", "Ä-2"]),
    }


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"store_order": "gid://1"}, ("order", "field.invalid")),
        ({"invoices": ()}, ("invoices", "field.missing")),
        ({"invoices": (INVOICE,) * 129}, ("invoices", "list.too_long")),
        ({"invoices": (replace(INVOICE, url="u" * 131072),)}, ("invoices", "text.too_long")),
        ({"invoices": (replace(INVOICE, number=" "),)}, ("invoices[0].number", "field.invalid")),
        ({"invoices": (replace(INVOICE, number="a\nb"),)}, ("invoices[0].number", "field.invalid")),
        (
            {"invoices": (INVOICE, replace(INVOICE, number="é" * 32769))},
            ("invoices[1].number", "field.invalid"),
        ),
    ],
)
def test_a_notice_the_store_could_not_keep_is_refused_with_its_place(
    changes: dict[str, Any], reason: tuple[str, str]
) -> None:
    assert reasons(dump_invoices, replace(NOTICE, **changes)) == [reason]


def test_the_largest_notice_that_fits_is_taken() -> None:
    assert len(noted(replace(NOTICE, invoices=(INVOICE,) * 128))["invoices"][1]) == 128


def test_every_operation_of_a_store_has_its_mapping() -> None:
    written = {operation: write for (name, operation), write in WRITES.items() if name == "shopify"}

    assert written == {
        "shipment.create": dump_shipment,
        "shipment.track": dump_tracking,
        "invoice.note": dump_invoices,
    }
