"""The whole order flow in random order, with dying workers and a faulty ERP: nothing is dropped.

A worker dies at the border of a transaction: what it committed stands, what it did at the partner
stands, and nobody heard of it.
"""

from __future__ import annotations

import datetime as dt
import threading
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from syncworkers.flows.retry import retry
from syncworkers.flows.sweep import wake_due
from syncworkers.store import ledger

if TYPE_CHECKING:
    from tests.integration.world import World

PICK = st.integers(0, 1000)
FAULTS = st.sampled_from(["server_error", "reset", "timeout_after", "throttle"])
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

    @rule()
    def process(self) -> None:
        self.world.process()

    @rule()
    def deliver(self) -> None:
        self.world.deliver()

    @rule()
    def poll(self) -> None:
        self.world.poll()

    @rule(fault=FAULTS)
    def the_erp_fails(self, fault: str) -> None:
        self.world.erp.plan.switch({"next": [fault]})
        self.world.deliver()

    @rule(stage=st.sampled_from(["process", "deliver"]), last=st.integers(1, 3))
    def a_worker_dies(self, stage: str, last: int) -> None:
        self.world.die(stage, at=last)

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
            self.world.poll()
            self.world.settle(seconds=30)
            self.people_retry()
            if not self.world.ask("SELECT count(*) FROM line"):
                break
        self.world.poll()
        self.world.settle(seconds=30)
        self.world.assert_sound()
        # A cancel may name an order the shop has: every case must have been decided by now.
        assert self.world.rows("SELECT * FROM exception_case WHERE state = 'open'") == []


def test_the_order_flow_drops_and_doubles_nothing_whatever_happens(world: World) -> None:
    Orders.world = world
    machine = Orders.TestCase
    machine.settings = settings(
        max_examples=12,
        stateful_step_count=20,
        deadline=None,
        print_blob=True,
        phases=[Phase.generate],  # shrinking against real partners takes minutes
        suppress_health_check=list(HealthCheck),
    )

    machine("runTest").runTest()

    proof = ledger.prove(world.fleet.database)
    assert proof.findings == ()
    assert sum(proof.messages.values()) >= 36
