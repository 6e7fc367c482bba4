"""How booked orders are changed and looked up."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from syncworkers.connectors.base import Deadline, Verdict
from tests.unit.dynamics365_erp import (
    Whole,
    cancel,
    connecting,
    create,
    readdress,
    reply,
    rows,
    serve,
    standing_line,
    stands,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.unit.dynamics365_erp import Connect, Erp

CHANGED = {"CurrencyCode": "USD", "DeliveryAddressCity": "Oslo"}


@pytest.fixture
def erp() -> Iterator[Erp]:
    with serve() as server:
        yield server


@pytest.fixture
def connect(erp: Erp) -> Iterator[Connect]:
    with connecting(erp) as make:
        yield make


def test_a_change_carries_its_version_and_is_read_back(erp: Erp, connect: Connect):
    erp.script = [
        [
            *([reply(204)], reply(200, stands("US1", DeliveryAddressCity="Oslo"))),
            *([reply(204)], reply(200, stands("US2", SalesOrderStatus="Backorder"))),
        ]
    ]

    moved, kept = connect().push([readdress("US1"), cancel("US2")], Deadline(5))

    assert (moved.verdict, moved.external_version, moved.error) == (
        Verdict.CONFIRMED,
        'W/"9"',
        None,
    )
    assert kept.verdict is Verdict.CONFIRMED
    assert kept.error == (
        "the ERP keeps other values than sent:"
        " SalesOrderStatus: sent 'Canceled', stands 'Backorder'"
    )
    patch = erp.batches[0][0]
    assert (patch.method, patch.fields) == ("PATCH", CHANGED)
    assert patch.path == (
        "SalesOrderHeadersV2(dataAreaId=%27usmf%27,SalesOrderNumber=%27US1%27)?cross-company=true"
    )
    assert 'If-Match: W/"1"' in patch.head
    assert erp.batches[0][2].fields == {"SalesOrderStatus": "Canceled"}


def test_a_moved_order_is_read_again_and_changed_once_more(erp: Erp, connect: Connect):
    erp.script = [
        [reply(412), reply(200, stands("US1"))],
        [rows(stands("US1", DeliveryAddressCity="Rome"))],
        [[reply(204)], reply(200, stands("US1", DeliveryAddressCity="Oslo"))],
    ]

    (outcome,) = connect().push([readdress("US1")], Deadline(5))

    assert (outcome.verdict, outcome.error) == (Verdict.CONFIRMED, None)
    assert 'If-Match: W/"9"' in erp.batches[2][0].head


def test_a_change_without_a_known_version_reads_it_first(erp: Erp, connect: Connect):
    erp.script = [
        [rows(stands("US1", DeliveryAddressCity="Rome"))],
        [[reply(204)], reply(200, stands("US1", DeliveryAddressCity="Oslo"))],
    ]

    (outcome,) = connect().push([readdress("US1", etag=None)], Deadline(5))

    assert outcome.verdict is Verdict.CONFIRMED
    assert [one.method for one in erp.batches[0]] == ["GET"]


def test_a_moved_order_is_retried_when_the_look_is_throttled(erp: Erp, connect: Connect):
    erp.script = [[reply(412), reply(200, stands("US1"))], Whole(429, "", {"Retry-After": "4"})]

    (outcome,) = connect().push([readdress("US1")], Deadline(5))

    assert (outcome.verdict, outcome.pause, outcome.after) == (Verdict.RETRY, True, 4.0)


def test_a_moved_order_that_already_stands_so_is_adopted(erp: Erp, connect: Connect):
    erp.script = [
        [reply(412), reply(200, stands("US1"))],
        [rows(stands("US1", DeliveryAddressCity="Oslo"))],
    ]

    (outcome,) = connect().push([readdress("US1")], Deadline(5))

    assert (outcome.verdict, outcome.external_version) == (Verdict.ADOPTED, 'W/"9"')


def test_a_change_of_a_missing_order_is_rejected(erp: Erp, connect: Connect):
    erp.script = [[reply(404), reply(404)]]

    (outcome,) = connect().push([cancel("US1")], Deadline(5))

    assert (outcome.verdict, outcome.violations[0].code) == (
        Verdict.REJECTED,
        "erp.order_missing",
    )


def test_a_look_up_finds_ours_nothing_others_and_what_differs(erp: Erp, connect: Connect):
    erp.script = [
        [
            *(rows(stands("US1")), rows(standing_line("US1")), rows()),
            *(rows(), rows(), rows()),
            *(rows(stands("US3")), rows(standing_line("US3", OrderedSalesQuantity=1)), rows()),
            rows(stands("US4", SalesOrderStatus="Canceled")),
            rows(stands("US5", SalesOrderStatus="Backorder")),
            rows(),
        ]
    ]
    requests = [create("US1"), create("US2"), create("US3"), *map(cancel, ("US4", "US5", "US6"))]

    outcomes = connect().find(requests, Deadline(5))

    assert [one.verdict for one in outcomes] == [
        Verdict.ADOPTED,
        Verdict.ABSENT,
        Verdict.REJECTED,
        Verdict.ADOPTED,
        Verdict.ABSENT,
        Verdict.REJECTED,
    ]
    assert outcomes[2].error == (
        "the order there differs: line 1: OrderedSalesQuantity: sent 2, stands 1"
    )
    assert outcomes[4].external_version == 'W/"9"'
    assert len(erp.batches) == 1


@pytest.mark.parametrize(
    "step",
    [
        Whole(502, "<html>"),
        Whole(200, "<html>"),
        [reply(500), rows(), rows()],
        [reply(200, {"value": [], "@odata.nextLink": "more"}), rows(), rows()],
        [rows()],
    ],
)
def test_a_failed_look_up_never_says_absent(erp: Erp, connect: Connect, step: Any):
    erp.script = [step]

    (outcome,) = connect().find([create("US1")], Deadline(5))

    assert outcome.verdict is Verdict.RETRY
