"""Customer accounts are created in the simulated ERP once, whatever happens to the calls."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import requests

from syncworkers.canonical.customers import Account
from syncworkers.connectors.base import Request, Verdict
from syncworkers.sandbox.dynamics365.books import Master
from tests.integration.dynamics365_running import (
    HASTY,
    books,
    create,
    find,
    push,
    request,
    running,
    until,
)

ADA = Account(
    company="USMF",
    number="U7",
    first_name="Ada",
    last_name="Byron",
    name="Ada Byron",
    group="10",
    currency="USD",
    language="en-us",
)


def customer(account: Account = ADA) -> Request:
    return request("customer.create", account.reference, account)


def test_a_customer_is_created_once_and_a_repeat_adopts_it() -> None:
    with running() as (erp, made, url):
        [created] = push(made, customer())
        [again] = push(made, customer())

        assert (created.verdict, created.external_id, created.error) == (
            Verdict.CONFIRMED,
            "U7",
            None,
        )
        assert (again.verdict, again.external_id) == (Verdict.ADOPTED, "U7")
        assert created.external_version == again.external_version
        assert books(url)["customers"] == [
            {"account": "U7", "company": "usmf", "name": "Ada Byron"}
        ]
        assert erp.calls.books()["calls_by_operation"] == {"change": 2, "look": 1, "token": 1}


def test_a_name_that_a_person_corrected_is_adopted_without_a_remark() -> None:
    with running() as (erp, made, _):
        push(made, customer())
        erp.books.sets["CustomersV3"]["usmf", "U7"]["PersonLastName"] = "Lovelace"

        [again] = push(made, customer())

        assert (again.verdict, again.error, again.violations) == (Verdict.ADOPTED, None, ())


def test_a_customer_somebody_else_made_under_our_number_is_adopted() -> None:
    with running() as (erp, made, url):
        erp.books.master = Master(customers=frozenset({"U7"}))

        [outcome] = push(made, customer())

        assert outcome.verdict is Verdict.ADOPTED
        assert books(url)["customers"] == []


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
def test_a_customer_whose_answer_is_lost_is_found_or_not(
    fault: str, first: Verdict, then: Verdict
) -> None:
    with running(patience=HASTY) as (erp, made, _):
        erp.plan.switch({"next": [fault]})

        [pushed] = push(made, customer())
        [found] = find(made, customer())

        assert (pushed.verdict, found.verdict) == (first, then)
        assert (found.external_id == "U7") is (then is Verdict.ADOPTED)


def test_a_late_effect_is_met_by_the_repeat(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("syncworkers.sandbox.transport.LATE", 0.1)
    with running(patience=HASTY) as (erp, made, url):
        erp.plan.switch({"next": ["late_effect"]})
        [pushed] = push(made, customer())
        until(lambda: erp.books.sets["CustomersV3"])

        [again] = push(made, customer())

        assert (pushed.verdict, again.verdict) == (Verdict.UNKNOWN, Verdict.ADOPTED)
        assert len(books(url)["customers"]) == 1


def test_customers_and_orders_travel_in_one_call() -> None:
    with running() as (erp, made, _):
        outcomes = push(made, customer(), create(1), customer(replace(ADA, number="U8")))

        assert {one.verdict for one in outcomes} == {Verdict.CONFIRMED}
        assert [one.external_id for one in outcomes] == ["U7", "US1", "U8"]
        assert len({one.call for one in outcomes}) == 1
        assert erp.calls.books()["calls_by_operation"] == {"change": 1, "token": 1}


def test_an_order_waits_for_its_customer_and_then_is_booked() -> None:
    with running() as (erp, made, _):
        erp.books.master = Master(customers=frozenset())
        [early] = push(made, create(1, customer="U7"))
        push(made, customer())

        [late] = push(made, create(1, customer="U7"))

        assert (early.verdict, early.violations[0].code) == (
            Verdict.REJECTED,
            "erp.value_unknown",
        )
        assert late.verdict is Verdict.CONFIRMED


def test_a_group_the_erp_does_not_know_is_refused_and_nobody_created() -> None:
    with running() as (_, made, url):
        groups: dict[str, Any] = {"customer_groups": ["30"]}
        requests.post(f"{url}/_sandbox/master", json=groups, timeout=5)

        [refused, good] = push(made, customer(), customer(replace(ADA, number="U8", group="30")))

        assert (refused.verdict, refused.violations[0].code) == (
            Verdict.REJECTED,
            "erp.value_unknown",
        )
        assert refused.sent is not None
        assert refused.sent.startswith('customer: {"dataAreaId":"usmf","CustomerAccount":"U7"')
        assert good.verdict is Verdict.CONFIRMED
        assert [one["account"] for one in books(url)["customers"]] == ["U8"]


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"CustomerGroupId": ""}, "Field 'Customer group' must be filled in"),
        ({"PersonLastName": ""}, "Field 'Name' must be filled in"),
        ({"Colour": "red"}, "The property 'Colour' does not exist"),
    ],
)
def test_the_simulated_set_refuses_what_the_real_one_would(
    change: dict[str, str], complaint: str
) -> None:
    with running() as (_, made, url):
        wrong = customer()
        wrong.payload["customer"].update(change)

        [outcome] = push(made, wrong)

        assert outcome.verdict is Verdict.REJECTED
        assert complaint in str(outcome.error)
        assert books(url)["customers"] == []


def test_a_customer_of_a_company_that_is_not_ours_never_leaves() -> None:
    with running() as (erp, made, _):
        [outcome] = push(made, customer(replace(ADA, company="DEMF")))

        assert (outcome.verdict, outcome.violations[0].code) == (
            Verdict.REJECTED,
            "company.unknown",
        )
        assert erp.calls.books()["calls"] == 0
