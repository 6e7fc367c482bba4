"""The gateway over a real socket and a real database: what partners, strangers and outages get."""

from __future__ import annotations

import hashlib
import hmac
import http.client
import json
import logging
import os
import socket
import threading
import time
import uuid
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa
import structlog
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.orm import Session
from werkzeug.serving import WSGIRequestHandler, make_server

from syncworkers import bootstrap, logs
from syncworkers.connectors.base import ANSWERS, ProofError, Receipt, Received
from syncworkers.flows.fleet import Fleet, Partner
from syncworkers.flows.lanes import open_lanes
from syncworkers.flows.receive import _store_together
from syncworkers.policy.fulfilment import FulfilmentPolicy
from syncworkers.policy.partners import PartnerPolicy
from syncworkers.policy.policy import Policy
from syncworkers.store import inbox
from syncworkers.web import create_app
from syncworkers.web.patience import WhenReady, impatient

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

SECRET = b"shared with the shop"
MAX_BODY = 20_000
LONG = hashlib.shake_256(b"a name").hexdigest(4000)
"""Does not compress, so no index takes it."""


class Shop:
    """A partner that signs its bodies, names each message in a header, and answers 202 when new."""

    answers: Mapping[Receipt, int] = {**ANSWERS, Receipt.ACCEPTED: 202}
    handled = frozenset({"orders/create"})
    reread: frozenset[str] = frozenset()

    def receive(self, headers: Mapping[str, str], body: bytes, path: str = "") -> Received:
        proof = headers.get("x-shop-proof", "").encode("utf-8", "replace")
        if not hmac.compare_digest(proof, sign(body).encode()):
            message = "the signature does not match"
            raise ProofError(message)
        try:
            entity = str(json.loads(body)["id"])
        except (ValueError, TypeError, KeyError, RecursionError):
            entity = "unreadable"
        return Received(
            external_id=headers.get("x-shop-message", hashlib.sha256(body).hexdigest()),
            topic=headers.get("x-shop-topic", "orders/create"),
            kind="order",
            entity=entity,
        )


class Silent:
    """A partner that never calls us."""


@dataclass
class Heard:
    """A waker that remembers what it was told."""

    lanes: list[str] = field(default_factory=list)

    def notify(self, lanes: Any) -> None:
        self.lanes.extend(lanes)

    def look(self, lane: str, who: str) -> None: ...

    def attend(self, lane: str, who: str) -> bool:
        return False

    def rest(self, lane: str, seconds: float) -> None: ...

    def leave(self, lane: str, who: str) -> None: ...

    def close(self) -> None: ...


def sign(body: bytes) -> str:
    return hmac.new(SECRET, body, hashlib.sha256).hexdigest()


