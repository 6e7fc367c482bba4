"""How invoices are read: pages, whole answers, and what goes wrong with them."""

from __future__ import annotations

import datetime as dt
import json
from typing import TYPE_CHECKING, Any

import pytest

from syncworkers.errors import RejectedError, RetryableError
from tests.unit.dynamics365_erp import SECRET, Whole, connecting, reply, rows, serve

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.unit.dynamics365_erp import Connect, Erp

SINCE = dt.datetime(2026, 11, 24, 12, tzinfo=dt.UTC)


@pytest.fixture
def erp() -> Iterator[Erp]:
    with serve() as server:
        yield server


@pytest.fixture
def connect(erp: Erp) -> Iterator[Connect]:
    with connecting(erp) as make:
        yield make


def header(number: str, **more: Any) -> dict[str, Any]:
    named = {"dataAreaId": "USMF", "InvoiceNumber": number, "LedgerVoucher": "V1"}
    return {**named, "InvoiceDate": "2026-11-24T12:00:00Z", **more}


def listed(*found: Any, link: str | None = None) -> Whole:
    onward = {} if link is None else {"@odata.nextLink": link}
    return Whole(200, json.dumps({"value": list(found), **onward}))


def poll(connect: Connect) -> list[Any]:
    connector = connect(companies=["usmf", "frrt"])
    return list(connector.changed("invoice", SINCE, SINCE + dt.timedelta(minutes=5)))


def test_a_poll_asks_for_the_keys_of_our_companies_on_the_days_around(erp: Erp, connect: Connect):
    erp.sets["SalesInvoiceHeadersV2"] = listed(header("CIV-1"))

    [[found]] = poll(connect)

    assert (found.external_id, found.updated_at) == ("usmf/CIV-1", SINCE)
    [address] = erp.addresses
    asked = (
        "%28dataAreaId%20eq%20%27frrt%27%20or%20dataAreaId%20eq%20%27usmf%27%29"
        "%20and%20InvoiceDate%20ge%202026-11-23T00%3A00%3A00Z"
        "%20and%20InvoiceDate%20le%202026-11-25T23%3A59%3A59Z"
    )
    assert address == (
        f"/data/SalesInvoiceHeadersV2?$filter={asked}"
        "&$select=dataAreaId,InvoiceNumber,InvoiceDate&cross-company=true"
    )


def test_a_link_to_elsewhere_is_followed_at_home(erp: Erp, connect: Connect):
    link = "https://elsewhere.example/data/Others?$skiptoken=a%20b"
    erp.sets["SalesInvoiceHeadersV2"] = listed(header("CIV-1"), link=link)
    erp.sets["Others"] = listed(header("CIV-2"), header("CIV-3", dataAreaId="demf"))

    pages = poll(connect)

    assert [[one.external_id for one in page] for page in pages] == [
        ["usmf/CIV-1"],
        ["usmf/CIV-2"],
    ]
    assert erp.addresses[1] == "/data/Others?$skiptoken=a%20b"


def test_a_list_that_goes_round_in_circles_ends(erp: Erp, connect: Connect):
    erp.sets["SalesInvoiceHeadersV2"] = listed(link="/data/SalesInvoiceHeadersV2?again")

    with pytest.raises(RetryableError, match="goes on where it was"):
        poll(connect)

    assert len(erp.addresses) == 2


@pytest.mark.parametrize(
    ("answer", "after", "throttled"),
    [
        (Whole(200, "<html>"), None, False),
        (Whole(200, "[]"), None, False),
        (Whole(200, '{"value":["row"]}'), None, False),
        (listed(header("CIV-1", InvoiceDate="soon")), None, False),
        (Whole(502, "<html>"), None, False),
        (Whole(500, "<html>"), None, False),
        (Whole(403, "{}"), 60.0, False),
        (Whole(404, "{}"), 300.0, True),
        (Whole(429, "{}", {"Retry-After": "4"}), 4.0, True),
    ],
)
def test_a_poll_that_fails_is_tried_again(
    erp: Erp, connect: Connect, answer: Whole, after: float | None, throttled: object
):
    erp.sets["SalesInvoiceHeadersV2"] = answer

    with pytest.raises(RetryableError) as raised:
        poll(connect)

    assert (raised.value.after, raised.value.throttled) == (after, throttled)
    assert SECRET not in str(raised.value)


def test_a_question_the_erp_does_not_understand_needs_a_person(erp: Erp, connect: Connect):
    text = json.dumps({"error": {"message": "Could not find a property named 'InvoiceDate'"}})
    erp.sets["SalesInvoiceHeadersV2"] = Whole(400, text)

    with pytest.raises(RejectedError) as raised:
        poll(connect)

    assert [one.code for one in raised.value.violations] == ["partner.contract"]
    assert "[connection] invoice_header_set" in str(raised.value)


def test_an_invoice_is_put_together_from_its_header_and_lines(erp: Erp, connect: Connect):
    erp.script = [
        [
            *(rows(header("CIV-1")), rows({"LedgerVoucher": "V1", "LineAmount": 9.9})),
            *(rows(), rows()),
        ]
    ]

    [record] = connect().fetch("invoice", ["usmf/CIV-1", "usmf/CIV-2"])

    assert record.external_id == "usmf/CIV-1"
    assert json.loads(record.body) == {
        "header": header("CIV-1"),
        "lines": [{"LedgerVoucher": "V1", "LineAmount": 9.9}],
    }
    key = "dataAreaId%20eq%20%27usmf%27%20and%20InvoiceNumber%20eq%20%27CIV-1%27"
    assert [(one.method, one.path) for one in erp.batches[0]][:2] == [
        ("GET", f"SalesInvoiceHeadersV2?$filter={key}&cross-company=true"),
        ("GET", f"SalesInvoiceLinesV2?$filter={key}&cross-company=true"),
    ]


def test_of_a_number_given_twice_the_latest_invoice_and_its_own_lines_count(
    erp: Erp, connect: Connect
):
    old = header("1", InvoiceDate="2025-01-07T12:00:00Z", LedgerVoucher="V0")
    lines = [{"LedgerVoucher": "V0"}, {"LedgerVoucher": "V1"}, {"ProductNumber": "T"}]
    erp.script = [[rows(header("1"), old), rows(*lines)]]

    [record] = connect().fetch("invoice", ["usmf/1"])

    assert json.loads(record.body) == {"header": header("1"), "lines": lines[1:]}


@pytest.mark.parametrize(
    "step",
    [
        Whole(502, "<html>"),
        Whole(200, "<html>"),
        [rows(header("CIV-1"))],
        [rows(header("CIV-1")), reply(500)],
        [rows(header("CIV-1")), reply(200, {"value": 7})],
        [reply(404, {"error": {"message": "Entity set not found."}}), rows()],
    ],
)
def test_an_invoice_that_is_not_read_whole_is_not_read_at_all(
    erp: Erp, connect: Connect, step: Any
):
    erp.script = [step]

    with pytest.raises(RetryableError):
        connect().fetch("invoice", ["usmf/CIV-1"])


def test_many_invoices_go_in_several_calls_and_foreign_ids_in_none(erp: Erp, connect: Connect):
    erp.script = [lambda sent: [rows()] * len(sent)] * 2
    ids = [f"usmf/{number}" for number in range(41)]

    assert connect().fetch("invoice", [*ids, "demf/1", "usmf/", "nothing"]) == []

    assert [len(batch) for batch in erp.batches] == [80, 2]
