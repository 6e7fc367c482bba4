"""Ship advices of the legacy warehouse: they add up, whatever their order; a cancel awaits one."""

from __future__ import annotations

import datetime as dt
import itertools
from typing import TYPE_CHECKING, Any

import pytest

from syncworkers.flows.retry import retry
from tests.integration.edi_running import (
    Harbor,
    advice,
    fate,
    group,
    harbor,
    letter,
    part,
    release,
    shipped,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    import sqlalchemy as sa
    from redis import Redis

    from syncworkers.servers import Servers
    from syncworkers.x12.segments import Segment

GROUPS = itertools.count(100)


@pytest.fixture
def edi(
    clean_database: sa.Engine,
    redis_client: Redis,
    running_servers: Servers,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Harbor]:
    with harbor(running_servers, tmp_path, monkeypatch) as started:
        yield started


def tell(edi: Harbor, *documents: tuple[str, Sequence[Segment]]) -> None:
    edi.leave(group("SW", next(GROUPS), *documents))
    edi.hear()


def test_an_order_that_left_whole_is_told_to_store_and_erp(edi: Harbor) -> None:
    order, reference, lines = release(edi)

    tell(edi, advice(reference, "SHP-1", *((n, "CC", u, u, sku) for n, sku, u in lines)))

    assert part(edi, reference) == "shipped"
    assert shipped(edi, order) == sum(units for _, _, units in lines)
    (there,) = [one for one in edi.world.sold() if str(one["id"]) == str(order["id"])]
    assert [one["tracking"]["number"] for one in there["fulfillments"]] == ["TRK-SHP-1"]
    assert edi.cases() == []


def test_several_advices_add_up_and_a_repeat_changes_nothing(edi: Harbor) -> None:
    order, reference, lines = release(edi)
    (first, sku, units), *others = lines
    early = advice(reference, "SHP-1", *((n, "CC", u, u, it) for n, it, u in others))
    late = advice(reference, "SHP-2", (first, "CC", units, units, sku))

    tell(edi, early)
    assert part(edi, reference) == "accepted"
    assert edi.cases() == []
    tell(edi, early, late)
    tell(edi, late)

    assert part(edi, reference) == "shipped"
    assert shipped(edi, order) == sum(units for _, _, units in lines)
    assert edi.world.ask("SELECT count(*) FROM shipment") == 2
    assert edi.cases() == []


def test_what_is_backordered_keeps_the_order_open_and_what_is_short_does_not(edi: Harbor) -> None:
    order, reference, lines = release(edi)
    (first, sku, units), *others = sorted(lines, key=lambda one: -one[2])
    rest = [(n, "CC", u, u, it) for n, it, u in others]

    tell(edi, advice(reference, "SHP-1", (first, "BP", units, units - 1, sku), *rest))
    assert part(edi, reference) == "accepted"
    assert edi.cases() == []
    tell(edi, advice(reference, "SHP-2", (first, "CP", 1, 0, sku)))

    assert part(edi, reference) == "cancelled"
    assert shipped(edi, order) == sum(units for _, _, units in lines) - 1
    ((code, error),) = edi.cases()
    assert code == "warehouse.cancelled"
    assert "short" in error


def test_a_substitute_keeps_the_ordered_line_and_is_a_case(edi: Harbor) -> None:
    order, reference, lines = release(edi)
    (first, _, units), *others = lines
    rest = [(n, "CC", u, u, it) for n, it, u in others]

    tell(edi, advice(reference, "SHP-1", (first, "CS", units, units, "OTHER-GOODS"), *rest))

    assert part(edi, reference) == "shipped"
    assert shipped(edi, order) == sum(units for _, _, units in lines)
    ((code, error),) = edi.cases()
    assert code == "shipment.substituted"
    assert "OTHER-GOODS" in error


def test_a_correction_is_a_case_and_edits_nothing(edi: Harbor) -> None:
    order, reference, lines = release(edi)
    whole = [(n, "CC", u, u, sku) for n, sku, u in lines]
    tell(edi, advice(reference, "SHP-1", *whole))
    less = [(n, "CP", u, u - 1, sku) for n, sku, u in lines]

    tell(edi, advice(reference, "SHP-1", *less))
    tell(edi, advice(reference, "SHP-1", *whole, reporting="X"))

    assert shipped(edi, order) == sum(units for _, _, units in lines)
    assert [code for code, _ in edi.cases()] == ["shipment.corrected"] * 2


def test_what_was_written_before_a_correction_and_comes_after_it_is_taken(edi: Harbor) -> None:
    order, reference, lines = release(edi)
    (first, sku, units), *others = lines
    tell(edi, advice(reference, "SHP-1", *((n, "CC", u, u, it) for n, it, u in others)))
    early = letter(
        901, group("SW", 901, advice(reference, "SHP-2", (first, "CC", units, units, sku)))
    )
    wrong = advice(reference, "SHP-1", *((n, "CC", u, u, it) for n, it, u in others), reporting="X")
    late = letter(902, group("SW", 902, wrong))
    hour = (dt.datetime.now(dt.UTC) + dt.timedelta(hours=10)).strftime("%y%m%d*%H%M").encode()
    today = dt.datetime.now(dt.UTC).strftime("%y%m%d").encode()
    at = late.index(today)
    edi.put("late.edi", late[:at] + hour + late[at + len(hour) :])
    edi.hear()

    edi.put("early.edi", early)
    edi.hear()

    assert part(edi, reference) == "shipped"
    assert shipped(edi, order) == sum(units for _, _, units in lines)
    assert [code for code, _ in edi.cases()] == ["shipment.corrected"]


def test_a_substitute_that_is_told_again_is_one_case(edi: Harbor) -> None:
    _, reference, lines = release(edi)
    (first, _, units), *others = lines
    rest = [(n, "CC", u, u, it) for n, it, u in others]
    told = advice(reference, "SHP-1", (first, "CS", units, units, "OTHER-GOODS"), *rest)

    tell(edi, told)
    tell(edi, advice("shopify-us-0-1", "SHP-9", (1, "CC", 1, 1, "X")), told)

    assert [code for code, _ in edi.cases()].count("shipment.substituted") == 1
    assert edi.world.ask("SELECT count(*) FROM ship_advice") == 1


def test_goods_of_no_line_are_refused_and_the_rest_of_the_file_is_taken(edi: Harbor) -> None:
    order, reference, _ = release(edi)
    other, second, more = release(edi)

    tell(
        edi,
        advice(reference, "SHP-1", (77, "CC", 1, 1, "NOBODY-ORDERED")),
        advice(second, "SHP-2", *((n, "CC", u, u, sku) for n, sku, u in more)),
    )

    assert shipped(edi, order) == 0
    assert shipped(edi, other) == sum(units for _, _, units in more)
    assert [code for code, _ in edi.cases()] == ["shipment.unknown_item"]


def test_an_advice_before_its_order_waits_for_it(edi: Harbor) -> None:
    order = edi.world.order()
    reference = f"shopify-us-{order['id']}-1"
    skus = [(n, line["sku"], line["quantity"]) for n, line in enumerate(order["line_items"], 1)]

    tell(edi, advice(reference, "SHP-1", *((n, "CC", u, u, sku) for n, sku, u in skus)))
    assert edi.world.ask("SELECT state FROM message WHERE topic = 'edi/945'") == "parked"

    edi.world.webhook("orders/create", order)
    edi.settle()
    edi.hear()
    assert edi.world.ask("SELECT state FROM message WHERE topic = 'edi/945'") != "parked"


def cancel(edi: Harbor, order: dict[str, Any]) -> None:
    """Let the store call an order off; the cancel reaches the warehouse and waits there."""
    name = str(order["id"])
    edi.world.shop.customers.cancel(name)
    edi.world.webhook("orders/cancelled", edi.world.shop.books.get(name) or {})


@pytest.mark.parametrize("answer", ["cancelled", "shipped"])
def test_a_cancel_is_done_only_once_the_warehouse_says_so(edi: Harbor, answer: str) -> None:
    order, reference, lines = release(edi)
    cancel(edi, order)
    edi.world.process()
    for _ in range(3):
        edi.world.deliver("harbor-east")

    assert [one.segments[0].elements[0] for one in edi.sent("940")] == ["N", "F"]
    state = "SELECT state FROM delivery WHERE operation = 'part.cancel'"
    assert edi.world.ask(state) == "open"
    assert edi.world.ask("SELECT state FROM delivery WHERE operation = 'order.cancel'") == "open"

    word = "IC" if answer == "cancelled" else "CC"
    said = [(n, word, u, 0 if word == "IC" else u, sku) for n, sku, u in lines]
    tell(edi, advice(reference, "SHP-1", *said))

    if answer == "cancelled":
        assert edi.world.ask(state) == "confirmed"
        (booked,) = edi.world.booked()
        assert booked["status"] == "Canceled"
        assert edi.cases() == []
    else:
        assert edi.world.ask(state) == "dead"
        codes = {code for code, _ in edi.cases()}
        assert codes == {"warehouse.cancel_refused", "shipment.after_cancel"}


def test_a_cancel_that_nobody_answers_becomes_a_case(edi: Harbor) -> None:
    order, _, _ = release(edi)
    cancel(edi, order)
    edi.world.process()
    for _ in range(3):
        edi.world.deliver("harbor-east")
    with edi.world.fleet.session() as session:
        session.connection().exec_driver_sql(
            "UPDATE edi_file SET uploaded_at = now() - interval '2 days'"
        )
        session.connection().exec_driver_sql("UPDATE line SET due_at = now()")
    edi.settle()

    assert [code for code, _ in edi.cases()] == ["warehouse.cancel_unanswered"]


def deliver(edi: Harbor) -> None:
    """Work everything that is owed some times, without waiting for anything to be done."""
    for _ in range(4):
        edi.world.process()
        for partner in ("d365-main", "harbor-east"):
            edi.world.deliver(partner)
        with edi.world.fleet.session() as session:
            session.connection().exec_driver_sql("UPDATE line SET due_at = now()")


def test_what_is_frozen_is_not_called_off_but_cancelled(edi: Harbor) -> None:
    edi.server.faults.refuse_rename = True
    order, other = orders = edi.world.order(), edi.world.order()
    for one in orders:
        edi.world.webhook("orders/create", one)
    deliver(edi)
    assert edi.world.ask("SELECT count(*) FROM edi_set") == 2
    edi.server.faults.refuse_rename = False
    cancel(edi, order)
    deliver(edi)

    told = [one.segments[0].elements[:2] for one in edi.sent("940")]
    names = [f"shopify-us-{one['id']}-1" for one in (order, other)]
    assert sorted(told) == sorted([("N", names[0]), ("N", names[1]), ("F", names[0])])


def test_where_nobody_lets_us_in_nothing_is_frozen_and_a_cancel_calls_off(edi: Harbor) -> None:
    edi.server.faults.refuse_key = True
    order = edi.world.order()
    edi.world.webhook("orders/create", order)
    deliver(edi)
    assert edi.world.ask("SELECT count(*) FROM delivery WHERE operation = 'part.create'") == 1
    assert edi.world.ask("SELECT count(*) FROM edi_set") == 0

    cancel(edi, order)
    edi.world.process()
    edi.server.faults.refuse_key = False
    with edi.world.fleet.session() as session:
        session.connection().exec_driver_sql("UPDATE lane SET paused_until = NULL")
        session.connection().exec_driver_sql("UPDATE line SET due_at = now()")
    edi.settle()

    assert edi.sent("940") == []
    states = edi.world.rows("SELECT state FROM delivery WHERE operation LIKE 'part.%%'")
    assert [one for (one,) in states] == ["cancelled", "cancelled"]


def states(edi: Harbor) -> list[tuple[str, str]]:
    """Return operation and state of what was owed for parts and the order's cancel."""
    question = (
        "SELECT operation, state FROM delivery"
        " WHERE operation IN ('part.create', 'part.cancel', 'order.cancel') ORDER BY id"
    )
    return [tuple(one) for one in edi.world.rows(question)]


def test_a_refusal_of_what_left_already_is_no_reason_to_send_it_again(edi: Harbor) -> None:
    order, reference, lines = release(edi)
    tell(edi, advice(reference, "SHP-1", *((n, "CC", u, u, sku) for n, sku, u in lines)))

    edi.leave(group("FA", next(GROUPS), fate(1, refused=True)))
    edi.hear()

    assert states(edi)[0] == ("part.create", "confirmed")
    ((code, error),) = edi.cases()
    assert code == "edi.refused_and_reported"
    assert reference in error
    assert shipped(edi, order) == sum(units for _, _, units in lines)


def test_an_order_that_was_refused_and_then_cancelled_is_called_off_once_somebody_looks(
    edi: Harbor,
) -> None:
    order, _, _ = release(edi)
    edi.leave(group("FA", next(GROUPS), fate(1, refused=True)))
    edi.hear()
    cancel(edi, order)
    deliver(edi)
    assert [one.segments[0].elements[0] for one in edi.sent("940")] == ["N"]

    retry(edi.world.fleet, edi.world.ask("SELECT id FROM exception_case"), actor="test")
    edi.settle()

    assert [one.segments[0].elements[0] for one in edi.sent("940")] == ["N"]
    assert sorted(states(edi)) == [
        ("order.cancel", "confirmed"),
        ("part.cancel", "cancelled"),
        ("part.create", "cancelled"),
    ]
    assert edi.cases() == []


def test_an_order_that_was_cancelled_and_then_refused_is_cancelled(edi: Harbor) -> None:
    order, _, _ = release(edi)
    cancel(edi, order)
    deliver(edi)
    assert [one.segments[0].elements[0] for one in edi.sent("940")] == ["N", "F"]

    edi.leave(group("FA", next(GROUPS), fate(1, refused=True)))
    edi.leave(group("FA", next(GROUPS), fate(2, refused=True)))
    edi.pick_up()
    deliver(edi)
    edi.settle()

    assert sorted(states(edi)) == [
        ("order.cancel", "confirmed"),
        ("part.cancel", "confirmed"),
        ("part.create", "confirmed"),
    ]
    assert edi.cases() == []
