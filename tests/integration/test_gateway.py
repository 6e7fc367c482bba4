"""Webhooks over a real socket and a real database: what partners and strangers get."""

from __future__ import annotations

import threading
import time
import uuid

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from syncworkers.flows.fleet import Fleet
from syncworkers.flows.receive import _store_together
from syncworkers.store import inbox
from syncworkers.web import create_app
from tests.integration.gateway_running import (  # noqa: F401 - fixtures
    LONG,
    MAX_BODY,
    Shop,
    call,
    open_fleet,
    open_gateway,
    policy,
    post,
    production_logs,
    sign,
    speak,
    stored,
)


def test_a_signed_webhook_is_stored_before_it_is_answered(gateway: int, fleet: Fleet) -> None:
    body = b'{"id": 1001}'

    answer = post(gateway, body, message="m-1")

    assert (answer.status, answer.json) == (202, {"receipt": "accepted"})
    assert stored(fleet) == [("orders/create", "1001", "open", 0, body)]
    assert fleet.waker.lanes == ["orders.process"]  # type: ignore[attr-defined]


def test_a_duplicate_webhook_is_answered_well_and_stored_once(gateway: int, fleet: Fleet) -> None:
    body = b'{"id": 1001}'

    answers = [post(gateway, body, message="m-1") for _ in range(3)]

    assert [answer.status for answer in answers] == [202, 200, 200]
    assert answers[1].json == {"receipt": "duplicate"}
    assert stored(fleet) == [("orders/create", "1001", "open", 2, body)]


def test_what_arrives_together_is_sorted_into_new_known_and_repeated(fleet: Fleet) -> None:
    lane = fleet.lanes["orders.process"].id

    def message(external_id: str, key: int, waiting_for: str | None = None) -> inbox.NewMessage:
        return inbox.NewMessage(
            lane=lane,
            line=key,
            partner="shop",
            source="webhook",
            external_id=external_id,
            topic="orders/create",
            kind="order",
            entity=str(key),
            correlation_id=uuid.UUID(int=key),
            body=external_id.encode() + b" \x00\xff",
            waiting_for=waiting_for,
        )

    assert _store_together(fleet, [message("known", 1)]) == [True]
    together = [
        message("b", 2),
        message("known", 1),
        message("a", 1),
        message("b", 2),
        message("odd", 3, "topic:odd"),
    ]

    assert _store_together(fleet, together) == [True, False, True, False, True]
    assert [(row[1], row[2], row[4][:5]) for row in stored(fleet)] == [
        ("1", "open", b"known"),
        ("2", "open", b"b \x00\xff"),
        ("1", "open", b"a \x00\xff"),
        ("3", "parked", b"odd \x00"),
    ]
    with fleet.session() as session:
        lines = session.execute(sa.text("SELECT key, pending FROM line ORDER BY key")).all()
    assert lines == [(1, 2), (2, 1)]


def test_a_line_that_is_held_keeps_no_other_webhook_waiting(gateway: int, fleet: Fleet) -> None:
    post(gateway, b'{"id": 1001}', message="m-1")
    answers: dict[str, int] = {}

    def send(number: str, message: str) -> None:
        answers[message] = post(gateway, b'{"id": %s}' % number.encode(), message=message).status

    with fleet.database.begin() as holder:
        holder.execute(sa.text("SELECT 1 FROM line FOR UPDATE"))
        held = threading.Thread(target=send, args=("1001", "m-2"))
        held.start()
        began = time.monotonic()
        send("1002", "m-3")
        took = time.monotonic() - began
        held.join()

    assert answers == {"m-2": 503, "m-3": 202}
    assert took < 1
    assert [row[1] for row in stored(fleet)] == ["1001", "1002"]


def test_the_same_webhook_from_eight_threads_at_once_is_stored_once(
    gateway: int, fleet: Fleet
) -> None:
    body = b'{"id": 1001}'
    statuses: list[int] = []
    start = threading.Barrier(8)

    def send() -> None:
        start.wait()
        statuses.append(post(gateway, body, message="m-1").status)

    threads = [threading.Thread(target=send) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(statuses) == [200] * 7 + [202]
    assert stored(fleet) == [("orders/create", "1001", "open", 7, body)]


@pytest.mark.parametrize("proof", [None, "", "0" * 64, "ÿ", "x" * 5000])
def test_a_bad_or_missing_proof_gets_401_and_nothing_is_stored(
    gateway: int, fleet: Fleet, proof: str | None
) -> None:
    headers = {} if proof is None else {"X-Shop-Proof": proof}

    answer = call(gateway, "POST", "/webhooks/shop", b'{"id": 1001}', headers)

    assert answer.status == 401
    assert sorted(answer.json) == ["error", "remedy"]
    assert stored(fleet) == []
    assert fleet.waker.lanes == []  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "partner", ["nobody", "erp", "shop/", "..%2fshop", "%00", "%ff", "sh op%0d"]
)
def test_an_unknown_partner_gets_404(gateway: int, fleet: Fleet, partner: str) -> None:
    answer = post(gateway, b'{"id": 1001}', partner.replace(" ", "%20"))

    assert answer.status == 404
    assert stored(fleet) == []


def test_a_body_at_the_limit_is_taken_and_one_byte_more_is_not(gateway: int, fleet: Fleet) -> None:
    frame = len(b'{"id": 1, "note": ""}')
    just = b'{"id": 1, "note": "%s"}' % (b"x" * (MAX_BODY - frame))

    assert post(gateway, just).status == 202
    assert post(gateway, just + b" ").status == 413
    assert len(stored(fleet)) == 1


