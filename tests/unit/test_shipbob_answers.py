"""What every answer of ShipBob means, whatever shape its body has."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from syncworkers.connectors.base import Verdict
from syncworkers.connectors.http import Answer
from syncworkers.connectors.shipbob.answers import (
    complaints,
    raise_refusal,
    read_refusal,
    refuse,
    wait_of,
)
from syncworkers.errors import CredentialsError, RejectedError, RetryableError

TOKEN = "pat-0123456789"
BUSY = b'{"statusCode":429,"message":"Rate limit is exceeded. Try again in 25 seconds."}'
DUPLICATE = b'{"errors":["Cannot insert order with existing ReferenceId"]}'
HTML = b"<html><body>503 Service Unavailable</body></html>"
PROBLEM = (
    b'{"type":"about:blank","title":"Not Found","status":404,"detail":"No such WRO",'
    b'"instance":"/receiving/1"}'
)
OBJECT_RESULT = (
    b'{"$type":"UnprocessableEntityObjectResult","value":{"errors":["bad url"]},'
    b'"status_code":422,"formatters":[],"content_types":[],"declared_type":null}'
)
CONFLICT = b'{"code":"CONFLICT","message":"Shipment is already labeled"}'


def answer(status: int, body: bytes = b"", **headers: str) -> Answer:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(status=status, headers=named, body=body, duration_ms=1)


@pytest.mark.parametrize(
    ("status", "body", "verdict", "pause", "code"),
    [
        (400, b'{"recipient.name":["required"]}', Verdict.REJECTED, False, "warehouse.refused"),
        (401, b"", Verdict.RETRY, True, None),
        (403, b"", Verdict.RETRY, True, None),
        (404, b"", Verdict.RETRY, True, None),
        (405, b"", Verdict.RETRY, True, None),
        (408, b"", Verdict.UNKNOWN, False, None),
        (409, CONFLICT, Verdict.REJECTED, False, "warehouse.refused"),
        (410, b"", Verdict.RETRY, True, None),
        (413, b"", Verdict.REJECTED, False, "warehouse.refused"),
        (422, DUPLICATE, Verdict.REJECTED, False, "warehouse.refused"),
        (429, BUSY, Verdict.RETRY, True, None),
        (500, b"", Verdict.UNKNOWN, False, None),
        (502, HTML, Verdict.UNKNOWN, False, None),
        (503, HTML, Verdict.UNKNOWN, False, None),
        (504, b"", Verdict.UNKNOWN, False, None),
        (302, b"", Verdict.UNKNOWN, False, None),
    ],
)
def test_every_answer_to_a_create_has_one_verdict(
    status: int, body: bytes, verdict: Verdict, pause: object, code: str | None
) -> None:
    outcome = refuse(read_refusal(answer(status, body), ()))

    assert (outcome.verdict, outcome.pause, outcome.status) == (verdict, pause, status)
    assert [one.code for one in outcome.violations] == ([code] if code else [])
    assert outcome.credentials is (status in {401, 403})
    assert outcome.error


@pytest.mark.parametrize(
    ("status", "body", "verdict", "code"),
    [
        (404, b"", Verdict.REJECTED, "warehouse.order_missing"),
        (400, CONFLICT, Verdict.REJECTED, "warehouse.too_late"),
        (400, b'{"code":"NOT_FOUND"}', Verdict.REJECTED, "warehouse.order_missing"),
        (400, b'{"code":"VALIDATION_ERROR"}', Verdict.REJECTED, "warehouse.refused"),
        (400, b'{"code":"DEALLOCATE_ERROR"}', Verdict.UNKNOWN, None),
        (400, b'{"code":["odd"]}', Verdict.REJECTED, "warehouse.refused"),
        (400, b"[]", Verdict.REJECTED, "warehouse.refused"),
        (400, b"no json", Verdict.REJECTED, "warehouse.refused"),
    ],
)
def test_an_answer_to_a_change_is_read_by_its_code(
    status: int, body: bytes, verdict: Verdict, code: str | None
) -> None:
    outcome = refuse(read_refusal(answer(status, body), (), of_order=True))

    assert outcome.verdict is verdict
    assert [one.code for one in outcome.violations] == ([code] if code else [])


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b"", []),
        (b"   ", []),
        (b'{"recipient.name":["is required"]}', [("recipient.name", "is required")]),
        (DUPLICATE, [("", "Cannot insert order with existing ReferenceId")]),
        (b'{"":["Cannot insert order"]}', [("", "Cannot insert order")]),
        (PROBLEM, [("", "No such WRO")]),
        (b'{"title":"Odd","errors":{"Page":["too big"]}}', [("", "Odd"), ("Page", "too big")]),
        (
            b'{"details":null,"errors":["bad quantity"],"message":"Refused","stackTrace":"at X()"}',
            [("", "Refused"), ("", "bad quantity")],
        ),
        (CONFLICT, [("", "CONFLICT: Shipment is already labeled")]),
        (OBJECT_RESULT, [("", "bad url")]),
        (b'"ShipmentIds is required"', [("", "ShipmentIds is required")]),
        (HTML, [("", HTML.decode())]),
        (BUSY, [("", "Rate limit is exceeded. Try again in 25 seconds.")]),
        (b'{"title":["is too long"]}', [("title", "is too long")]),
        (b"null", []),
        (b"[[[[[[\"deep\"]]]]]]", []),
        (b"17", []),
        (b'{"a":1,"b":{"c":null}}', []),
        (b'{"\\ud800":["half \\ud800"]}', [("?", "half ?")]),
    ],
)  # fmt: skip
def test_every_shape_of_error_is_read(body: bytes, told: list[tuple[str, str]]) -> None:
    assert complaints(body) == told


@given(some.binary())
def test_no_bytes_are_too_odd_for_an_answer(body: bytes) -> None:
    refusal = read_refusal(answer(422, body), ())

    assert refusal.text
    refusal.text.encode()


@given(
    some.recursive(
        some.none() | some.booleans() | some.integers() | some.text(max_size=5),
        lambda inner: (
            some.lists(inner, max_size=3)
            | some.dictionaries(
                some.sampled_from(
                    ["errors", "error", "message", "code", "title", "value", "x", ""]
                ),
                inner,
                max_size=4,
            )
        ),
        max_leaves=12,
    )
)
def test_no_json_is_too_odd_for_an_answer(value: Any) -> None:
    for status in (400, 422, 429, 500):
        refusal = read_refusal(answer(status, json.dumps(value).encode()), (), of_order=True)
        assert refusal.text
        assert all(isinstance(part, str) for told in refusal.complaints for part in told)


@pytest.mark.parametrize(
    ("headers", "body", "wait"),
    [
        ({"x_retry_after": "7", "Retry_After": "9"}, BUSY, 7.0),
        ({"Retry_After": "9"}, BUSY, 9.0),
        ({"x_retry_after": "soon"}, BUSY, 25.0),
        ({}, BUSY, 25.0),
        ({}, b'{"message":"Try again in 1.5 seconds."}', 1.5),
        ({}, b"busy", None),
    ],
)
def test_the_wait_is_told_in_three_places_the_own_header_first(
    headers: dict[str, str], body: bytes, wait: float | None
) -> None:
    assert wait_of(answer(429, body, **headers)) == wait


def test_429_waits_as_asked_and_half_a_minute_unasked() -> None:
    assert refuse(read_refusal(answer(429, BUSY), ())).after == 25.0
    assert refuse(read_refusal(answer(429), ())).after == 30.0


def test_a_refusal_keeps_the_partners_own_paths() -> None:
    body = b'{"recipient.address.city":["is required"],"products[1].quantity":["too few","odd"]}'

    outcome = refuse(read_refusal(answer(400, body), ()))

    assert [(one.path, one.message) for one in outcome.violations] == [
        ("recipient.address.city", "is required"),
        ("products[1].quantity", "too few"),
        ("products[1].quantity", "odd"),
    ]
    assert outcome.error == (
        "recipient.address.city: is required; products[1].quantity: too few;"
        " products[1].quantity: odd"
    )


def test_neither_stack_traces_nor_our_token_leave() -> None:
    body = {"message": f"no access for {TOKEN}", "stackTrace": "at Secret.Place()", TOKEN: ["x"]}

    outcome = refuse(read_refusal(answer(422, json.dumps(body).encode()), (TOKEN,)))

    assert "Secret.Place" not in repr(outcome)
    assert TOKEN not in repr(outcome)
    assert outcome.error == "no access for ***; ***: x"


@pytest.mark.parametrize(
    ("status", "error", "after", "throttled"),
    [
        (401, CredentialsError, None, False),
        (403, CredentialsError, None, False),
        (404, RejectedError, None, False),
        (400, RejectedError, None, False),
        (422, RejectedError, None, False),
        (429, RetryableError, 30.0, True),
        (500, RetryableError, 2.0, False),
        (503, RetryableError, 2.0, False),
    ],
)
def test_a_refused_read_is_an_error_that_says_what_next(
    status: int, error: type[Exception], after: float | None, throttled: object
) -> None:
    with pytest.raises(error) as raised:
        raise_refusal(read_refusal(answer(status), ()))

    assert getattr(raised.value, "after", None) == after
    assert getattr(raised.value, "throttled", False) is throttled


def test_a_failed_look_up_is_only_done_again() -> None:
    outcomes = [
        refuse(read_refusal(answer(status), ()), is_read=True)
        for status in (400, 401, 404, 429, 500)
    ]

    assert {outcome.verdict for outcome in outcomes} == {Verdict.RETRY}
    assert {outcome.violations for outcome in outcomes} == {()}
