"""How calls are made: tokens, allowance, sizes, deadlines."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from syncworkers.connectors.base import Deadline, Request, Verdict
from syncworkers.engine.budgets import LocalBudget
from tests.unit.dynamics365_erp import (
    SECRET,
    Whole,
    connecting,
    create,
    created,
    header,
    readdress,
    rows,
    serve,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.unit.dynamics365_erp import Connect, Erp


@pytest.fixture
def erp() -> Iterator[Erp]:
    with serve() as server:
        yield server


@pytest.fixture
def connect(erp: Erp) -> Iterator[Connect]:
    with connecting(erp) as make:
        yield make


def test_a_refused_connection_is_retried(erp: Erp, connect: Connect):
    (outcome,) = connect(url="http://127.0.0.1:9").push([create("US1")], Deadline(5))

    assert (outcome.verdict, outcome.pause) == (Verdict.RETRY, False)
    assert outcome.error == "POST 127.0.0.1/data/$batch: Connection refused; nothing was sent"


def test_a_batch_that_is_refused_whole_is_halved(erp: Erp, connect: Connect):
    bad_request = Whole(400, '{"error":{"message":"Malformed."}}')
    erp.script = [bad_request, lambda sent: [created(sent)], bad_request]

    good, bad = connect().push([create("US1"), create("US2")], Deadline(5))

    assert good.verdict is Verdict.CONFIRMED
    assert (bad.verdict, bad.error) == (Verdict.REJECTED, "Malformed.")


def test_a_look_up_repeats_on_a_connection_that_proves_stale(erp: Erp, connect: Connect):
    erp.script = ["hang up", [rows(), rows(), rows()]]

    (outcome,) = connect().find([create("US1")], Deadline(5))

    assert outcome.verdict is Verdict.ABSENT


def test_one_refused_token_costs_one_repeat(erp: Erp, connect: Connect):
    connector = connect()
    erp.script = [lambda sent: [created(sent)]]
    erp.refused_tokens = 1

    (outcome,) = connector.push([create("US1")], Deadline(5))

    assert (outcome.verdict, erp.tokens) == (Verdict.CONFIRMED, 2)


def test_a_token_refused_twice_pauses_the_partner(erp: Erp, connect: Connect):
    erp.refused_tokens = 9

    (outcome,) = connect().push([create("US1")], Deadline(5))

    assert (outcome.verdict, outcome.pause, outcome.credentials) == (Verdict.RETRY, True, True)
    assert (erp.tokens, erp.batches) == (2, [])


@pytest.mark.parametrize(
    ("answer", "credentials"),
    [
        (Whole(401, json.dumps({"error_description": f"bad secret {SECRET}"})), True),
        (Whole(400, '{"error":"invalid_client"}'), True),
        (Whole(200, "<html>"), False),
        (Whole(503, "<html>"), False),
        (Whole(429, "", {"Retry-After": "3"}), False),
    ],
)
def test_without_a_token_nothing_is_sent_and_no_secret_is_told(
    erp: Erp, connect: Connect, answer: Whole, credentials: object
):
    erp.token_answer = answer

    (outcome,) = connect().push([create("US1")], Deadline(5))

    assert (outcome.verdict, outcome.credentials) == (Verdict.RETRY, credentials)
    assert SECRET not in repr(outcome)
    assert erp.batches == []


def test_a_used_up_allowance_pauses_and_sends_nothing(erp: Erp, connect: Connect):
    budget = LocalBudget(maximum=1.0, rate=0.5)
    budget.take()

    (outcome,) = connect(budget=budget).push([create("US1")], Deadline(5))

    assert (outcome.verdict, outcome.pause) == (Verdict.RETRY, True)
    assert outcome.after == pytest.approx(2.0, abs=0.1)
    assert erp.batches == []


def test_a_short_wait_for_the_allowance_is_waited(erp: Erp, connect: Connect):
    budget = LocalBudget(maximum=1.0, rate=20.0)
    budget.take()
    erp.script = [lambda sent: [created(sent)]]

    (outcome,) = connect(budget=budget).push([create("US1")], Deadline(5))

    assert outcome.verdict is Verdict.CONFIRMED


def test_orders_beyond_a_batch_go_in_the_next_call(erp: Erp, connect: Connect):
    erp.script = [
        lambda sent: [created(sent[0:2]), created(sent[2:4])],
        lambda sent: [created(sent)],
    ]

    outcomes = connect(batch=2).push([create(f"US{n}") for n in range(3)], Deadline(5))

    assert [one.verdict for one in outcomes] == [Verdict.CONFIRMED] * 3
    assert [len(batch) for batch in erp.batches] == [4, 2]


def test_bodies_are_bounded_in_bytes(erp: Erp, connect: Connect):
    erp.script = [lambda sent: [created(sent)]] * 3

    outcomes = connect(batch_bytes=1000).push([create(f"US{n}") for n in range(3)], Deadline(5))

    assert [one.verdict for one in outcomes] == [Verdict.CONFIRMED] * 3
    assert len(erp.batches) == 3


def test_after_a_429_no_further_call_is_begun(erp: Erp, connect: Connect):
    erp.script = [Whole(429)]

    outcomes = connect(batch=1).push([create("US1"), create("US2")], Deadline(5))

    assert [one.verdict for one in outcomes] == [Verdict.RETRY, Verdict.NOT_STARTED]


def test_after_the_deadline_nothing_is_begun(erp: Erp, connect: Connect):
    outcomes = connect().push([create("US1"), readdress("US2", etag=None)], Deadline(0))

    assert [one.verdict for one in outcomes] == [Verdict.NOT_STARTED] * 2
    assert (erp.tokens, erp.batches) == (0, [])


def test_another_company_and_unknown_work_never_leave(erp: Erp, connect: Connect):
    foreign = create("US1")
    foreign = Request(
        operation="order.create",
        reference="shop/US1",
        payload={**foreign.payload, "header": header("US1", dataAreaId="demf")},
    )
    strange = Request(
        operation="order.praise", reference="shop/US2", payload={"header": header("US2")}
    )

    outcomes = connect().push([foreign, strange], Deadline(5))

    assert [one.violations[0].code for one in outcomes] == ["company.unknown", "operation.unknown"]
    assert erp.batches == []


def test_a_sound_environment_has_nothing_to_complain_of(erp: Erp, connect: Connect):
    erp.sets = {name: Whole(200, '{"value":[]}') for name in SETS}
    erp.sets["LegalEntities"] = Whole(200, '{"value":[{"LegalEntityId":"USMF"}]}')

    assert connect().check() == []


def test_a_role_for_customers_is_not_missed_where_none_are_created(erp: Erp, connect: Connect):
    erp.sets = {name: Whole(200, '{"value":[]}') for name in SETS}
    erp.sets["CustomersV3"] = Whole(403, '{"error":{"message":"Forbidden."}}')

    assert connect().check() == []


NO_SERVICE = (
    "[connection] shipment_service: the environment does not offer Group/Service;"
    " deploy it as docs/dynamics365/README.md says: Not there."
)


@pytest.mark.parametrize(
    ("answer", "complaint"),
    [
        (Whole(200, '{"$id":"1","results":[]}'), None),
        (Whole(200, "<html>"), "Group/Service: answered 200: <html>"),
        (
            Whole(403, "Forbidden."),
            "Group/Service: our user there lacks a role for it (403): Forbidden.",
        ),
        (
            Whole(404, "Not there."),
            NO_SERVICE,
        ),
    ],
)
def test_the_packing_slip_service_is_asked_for_nothing(
    erp: Erp, connect: Connect, answer: Whole, complaint: str | None
):
    erp.sets = {name: Whole(200, '{"value":[]}') for name in SETS}
    erp.sets["LegalEntities"] = Whole(200, '{"value":[{"LegalEntityId":"USMF"}]}')
    erp.service = [answer]

    assert connect(shipment_service="Group/Service").check() == ([complaint] if complaint else [])
    assert erp.asked == [("find", {"shipmentIds": []})]


SETS = (
    "SalesOrderHeadersV2",
    "SalesOrderLinesV3",
    "SalesOrderHeaderChargesV2",
    "CustomersV3",
    "SalesInvoiceHeadersV2",
    "SalesInvoiceLinesV2",
)
NO_HEADERS = (
    "[connection] header_set: the environment has no entity set SalesOrderHeadersV9;"
    " name the one it has, see /metadata/DataEntities there"
)


def test_an_unsound_environment_is_told_with_remedies(erp: Erp, connect: Connect):
    erp.sets = {
        **{name: Whole(200, '{"value":[]}') for name in SETS},
        "SalesOrderLinesV3": Whole(403, '{"error":{"message":"Forbidden."}}'),
        "LegalEntities": Whole(200, '{"value":[]}'),
    }

    assert connect(header_set="SalesOrderHeadersV9").check() == [
        NO_HEADERS,
        "SalesOrderLinesV3: our user there lacks a role for it (403): Forbidden.",
        "[connection] companies: the environment has no legal entity usmf",
    ]


def test_an_environment_out_of_reach_is_told_once(erp: Erp, connect: Connect):
    (complaint,) = connect(url="http://127.0.0.1:9").check()

    assert complaint == (
        "http://127.0.0.1:9 cannot be read: GET 127.0.0.1/data/SalesOrderHeadersV2:"
        " Connection refused; nothing was sent"
    )
