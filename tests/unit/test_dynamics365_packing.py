"""What each answer of the packing slip service means for a shipment."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncworkers.connectors.base import Deadline, Outcome, Request, Verdict
from syncworkers.connectors.dynamics365.settings import read_settings
from syncworkers.connectors.dynamics365.shipments import Slips
from syncworkers.connectors.http import Answer
from tests.unit.dynamics365_erp import SECRET, Whole, connecting, serve

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.unit.dynamics365_erp import Connect, Erp

SERVICE = "Group/Service"


@pytest.fixture
def erp() -> Iterator[Erp]:
    with serve() as server:
        yield server


@pytest.fixture
def connect(erp: Erp) -> Iterator[Connect]:
    with connecting(erp) as make:
        yield make


def ship(number: str) -> Request:
    shipment = {
        "shipmentId": f"west/{number}",
        "dataAreaId": "usmf",
        "salesOrderNumber": f"US{number}",
        "shippedAt": "2026-11-24T12:30:00Z",
        "carrier": "FedEx",
        "carrierService": "Ground",
        "trackingNumber": "T1",
        "trackingUrl": "",
        "lines": [{"externalItemNumber": "11", "quantity": 2}],
    }
    return Request(
        operation="shipment.create", reference=f"west/{number}", payload={"shipment": shipment}
    )


def told(*results: Any, status: int = 200) -> Whole:
    return Whole(status, json.dumps({"$id": "1", "results": list(results)}))


def result(number: str, status: str, **more: Any) -> dict[str, Any]:
    return {"$id": "2", "shipmentId": f"WEST/{number}", "status": status, **more}


def push(connect: Connect, *numbers: str) -> list[Outcome]:
    connector = connect(shipment_service=SERVICE)
    return connector.push([ship(number) for number in numbers], Deadline(5))


def find(connect: Connect, *numbers: str) -> list[Outcome]:
    connector = connect(shipment_service=SERVICE)
    return connector.find([ship(number) for number in numbers], Deadline(5))


def test_a_post_carries_whole_shipments_and_a_find_their_ids(erp: Erp, connect: Connect):
    erp.service = [told(result("1", "Posted", packingSlipNumber="PS-1")), told()]

    push(connect, "1")
    find(connect, "1")

    assert erp.asked == [
        ("post", {"shipments": [ship("1").payload["shipment"]]}),
        ("find", {"shipmentIds": [{"dataAreaId": "usmf", "shipmentId": "west/1"}]}),
    ]


def test_each_result_of_a_post_has_one_verdict(erp: Erp, connect: Connect):
    erp.service = [
        told(
            result("5", "Busy", message="Locked."),
            result("1", "Posted", packingSlipNumber="PS-1", message=""),
            result("2", "AlreadyPosted", packingSlipNumber="PS-2"),
            result("3", "Refused", code="QuantityExceeds", message="2 remain."),
            result("4", "Refused"),
            result("6", "Parked", packingSlipNumber="PS-6"),
            result("7", "Posted", packingSlipNumber=""),
            result("8", "Posted", packingSlipNumber="PS-8"),
            result("8", "Refused", code="OrderMissing"),
            result("77", "Posted", packingSlipNumber="PS-77"),
            "nonsense",
        )
    ]

    outcomes = push(connect, "1", "2", "3", "4", "5", "6", "7", "8", "9")

    assert [(one.verdict, one.external_id) for one in outcomes] == [
        (Verdict.CONFIRMED, "usmf/PS-1"),
        (Verdict.ADOPTED, "usmf/PS-2"),
        (Verdict.REJECTED, None),
        (Verdict.REJECTED, None),
        (Verdict.RETRY, None),
        (Verdict.UNKNOWN, None),
        (Verdict.UNKNOWN, None),
        (Verdict.UNKNOWN, None),
        (Verdict.UNKNOWN, None),
    ]
    assert [one.error for one in outcomes[2:]] == [
        "2 remain. (QuantityExceeds)",
        "refused without a reason (no code)",
        "Locked.",
        "the service's answer for this shipment cannot be read",
        "the service's answer for this shipment cannot be read",
        "the answer names this shipment twice",
        "the answer leaves this shipment out",
    ]
    assert [[one.code for one in outcome.violations] for outcome in outcomes[2:4]] == [
        ["erp.quantity_exceeds"],
        ["erp.refused"],
    ]
    assert outcomes[4].after == 30.0
    assert outcomes[0].answer == (
        '{"$id":"2","shipmentId":"WEST/1","status":"Posted","packingSlipNumber":"PS-1",'
        '"message":""}'
    )
    assert outcomes[0].sent is not None
    assert outcomes[0].sent.startswith('shipment: {"shipmentId":"west/1","dataAreaId":"usmf",')


@pytest.mark.parametrize(
    ("code", "ours"),
    [
        ("OrderMissing", "erp.order_missing"),
        ("OrderCancelled", "erp.order_cancelled"),
        ("QuantityExceeds", "erp.quantity_exceeds"),
        ("ShipmentDiffers", "erp.shipment_differs"),
        ("LineMissing", "erp.refused"),
        ("", "erp.refused"),
    ],
)
def test_each_reason_to_refuse_has_a_code_of_ours(erp: Erp, connect: Connect, code: str, ours: str):
    erp.service = [told(result("1", "Refused", code=code, message="No."))]

    [outcome] = push(connect, "1")

    assert [(one.path, one.code) for one in outcome.violations] == [("shipment", ours)]


def test_each_result_of_a_find_has_one_verdict(erp: Erp, connect: Connect):
    right = [{"externalItemNumber": "11", "quantity": 2.0}]
    wrong = [{"externalItemNumber": "11", "quantity": 1}]
    slip = {"packingSlipNumber": "PS-1"}
    erp.service = [
        told(
            result("1", "Posted", **slip, salesOrderNumber="us1", lines=right),
            result("2", "Posted", **slip),
            result("3", "Absent"),
            result("4", "Posted", **slip, salesOrderNumber="US9", lines=right),
            result("5", "Posted", **slip, salesOrderNumber="US5", lines=wrong),
            result("6", "Posted"),
            result("7", "Busy"),
        )
    ]

    outcomes = find(connect, "1", "2", "3", "4", "5", "6", "7", "8")

    assert [one.verdict for one in outcomes] == [
        Verdict.ADOPTED,
        Verdict.ADOPTED,
        Verdict.ABSENT,
        Verdict.REJECTED,
        Verdict.REJECTED,
        Verdict.RETRY,
        Verdict.RETRY,
        Verdict.RETRY,
    ]
    assert outcomes[3].error == (
        "slip usmf/PS-1 stands for this shipment with other content: order: sent US4, stands US9"
    )


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (Whole(502, "<html>Bad Gateway</html>"), (Verdict.UNKNOWN, None, False)),
        (Whole(503, "<html>", {"Retry-After": "7"}), (Verdict.UNKNOWN, 7.0, False)),
        (Whole(500, '{"Message":"An exception occured."}'), (Verdict.UNKNOWN, None, False)),
        (
            Whole(500, '{"Message":"The record already exists."}'),
            (Verdict.UNKNOWN, None, False),
        ),
        (Whole(200, "<html>Log in</html>"), (Verdict.UNKNOWN, None, False)),
        (Whole(200, '{"results":7}'), (Verdict.UNKNOWN, None, False)),
        (Whole(302, "", {"Location": "/login"}), (Verdict.UNKNOWN, None, False)),
        (Whole(429, "", {"Retry-After": "1.5"}), (Verdict.RETRY, 1.5, True)),
        (Whole(429), (Verdict.RETRY, 30.0, True)),
        (Whole(403), (Verdict.RETRY, 60.0, False)),
        (Whole(404, "<html>"), (Verdict.RETRY, 300.0, True)),
        (Whole(405), (Verdict.RETRY, 300.0, True)),
    ],
)
def test_an_answer_to_the_whole_call_counts_for_every_shipment(
    erp: Erp, connect: Connect, answer: Whole, expected: tuple[Verdict, float | None, bool]
):
    erp.service = [answer]

    outcomes = push(connect, "1", "2")

    assert [(one.verdict, one.after, one.pause) for one in outcomes] == [expected] * 2
    assert len({one.call for one in outcomes}) == 1
    assert SECRET not in repr(outcomes)


@pytest.mark.parametrize("status", [200, 302, 400, 404, 429, 500, 502])
def test_a_failed_look_up_never_says_absent(erp: Erp, connect: Connect, status: int):
    erp.service = [Whole(status, "<html>")]

    [outcome] = find(connect, "1")

    assert outcome.verdict is Verdict.RETRY


def test_a_call_that_is_refused_whole_is_halved(erp: Erp, connect: Connect):
    bad = Whole(400, '{"Message":"A number is expected."}')
    erp.service = [bad, told(result("1", "Posted", packingSlipNumber="PS-1")), bad]

    good, refused = push(connect, "1", "2")

    assert good.verdict is Verdict.CONFIRMED
    assert (refused.verdict, [one.code for one in refused.violations]) == (
        Verdict.REJECTED,
        ["erp.refused"],
    )


def test_a_token_refused_twice_pauses_the_partner(erp: Erp, connect: Connect):
    erp.refused_tokens = 9

    [outcome] = push(connect, "1")

    assert (outcome.verdict, outcome.pause, outcome.credentials) == (Verdict.RETRY, True, True)
    assert erp.asked == []


ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)
RESULT = st.fixed_dictionaries(
    {},
    optional={
        "shipmentId": st.just("west/1") | ANY,
        "status": st.sampled_from(["Posted", "AlreadyPosted", "Refused", "Absent", "Busy"]) | ANY,
        "packingSlipNumber": ANY,
        "code": ANY,
        "message": ANY,
        "salesOrderNumber": ANY,
        "lines": ANY,
    },
)


@given(results=st.lists(RESULT | ANY, max_size=3) | ANY, is_read=st.booleans())
def test_no_answer_makes_it_raise_or_adopt_without_a_slip(results: Any, is_read: bool):
    connection = {
        "url": "https://erp.example",
        "token_url": "https://login.example",
        "client_id": "id",
        "client_secret": "hush",
        "default_company": "usmf",
    }
    slips = Slips(read_settings("d365-main", connection), is_read=is_read)
    body = json.dumps({"results": results}).encode()
    answer = Answer(status=200, headers={}, body=body, duration_ms=1)

    [outcome] = slips.judge([ship("1")], answer)

    assert isinstance(outcome, Outcome)
    happened = outcome.verdict in {Verdict.CONFIRMED, Verdict.ADOPTED}
    assert happened is (outcome.external_id is not None)
