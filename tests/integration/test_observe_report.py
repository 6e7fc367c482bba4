"""A week in observe mode beside an earlier integration; then its orders are taken over."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
from typing import TYPE_CHECKING, Any

import pytest

from syncworkers.connectors.dynamics365 import standing
from syncworkers.errors import RejectedError
from syncworkers.flows import cutover
from syncworkers.flows.links import import_links, proposed_links
from syncworkers.flows.report import Finding, report
from syncworkers.sandbox.shopify.handling import fulfilment_orders
from syncworkers.store import ledger
from tests.integration.earlier import Earlier
from tests.integration.journeys import cases, number
from tests.integration.test_observe import deliveries, live, observed, written
from tests.integration.world import ERP, STORE, WAREHOUSE

if TYPE_CHECKING:
    from syncworkers.flows.report import PartnerReport
    from tests.integration.world import World

DAYS, ORDERS_A_DAY = 7, 3


def since() -> dt.datetime:
    return dt.datetime.now(dt.UTC) - dt.timedelta(hours=1)


def placed(world: World) -> str:
    """Have a customer buy; return the order's number once all is planned."""
    return number(world.release())


def found(seen: PartnerReport) -> dict[str, list[str]]:
    """Return by order what differs."""
    by_order: dict[str, list[str]] = {}
    for one in seen.differ:
        by_order.setdefault(one.order, []).append(f"{one.finding.value} {one.operation}")
    return by_order


def links(earlier: Earlier) -> str:
    rows = [
        *((ERP, external_id, order) for order, external_id in earlier.erp.items()),
        *((WAREHOUSE, external_id, order) for order, external_id in earlier.warehouse.items()),
    ]
    return "\n".join(["partner,external_id,order", *(",".join(row) for row in rows)]) + "\n"


def take_over(world: World, text: str, **more: Any) -> Any:
    return import_links(world.fleet, text, is_json=False, actor="ann", reason="cutover", **more)


def a_week(world: World) -> tuple[Earlier, list[str]]:
    """Seven days, compressed: orders come, the earlier integration serves them, mostly rightly.

    The first order is never booked, the second booked with another quantity, the third at another
    price; the fourth goes to the warehouse with another quantity, and the fifth not at all. The
    sixth is called off by its customer before anybody served it.
    """
    earlier = Earlier(world)
    numbers: list[str] = []
    called_off = ""
    for day in range(DAYS):
        today = [world.order() for _ in range(ORDERS_A_DAY)]
        for order in today:
            world.webhook("orders/create", order)
        if day == 2:
            world.shop.customers.cancel(called_off)
            world.poll(STORE)
        world.settle()
        for order in today:
            place, one = len(numbers), number(order)
            numbers.append(one)
            if place == 5:
                called_off = str(order["id"])
                continue
            if place != 0:
                wrong = {1: {"OrderedSalesQuantity": 77}, 2: {"SalesPrice": 1}}.get(place, {})
                earlier.book(one, **wrong)
            if place != 4:
                earlier.enter(one, quantity=9 if place == 3 else 0)
    return earlier, numbers


@pytest.mark.timeout(120)
def test_a_week_writes_nothing_and_the_report_names_each_order_that_differs(world: World) -> None:
    observed(world, ERP, WAREHOUSE, STORE)
    earlier, numbers = a_week(world)
    books = world.erp.books
    with books.change_set():
        phoned = dict(next(iter(books.sets["SalesOrderHeadersV2"].values())))
        fields = ("dataAreaId", "OrderingCustomerAccountNumber", "CurrencyCode")
        books.create(
            "SalesOrderHeadersV2",
            {name: phoned[name] for name in fields}
            | {"SalesOrderNumber": "PHONE-1", "CustomersOrderReference": "by phone"},
        )

    at_erp, at_warehouse = (report(world.fleet, one, since()) for one in (ERP, WAREHOUSE))

    assert written(world) == {ERP: set(), WAREHOUSE: set(), STORE: set()}
    assert len(world.booked()) == 20  # all but the first and the sixth, and the one by phone
    assert {one["reference"] for one in world.parts()} == {
        f"old-{one}" for one in earlier.warehouse
    }
    assert found(at_erp) == {
        numbers[0]: ["missing order.create"],
        numbers[1]: ["differs order.create"],
        numbers[2]: ["differs order.create"],
        "by phone": ["unplanned order.create"],
    }
    assert set(at_erp.agree) == set(numbers) - set(numbers[:3])
    assert at_erp.planned == 22  # one of them a cancel
    quantity = next(one for one in at_erp.differ if one.order == numbers[1])
    assert quantity.external_id == f"SO-{numbers[1]}"
    assert any("OrderedSalesQuantity: sent " in one for one in quantity.details)
    assert any(one.endswith("stands 77") for one in quantity.details)
    assert found(at_warehouse) == {
        numbers[3]: ["differs part.create"],
        numbers[4]: ["missing part.create"],
    }
    assert set(at_warehouse.agree) == set(numbers) - set(numbers[3:5])
    assert ledger.prove(world.fleet.database).findings == ()
    assert cases(world) == []


