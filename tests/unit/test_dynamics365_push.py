"""How orders are created: once, whole, and what each answer to a create means."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from syncworkers.connectors.base import Deadline, Verdict
from tests.unit.dynamics365_erp import (
    Sent,
    Whole,
    connecting,
    create,
    created,
    refusal,
    rows,
    serve,
    standing_line,
    stands,
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


def test_many_orders_are_created_in_one_call(erp: Erp, connect: Connect):
    erp.script = [lambda sent: [created(sent[0:2]), created(sent[2:4])]]

    first, second = connect().push([create("US1"), create("US2")], Deadline(5))

    assert (first.verdict, first.external_id, first.external_version, first.error) == (
        Verdict.CONFIRMED,
        "US1",
        'W/"1"',
        None,
    )
    assert (second.verdict, second.external_id) == (Verdict.CONFIRMED, "US2")
    assert first.call == second.call
    assert [(one.method, one.path) for one in erp.batches[0]] == [
        ("POST", "SalesOrderHeadersV2?cross-company=true"),
        ("POST", "SalesOrderLinesV3?cross-company=true"),
    ] * 2
    assert erp.batches[0][1].fields["SalesPrice"] == 9.9
    assert erp.prefer == ["odata.continue-on-error"]


def test_other_values_read_back_are_confirmed_with_a_remark(erp: Erp, connect: Connect):
    def round_prices(sent: list[Sent]) -> list[list[str]]:
        sent[1].fields.update(SalesPrice=9, LineAmount=18)
        return [created(sent)]

    erp.script = [round_prices]

    (outcome,) = connect().push([create("US1")], Deadline(5))

    assert outcome.verdict is Verdict.CONFIRMED
    assert outcome.error == (
        "the ERP keeps other values than sent: lines[0].SalesPrice: sent 9.90, stands 9;"
        " lines[0].LineAmount: expected 19.80, stands 18"
    )


def test_a_refused_order_leaves_its_neighbours_alone(erp: Erp, connect: Connect):
    erp.script = [
        lambda sent: [refusal(400, "Inventory dimension Site is mandatory."), created(sent[2:4])]
    ]

    refused, confirmed = connect().push([create("US1"), create("US2")], Deadline(5))

    assert (refused.verdict, refused.status) == (Verdict.REJECTED, 400)
    assert [one.code for one in refused.violations] == ["erp.site_missing"]
    assert refused.sent == (
        'header: {"dataAreaId":"usmf","SalesOrderNumber":"US1",'
        '"CustomersOrderReference":"shop/US1","CurrencyCode":"USD"}\n'
        'lines: {"dataAreaId":"usmf","SalesOrderNumber":"US1","ExternalItemNumber":"1",'
        '"ItemNumber":"T-01","OrderedSalesQuantity":2,"SalesPrice":9.90}'
    )
    assert confirmed.verdict is Verdict.CONFIRMED
    assert len(erp.batches) == 1


@pytest.mark.parametrize(
    ("step", "expected"),
    [
        ("hang up", (Verdict.UNKNOWN, None, False)),
        (Whole(502, "<html>Bad Gateway</html>"), (Verdict.UNKNOWN, None, False)),
        (Whole(503, "<html>Busy</html>", {"Retry-After": "7"}), (Verdict.UNKNOWN, 7.0, False)),
        (Whole(500, "<html>Oops</html>"), (Verdict.UNKNOWN, None, False)),
        (Whole(200, "<html>Log in</html>"), (Verdict.UNKNOWN, None, False)),
        (Whole(429, "", {"Retry-After": "1.5"}), (Verdict.RETRY, 1.5, True)),
        (Whole(429), (Verdict.RETRY, 30.0, True)),
        (Whole(403), (Verdict.RETRY, 60.0, False)),
        (Whole(404, '{"error":{"message":"Not found."}}'), (Verdict.RETRY, 300.0, True)),
        ([], (Verdict.UNKNOWN, None, False)),
    ],
)
def test_an_answer_to_the_whole_call_counts_for_every_order(
    erp: Erp, connect: Connect, step: Any, expected: tuple[Verdict, float | None, bool]
):
    erp.script = [step]

    outcomes = connect().push([create("US1"), create("US2")], Deadline(5))

    assert [(one.verdict, one.after, one.pause) for one in outcomes] == [expected] * 2
    assert len(erp.batches) == 1


def test_what_exists_already_is_adopted_if_it_is_ours(erp: Erp, connect: Connect):
    erp.script = [
        [refusal(500, "The record already exists.")] * 2,
        [
            *(rows(stands("US1")), rows(standing_line("US1")), rows()),
            *(rows(stands("US2", CustomersOrderReference="phone 7")), rows(), rows()),
        ],
    ]

    ours, theirs = connect().push([create("US1"), create("US2")], Deadline(5))

    assert (ours.verdict, ours.external_id, ours.external_version) == (
        Verdict.ADOPTED,
        "US1",
        'W/"9"',
    )
    assert (theirs.verdict, theirs.violations[0].code) == (Verdict.REJECTED, "erp.number_taken")
    look = "dataAreaId%20eq%20%27usmf%27%20and%20SalesOrderNumber%20eq%20%27US1%27"
    assert [one.path for one in erp.batches[1]][:3] == [
        f"SalesOrderHeadersV2?$filter={look}&cross-company=true",
        f"SalesOrderLinesV3?$filter={look}&cross-company=true",
        f"SalesOrderHeaderChargesV2?$filter={look}&cross-company=true",
    ]


def test_a_failed_create_is_looked_up_and_repeated_once(erp: Erp, connect: Connect):
    failed = refusal(500, "Update has been canceled.")
    nothing = [rows(), rows(), rows()]
    erp.script = [[failed, failed], nothing * 2, lambda sent: [created(sent[0:2]), failed]]

    mended, refused = connect().push([create("US1"), create("US2")], Deadline(5))

    assert mended.verdict is Verdict.CONFIRMED
    assert (refused.verdict, refused.error) == (Verdict.REJECTED, "Update has been canceled.")
    assert len(erp.batches) == 3


@pytest.mark.parametrize("status", [429, 502])
def test_a_failed_create_stays_unknown_when_the_look_fails(erp: Erp, connect: Connect, status: int):
    erp.script = [[refusal(500, "Update has been canceled.")], Whole(status, "<html>")]

    (outcome,) = connect().push([create("US1")], Deadline(5))

    assert outcome.verdict is Verdict.UNKNOWN
    assert len(erp.batches) == 2
