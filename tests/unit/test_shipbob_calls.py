"""How the connector takes answers that a simulator would never give, over real sockets."""

from __future__ import annotations

import datetime as dt
import json
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from syncworkers.connectors.base import Deadline, Outcome, Request, Verdict
from syncworkers.connectors.shipbob.parts import THREADS
from syncworkers.engine.budgets import LocalBudget
from syncworkers.errors import RejectedError, RetryableError, SyncError
from syncworkers.policy.partners import BudgetPolicy
from tests.integration.world import serving
from tests.unit.shipbob_parts import CHANNEL, SECRET, TOKEN, cancel, connector, create, readdress

if TYPE_CHECKING:
    from collections.abc import Iterator

    from syncworkers.connectors.shipbob import ShipBob

HOOK = "https://us.example/webhooks/shipbob-west"
WINDOW = (dt.datetime(2026, 11, 24, tzinfo=dt.UTC), dt.datetime(2026, 11, 25, tzinfo=dt.UTC))
DUPLICATE = {"errors": ["Cannot insert order with existing ReferenceId"]}
REASONS: list[Any] = [{"shipment_id": 9, "is_success": False, "reason": "picked"}]


class Script:
    """Answers calls in turn, whatever they ask; the last answer stays."""

    def __init__(self, *answers: tuple[int, Any]) -> None:
        self.answers = list(answers)
        self.seen: list[tuple[str, str, bytes]] = []
        self.headers: list[dict[str, str]] = []
        self._lock = threading.Lock()

    def __call__(self, environ: dict[str, Any], start: Any) -> list[bytes]:
        with self._lock:
            body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
            address = f"{environ['PATH_INFO']}?{environ['QUERY_STRING']}"
            self.seen.append((environ["REQUEST_METHOD"], address, body))
            self.headers.append({k: v for k, v in environ.items() if k.startswith("HTTP_")})
            status, answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        headers = []
        if isinstance(answer, tuple):
            answer, headers = answer
        raw = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
        start(f"{status} Told", [("Content-Type", "application/json"), *headers])
        return [raw]

    @property
    def paths(self) -> list[str]:
        return [f"{method} {address.partition('?')[0]}" for method, address, _ in self.seen]


@contextmanager
def asking(*answers: tuple[int, Any], **changes: Any) -> Iterator[tuple[Script, ShipBob]]:
    script = Script(*answers)
    with serving(script) as url:
        made = connector(url, **changes)
        yield script, made
        made.close()


def standing(request: Request, number: int = 300, **changes: Any) -> dict[str, Any]:
    """The order that a create makes, as plain JSON."""
    order = json.loads(json.dumps(dict(request.payload), default=float))
    shipment = {"id": 9, "status": "Processing", "recipient": order["recipient"]}
    return {"id": number, "status": "Processing", "shipments": [shipment], **order, **changes}


def push(made: ShipBob, *wanted: Request) -> list[Outcome]:
    return made.push(wanted, Deadline(5))


def codes(outcome: Outcome) -> list[str]:
    return [one.code for one in outcome.violations]


def test_a_call_says_who_we_are_for_which_channel_and_which_call_it_is() -> None:
    request = create()
    with asking((201, standing(request))) as (script, made):
        [outcome] = push(made, request)

    [headers] = script.headers
    assert headers["HTTP_AUTHORIZATION"] == f"Bearer {TOKEN}"
    assert headers["HTTP_SHIPBOB_CHANNEL_ID"] == str(CHANNEL)
    assert headers["HTTP_X_CORRELATION_ID"] == outcome.call
    assert script.seen[0][:2] == ("POST", "/2026-01/order?")
    assert b'"unit_price":12.50' in script.seen[0][2]


