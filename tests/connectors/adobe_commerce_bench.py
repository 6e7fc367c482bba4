"""The simulated Adobe Commerce instance on the bench, as a service: its tokens expire."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from syncworkers.connectors.adobe_commerce import AdobeCommerce
from syncworkers.connectors.base import Ports, Request
from syncworkers.engine.budgets import LocalBudget
from syncworkers.policy.partners import LanePolicy, PartnerPolicy
from syncworkers.sandbox.adobe_commerce import app
from syncworkers.sandbox.adobe_commerce.books import now_text
from syncworkers.sandbox.adobe_commerce.maker import OrderMaker
from syncworkers.sandbox.faults import FaultPlan
from tests.connectors.bench import DEADLINE

if TYPE_CHECKING:
    from syncworkers.connectors.base import TokenCache

SECRETS = {
    "consumer_key": "consumer",
    "consumer_secret": "consumer-secret-313",
    "access_token": "access-token-313",
    "access_token_secret": "token-secret-313",
}
CLIENT_SECRET = "client-secret-313"


class AdobeCommerceBench:
    """A shipment is the thing that is made, of an order that is placed."""

    secrets = (CLIENT_SECRET, *list(SECRETS.values())[1:])
    looks_first = 1
    kind = "order"
    an_id = "1"

    def __init__(self) -> None:
        self.plan = FaultPlan(level="none", seed=1)
        self.shop = app.build(
            self.plan,
            **SECRETS,
            client_id="project",
            client_secret=CLIENT_SECRET,
            caller_deadline=DEADLINE,
        )
        self.calls, self.program = self.shop.calls, self.shop.program
        self._maker = OrderMaker(3)
        self._orders: dict[int, dict[str, Any]] = {}

    def connect(self, url: str, tokens: TokenCache, *, wrong_secret: bool = False) -> AdobeCommerce:
        policy = PartnerPolicy(
            name="adobe-eu",
            connector="adobe_commerce",
            role="store",
            brand="lumen",
            connection={
                "flavour": "saas",
                "url": url,
                "client_id": "project",
                "client_secret": "wrong" if wrong_secret else CLIENT_SECRET,
                "organisation": "org@AdobeOrg",
                "token_url": f"{url}{app.TOKEN_PATH}",
                "event_client_id": "project",
                "event_keys": url,
            },
            lane=LanePolicy(call_deadline=DEADLINE),
        )
        return AdobeCommerce(
            policy, Ports(tokens=tokens, budget=LocalBudget(maximum=10000.0, rate=10000.0))
        )

    def _order(self, number: int) -> dict[str, Any]:
        """Return the order of a number, which has one simple product alone."""
        while number not in self._orders:
            order = self._maker.make(now_text())
            if [one["product_type"] for one in order["items"]] == ["simple"]:
                self._orders[number] = order
                self.shop.books.place(order)
        return self._orders[number]

    def create(self, number: int, quantity: int = 1) -> Request:
        order = self._order(number)
        payload = {
            "order": str(order["entity_id"]),
            "items": [{"order_item_id": order["items"][0]["item_id"], "qty": quantity}],
            "tracks": [],
            "notify": False,
            "warehouse": "shipbob-eu",
        }
        return Request(
            operation="shipment.create", reference=f"shipbob-eu/{number}", payload=payload
        )

    def effects(self, number: int) -> int:
        key = self._order(number)["entity_id"]
        return sum(one["order_id"] == key for one in self.shop.books.shipments.values())

    def refused(self, number: int) -> Request:
        return self.create(number, quantity=99)

    def fill(self, count: int) -> set[str]:
        orders = [self._maker.make(now_text()) for _ in range(count)]
        for order in orders:
            self.shop.books.place(order)
        return {str(order["entity_id"]) for order in orders}

    def bodies(self, made: Any) -> dict[str, bytes]:
        [number] = self.fill(1)
        [record] = made.fetch("order", [number])
        return {"orders/read": record.body.encode()}

    def tokens_issued(self) -> int | None:
        return self.shop.gate.office.issued

    def expire_tokens(self) -> None:
        self.shop.gate.office.revoke_all()

    def signed(self, body: bytes) -> tuple[dict[str, str], str]:
        return self.shop.sender.headers(body), ""

    def forged(self, body: bytes) -> tuple[dict[str, str], str]:
        return self.signed(body + b" ")
