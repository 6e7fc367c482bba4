"""What the Shopify connector tells customers, against the simulated shop, over real sockets."""

from __future__ import annotations

import io
import json
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from syncworkers.connectors.base import Deadline, Request, Verdict
from tests.integration.shopify_goods import (
    book,
    calls,
    codes,
    create,
    find,
    note,
    place,
    push,
    sent_off,
    track,
    verdicts,
)
from tests.integration.test_shopify_connector import connector, running
from tests.integration.world import serving

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from syncworkers.connectors.shopify import Shopify
    from syncworkers.sandbox.shopify.app import Shop

CONFIRMED, ADOPTED, RETRY = Verdict.CONFIRMED, Verdict.ADOPTED, Verdict.RETRY
UNKNOWN, ABSENT, REJECTED = Verdict.UNKNOWN, Verdict.ABSENT, Verdict.REJECTED
NOT_STARTED = Verdict.NOT_STARTED


@contextmanager
def interrupted(shop: Shop, before: dict[str, Callable[[], object]]) -> Iterator[Shopify]:
    """A connector whose calls let something happen first, by the name of the operation."""

    def program(environ: dict[str, Any], start: Any) -> Any:
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        environ["wsgi.input"] = io.BytesIO(body)
        for name in [name for name in before if name.encode() in body]:
            before.pop(name)()
        return shop.program(environ, start)

    with serving(program) as url:
        made = connector(url)
        yield made
        made.close()


UPS = {"company": "UPS", "number": "1Z7", "url": "https://ups.example.com/1Z7"}


def test_a_shipment_becomes_a_fulfilment_of_exactly_its_lines() -> None:
    with running() as (shop, made):
        place(shop, 7, 2, 3)

        [outcome] = push(made, create(7, {1: 2}))

        [made_there] = book(shop, 7)["fulfillments"]
        assert outcome.verdict is CONFIRMED
        assert outcome.external_id == f"gid://shopify/Fulfillment/{made_there['id']}"
        assert (outcome.status, len(outcome.call), outcome.error) == (200, 32, None)
        assert json.loads(outcome.sent or "")["lines"] == [
            {"line_item": "gid://shopify/LineItem/71", "quantity": 2}
        ]
        assert sent_off(shop, 7) == [
            {
                "status": "SUCCESS",
                "tracking": UPS,
                "lines": [{"id": "71", "quantity": 2}],
                "notified": 1,
            }
        ]
        assert calls(shop) == {"fulfillment_create": 1, "fulfillment_orders": 1}


def test_a_part_is_sent_first_and_the_rest_later() -> None:
    with running() as (shop, made):
        place(shop, 7, 2, 3)

        first = push(made, create(7, {1: 2, 2: 1}, tracking_number="A"))
        half = shop.books.get("7") or {}
        second = push(made, create(7, {2: 2}, tracking_number="B"))

        whole = shop.books.get("7") or {}
        assert verdicts(first + second) == [CONFIRMED, CONFIRMED]
        assert [one["lines"] for one in sent_off(shop, 7)] == [
            [{"id": "71", "quantity": 2}, {"id": "72", "quantity": 1}],
            [{"id": "72", "quantity": 2}],
        ]
        assert (half["fulfillment_status"], whole["fulfillment_status"]) == ("partial", "fulfilled")
        assert [one["fulfillable_quantity"] for one in half["line_items"]] == [0, 2]
        assert [one["tracking_number"] for one in whole["fulfillments"]] == ["A", "B"]
        assert book(shop, 7)["lines"][1]["quantity"] == 3


def test_more_units_than_are_left_are_refused_with_what_is_left() -> None:
    with running() as (shop, made):
        place(shop, 7, 2, 3)
        push(made, create(7, {2: 2}))

        [outcome] = push(made, create(7, {1: 1, 2: 2}, tracking_number="B"))

        assert (outcome.verdict, codes(outcome)) == (REJECTED, ["store.already_fulfilled"])
        assert outcome.error == "line 71: 1 to ship, 2 left, line 72: 2 to ship, 1 left"
        assert len(sent_off(shop, 7)) == 1
        assert calls(shop)["fulfillment_create"] == 1