@pytest.fixture(autouse=True)
def production_logs() -> Iterator[None]:
    """Log as production does; a traceback drawn for people costs a second."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    logs.configure("production")
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.captureWarnings(capture=False)
    structlog.reset_defaults()


@pytest.fixture
def fleet(database_url: str) -> Iterator[Fleet]:
    """A fleet of one shop and one partner that never calls, on an empty database."""
    database = bootstrap.connect(database_url)
    with database.begin() as connection:
        connection.execute(sa.text("TRUNCATE message, line, lane, exception_case CASCADE"))
    partners = {
        "shop": Partner(policy=policy("shop", "store"), connection=Shop(), reads={}, writes={}),
        "erp": Partner(policy=policy("erp", "erp"), connection=Silent(), reads={}, writes={}),
    }
    with Session(database) as session, session.begin():
        lanes = open_lanes(session, [one.policy for one in partners.values()])
    whole = Policy(
        partners={name: one.policy for name, one in partners.items()},
        bookings={},
        fulfilment=FulfilmentPolicy(stores={}, warehouses={}, carriers={}),
        expectations={},
    )
    yield Fleet(
        worker="gateway",
        database=database,
        policy=whole,
        partners=partners,
        lanes=lanes,
        waker=Heard(),
    )
    database.dispose()


def policy(name: str, role: str) -> PartnerPolicy:
    return PartnerPolicy(name=name, connector="toy", role=role, brand="acme", connection={})


class Quiet(WSGIRequestHandler):
    protocol_version = "HTTP/1.1"

    def log(self, type: str, message: str, *args: Any) -> None:  # noqa: A002
        """Say nothing."""


@contextmanager
def serving(application: Any) -> Iterator[int]:
    """Serve on a loopback port."""
    server = make_server("127.0.0.1", 0, application, threaded=True, request_handler=Quiet)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def gateway(fleet: Fleet) -> Iterator[int]:
    with serving(create_app(fleet, max_body=MAX_BODY)) as port:
        yield port


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


def call(
    port: int,
    method: str,
    path: str,
    body: Any = None,
    headers: Mapping[str, str] | None = None,
    *,
    chunked: bool = False,
) -> Answer:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request(method, path, body, dict(headers or {}), encode_chunked=chunked)
        answer = connection.getresponse()
        named = {name.lower(): value for name, value in answer.getheaders()}
        return Answer(answer.status, named, answer.read())
    finally:
        connection.close()


def post(port: int, body: bytes, partner: str = "shop", **headers: str) -> Answer:
    named = {f"X-Shop-{name.title()}": value for name, value in headers.items()}
    return call(port, "POST", f"/webhooks/{partner}", body, {"X-Shop-Proof": sign(body), **named})


def speak(port: int, data: bytes) -> bytes:
    """Send raw bytes; return what comes back until the server closes or is silent."""
    with socket.create_connection(("127.0.0.1", port), timeout=2) as raw:
        answer = b""
        try:
            raw.sendall(data)
            while piece := raw.recv(65536):
                answer += piece
        except OSError:
            pass
        return answer


def stored(fleet: Fleet) -> list[Any]:
    with fleet.session() as session:
        return list(
            session.execute(
                sa.text(
                    "SELECT m.topic, m.entity, m.state, m.duplicates, b.body FROM message m"
                    " JOIN message_body b ON b.message_id = m.id ORDER BY m.id"
                )
            ).all()
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
    assert sorted(answer.headers["allow"].split(", ")) == ["OPTIONS", "POST"]
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


@contextmanager
def away(fleet: Fleet, url: str) -> Iterator[Fleet]:
    """The gateway's fleet, with its database somewhere else."""
    hurried = impatient(replace(fleet, database=bootstrap.connect(url)))
    yield hurried
    hurried.database.dispose()


