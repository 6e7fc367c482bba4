"""The round trip in random order, with dying workers and faulty partners: nothing is dropped.

A worker dies at the border of a transaction: what it committed stands, what it did at the partner
stands, and nobody heard of it.
"""

from __future__ import annotations

import datetime as dt
import threading
from contextlib import suppress
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from syncworkers.canonical.kinds import Kind
from syncworkers.errors import RejectedError
from syncworkers.flows.retry import retry
from syncworkers.flows.sweep import wake_due
from syncworkers.sandbox.dynamics365.invoicing import QuantityError
from syncworkers.store import ledger
from tests.integration.world import ERP, STORE, WAREHOUSE

if TYPE_CHECKING:
    from tests.integration.world import World

PICK = st.integers(0, 1000)
FAULTS = st.sampled_from(["server_error", "reset", "timeout_after", "throttle"])
PARTNERS = st.sampled_from([ERP, WAREHOUSE, STORE])
KINDS = st.sampled_from([Kind.ORDER, Kind.SHIPMENT, Kind.INVOICE])
PLACES = st.sampled_from(["Eugene", "Salem", "Bend"])


class Orders(RuleBasedStateMachine):
    """The machine; `world` is set by the test and shared by all its runs."""

    world: World

    def __init__(self) -> None:
        super().__init__()
        self.orders: list[dict[str, Any]] = []

    def _some(self, pick: int) -> dict[str, Any]:
        return self.orders[pick % len(self.orders)]

    @initialize()
    def open_the_shop(self) -> None:
        for _ in range(3):
            self.place(told=True)
        self.world.settle(seconds=30)
        self.place(told=True)

    @rule(told=st.booleans())
    def place(self, told: bool) -> None:
        order = self.world.order()
        self.orders.append(order)
        if told:
            assert self.world.webhook("orders/create", order) == 200

    @precondition(lambda self: self.orders)
    @rule(pick=PICK, topic=st.sampled_from(["orders/create", "orders/updated", "orders/cancelled"]))
    def tell_again(self, pick: int, topic: str) -> None:
        """An old state comes again, late, under any topic."""
        assert self.world.webhook(topic, self._some(pick)) == 200

    @precondition(lambda self: self.orders)
    @rule(pick=PICK, told=st.booleans())
    def cancel(self, pick: int, told: bool) -> None:
        order_id = str(self._some(pick)["id"])
        now = self.world.shop.books.get(order_id) or {}
        if now["cancelled_at"] is not None:
            return
        self.world.shop.customers.cancel(order_id)
        if told:
            body = self.world.shop.books.get(order_id) or {}
            self.world.webhook("orders/cancelled", body)

    @precondition(lambda self: self.orders)
    @rule(pick=PICK, city=PLACES)
    def readdress(self, pick: int, city: str) -> None:
        order_id = str(self._some(pick)["id"])
        now = self.world.shop.books.get(order_id) or {}
        if now["cancelled_at"] is not None:
            return
        self.world.shop.customers.readdress(order_id, {"city": city})
        self.world.webhook("orders/updated", self.world.shop.books.get(order_id) or {})

    @precondition(lambda self: self.orders)
    @rule(pick=PICK, alone=st.booleans())
    def the_warehouse_ships(self, pick: int, alone: bool) -> None:
        """A parcel leaves, perhaps with one unit alone."""
        order = self._some(pick)
        [first, *_] = [line["sku"] for line in order["line_items"] if not line["gift_card"]]
        reference = f"{STORE}-{order['id']}-1"
        self.world.warehouse.floor.ship(reference, {first: 1} if alone else None)

    @precondition(lambda self: self.orders)
    @rule(pick=PICK)
    def the_warehouse_makes_up(self, pick: int) -> None:
        """A label is printed: from now on a change comes too late."""
        self.world.warehouse.floor.label(f"{STORE}-{self._some(pick)['id']}-1")

    @rule()
    def the_erp_bills(self) -> None:
        """Invoice whatever was delivered and is not invoiced."""
        headers = self.world.erp.books.sets["SalesOrderHeadersV2"]
        for document in self.world.booked():
            for slip in document["slips"]:
                wanted = {one["reference"]: Decimal(one["quantity"]) for one in slip["lines"]}
                with suppress(QuantityError):
                    self.world.erp.invoicing.post(headers["usmf", document["number"]], wanted)

    @rule(kind=KINDS)
    def process(self, kind: Kind) -> None:
        self.world.process(kind)

    @rule(partner=PARTNERS)
    def deliver(self, partner: str) -> None:
        self.world.deliver(partner)

    @rule(partner=PARTNERS)
    def poll(self, partner: str) -> None:
        self.world.poll(partner)

    @rule(partner=PARTNERS, fault=FAULTS)
    def a_partner_fails(self, partner: str, fault: str) -> None:
        simulated = {ERP: self.world.erp, WAREHOUSE: self.world.warehouse, STORE: self.world.shop}
        simulated[partner].plan.switch({"next": [fault]})
        self.world.deliver(partner)

    @rule(
        stage=st.sampled_from(["process", "deliver"]),
        last=st.integers(1, 3),
        partner=PARTNERS,
        kind=KINDS,
    )
    def a_worker_dies(self, stage: str, last: int, partner: str, kind: Kind) -> None:
        self.world.die(stage, at=last, partner=partner, kind=kind)

    @rule()
    def time_passes(self) -> None:
        """Every lease expires and every due time comes."""
        with self.world.fleet.database.begin() as connection:
            for column in ("due_at", "lease_until"):
                connection.execute(
                    sa.text(f"UPDATE line SET {column} = {column} - interval '2 minutes'")
                )
            connection.execute(sa.text("UPDATE lane SET paused_until = NULL"))
        wake_due(self.world.fleet)

    @rule()
    def people_retry(self) -> None:
        for (case,) in self.world.rows("SELECT id FROM exception_case WHERE state = 'open'"):
            with suppress(RejectedError):  # what a partner reported has nothing to try again
                retry(self.world.fleet, case, actor="ann")

    def _let_the_shops_clock_pass(self) -> None:
        """People change an order once a second at most: quick changes lie in the future."""
        for order in self.orders:
            now = self.world.shop.books.get(str(order["id"])) or {}
            ahead = dt.datetime.fromisoformat(now["updated_at"]) - dt.datetime.now(dt.UTC)
            threading.Event().wait(max(0.0, ahead.total_seconds()))

    def teardown(self) -> None:
        """Come to rest: the books agree, nothing is dropped."""
        self._let_the_shops_clock_pass()
        for _ in range(8):
            self.time_passes()
            threading.Event().wait(0.3)  # what was lost may still land for so long
            self._look_around()
            self.people_retry()
            if not self.world.ask("SELECT count(*) FROM line"):
                break
        for order in self.orders:
            self.world.warehouse.floor.ship(f"{STORE}-{order['id']}-1")
        self._look_around()
        self.the_erp_bills()
        self._look_around()
        self.world.assert_sound()
        # Whatever the partners did not refuse in time must have been decided by now.
        assert self._orders_with_cases() == self.world.audit().for_people

    def _look_around(self) -> None:
        self.world.poll(STORE)
        self.world.settle(seconds=30)
        self.world.hear()

    def _orders_with_cases(self) -> set[str]:
        question = (
            "SELECT coalesce(o.partner || ' ' || o.number, c.code || ' ' || c.error)"
            " FROM exception_case c LEFT JOIN sales_order o ON o.correlation_id = c.correlation_id"
            " WHERE c.state = 'open'"
        )
        return {name for (name,) in self.world.rows(question)}


def test_the_order_flow_drops_and_doubles_nothing_whatever_happens(world: World) -> None:
    Orders.world = world
    machine = Orders.TestCase
    machine.settings = settings(
        max_examples=6,
        stateful_step_count=20,
        deadline=None,
        print_blob=True,
        phases=[Phase.generate],  # shrinking against real partners takes minutes
        suppress_health_check=list(HealthCheck),
    )

    machine("runTest").runTest()

    proof = ledger.prove(world.fleet.database)
    assert proof.findings == ()
    assert sum(proof.messages.values()) >= 24
    assert world.audit().shipments