def test_several_parts_are_under_way_at_a_time() -> None:
    together = threading.Barrier(THREADS)
    order = standing(create())

    def program(environ: dict[str, Any], start: Any) -> list[bytes]:
        together.wait(timeout=5)
        start("201 Created", [("Content-Type", "application/json")])
        return [json.dumps(order).encode()]

    with serving(program) as url:
        made = connector(url)
        outcomes = push(made, *(create() for _ in range(2 * THREADS)))
        made.close()

    assert {one.verdict for one in outcomes} == {Verdict.CONFIRMED}


def test_other_values_than_sent_are_told_field_by_field() -> None:
    request = create()
    order = standing(request, shipping_method="Standard ", order_number="SB-1")
    order["recipient"] = {**order["recipient"], "name": "ADA  BYRON"}
    order["recipient"]["address"] = {**order["recipient"]["address"], "zip_code": None}
    with asking((201, order)) as (_, made):
        [outcome] = push(made, request)

    assert outcome.verdict is Verdict.CONFIRMED
    assert outcome.error == (
        "the warehouse keeps other values than sent:"
        " order_number: sent '1001', stands 'SB-1'; zip_code: sent '97201', stands None"
    )


@pytest.mark.parametrize(
    "body", [b"", b"<html>", {}, [], None, "done", {"id": "x"}, {"id": True}, b"[" * 50_000]
)
def test_a_create_whose_answer_says_nothing_is_unknown(body: Any) -> None:
    with asking((201, body)) as (_, made):
        [outcome] = push(made, create())

    assert (outcome.verdict, outcome.status) == (Verdict.UNKNOWN, 201)
    assert outcome.error


@pytest.mark.parametrize(
    ("body", "verdict"),
    [
        (b"<html>", Verdict.RETRY),
        ({}, Verdict.RETRY),
        (None, Verdict.RETRY),
        ([1, "x", None, [], {}], Verdict.ABSENT),
        ([{"reference_id": None, "id": {}}], Verdict.ABSENT),
        ([{"reference_id": "shopify-us/1/1", "products": "?"}], Verdict.REJECTED),
        ([{"reference_id": "shopify-us/1/1", "products": [{"quantity": "?"}]}], Verdict.REJECTED),
    ],
)
def test_a_look_up_never_raises_whatever_comes(body: Any, verdict: Verdict) -> None:
    with asking((200, body)) as (_, made):
        [outcome] = made.find([create()], Deadline(5))

    assert outcome.verdict is verdict


@pytest.mark.parametrize("status", [409, 422])
def test_a_refused_create_is_looked_up_before_it_is_believed(status: int) -> None:
    with asking((status, b""), (200, [standing(create())])) as (script, made):
        [outcome] = push(made, create())

    assert (outcome.verdict, outcome.external_id) == (Verdict.ADOPTED, "300")
    assert script.paths == ["POST /2026-01/order", "GET /2026-01/order"]
    assert "ReferenceIds=shopify-us%2F1%2F1&" in script.seen[1][1]


def test_a_refused_create_that_is_not_there_is_refused() -> None:
    with asking((422, {"errors": ["Too many tags"]}), (200, [])) as (_, made):
        [outcome] = push(made, create())

    assert (outcome.verdict, codes(outcome)) == (Verdict.REJECTED, ["warehouse.refused"])
    assert (outcome.error, outcome.status) == ("Too many tags", 422)


@pytest.mark.parametrize(
    ("look", "told"),
    [((200, []), "not to be seen in our channel"), ((500, b""), "could not be looked up")],
)
def test_a_reference_that_is_taken_but_cannot_be_seen_is_unknown(
    look: tuple[int, Any], told: str
) -> None:
    with asking((422, DUPLICATE), look) as (_, made):
        [outcome] = push(made, create())

    assert (outcome.verdict, outcome.violations) == (Verdict.UNKNOWN, ())
    assert told in (outcome.error or "")


@pytest.mark.parametrize(
    ("status", "verdict"), [(500, Verdict.UNKNOWN), (503, Verdict.UNKNOWN), (404, Verdict.RETRY)]
)
def test_a_create_that_fails_inside_is_not_looked_up_at_once(status: int, verdict: Verdict) -> None:
    with asking((status, b"")) as (script, made):
        [outcome] = push(made, create())

    assert outcome.verdict is verdict
    assert len(script.seen) == 1


