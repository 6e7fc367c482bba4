"""The Dynamics 365 connector against the simulated environment, over real sockets."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
import requests

from mappings.dynamics365.orders import dump_address_change, dump_booking, dump_cancellation
from syncworkers.canonical.bookings import AddressChange, Cancellation
from syncworkers.connectors.base import Deadline, Outcome, Ports, Request, Verdict
from syncworkers.connectors.dynamics365 import Dynamics365
from syncworkers.engine.budgets import LocalBudget
from syncworkers.policy.partners import LanePolicy, PartnerPolicy
from syncworkers.rules.booking import book
from syncworkers.sandbox.dynamics365 import app as dynamics365
from syncworkers.sandbox.dynamics365.books import Master
from syncworkers.sandbox.faults import FaultPlan
from tests.integration.test_shopify_connector import Tokens
from tests.integration.world import serving
from tests.unit.orders import HOME, order, policy

if TYPE_CHECKING:
    from collections.abc import Iterator

PATIENCE = 2.0
"""Seconds a call may take: long enough for a busy machine, short enough for a test of a hang."""


@contextmanager
def running(speed: float = 100.0) -> Iterator[tuple[dynamics365.Environment, Dynamics365, str]]:
    erp = dynamics365.build(
        FaultPlan(level="none", seed=1),
        client_id="app",
        client_secret="secret",
        speed=speed,
        caller_deadline=PATIENCE,
    )
    with serving(erp.program) as url:
        made = Dynamics365(
            PartnerPolicy(
                name="d365-main",
                connector="dynamics365",
                role="erp",
                brand="",
                connection={
                    "url": url,
                    "token_url": f"{url}/t/oauth2/v2.0/token",
                    "client_id": "app",
                    "client_secret": "secret",
                    "default_company": "usmf",
                },
                lane=LanePolicy(call_deadline=PATIENCE),
            ),
            Ports(tokens=Tokens(), budget=LocalBudget(maximum=1000.0, rate=1000.0)),
        )
        yield erp, made, url
        made.close()


def create(number: int = 1) -> Request:
    booking = book(policy(), order(external_id=str(number)), "C-1", ships_from={})
    return Request(
        operation="order.create", reference=booking.reference, payload=dump_booking(booking)
    )


def change(operation: str, number: int, version: str | None) -> Request:
    key = {"company": "usmf", "number": f"US{number}", "reference": f"shopify-us/{number}"}
    payload = (
        dump_cancellation(Cancellation(**key, reason="x"))
        if operation == "order.cancel"
        else dump_address_change(AddressChange(**key, address=replace(HOME, city="Salem")))
    )
    reference = key["reference"]
    return Request(
        operation=operation, reference=reference, payload=payload, external_version=version
    )


def push(made: Dynamics365, *wanted: Request) -> list[Outcome]:
    return made.push(wanted, Deadline(5))


def verdicts(outcomes: list[Outcome]) -> list[Verdict]:
    return [one.verdict for one in outcomes]


def test_fifty_orders_travel_in_one_call() -> None:
    with running() as (erp, made, _):
        outcomes = push(made, *(create(n) for n in range(1, 51)))

        assert set(verdicts(outcomes)) == {Verdict.CONFIRMED}
        assert len(erp.books.sets["SalesOrderHeadersV2"]) == 50
        assert erp.calls.books()["calls_by_operation"] == {"change": 1, "token": 1}


def test_a_refused_order_fails_alone_and_whole() -> None:
    with running() as (erp, made, _):
        erp.books.fail_next_line.append("Error: Item is blocked for sales.")
        two_lines = order(external_id="2", lines=order().lines * 2, total=Decimal("55.95"))
        booking = book(policy(), two_lines, "C-1", ships_from={})
        bad = replace(create(2), payload=dump_booking(booking))

        outcomes = push(made, create(1), bad, create(3))

        assert verdicts(outcomes) == [Verdict.CONFIRMED, Verdict.REJECTED, Verdict.CONFIRMED]
        assert "Item is blocked" in outcomes[1].violations[0].message
        numbers = [
            one["SalesOrderNumber"] for one in erp.books.sets["SalesOrderHeadersV2"].values()
        ]
        assert numbers == ["US1", "US3"]
        assert len(erp.books.sets["SalesOrderLinesV3"]) == 2


def test_a_repeated_create_is_adopted_and_not_doubled() -> None:
    with running() as (erp, made, _):
        push(made, create())

        again = push(made, create())

        assert verdicts(again) == [Verdict.ADOPTED]
        assert len(erp.books.sets["SalesOrderLinesV3"]) == 1


def test_a_number_taken_by_somebody_else_is_refused() -> None:
    with running() as (_, made, __):
        push(made, create())
        foreign = create()
        foreign.payload["header"]["CustomersOrderReference"] = "other-shop/1"

        [outcome] = push(made, replace(foreign, reference="other-shop/1"))

        assert outcome.verdict is Verdict.REJECTED
        assert outcome.violations[0].code == "erp.number_taken"


@pytest.mark.parametrize(
    ("fault", "first", "then"),
    [
        ("timeout_after", Verdict.UNKNOWN, Verdict.ADOPTED),
        ("timeout_before", Verdict.UNKNOWN, Verdict.ABSENT),
        ("reset", Verdict.UNKNOWN, Verdict.ABSENT),
        ("server_error", Verdict.UNKNOWN, Verdict.ABSENT),
        ("throttle", Verdict.RETRY, Verdict.ABSENT),
    ],
)
def test_a_lost_create_is_found_or_not(fault: str, first: Verdict, then: Verdict) -> None:
    with running() as (erp, made, _):
        erp.plan.switch({"next": [fault]})

        pushed = push(made, create())
        found = made.find([create()], Deadline(5))

        assert (verdicts(pushed), verdicts(found)) == ([first], [then])
        assert pushed[0].pause is (fault == "throttle")


@pytest.mark.parametrize(
    ("operation", "field", "value"),
    [
        ("order.cancel", "SalesOrderStatus", "Canceled"),
        ("order.readdress", "DeliveryAddressCity", "Salem"),
    ],
)
def test_a_change_is_guarded_by_the_version_we_know(operation: str, field: str, value: str) -> None:
    with running() as (erp, made, _):
        [created] = push(made, create())

        [changed] = push(made, change(operation, 1, created.external_version))
        [stale] = push(made, change(operation, 1, created.external_version))

        assert (changed.verdict, stale.verdict) == (Verdict.CONFIRMED, Verdict.ADOPTED)
        [header] = erp.books.sets["SalesOrderHeadersV2"].values()
        assert header[field] == value
        assert changed.external_version == header["@odata.etag"]


def test_a_change_after_somebody_elses_keeps_theirs() -> None:
    with running() as (erp, made, _):
        [created] = push(made, create())
        key = ("usmf", "US1")
        with erp.books.change_set():
            erp.books.update("SalesOrderHeadersV2", key, {"Email": "new@example.com"}, None)

        [changed] = push(made, change("order.readdress", 1, created.external_version))

        header = erp.books.sets["SalesOrderHeadersV2"][key]
        assert changed.verdict is Verdict.CONFIRMED
        assert (header["Email"], header["DeliveryAddressCity"]) == ("new@example.com", "Salem")


def test_a_picked_order_is_cancelled_no_more() -> None:
    with running() as (_, made, url):
        [created] = push(made, create())
        requests.post(f"{url}/_sandbox/picked", json={"number": "US1"}, timeout=5)

        [outcome] = push(made, change("order.cancel", 1, created.external_version))

        assert (outcome.verdict, outcome.violations[0].code) == (Verdict.REJECTED, "erp.too_late")


def test_an_unknown_customer_is_refused_with_what_to_do() -> None:
    with running() as (erp, made, _):
        erp.books.master = Master(customers=frozenset({"C-9"}))

        [outcome] = push(made, create())

        assert outcome.violations[0].code == "erp.value_unknown"
        assert "config/booking.toml" in outcome.violations[0].message


def test_an_old_token_is_renewed_unseen() -> None:
    with running() as (erp, made, _):
        push(made, create(1))
        erp.tokens.revoke_all()

        assert verdicts(push(made, create(2))) == [Verdict.CONFIRMED]


def test_the_doctor_is_content_with_the_simulator() -> None:
    with running() as (_, made, __):
        assert made.check() == []


def test_the_true_limit_of_requests_holds_at_speed_one() -> None:
    with running(speed=1.0) as (erp, _, __):
        waits = [erp.limit.ask(1000.0) for _ in range(6001)]

        assert (erp.limit.requests, erp.limit.window) == (6000, 300.0)
        assert waits[5999] == 0.0
        assert waits[6000] == 300.0
        # Pressing on makes the wait grow.
        assert erp.limit.ask(1000.0) == 600.0


def data(url: str, path: str, token: str) -> Any:
    headers = {"Authorization": f"Bearer {token}"}
    return requests.get(f"{url}/data/{path}", headers=headers, timeout=5)


def test_the_simulator_speaks_odata_as_the_partner_page_says() -> None:
    with running() as (erp, made, url):
        push(made, *(create(n) for n in range(1, 4)))
        token = erp.tokens.issue("app", "secret") or ""
        headers = "SalesOrderHeadersV2?cross-company=true"

        one = data(url, "SalesOrderHeadersV2(dataAreaId='USMF',SalesOrderNumber='US2')", token)
        either = "SalesOrderNumber eq 'US1' or SalesOrderNumber eq 'US3'"
        chosen = "$select=SalesOrderNumber&$orderby=SalesOrderNumber desc"
        some = data(url, f"{headers}&$filter={either}&{chosen}", token)
        enum = data(url, f"{headers}&$filter=SalesOrderStatus eq 'Backorder'", token)
        listed = data(url, f"{headers}&$filter=SalesOrderNumber in ('US1')", token)

        assert one.json()["SalesOrderNumber"] == "US2"
        assert one.headers["ETag"] == one.json()["@odata.etag"]
        assert [row["SalesOrderNumber"] for row in some.json()["value"]] == ["US3", "US1"]
        assert (enum.status_code, listed.status_code) == (400, 400)
        assert data(url, "Nothing", token).status_code == 404
        assert data(url, headers, "old").status_code == 401