@pytest.mark.parametrize(
    ("fault", "first", "then"),
    [
        ("timeout_after", UNKNOWN, ADOPTED),
        ("timeout_before", UNKNOWN, ABSENT),
        ("reset", UNKNOWN, ABSENT),
        ("server_error", UNKNOWN, ABSENT),
        ("throttle", RETRY, ABSENT),
    ],
)
def test_a_lost_fulfilment_is_found_or_made_again_and_stands_once(
    fault: str, first: Verdict, then: Verdict
) -> None:
    with running() as (shop, made):
        place(shop, 7, 2)
        # The first call of a push is its read.
        shop.plan.switch({"next": ["slow", fault]})

        [pushed] = push(made, create(7, {1: 2}))
        [found] = find(made, create(7, {1: 2}))
        [again] = push(made, create(7, {1: 2}))

        assert (pushed.verdict, found.verdict) == (first, then)
        assert (pushed.pause, pushed.after) == ((True, 2.0) if first is RETRY else (False, None))
        assert again.verdict is (ADOPTED if then is ADOPTED else CONFIRMED)
        [only] = book(shop, 7)["fulfillments"]
        assert again.external_id == f"gid://shopify/Fulfillment/{only['id']}"
        assert found.external_id == (again.external_id if then is ADOPTED else None)


def test_an_effect_that_lands_late_is_adopted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("syncworkers.sandbox.transport.LATE", 0.3)
    with running() as (shop, made):
        place(shop, 7, 2)
        shop.plan.switch({"next": ["slow", "late_effect"]})

        [pushed] = push(made, create(7, {1: 2}))
        end = time.monotonic() + 5
        while (found := find(made, create(7, {1: 2}))[0]).verdict is ABSENT:
            assert time.monotonic() < end

        assert (pushed.verdict, found.verdict) == (UNKNOWN, ADOPTED)
        assert len(sent_off(shop, 7)) == 1


def test_our_own_effect_that_lands_between_read_and_change_is_adopted() -> None:
    with running() as (shop, made):
        place(shop, 7, 2)

        with interrupted(
            shop, {"FulfillmentCreate": lambda: push(made, create(7, {1: 2}))}
        ) as late:
            [outcome] = push(late, create(7, {1: 2}))

        assert outcome.verdict is ADOPTED
        assert len(sent_off(shop, 7)) == 1


def test_somebody_elses_fulfilment_between_read_and_change_is_a_refusal() -> None:
    with running() as (shop, made):
        place(shop, 7, 2)
        other = create(7, {1: 2}, tracking_number="other")

        with interrupted(shop, {"FulfillmentCreate": lambda: push(made, other)}) as late:
            [outcome] = push(late, create(7, {1: 2}))

        assert (outcome.verdict, codes(outcome)) == (REJECTED, ["store.not_fulfillable"])
        assert (outcome.error or "").startswith(
            "Fulfillment order 71 has an unfulfillable status= closed."
        )
        assert "X-Request-ID" in (outcome.answer or "")


@pytest.mark.parametrize(
    ("prepare", "code", "told"),
    [
        (lambda shop: shop.customers.cancel("7"), "store.not_fulfillable", "cancelled"),
        (lambda shop: shop.staff.hold("7"), "store.not_fulfillable", "71 is ON_HOLD"),
        (
            lambda shop: shop.staff.move("7", {"72": 2}),
            "store.several_locations",
            "(Location 2, Shop location)",
        ),
    ],
)
def test_an_order_that_cannot_be_fulfilled_is_refused_with_the_reason(
    prepare: Callable[[Shop], object], code: str, told: str
) -> None:
    with running() as (shop, made):
        place(shop, 7, 2, 3)
        prepare(shop)

        [outcome] = push(made, create(7, {1: 1, 2: 1}))

        assert (outcome.verdict, codes(outcome)) == (REJECTED, [code])
        assert told in (outcome.error or "")
        assert "gid://shopify/FulfillmentOrder/71" in (outcome.answer or "")
        assert sent_off(shop, 7) == []