@pytest.mark.parametrize(
    ("answer", "verdict", "code"),
    [
        ((200, {"status": "Success", "canceled_shipment_results": []}), Verdict.CONFIRMED, []),
        ((200, {"status": "Success"}), Verdict.CONFIRMED, []),
        (
            (200, {"status": "Success", "canceled_shipment_results": REASONS}),
            Verdict.REJECTED,
            ["warehouse.cancel_partial"],
        ),
        (
            (200, {"status": "PartialSuccess", "canceled_shipment_results": REASONS}),
            Verdict.REJECTED,
            ["warehouse.cancel_partial"],
        ),
        ((200, {"status": "Failure"}), Verdict.REJECTED, ["warehouse.cancel_refused"]),
        ((422, {"errors": ["No."]}), Verdict.REJECTED, ["warehouse.cancel_refused"]),
        ((404, b""), Verdict.REJECTED, ["warehouse.order_missing"]),
        ((400, {"order": ["No."]}), Verdict.REJECTED, ["warehouse.refused"]),
        ((200, {"status": "Pondering"}), Verdict.UNKNOWN, []),
        ((200, []), Verdict.UNKNOWN, []),
        ((200, b"?"), Verdict.UNKNOWN, []),
        ((500, b""), Verdict.UNKNOWN, []),
        ((429, b""), Verdict.RETRY, []),
    ],
)
def test_every_answer_to_a_cancel_has_one_verdict(
    answer: tuple[int, Any], verdict: Verdict, code: list[str]
) -> None:
    order = [standing(create())]
    budget = LocalBudget(maximum=1000.0, rate=1000.0)
    with asking((200, order), answer, (200, order), budget=budget) as (_, made):
        [outcome] = push(made, cancel(external_id="300"))

    assert (outcome.verdict, codes(outcome)) == (verdict, code)
    assert verdict is Verdict.CONFIRMED or outcome.error


@pytest.mark.parametrize("answer", [(422, {"errors": ["No."]}), (200, {"status": "Failure"})])
def test_a_refused_cancel_that_stands_all_the_same_is_adopted(answer: tuple[int, Any]) -> None:
    before, after = [standing(create())], [standing(create(), status="Cancelled")]
    with asking((200, before), answer, (200, after)) as (_, made):
        [outcome] = push(made, cancel(external_id="300"))

    assert (outcome.verdict, outcome.external_id) == (Verdict.ADOPTED, "300")


def test_a_refused_cancel_that_cannot_be_looked_up_is_unknown() -> None:
    with asking((200, [standing(create())]), (422, b""), (500, b"")) as (_, made):
        [outcome] = push(made, cancel(external_id="300"))

    assert (outcome.verdict, outcome.violations) == (Verdict.UNKNOWN, ())


@pytest.mark.parametrize(
    ("answer", "verdict", "code"),
    [
        ((200, {"id": 9, "is_success": True}), Verdict.CONFIRMED, []),
        ((200, {"id": 9, "is_success": False}), Verdict.REJECTED, ["warehouse.too_late"]),
        ((200, {"error": {"code": "CONFLICT"}}), Verdict.REJECTED, ["warehouse.too_late"]),
        (
            (200, {"is_success": False, "error": {"code": "INVALID_PARAMETER", "message": "zip"}}),
            Verdict.REJECTED,
            ["warehouse.refused"],
        ),
        (
            (200, {"is_success": False, "error": {"code": "NOT_FOUND"}}),
            Verdict.REJECTED,
            ["warehouse.order_missing"],
        ),
        (
            (200, {"is_success": False, "error": {"code": "REPROCESSING_ERROR"}}),
            Verdict.UNKNOWN,
            [],
        ),
        ((400, {"code": "VALIDATION_ERROR"}), Verdict.REJECTED, ["warehouse.refused"]),
        ((400, {"code": "DATABASE_UPDATE_ERROR"}), Verdict.UNKNOWN, []),
        ((500, b""), Verdict.UNKNOWN, []),
        ((200, b""), Verdict.UNKNOWN, []),
    ],
)
def test_every_answer_to_a_new_address_has_one_verdict(
    answer: tuple[int, Any], verdict: Verdict, code: list[str]
) -> None:
    order = [standing(create())]
    with asking((200, order), answer, (200, order)) as (script, made):
        [outcome] = push(made, readdress(external_id="300"))

    assert (outcome.verdict, codes(outcome)) == (verdict, code)
    assert script.paths[1] == "PUT /2026-01/shipment/9:updateAddress"


