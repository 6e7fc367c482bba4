"""The simulated Shopify shop on the bench."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from typing import TYPE_CHECKING, Any

from syncworkers.connectors.base import Ports
from syncworkers.connectors.shopify import Shopify
from syncworkers.engine.budgets import LocalBudget
from syncworkers.policy.partners import LanePolicy, PartnerPolicy
from syncworkers.sandbox.faults import FaultPlan
from syncworkers.sandbox.shopify import app
from syncworkers.sandbox.shopify.books import now_text
from syncworkers.sandbox.shopify.maker import OrderMaker
from tests.connectors.bench import DEADLINE
from tests.integration import shopify_goods as goods
from tests.integration.world import SHOP

if TYPE_CHECKING:
    from syncworkers.connectors.base import Request, TokenCache

SECRET = "shop-secret-5521"


class ShopifyBench:
    """An order is placed, and its shipment is the thing that is made."""

    secrets = (SECRET,)
    looks_first = 1
    kind = "order"
    an_id = "1"

    def __init__(self) -> None:
        self.plan = FaultPlan(level="none", seed=1)
        self.shop = app.build(
            self.plan,
            shop=SHOP,
            webhook_url="",
            client_id="app",
            client_secret=SECRET,
            speed=1000.0,
            caller_deadline=DEADLINE,
        )
        self.calls, self.program = self.shop.calls, self.shop.program

    def connect(self, url: str, tokens: TokenCache, *, wrong_secret: bool = False) -> Shopify:
        policy = PartnerPolicy(
            name="shopify-us",
            connector="shopify",
            role="store",
            brand="acme",
            connection={
                "url": url,
                "shop": SHOP,
                "api_version": "2026-07",
                "client_id": "app",
                "client_secret": "wrong" if wrong_secret else SECRET,
            },
            lane=LanePolicy(call_deadline=DEADLINE),
        )
        return Shopify(
            policy, Ports(tokens=tokens, budget=LocalBudget(maximum=20000.0, rate=10000.0))
        )

    def create(self, number: int) -> Request:
        if self.shop.books.get(str(number)) is None:
            goods.place(self.shop, number, 2)
        return goods.create(number, {1: 1})

    def effects(self, number: int) -> int:
        return len(goods.book(self.shop, number)["fulfillments"])

    def refused(self, number: int) -> Request:
        goods.place(self.shop, number, 2)
        return goods.create(number, {1: 99})

    def fill(self, count: int) -> set[str]:
        maker = OrderMaker(5)
        orders = [maker.make(now_text()) for _ in range(count)]
        for order in orders:
            self.shop.customers.place(order, topic=None)
        return {str(order["id"]) for order in orders}

    def bodies(self, made: Any) -> dict[str, bytes]:
        [number] = self.fill(1)
        hook = json.dumps(self.shop.books.get(number)).encode()
        [record] = made.fetch("order", [number])
        topics = ("orders/create", "orders/updated", "orders/cancelled")
        return {**dict.fromkeys(topics, hook), "orders/polled": record.body.encode()}

    def tokens_issued(self) -> int | None:
        return self.shop.tokens.issued

    def expire_tokens(self) -> None:
        self.shop.tokens.revoke_all()

    def signed(self, body: bytes) -> tuple[dict[str, str], str]:
        digest = hmac.new(SECRET.encode(), body, hashlib.sha256).digest()
        headers = {
            "x-shopify-hmac-sha256": base64.b64encode(digest).decode(),
            "x-shopify-shop-domain": SHOP,
            "x-shopify-topic": "orders/create",
            "x-shopify-webhook-id": "w-1",
        }
        return headers, ""

    def forged(self, body: bytes) -> tuple[dict[str, str], str]:
        return self.signed(body + b" ")