def test_an_unknown_order_and_a_line_that_never_ships_are_refused() -> None:
    with running() as (shop, made):
        place(shop, 7, 2)
        order = shop.books.get("7") or {}
        order["line_items"][0]["requires_shipping"] = False
        shop.books.place(order)

        unknown, intangible = push(made, create(404, {1: 1}), create(7, {1: 1}))

        assert (codes(unknown), codes(intangible)) == (
            ["store.order_missing"],
            ["store.not_fulfillable"],
        )
        assert "fulfilment scopes" in (intangible.error or "")
        assert verdicts(find(made, create(404, {1: 1}))) == [REJECTED]


def test_lines_are_taken_from_the_location_that_holds_them() -> None:
    with running() as (shop, made):
        place(shop, 7, 2, 3)
        shop.staff.move("7", {"72": 2})

        outcomes = push(made, create(7, {2: 3}))

        assert verdicts(outcomes) == [CONFIRMED]
        assert [one["lines"] for one in sent_off(shop, 7)] == [[{"id": "72", "quantity": 3}]]


def test_an_order_let_go_after_a_hold_is_fulfilled() -> None:
    with running() as (shop, made):
        place(shop, 7, 2)
        shop.staff.hold("7")
        shop.staff.hold("7", held=False)

        assert verdicts(push(made, create(7, {1: 2}))) == [CONFIRMED]


def test_a_look_up_by_our_number_knows_ours_from_others() -> None:
    with running() as (shop, made):
        place(shop, 7, 4)
        push(made, create(7, {1: 1}))
        [called_back] = book(shop, 7)["fulfillments"]

        same, more = create(7, {1: 1}), create(7, {1: 2})
        other = create(7, {1: 1}, tracking_number="B")
        before = find(made, same) + find(made, more) + find(made, other)
        shop.staff.call_back(called_back["id"])
        [after] = find(made, same)

        assert verdicts(before) == [ADOPTED, REJECTED, ABSENT]
        assert codes(before[1]) == ["store.fulfilment_differs"]
        assert after.verdict is ABSENT
        # What was called back is owed again.
        assert verdicts(push(made, create(7, {1: 4}))) == [CONFIRMED]


def test_without_a_number_only_one_fulfilment_of_the_same_lines_is_adopted() -> None:
    with running() as (shop, made):
        place(shop, 7, 4, 1)
        bare = create(7, {1: 2}, tracking_number="", tracking_url="")

        nothing = find(made, bare)
        push(made, bare)
        one = find(made, bare)
        push(made, bare)
        two = find(made, bare)

        assert verdicts(nothing + one + two) == [ABSENT, ADOPTED, REJECTED]
        assert codes(two[0]) == ["store.fulfilment_ambiguous"]
        assert [each["tracking"]["number"] for each in sent_off(shop, 7)] == [None, None]


def test_a_number_that_others_use_too_does_not_keep_ours_from_being_made() -> None:
    with running() as (shop, made):
        place(shop, 7, 2, 1)
        push(made, create(7, {2: 1}))

        assert verdicts(push(made, create(7, {1: 2}))) == [CONFIRMED]
        assert len(sent_off(shop, 7)) == 2


def test_thirty_shipments_need_three_reads_and_each_is_made_once() -> None:
    with running() as (shop, made):
        numbers = range(100, 130)
        for number in numbers:
            place(shop, number, 1)

        outcomes = push(made, *(create(number, {1: 1}) for number in numbers))

        assert set(verdicts(outcomes)) == {CONFIRMED}
        assert [len(sent_off(shop, number)) for number in numbers] == [1] * 30
        assert [
            f"gid://shopify/Fulfillment/{book(shop, number)['fulfillments'][0]['id']}"
            for number in numbers
        ] == [one.external_id for one in outcomes]
        assert calls(shop) == {"fulfillment_create": 30, "fulfillment_orders": 3}