def test_an_order_without_shipments_yet_is_readdressed_later() -> None:
    with asking((200, [standing(create(), shipments=None)])) as (script, made):
        [outcome] = push(made, readdress())

    assert (outcome.verdict, outcome.after, outcome.pause) == (Verdict.RETRY, 30.0, False)
    assert len(script.seen) == 1


def test_a_new_address_that_reached_only_one_of_two_shipments_is_sent_again() -> None:
    one = standing(create())["shipments"][0]
    order = standing(create(), shipments=[one, {**one, "id": 10}])
    budget = LocalBudget(maximum=2.0, rate=0.01)
    with asking((200, [order]), (200, {"is_success": True}), budget=budget) as (script, made):
        [outcome] = push(made, readdress())

    assert (outcome.verdict, outcome.error) == (
        Verdict.RETRY,
        "no time was left for every shipment",
    )
    assert len(script.seen) == 2


def test_a_shipment_without_an_id_is_not_readdressed_blindly() -> None:
    with asking((200, [standing(create(), shipments=[{"status": "Processing"}])])) as (_, made):
        [outcome] = push(made, readdress())

    assert outcome.verdict is Verdict.RETRY


def test_a_429_closes_the_bucket_for_everybody_as_long_as_it_says() -> None:
    budget = LocalBudget(maximum=50.0, rate=2.0)
    pace = BudgetPolicy(burst=50.0, per_second=2.0)
    busy = (429, (b"", [("x-retry-after", "20")]))
    with asking(busy, budget=budget, pace=pace) as (_, made):
        [outcome] = push(made, create())

    assert (outcome.verdict, outcome.after) == (Verdict.RETRY, 20.0)
    assert budget.take() == pytest.approx(20.0, abs=0.5)


def test_sweeps_slow_down_before_the_calls_run_out(monkeypatch: pytest.MonkeyPatch) -> None:
    waited: list[float] = []
    monkeypatch.setattr("syncworkers.connectors.shipbob.account.rest", waited.append)
    few = (200, (b"[]", [("x-remaining-calls", "15")]))
    with asking(few) as (_, made):
        made.track(["1"])
        made.fetch("shipment", ["1"])
        made.track(["1"])

    # Neither the first, which knows of no shortage yet, nor the reading of orders waits.
    assert [wait > 0 for wait in waited] == [False, True]
    assert waited[1] == pytest.approx(1.5, abs=0.2)


def test_numbered_pages_that_do_not_advance_end() -> None:
    full = [{"id": number, "created_date": "2026-11-24T15:00:00Z"} for number in range(1, 251)]
    turned = [*full[1:], full[0]]
    for second in (full, turned):
        with asking((200, full), (200, second)) as (script, made):
            pages = list(made.changed("shipment", *WINDOW))

        assert [len(page) for page in pages] == [250]
        assert len(script.seen) <= 4
        assert script.seen[0][1] == (
            "/2026-01/order?LastUpdateStartDate=2026-11-24T00%3A00%3A00.000000Z"
            "&LastUpdateEndDate=2026-11-25T00%3A00%3A00.000000Z&SortOrder=Oldest&Page=1&Limit=250"
        )