@contextmanager
def mute_port() -> Iterator[int]:
    """A port that takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_a_database_that_refuses_gets_503_and_a_time_to_come_back(fleet: Fleet) -> None:
    nowhere = "postgresql+psycopg://nobody@127.0.0.1:9/none"

    with away(fleet, nowhere) as gone, serving(create_app(gone)) as port:
        answer = post(port, b'{"id": 1001}')
        ready = call(port, "GET", "/readyz")
        status = call(port, "GET", "/api/v1/status")
        alive = call(port, "GET", "/healthz")
        metrics = call(port, "GET", "/metrics")

    assert (answer.status, answer.headers["retry-after"]) == (503, "5")
    assert sorted(answer.json) == ["error", "remedy"]
    assert (ready.status, ready.json["ok"]) == (503, False)
    assert status.status == 503
    assert alive.status == 200
    assert b"syncworkers_up 0.0" in metrics.body


def test_a_database_that_is_silent_gets_503_within_three_seconds(fleet: Fleet) -> None:
    with mute_port() as port_of_database:
        silent = f"postgresql+psycopg://nobody@127.0.0.1:{port_of_database}/none"
        with away(fleet, silent) as gone, serving(create_app(gone)) as port:
            began = time.monotonic()
            answer = post(port, b'{"id": 1001}')
            took = time.monotonic() - began

    assert answer.status == 503
    assert took < 3


def test_a_locked_table_gets_503_within_three_seconds(fleet: Fleet) -> None:
    same = fleet.database.url.render_as_string(hide_password=False)
    with (
        away(fleet, same) as hurried,
        serving(create_app(hurried)) as port,
        fleet.database.begin() as blocker,
    ):
        blocker.execute(sa.text("LOCK TABLE line IN ACCESS EXCLUSIVE MODE"))
        began = time.monotonic()
        answer = post(port, b'{"id": 1001}')
        took = time.monotonic() - began

    assert (answer.status, answer.headers["retry-after"]) == (503, "5")
    assert took < 3
    assert stored(fleet) == []


def test_an_exhausted_pool_gets_503_within_three_seconds(fleet: Fleet) -> None:
    small = sa.create_engine(fleet.database.url, pool_size=1, max_overflow=0, pool_timeout=1.0)

    with small.connect(), serving(create_app(replace(fleet, database=small))) as port:
        answer = post(port, b'{"id": 1001}')

    small.dispose()
    assert (answer.status, answer.headers["retry-after"]) == (503, "5")


def test_readyz_is_well_on_an_empty_fleet(gateway: int) -> None:
    answer = call(gateway, "GET", "/readyz")

    assert (answer.status, answer.json) == (200, {"ok": True, "reasons": []})


def due_since(fleet: Fleet, seconds: int) -> None:
    with fleet.session() as session:
        session.execute(
            sa.text(
                "INSERT INTO line (lane, key, pending, due_at)"
                " VALUES (:lane, 7, 2, now() - make_interval(secs => :seconds))"
            ),
            {"lane": fleet.lanes["orders.process"].id, "seconds": seconds},
        )


def test_readyz_names_the_lane_whose_work_waits_too_long(fleet: Fleet, gateway: int) -> None:
    due_since(fleet, 1000)

    answer = call(gateway, "GET", "/readyz")

    assert answer.status == 503
    assert answer.headers["retry-after"] == "5"
    assert answer.json["reasons"][0].startswith("orders.process: work is due since 1000 s")


def test_a_paused_lane_does_not_make_the_gateway_unready(fleet: Fleet, gateway: int) -> None:
    due_since(fleet, 1000)
    with fleet.session() as session:
        session.execute(
            sa.text("UPDATE lane SET paused_until = 'infinity', paused_reason = 'a person'")
        )

    assert call(gateway, "GET", "/readyz").status == 200


def test_readyz_asks_for_the_migration(fleet: Fleet, gateway: int) -> None:
    with fleet.session() as session:
        kept = session.execute(sa.text("DELETE FROM alembic_version RETURNING version_num")).all()
    try:
        answer = call(gateway, "GET", "/readyz")
    finally:
        with fleet.session() as session:
            session.execute(
                sa.text("INSERT INTO alembic_version VALUES (:version)"),
                [{"version": row.version_num} for row in kept],
            )

    assert answer.status == 503
    assert "syncworkers db upgrade" in answer.json["reasons"][0]


def test_metrics_and_status_tell_the_same_figures(fleet: Fleet, gateway: int) -> None:
    due_since(fleet, 60)
    post(gateway, b'{"id": 1}', message="m-1")
    post(gateway, b'{"id": 1}', message="m-1")
    call(gateway, "POST", "/webhooks/shop", b"{}")
    post(gateway, b'{"id": 2}', topic="carts/update")

    metrics = call(gateway, "GET", "/metrics").body.decode().splitlines()
    status = call(gateway, "GET", "/api/v1/status").json

    me = os.getpid()
    assert (
        f'syncworkers_webhooks_total{{partner="shop",process="{me}",receipt="accepted"}} 2.0'
        in metrics
    )
    assert (
        f'syncworkers_webhooks_total{{partner="shop",process="{me}",receipt="duplicate"}} 1.0'
        in metrics
    )
    assert (
        f'syncworkers_webhooks_total{{partner="shop",process="{me}",receipt="forged"}} 1.0'
        in metrics
    )
    assert 'syncworkers_lane_rows{lane="orders.process"} 3.0' in metrics
    assert 'syncworkers_lane_lines{lane="orders.process",state="waiting"} 2.0' in metrics
    assert 'syncworkers_parked_rows{table="message"} 1.0' in metrics
    assert "syncworkers_open_cases 0.0" in metrics
    (lane,) = [lane for lane in status["lanes"] if lane["name"] == "orders.process"]
    assert (lane["rows"], lane["lines"], lane["leased"], lane["paused"]) == (3, 2, 0, False)
    assert 60 <= lane["oldest_due_seconds"] < 90
    assert status["parked"] == {"message": 1, "delivery": 0}


def test_the_api_describes_itself(gateway: int) -> None:
    answer = call(gateway, "GET", "/api/openapi.json")

    assert answer.status == 200
    assert list(answer.json["paths"]) == ["/api/v1/status"]


def test_a_gateway_with_a_wrong_configuration_does_not_start() -> None:
    def compose() -> Any:
        message = "the configuration is wrong"
        raise ValueError(message)

    with pytest.raises(ValueError, match="the configuration is wrong"):
        WhenReady(compose)


def test_a_gateway_started_before_its_database_answers_503_until_it_comes(fleet: Fleet) -> None:
    there: list[Fleet] = []

    def compose() -> Any:
        if not there:
            raise sa.exc.OperationalError("SELECT 1", {}, OSError("refused"))
        return create_app(there[0])

    with serving(WhenReady(compose)) as port:
        before = [call(port, "GET", path).status for path in ("/healthz", "/readyz")]
        refused = post(port, b'{"id": 1001}')
        there.append(fleet)
        time.sleep(1.1)
        after = post(port, b'{"id": 1001}')

    assert before == [200, 503]
    assert (refused.status, refused.headers["retry-after"]) == (503, "5")
    assert after.status == 202
