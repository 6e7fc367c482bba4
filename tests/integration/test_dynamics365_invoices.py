"""Invoices of the simulated ERP: announced by events, found by polls, read whole."""

from __future__ import annotations

import datetime as dt
import json
from contextlib import contextmanager
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
import requests

from mappings import READS
from syncworkers.canonical.invoices import Invoice, InvoiceLine
from syncworkers.canonical.shipments import ShippedLine
from syncworkers.connectors.base import ProofError
from syncworkers.errors import CredentialsError, RetryableError
from tests.integration.dynamics365_running import (
    EVENT_SECRET,
    HASTY,
    books,
    connector,
    create,
    progress,
    push,
    running,
    ship,
    until,
)
from tests.integration.world import serving

if TYPE_CHECKING:
    from collections.abc import Iterator

    from syncworkers.connectors.base import Received
    from syncworkers.connectors.dynamics365 import Dynamics365
    from syncworkers.sandbox.dynamics365.app import Environment

REST = (ShippedLine(reference="12", sku="TEA-ASSAM-250", quantity=3),)


class Listener:
    """Where business events go; answers what it is told to."""

    def __init__(self) -> None:
        self.heard: list[bytes] = []
        self.answers: list[str] = []

    def __call__(self, environ: dict[str, Any], start: Any) -> list[bytes]:
        self.heard.append(environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"])))
        start(self.answers.pop(0) if self.answers else "200 OK", [("Content-Length", "0")])
        return [b""]


@contextmanager
def telling(*, invoicing: bool = True) -> Iterator[tuple[Environment, Dynamics365, str, Listener]]:
    listener = Listener()
    with serving(listener) as ours:
        event_url = f"{ours}/webhooks/d365-main/{EVENT_SECRET}"
        with running(invoicing=invoicing, event_url=event_url) as (erp, made, url):
            yield erp, made, url, listener


def window() -> tuple[dt.datetime, dt.datetime]:
    now = dt.datetime.now(dt.UTC)
    return now - dt.timedelta(minutes=5), now


def invoices_of(url: str) -> list[dict[str, Any]]:
    return [one for order in books(url)["orders"] for one in order["invoices"]]


def day_of(url: str) -> dt.date:
    """The day of the first invoice in the ERP's books."""
    return dt.date.fromisoformat(invoices_of(url)[0]["date"])


def bill(url: str, number: int, **more: Any) -> requests.Response:
    order = {"number": f"US{number}", **more}
    return requests.post(f"{url}/_sandbox/invoices", json=order, timeout=5)


def load(body: str) -> tuple[Invoice, tuple[str, ...]]:
    loaded: tuple[Invoice, tuple[str, ...]] = READS["dynamics365", "invoices/read"].load(body)
    return loaded


def receive(made: Dynamics365, body: bytes) -> Received:
    return made.receive({}, body, EVENT_SECRET)


def test_a_packing_slip_is_followed_by_its_invoice_and_an_event() -> None:
    with telling() as (erp, made, url, listener):
        push(made, create(1))
        push(made, ship(1))
        until(lambda: not progress(url)["busy"])

        [event] = [receive(made, body) for body in listener.heard]
        [record] = made.fetch(event.kind, [event.entity])
        invoice, drift = load(record.body)

        assert (event.topic, event.kind, event.entity) == (
            "SalesInvoicePostedBusinessEvent",
            "invoice",
            "usmf/CIV-000001",
        )
        assert event.topic in made.handled & made.reread
        assert made.read_topics[event.kind] == "invoices/read"
        assert drift == ()
        assert invoice == Invoice(
            external_id="usmf/CIV-000001",
            number="CIV-000001",
            company="usmf",
            order_number="US1",
            customer_reference="shopify-us/1",
            date=day_of(url),
            currency="USD",
            total=Decimal("30.95"),
            tax_total=Decimal(0),
            charge_total=Decimal("5.95"),
            lines=(
                InvoiceLine(
                    number=1,
                    item="MUG",
                    description="Mug",
                    quantity=Decimal(2),
                    unit_price=Decimal("12.50"),
                    amount=Decimal("25.00"),
                    tax=Decimal(0),
                ),
            ),
        )
        assert erp.calls.books()["calls_by_operation"]["invoices_read"] == 1


def test_the_charges_stand_on_the_first_invoice_and_all_amounts_add_up() -> None:
    part = (ShippedLine(reference="12", sku="TEA-ASSAM-250", quantity=1),)
    rest = (ShippedLine(reference="12", sku="TEA-ASSAM-250", quantity=2),)
    with running(invoicing=True) as (erp, made, url):
        push(made, create(1))
        push(made, ship(1), ship(2, 1, lines=part))
        until(lambda: progress(url)["invoices"] == 2)
        header = erp.books.sets["SalesOrderHeadersV2"]["usmf", "US1"]
        halfway = (header["SalesOrderStatus"], header["SalesOrderProcessingStatus"])
        push(made, ship(3, 1, lines=rest))
        until(lambda: progress(url)["invoices"] == 3)

        [order] = books(url)["orders"]
        assert halfway == ("Backorder", "PartiallyInvoiced")
        assert (header["SalesOrderStatus"], header["SalesOrderProcessingStatus"]) == (
            "Invoiced",
            "Invoiced",
        )
        assert [one["amount"] for one in order["invoices"]] == ["30.95", "3.33", "6.66"]
        assert order["total"] == "40.94"
        first = order["invoices"][0]
        assert {**first, "posted_at": 0} == {
            "number": "CIV-000001",
            "date": day_of(url).isoformat(),
            "amount": "30.95",
            "currency": "USD",
            "posted_at": 0,
            "lines": [{"item": "MUG", "quantity": "2", "amount": "25.00"}],
        }


def test_events_come_in_three_envelopes_and_name_their_invoices_all_the_same() -> None:
    with telling(invoicing=False) as (_, made, url, listener):
        push(made, *(create(n) for n in range(1, 4)))
        for number in (1, 2, 3):
            assert bill(url, number).status_code == 201
        until(lambda: len(listener.heard) == 3)

        fields = [json.loads(body) for body in listener.heard]
        received = [receive(made, body) for body in listener.heard]

        assert sorted(one.entity for one in received) == [
            "usmf/CIV-000001",
            "usmf/CIV-000002",
            "usmf/CIV-000003",
        ]
        assert {one.topic for one in received} == {"SalesInvoicePostedBusinessEvent"}
        assert sum("BusinessEventId" in one for one in fields) == 2
        assert sum("BusinessEventLegalEntity" in one for one in fields) == 1
        assert len({one.external_id for one in received}) == 3
        assert all("{" not in one.external_id for one in received)


def test_a_doubled_event_has_one_id_and_a_refused_one_comes_again_unchanged() -> None:
    with telling(invoicing=False) as (erp, made, url, listener):
        push(made, create(1), create(2))
        erp.plan.switch({"webhooks": ["duplicate"]})
        bill(url, 1)
        until(lambda: len(listener.heard) == 2)
        listener.answers = ["503 Service Unavailable"]
        bill(url, 2)
        until(lambda: len(listener.heard) == 4)

        ids = [receive(made, body).external_id for body in listener.heard]

        assert (ids[0], ids[2]) == (ids[1], ids[3])
        assert ids[0] != ids[2]


def test_a_lost_event_leaves_a_hole_that_a_poll_fills() -> None:
    with telling(invoicing=False) as (erp, made, url, listener):
        push(made, create(1))
        erp.plan.switch({"webhooks": ["lose"]})
        bill(url, 1)

        pages = list(made.changed("invoice", *window()))

        assert (listener.heard, progress(url)["events_pending"]) == ([], 0)
        noon = dt.datetime.combine(day_of(url), dt.time(12), dt.UTC)
        assert [[(one.external_id, one.updated_at) for one in page] for page in pages] == [
            [("usmf/CIV-000001", noon)]
        ]
        assert erp.calls.books()["calls_by_operation"]["invoices_changed"] == 1


def test_a_poll_follows_the_pages_to_their_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("syncworkers.sandbox.dynamics365.odata.PAGE", 2)
    with running() as (erp, made, url):
        push(made, *(create(n) for n in range(1, 6)))
        for number in range(1, 6):
            bill(url, number)

        pages = list(made.changed("invoice", *window()))

        assert [[one.external_id for one in page] for page in pages] == [
            ["usmf/CIV-000001", "usmf/CIV-000002"],
            ["usmf/CIV-000003", "usmf/CIV-000004"],
            ["usmf/CIV-000005"],
        ]
        assert erp.calls.books()["calls_by_operation"]["invoices_changed"] == 3


def test_a_poll_sees_the_days_around_its_window_and_no_others() -> None:
    with running() as (erp, made, url):
        push(made, *(create(n) for n in range(1, 5)))
        days = ("2026-11-22", "2026-11-23", "2026-11-25", "2026-11-26")
        for number in range(1, 5):
            bill(url, number)
        rows = list(erp.books.sets["SalesInvoiceHeadersV2"].values())
        for row, day in zip(rows, days, strict=True):
            row["InvoiceDate"] = f"{day}T12:00:00Z"
        since = dt.datetime(2026, 11, 24, 0, 1, tzinfo=dt.UTC)

        [page] = made.changed("invoice", since, since + dt.timedelta(minutes=5))

        assert [one.external_id for one in page] == ["usmf/CIV-000002", "usmf/CIV-000003"]


def test_a_poll_tells_only_of_our_companies() -> None:
    with running() as (erp, made, url):
        push(made, create(1), create(2))
        bill(url, 1)
        bill(url, 2)
        erp.books.sets["SalesInvoiceHeadersV2"].popitem()[1]["dataAreaId"] = "demf"

        [page] = made.changed("invoice", *window())

        assert [one.external_id for one in page] == ["usmf/CIV-000001"]


def test_many_invoices_are_read_in_one_call_with_every_digit_of_their_amounts() -> None:
    with running() as (erp, made, url):
        push(made, *(create(n) for n in range(1, 31)))
        for number in range(1, 31):
            bill(url, number)
        line = erp.books.sets["SalesInvoiceLinesV2"]
        odd = next(one for one in line.values() if one["InvoiceNumber"] == "CIV-000007")
        odd["SalesPrice"] = Decimal("12.123456789012345678")
        wanted = [f"usmf/CIV-{number:06}" for number in range(1, 31)]

        records = made.fetch("invoice", [*wanted, "usmf/CIV-999999", "demf/CIV-000001", "odd"])

        assert [one.external_id for one in records] == wanted
        assert erp.calls.books()["calls_by_operation"]["invoices_read"] == 1
        assert '"SalesPrice":12.123456789012345678' in records[6].body
        assert '"LineAmount":25.00' in records[6].body
        assert [len(json.loads(one.body)["lines"]) for one in records] == [2] * 30


def test_lines_beyond_a_page_are_read_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("syncworkers.sandbox.dynamics365.odata.PAGE", 1)
    with running() as (_, made, url):
        push(made, create(1))
        bill(url, 1)

        [record] = made.fetch("invoice", ["usmf/CIV-000001"])

        invoice, _ = load(record.body)
        assert [one.item for one in invoice.lines] == ["MUG", "TEA"]
        assert invoice.total == Decimal("40.94")


def test_some_lines_can_be_invoiced_by_hand_before_any_slip_but_none_twice() -> None:
    with running(invoicing=True) as (_, made, url):
        push(made, create(1))
        some = [{"externalItemNumber": "11", "quantity": 2}]

        first = bill(url, 1, lines=some)
        again = bill(url, 1, lines=some)
        missing = bill(url, 9)
        push(made, ship(1))
        until(lambda: not progress(url)["busy"])

        assert (first.status_code, first.json()) == (201, {"invoice": "CIV-000001"})
        assert (again.status_code, missing.status_code) == (400, 404)
        assert progress(url) == {
            "orders": 1,
            "cancelled": 0,
            "slips": 1,
            "invoices": 1,
            "busy": False,
            "events_pending": 0,
            "faults": {},
        }


def test_automatic_invoices_can_be_switched_off_and_on() -> None:
    with running(invoicing=False) as (_, made, url):
        push(made, create(1))
        push(made, ship(1))
        before = progress(url)
        requests.post(f"{url}/_sandbox/invoicing", json={"automatic": True}, timeout=5)
        push(made, ship(2, 1, lines=REST))
        until(lambda: not progress(url)["busy"])

        assert (before["busy"], before["invoices"]) == (False, 0)
        assert progress(url)["invoices"] == 1


@pytest.mark.parametrize(
    ("fault", "throttled"),
    [("throttle", True), ("server_error", False), ("timeout_before", False)],
)
def test_a_failed_reading_is_tried_again_later(fault: str, throttled: object) -> None:
    with running(patience=HASTY) as (erp, made, url):
        push(made, create(1))
        bill(url, 1)
        erp.plan.switch({"next": [fault, fault]})

        with pytest.raises(RetryableError) as polled:
            list(made.changed("invoice", *window()))
        with pytest.raises(RetryableError) as fetched:
            made.fetch("invoice", ["usmf/CIV-000001"])

        assert (polled.value.throttled, fetched.value.throttled) == (throttled, throttled)


def test_a_set_the_environment_does_not_have_is_named_with_its_setting() -> None:
    with running(invoice_header_set="SalesInvoiceHeadersV9") as (_, made, __):
        with pytest.raises(RetryableError) as polled:
            list(made.changed("invoice", *window()))
        with pytest.raises(RetryableError) as fetched:
            made.fetch("invoice", ["usmf/CIV-000001"])

        told = "SalesInvoiceHeadersV9 cannot be read ([connection] invoice_header_set)"
        assert str(polled.value).startswith(told)
        assert str(fetched.value).startswith(told)
        assert (polled.value.after, polled.value.throttled) == (300.0, True)


def test_wrong_credentials_are_told_and_the_secret_is_not() -> None:
    with running(client_secret="wrong-secret") as (_, made, __):
        with pytest.raises(CredentialsError) as raised:
            list(made.changed("invoice", *window()))

        assert "wrong-secret" not in str(raised.value)


def test_only_invoices_are_read() -> None:
    with running() as (_, made, __):
        with pytest.raises(ValueError, match="not read for order"):
            made.changed("order", *window())
        with pytest.raises(ValueError, match="not read for order"):
            made.fetch("order", ["US1"])


def test_an_event_needs_the_present_or_former_secret_in_its_address() -> None:
    body = b'{"EventId":"E1","InvoiceId":"CIV-1","SalesOrderId":"US1","LegalEntity":"USMF"}'
    made = connector("http://127.0.0.1:9", previous_event_secret="former-event-secret")

    for path in (EVENT_SECRET, f"/{EVENT_SECRET}/", "former-event-secret"):
        assert made.receive({}, body, path).entity == "usmf/CIV-1"
    for path in ("", "/", "other-event-secret", f"{EVENT_SECRET}x", "é"):
        with pytest.raises(ProofError) as raised:
            made.receive({}, body, path)
        assert EVENT_SECRET not in str(raised.value)

    without = connector("http://127.0.0.1:9", event_secret="")
    with pytest.raises(ProofError):
        without.receive({}, body, "")