def test_a_large_order_is_read_to_its_end() -> None:
    with running() as (shop, made):
        place(shop, 7, *([9] * 45))
        shop.staff.move("7", {"71": 3, "72": 2})
        lines = dict.fromkeys(range(3, 46), 1)
        numbers = [f"N{count}" for count in range(6)]
        for number in numbers:
            [outcome] = push(made, create(7, lines, tracking_number=number))
            assert outcome.verdict is CONFIRMED

        found = [find(made, create(7, lines, tracking_number=number))[0] for number in numbers]
        refused = push(made, create(7, dict.fromkeys(lines, 4), tracking_number="more"))

        ids = [one["id"] for one in book(shop, 7)["fulfillments"]]
        assert [one.external_id for one in found] == [f"gid://shopify/Fulfillment/{i}" for i in ids]
        assert codes(refused[0]) == ["store.already_fulfilled"]
        assert "line 745: 4 to ship, 3 left" in (refused[0].error or "")


def test_an_empty_bucket_pauses_the_shop_and_nothing_more_is_begun() -> None:
    with running() as (shop, made):
        place(shop, 7, 2)
        shop.bucket.restore_rate = 1.0
        for points in (50.0, 1.0):
            while shop.bucket.take(points)[0]:
                pass

        shipped, noted = push(made, create(7, {1: 2}), note(7, "INV-1"))

        assert (shipped.verdict, shipped.pause) == (RETRY, True)
        assert (shipped.after or 0) > 20
        assert noted.verdict is NOT_STARTED
        assert sent_off(shop, 7) == []


def test_an_old_token_is_renewed_unseen_even_for_a_change() -> None:
    with running() as (shop, made):
        place(shop, 7, 2)
        push(made, note(7, "INV-1"))

        with interrupted(shop, {"FulfillmentCreate": shop.tokens.revoke_all}) as late:
            outcomes = push(late, create(7, {1: 2}))

        assert verdicts(outcomes) == [CONFIRMED]
        assert len(sent_off(shop, 7)) == 1


def test_wrong_credentials_pause_the_shop_and_are_not_told() -> None:
    with running() as (shop, made):
        place(shop, 7, 2)
        wrong = connector(made._settings.url, client_secret="not-the-secret")

        [outcome] = push(wrong, create(7, {1: 2}))
        wrong.close()

        assert (outcome.verdict, outcome.pause, outcome.credentials) == (RETRY, True, True)
        assert "not-the-secret" not in repr(outcome)


def test_nothing_is_begun_after_the_deadline() -> None:
    with running() as (shop, made):
        place(shop, 7, 2)
        wanted = [create(7, {1: 2}), track(7, "gid://shopify/Fulfillment/1"), note(7, "INV-1")]

        pushed, found = made.push(wanted, Deadline(0)), made.find(wanted, Deadline(0))

        assert set(verdicts(pushed + found)) == {NOT_STARTED}
        assert calls(shop) == {}


def test_the_customer_is_written_to_only_where_it_is_wanted() -> None:
    with running() as (shop, made):
        place(shop, 7, 2)
        [created] = push(made, create(7, {1: 2}, notify_customer=False))
        silent = sent_off(shop, 7)[0]["notified"]

        push(made, track(7, created.external_id, notify_customer=True))

        assert (silent, sent_off(shop, 7)[0]["notified"]) == (0, 1)


def test_tracking_is_replaced_and_known_again() -> None:
    with running() as (shop, made):
        place(shop, 7, 2)
        [created] = push(made, create(7, {1: 2}))
        new = track(7, created.external_id, carrier="FedEx", tracking_number="9", tracking_url="")
        before = find(made, new)
        shop.plan.switch({"next": ["timeout_after"]})

        lost, after, repeated = push(made, new), find(made, new), push(made, new)

        assert verdicts(before + lost + after + repeated) == [ABSENT, UNKNOWN, ADOPTED, CONFIRMED]
        assert {one.external_id for one in after + repeated} == {created.external_id}
        assert sent_off(shop, 7)[0]["tracking"] == {"company": "FedEx", "number": "9", "url": None}


