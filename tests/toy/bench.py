"""The toyshop on the connector suite's bench."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from syncworkers.connectors.base import Ports, Request
from syncworkers.engine.budgets import LocalBudget
from syncworkers.policy.partners import LanePolicy, PartnerPolicy
from tests.connectors.bench import DEADLINE
from tests.toy import simulator
from tests.toy.connector import ToyShop

if TYPE_CHECKING:
    from syncworkers.connectors.base import TokenCache

KEY = "toy-key-4242"


class ToyShopBench:
    """A shipment is the thing that is made; the key never expires."""

    secrets = (KEY,)
    looks_first = 0
    kind = "order"
    an_id = "1"

    def __init__(self) -> None:
        self.shop = simulator.ToyShop(KEY, caller_deadline=DEADLINE)
        self.plan, self.calls, self.program = self.shop.plan, self.shop.calls, self.shop.program

    def connect(self, url: str, tokens: TokenCache, *, wrong_secret: bool = False) -> ToyShop:
        policy = PartnerPolicy(
            name="toy-kids",
            connector="toyshop",
            role="store",
            brand="kids",
            connection={"url": url, "key": "wrong" if wrong_secret else KEY},
            lane=LanePolicy(call_deadline=DEADLINE),
        )
        return ToyShop(
            policy, Ports(tokens=tokens, budget=LocalBudget(maximum=1000.0, rate=1000.0))
        )

    def create(self, number: int, units: int = 1) -> Request:
        self.shop.sell(number, BALL=2)
        payload = {"order": str(number), "lines": {f"{number}-BALL": units}, "tracking": "1Z"}
        return Request(operation="shipment.create", reference=f"west/{number}", payload=payload)

    def effects(self, number: int) -> int:
        return sum(one["order"] == str(number) for one in self.shop.shipments.values())

    def refused(self, number: int) -> Request:
        return self.create(number, units=99)

    def fill(self, count: int) -> set[str]:
        return {self.shop.sell(number, BALL=1)["id"] for number in range(1, count + 1)}

    def bodies(self, made: Any) -> dict[str, bytes]:
        return {"toy/sold": json.dumps(self.shop.sell(1, BALL=1)).encode()}

    def tokens_issued(self) -> int | None:
        return None

    def expire_tokens(self) -> None:
        raise NotImplementedError

    def signed(self, body: bytes) -> tuple[dict[str, str], str]:
        return {"x-toy-signature": self.shop.sign(body)}, ""

    def forged(self, body: bytes) -> tuple[dict[str, str], str]:
        return {"x-toy-signature": "0" * 64}, ""