def test_what_was_taken_over_is_not_done_again_when_we_go_live(world: World) -> None:
    observed(world, ERP, WAREHOUSE, STORE)
    earlier = Earlier(world)
    first, second, third = (placed(world) for _ in range(3))
    for one in (first, second):
        earlier.book(one)
        earlier.enter(one)

    done = take_over(world, links(earlier))
    again = take_over(world, links(earlier))
    world.settle()

    assert (done.linked, done.known, done.refused) == (4, 0, ())
    assert (again.linked, again.known, again.written) == (0, 4, False)
    assert [state for _, state in deliveries(world, ERP)] == ["confirmed", "confirmed", "parked"]
    earlier.ship(first)
    world.hear()
    assert ("shipment.create", "parked") in deliveries(world, ERP)
    assert written(world) == {ERP: set(), WAREHOUSE: set(), STORE: set()}

    for partner in (ERP, WAREHOUSE, STORE):
        live(world, partner)
    world.settle()

    assert sorted(one["number"] for one in world.booked())[:2] == [f"SO-{first}", f"SO-{second}"]
    assert len(world.booked()) == 3
    assert len(world.parts()) == 3
    [slip] = [slip for one in world.booked() for slip in one["slips"]]
    assert slip["order"] == f"SO-{first}" if "order" in slip else True
    assert cases(world) == []
    assert ledger.prove(world.fleet.database).findings == ()
    audited = world.rows("SELECT actor, detail->>'linked' FROM audit WHERE act = 'links.import'")
    assert audited == [("ann", "4")]
    assert third in {one.number for one in _orders(world)}


def _orders(world: World) -> list[Any]:
    with world.fleet.database.connect() as connection:
        return list(connection.exec_driver_sql("SELECT number FROM sales_order"))


def test_nobody_goes_live_while_something_would_be_made_twice(world: World) -> None:
    observed(world, ERP, WAREHOUSE)
    earlier = Earlier(world)
    one = placed(world)
    earlier.enter(one)

    with pytest.raises(RejectedError, match=f"{earlier.warehouse[one]}. They would be made twice"):
        cutover.go_live(world.fleet, WAREHOUSE, actor="ann", reason="", watch=0.0)
    take_over(world, links(earlier))
    for partner in (ERP, WAREHOUSE):
        cutover.go_live(world.fleet, partner, actor="ann", reason="", watch=0.0)
    world.settle()

    assert len(world.booked()) == 1
    assert [part["reference"] for part in world.parts()] == [f"old-{one}"]
    assert cases(world) == []


def test_changes_to_an_order_that_was_taken_over_reach_it_under_its_number(world: World) -> None:
    observed(world, ERP, WAREHOUSE)
    earlier = Earlier(world)
    order = world.release()
    earlier.book(number(order))
    take_over(world, links(earlier))
    live(world, ERP)
    live(world, WAREHOUSE)
    world.settle()

    world.shop.customers.cancel(str(order["id"]))
    world.poll(STORE)
    world.settle()

    [booked] = world.booked()
    assert booked["status"] == "Canceled"
    assert ledger.prove(world.fleet.database).findings == ()


ROWS = (
    ("d365-nowhere,SO-1,{order}", "partner.unknown"),
    (f"{ERP},SO-1,no-such-order", "order.unknown"),
    (f"{STORE},SO-1,{{order}}", "partner.store"),
    (f"{ERP},,{{order}}", "row.unreadable"),
    (f"{ERP},SO-1", "row.unreadable"),
)


@pytest.mark.parametrize(("row", "code"), ROWS)
def test_a_wrong_row_is_refused_with_its_number_and_nothing_is_written(
    world: World, row: str, code: str
) -> None:
    observed(world, ERP, WAREHOUSE)
    good = placed(world)
    text = f"partner,external_id,order\n{WAREHOUSE},501,{good}\n{row.format(order=good)}\n"

    done = take_over(world, text)

    assert [(one.row, one.code) for one in done.refused] == [(2, code)]
    assert not done.written
    assert world.ask("SELECT count(*) FROM link WHERE imported") == 0

    partial = take_over(world, text, partial=True)
    assert (partial.linked, partial.written) == (1, True)
    assert world.rows("SELECT kind, external_id FROM link WHERE imported") == [("part", "501")]