def test_a_chunked_body_is_taken_and_over_the_limit_refused(gateway: int, fleet: Fleet) -> None:
    body = b'{"id": 1001}'
    headers = {"X-Shop-Proof": sign(body), "Transfer-Encoding": "chunked"}
    short, endless = iter([body[:5], body[5:]]), iter([b"x" * 1000] * 21)

    good = call(gateway, "POST", "/webhooks/shop", short, headers, chunked=True)
    bad = call(gateway, "POST", "/webhooks/shop", endless, headers, chunked=True)

    assert (good.status, bad.status) == (202, 413)
    assert stored(fleet) == [("orders/create", "1001", "open", 0, body)]


def test_a_declared_size_over_the_limit_is_refused_without_reading_it(gateway: int) -> None:
    began = time.monotonic()

    answer = speak(
        gateway,
        b"POST /webhooks/shop HTTP/1.1\r\nHost: a\r\nContent-Length: 9999999999\r\n\r\nabc",
    )

    assert answer.split(b"\r\n")[0] == b"HTTP/1.1 413 REQUEST ENTITY TOO LARGE"
    assert time.monotonic() - began < 3


def test_a_signed_body_that_cannot_be_read_is_kept(gateway: int, fleet: Fleet) -> None:
    bodies = [b"\xff\xfe not json", b"", b"[]", b'{"id": ', b"null", b"\x00"]

    statuses = [post(gateway, body, message=f"m-{n}").status for n, body in enumerate(bodies)]

    assert statuses == [202] * 6
    assert [row.body for row in stored(fleet)] == bodies


def test_a_topic_nobody_knows_is_kept_and_waits(gateway: int, fleet: Fleet) -> None:
    answer = post(gateway, b'{"id": 1001}', topic="carts/update")

    assert answer.status == 202
    assert [(row.topic, row.state) for row in stored(fleet)] == [("carts/update", "parked")]


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH", "BREW"])
def test_another_method_gets_405(gateway: int, method: str) -> None:
    answer = call(gateway, method, "/webhooks/shop")

    assert answer.status == 405
    assert {"OPTIONS", "POST"} <= set(answer.headers["allow"].split(", "))
    assert answer.json["error"] == "method not allowed"


@pytest.mark.parametrize(
    "request_line",
    [
        b"POST /webhooks/shop HTTP/1.1\r\nHost: a\r\nContent-Length: -5\r\n",
        b"POST /webhooks/shop HTTP/1.1\r\nHost: a\r\nContent-Length: abc\r\n",
        b"POST /webhooks/shop HTTP/1.1\r\nHost: a b\r\nContent-Length: 0\r\n",
        b"POST /webhooks/shop HTTP/1.1\r\nHost: [::\r\nContent-Length: 0\r\n",
        b"POST /webhooks/shop HTTP/1.1\r\nHost: a\r\nX-Shop-Topic: \xff\xfe\x80\r\n",
        b"POST /webhooks/shop HTTP/1.1\r\nHost: a\r\nX-Shop-Topic: a\r\n\tb: c\r\n",
        b"POST //webhooks//shop HTTP/1.1\r\nHost: evil.example\r\nContent-Length: 0\r\n",
        b"POST http://other/webhooks/shop HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n",
        b"POST /%zz%%%00 HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n",
        b"POST /api/v1/status HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n",
    ],
)
def test_malformed_requests_get_a_refusal_and_never_a_500(
    gateway: int, fleet: Fleet, request_line: bytes
) -> None:
    answer = speak(gateway, request_line + b"Connection: close\r\n\r\n")

    assert answer.split(b" ")[1][:1] == b"4"
    assert b"evil.example" not in answer
    assert stored(fleet) == []


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (b'{"id": "a\\u0000b"}', {}),
        (b'{"id": "a\\ud800b"}', {}),
        (b'{"id": "%s"}' % LONG.encode(), {}),
        (b'{"id": 1}', {"message": LONG}),
        (b'{"id": 1}', {"topic": LONG}),
        (b"[" * 10_000, {}),
    ],
    ids=["nul", "surrogate", "long id", "long message id", "long topic", "deep"],
)
def test_a_signed_webhook_with_names_no_database_takes_is_kept_all_the_same(
    gateway: int, fleet: Fleet, body: bytes, headers: dict[str, str]
) -> None:
    answers = [post(gateway, body, **headers).status for _ in range(2)]

    assert answers == [202, 200]
    assert [row.body for row in stored(fleet)] == [body]


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    path=st.text(st.characters(codec="utf-8"), max_size=20),
    body=st.binary(max_size=60),
    value=st.text(st.characters(min_codepoint=32, max_codepoint=255, exclude_characters="\x7f")),
    signed=st.booleans(),
)
def test_nothing_the_outside_sends_makes_a_500(
    fleet: Fleet, path: str, body: bytes, value: str, *, signed: bool
) -> None:
    client = create_app(fleet, max_body=MAX_BODY).test_client()
    headers = {"X-Shop-Topic": value, "X-Shop-Message": value}
    if signed:
        headers["X-Shop-Proof"] = sign(body)

    # Two slashes would make a host of it, which the test client cannot say.
    stray = client.post("/" + path.lstrip("/").replace("?", "%3F"), data=body, headers=headers)
    answer = client.post("/webhooks/shop", data=body, headers=headers)

    assert stray.status_code in (400, 404, 405, 401)
    assert answer.status_code in ((200, 202) if signed else (401,))


def test_answers_carry_security_headers_and_no_cookie(gateway: int) -> None:
    answer = call(gateway, "GET", "/healthz")

    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-security-policy"].startswith("default-src 'none'")
    assert answer.headers["cache-control"] == "no-store"
    assert "set-cookie" not in answer.headers
