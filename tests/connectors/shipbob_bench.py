"""The simulated ShipBob warehouse on the bench."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from syncworkers.connectors.base import Ports
from syncworkers.connectors.exact_json import dump_json
from syncworkers.connectors.shipbob import ShipBob
from syncworkers.engine.budgets import LocalBudget
from syncworkers.policy.partners import BudgetPolicy, LanePolicy, PartnerPolicy
from syncworkers.sandbox.faults import FaultPlan
from syncworkers.sandbox.shipbob import app
from syncworkers.sandbox.shipbob.webhooks import signature
from tests.connectors.bench import DEADLINE
from tests.unit import shipbob_parts as parts

if TYPE_CHECKING:
    from syncworkers.connectors.base import Request, TokenCache

TOKEN = "pat-secret-9931"


class ShipBobBench:
    """An order part is the thing that is made; its token never expires."""

    secrets = (TOKEN, parts.SECRET)
    looks_first = 0
    kind = "shipment"
    an_id = "1"

    def __init__(self) -> None:
        self.plan = FaultPlan(level="none", seed=1)
        self.warehouse = app.build(
            self.plan,
            token=TOKEN,
            channel_id=parts.CHANNEL,
            speed=100.0,
            caller_deadline=DEADLINE,
            autopilot=False,
        )
        self.calls, self.program = self.warehouse.calls, self.warehouse.program

    def connect(self, url: str, tokens: TokenCache, *, wrong_secret: bool = False) -> ShipBob:
        pace = BudgetPolicy(burst=10000.0, per_second=10000.0)
        policy = PartnerPolicy(
            name="shipbob-west",
            connector="shipbob",
            role="warehouse",
            brand="",
            connection={
                "url": url,
                "api_version": "2026-01",
                "access_token": "wrong" if wrong_secret else TOKEN,
                "channel_id": str(parts.CHANNEL),
                "webhook_secret": parts.SECRET,
            },
            budget=pace,
            lane=LanePolicy(call_deadline=DEADLINE),
        )
        return ShipBob(
            policy, Ports(tokens=tokens, budget=LocalBudget(maximum=10000.0, rate=10000.0))
        )

    def create(self, number: int) -> Request:
        return parts.create(number)

    def effects(self, number: int) -> int:
        reference = parts.create(number).reference
        orders = self.warehouse.books.orders.values()
        return sum(one.reference == reference for one in orders)

    def refused(self, number: int) -> Request:
        wanted = parts.create(number)
        return replace(wanted, payload={**wanted.payload, "products": []})

    def fill(self, count: int) -> set[str]:
        for number in range(1, count + 1):
            self.warehouse.books.enter(json.loads(dump_json(parts.create(number).payload)))
        return {str(one) for one in self.warehouse.books.orders}

    def bodies(self, made: Any) -> dict[str, bytes]:
        [number] = self.fill(1)
        self.warehouse.floor.ship(parts.create(1).reference)
        [record] = made.fetch("shipment", [number])
        [shipment] = self.warehouse.books.shipments
        [tracked] = made.track([str(shipment)])
        return {"orders/read": record.body.encode(), "shipments/tracking": tracked.body.encode()}

    def tokens_issued(self) -> int | None:
        return None

    def expire_tokens(self) -> None:
        raise NotImplementedError

    def signed(self, body: bytes) -> tuple[dict[str, str], str]:
        stamp = str(int(time.time()))
        headers = {
            "webhook-id": "msg-1",
            "webhook-timestamp": stamp,
            "webhook-signature": signature(parts.SECRET, "msg-1", stamp, body),
            "x-webhook-topic": "order.shipped",
        }
        return headers, ""

    def forged(self, body: bytes) -> tuple[dict[str, str], str]:
        return self.signed(body + b" ")