def test_an_id_or_order_that_is_linked_otherwise_is_refused(world: World) -> None:
    observed(world, ERP, WAREHOUSE)
    first, second = placed(world), placed(world)
    head = "partner,external_id,order\n"
    take_over(world, f"{head}{ERP},SO-1,{first}\n")

    other_id = take_over(world, f"{head}{ERP},SO-2,{first}\n")
    other_order = take_over(world, f"{head}{ERP},SO-1,{second}\n")
    twice = take_over(world, f"{head}{ERP},SO-3,{second}\n{ERP},SO-4,{second}\n")

    assert [one.code for one in other_id.refused] == ["order.linked"]
    assert [one.code for one in other_order.refused] == ["id.linked"]
    assert [(one.row, one.code) for one in twice.refused] == [(2, "row.twice")]
    assert world.rows("SELECT external_id FROM link WHERE imported") == [("SO-1",)]


def test_nothing_is_taken_over_while_a_live_partner_may_be_sent_it(world: World) -> None:
    world.webhook("orders/create", order := world.order())
    world.process()

    done = take_over(world, f"partner,external_id,order\n{ERP},SO-1,{number(order)}\n")

    assert [one.code for one in done.refused] == ["partner.live"]


@pytest.mark.parametrize(
    ("text", "is_json", "told"),
    [
        ("", False, "lacks the columns partner"),
        ("partner,external_id,order\n", False, "no rows"),
        ("partner,external_id,order,colour\na,b,c,d\n", False, "unknown columns 'colour'"),
        ("{", True, "no JSON"),
        ('{"partner": 1}', True, "a JSON list of objects"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_whole(
    world: World, text: str, is_json: bool, told: str
) -> None:
    with pytest.raises(RejectedError, match=told):
        import_links(world.fleet, text, is_json=is_json, actor="ann", reason="")


def test_what_the_report_found_by_name_can_be_imported(world: World) -> None:
    observed(world, ERP, WAREHOUSE)
    earlier = Earlier(world)
    one = placed(world)
    earlier.book(one)
    earlier.enter(one)
    reports = [report(world.fleet, name, since()) for name in (ERP, WAREHOUSE)]

    text = proposed_links(world.fleet, reports)
    done = take_over(world, text)

    rows = list(csv.DictReader(io.StringIO(text)))
    assert [(row["partner"], row["external_id"]) for row in rows] == [
        (ERP, f"SO-{one}"),
        (WAREHOUSE, earlier.warehouse[one]),
    ]
    assert (done.linked, done.refused) == (2, ())
    assert report(world.fleet, ERP, since()).agree == (one,)
    assert json.dumps([each.finding for each in reports[0].differ]) == "[]"
    assert Finding.MISSING not in {each.finding for each in reports[1].differ}


def test_parcels_at_store_and_erp_are_known_again_by_their_numbers(world: World) -> None:
    """The earlier integration told the store of one of two parcels, and of one that is not ours."""
    observed(world, STORE)
    shipped, silent, odd = (world.release() for _ in range(3))
    for order in (shipped, silent):
        assert world.warehouse.floor.ship(f"shopify-us-{order['id']}-1")
    world.hear()
    numbers = dict(
        world.rows(
            "SELECT o.number, s.tracking_number FROM shipment s JOIN sales_order"
            " o ON o.id = s.order_id"
        )
    )
    fulfil(world, shipped, numbers[number(shipped)])
    fulfil(world, odd, "1Z-NOT-OURS")

    seen = report(world.fleet, STORE, since())

    assert found(seen) == {
        number(silent): ["missing shipment.create"],
        "1Z-NOT-OURS": ["unplanned shipment.create"],
    }
    assert seen.agree == (number(shipped),)
    assert seen.unlinked == ()  # a look-up before sending finds it
    assert written(world)[STORE] == set()


def fulfil(world: World, order: dict[str, Any], tracking: str) -> None:
    """Let somebody else tell the store that all of an order is on its way."""
    key = str(order["id"])
    books = world.shop.books
    with books.lock:
        whole, handling = books.get(key), books.handling(key)
        assert whole is not None
        assert handling is not None
        open_orders = fulfilment_orders(whole, handling)
    groups = [
        {"fulfillmentOrderId": f"gid://shopify/FulfillmentOrder/{one.id}"} for one in open_orders
    ]
    world.shop.apps.fulfil(groups, {"number": tracking}, notify=False)


def test_an_erp_that_shows_no_packing_slips_is_compared_by_its_orders(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(standing, "SLIPS", "SlipsOfAnotherVersion")
    observed(world, ERP, WAREHOUSE)
    one = placed(world)
    Earlier(world).book(one)

    assert report(world.fleet, ERP, since()).agree == (one,)