def test_tracking_of_what_is_not_there_is_refused() -> None:
    with running() as (shop, made):
        place(shop, 7, 2)
        [created] = push(made, create(7, {1: 2}))
        shop.staff.call_back(book(shop, 7)["fulfillments"][0]["id"])

        wanted = [track(7, None), track(7, "gid://shopify/Fulfillment/1")]
        outcomes = push(made, *wanted, track(7, created.external_id))

        assert verdicts(outcomes) == [REJECTED] * 3
        assert [codes(one)[0] for one in outcomes] == [
            "store.fulfilment_unknown",
            "store.fulfilment_unknown",
            "store.fulfilment_cancelled",
        ]
        assert verdicts(find(made, *wanted)) == [REJECTED] * 2


def test_the_invoices_of_many_orders_travel_together() -> None:
    with running() as (shop, made):
        numbers = range(100, 113)
        for number in numbers:
            place(shop, number, 1)

        outcomes = push(made, *(note(number, f"INV-{number}", "INV-0") for number in numbers))

        assert set(verdicts(outcomes)) == {CONFIRMED}
        assert calls(shop) == {"metafields_set": 2}
        kept = book(shop, 112)["metafields"]
        assert kept["erp.invoice_numbers"] == '["INV-112","INV-0"]'
        assert json.loads(kept["erp.invoices"])[0] == {
            "number": "INV-112",
            "date": "2026-11-25",
            "amount": "10.50",
            "currency": "USD",
            "url": "https://erp.example.com/1",
        }


def test_one_refused_metafield_stops_no_other() -> None:
    with running() as (shop, made):
        place(shop, 7, 1)
        place(shop, 8, 1)

        outcomes = push(made, note(7, "INV-1"), note(404, "INV-2"), note(8, "INV-3"))

        assert verdicts(outcomes) == [CONFIRMED, REJECTED, CONFIRMED]
        assert codes(outcomes[1]) == ["store.order_missing"] * 2
        assert outcomes[1].violations[0].path == "metafields.2.ownerId"
        assert calls(shop) == {"metafields_set": 2}
        assert [book(shop, number)["metafields"]["erp.invoice_numbers"] for number in (7, 8)] == [
            '["INV-1"]',
            '["INV-3"]',
        ]


def test_lost_notes_are_compared_by_what_they_mean() -> None:
    with running() as (shop, made):
        place(shop, 7, 1)
        place(shop, 8, 1)
        shop.plan.switch({"next": ["timeout_after"]})
        wanted = [note(7, "INV-1"), note(8, "INV-2")]

        lost = push(made, *wanted)
        shop.apps.note(
            [
                {
                    "ownerId": "gid://shopify/Order/7",
                    "namespace": "erp",
                    "key": "invoice_numbers",
                    "type": "list.single_line_text_field",
                    "value": '[ "INV-1" ]',
                }
            ]
        )
        found = find(made, *wanted, note(8, "INV-2", "INV-3"), note(404, "INV-4"))

        assert verdicts(lost) == [UNKNOWN] * 2
        assert lost[0].call == lost[1].call
        assert verdicts(found) == [ADOPTED, ADOPTED, ABSENT, ABSENT]


def test_operations_are_answered_in_the_order_they_came() -> None:
    with running() as (shop, made):
        for number in (7, 8):
            place(shop, number, 1)
        [created] = push(made, create(7, {1: 1}))

        outcomes = push(
            made,
            note(8, "INV-1"),
            Request(operation="shipment.burn", reference="x", payload={}),
            create(8, {1: 1}),
            track(7, created.external_id, tracking_number="new"),
        )

        assert verdicts(outcomes) == [CONFIRMED, REJECTED, CONFIRMED, CONFIRMED]
        assert codes(outcomes[1]) == ["operation.unknown"]
        assert outcomes[3].external_id == created.external_id


def test_a_missing_scope_is_named_before_the_first_shipment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    granted = ("write_orders", "read_customers", "read_locations")
    monkeypatch.setattr("syncworkers.sandbox.shopify.reads.SCOPES", granted)

    with running() as (_, made):
        found = made.check()

    assert [one.split()[5] for one in found] == [
        "read_merchant_managed_fulfillment_orders:",
        "write_merchant_managed_fulfillment_orders:",
    ]