def test_a_short_page_that_names_another_is_not_the_last() -> None:
    first = ([{"id": 1, "created_date": None}], [("next-page", "/2026-01/order?Page=2")])
    raw = (json.dumps(first[0]).encode(), first[1])
    with asking((200, raw), (200, [{"id": 2}]), (200, [])) as (script, made):
        pages = list(made.changed("shipment", *WINDOW))

    assert [one.external_id for page in pages for one in page] == ["1", "2"]
    assert {one.updated_at.year for page in pages for one in page} == {1970}
    assert "Page=2" in script.seen[1][1]


@pytest.mark.parametrize(
    ("following", "cursor"),
    [
        ("https://evil.example/2026-01/webhook?RecordsPerPage=1&Cursor=abc%3D", "abc%3D"),
        ("/2026-01/webhook?cursor=abc=", "abc%3D"),
        ("?cursor=abc=", "abc%3D"),
        ("abc=", "abc%3D"),
    ],
)
def test_the_next_page_is_asked_of_nobody_else(following: str, cursor: str) -> None:
    ours = {"url": HOOK, "topics": ["order.shipped"], "enabled": True}
    rest = {**ours, "topics": ["order.shipment.delivered"]}
    with asking(
        (200, {"items": [ours], "next": following}),
        (200, {"items": [rest], "next": following}),
        (200, {"id": "1"}),
        webhook_url=HOOK,
    ) as (script, made):
        created = made.subscribe()

    assert created == [
        "order.shipment.cancelled",
        "order.shipment.exception",
        "order.shipment.on_hold",
    ]
    assert f"&Cursor={cursor}" in script.seen[1][1]
    assert script.paths[2] == "POST /2026-01/webhook"
    assert json.loads(script.seen[2][2]) == {
        "topics": created,
        "url": HOOK,
        "description": "syncworkers",
        "secret": SECRET,
    }


@pytest.mark.parametrize(
    "body", [b"", b"<html>", None, {}, {"items": None}, {"items": {}}, {"items": [1], "next": 5}]
)
def test_odd_lists_raise_nothing_but_what_is_documented(body: Any) -> None:
    with asking((200, body), webhook_url=HOOK) as (_, made):
        for read in (
            made.subscribe,
            made.shipping_methods,
            lambda: made.fetch("shipment", ["1"]),
            lambda: made.track(["1"]),
            lambda: list(made.changed("shipment", *WINDOW)),
        ):
            try:
                read()
            except SyncError as error:
                assert isinstance(error, RetryableError)
        assert isinstance(made.check(), list)


def test_odd_tracking_is_left_out_and_undated_is_dated_by_its_history() -> None:
    entries = [
        {"shipment_id": None},
        {"shipment_id": True},
        {"shipment_id": 8, "history": [{"timestamp": "2026-11-24T15:00:00Z"}, {}]},
        {"shipment_id": 9, "last_updated": "?", "history": "?"},
        "odd",
    ]
    with asking((200, entries)) as (_, made):
        records = made.track(["8", "9"])

    assert [(one.external_id, one.updated_at and one.updated_at.year) for one in records] == [
        ("8", 2026),
        ("9", 1970),
    ]


def test_a_refused_tracking_query_is_told_in_the_partners_words() -> None:
    with (
        asking((400, "ShipmentIds must be numbers")) as (_, made),
        pytest.raises(RejectedError, match="ShipmentIds must be numbers"),
    ):
        made.track(["1"])


def test_nobody_there_costs_nothing() -> None:
    made = connector("http://127.0.0.1:9")

    outcomes = [*push(made, create()), *push(made, cancel()), *made.find([create()], Deadline(5))]

    assert {one.verdict for one in outcomes} == {Verdict.RETRY}
    assert {one.pause for one in outcomes} == {False}
    assert outcomes[0].error == "POST 127.0.0.1/2026-01/order: Connection refused; nothing was sent"
