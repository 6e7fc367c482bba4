"""The people of the simulated shop: they place orders, and some change their minds."""

from __future__ import annotations

import random
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from syncworkers.sandbox.shopify import books as shop_books
from syncworkers.sandbox.shopify.catalogue import MARKETS
from syncworkers.sandbox.shopify.handling import owes_nothing
from syncworkers.sandbox.shopify.maker import OrderMaker, address_of

if TYPE_CHECKING:
    from syncworkers.sandbox.shopify.books import Books
    from syncworkers.sandbox.shopify.catalogue import Market
    from syncworkers.sandbox.shopify.webhooks import WebhookSender


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How many orders, how many a second, and which share of them changes later."""

    count: int
    seed: int = 1
    rate: float = 50.0
    cancel_share: float = 0.04
    readdress_share: float = 0.03


class Customers:
    """Places orders in a thread of its own."""

    def __init__(self, books: Books, sender: WebhookSender, market: Market = MARKETS["us"]) -> None:
        self._books = books
        self._sender = sender
        self._market = market
        self._lock = threading.Lock()
        self._busy = 0
        self.placed = 0

    @property
    def busy(self) -> bool:
        """Say whether somebody still wants something."""
        return self._busy > 0

    def start(self, plan: Plan) -> None:
        """Begin to place orders."""
        with self._lock:
            self._busy += 1
        threading.Thread(target=self._run, args=[plan], daemon=True).start()

    def place(self, order: dict[str, Any], *, topic: str | None = "orders/create") -> None:
        """Place one order, and tell of it."""
        placed = self._books.place(order)
        self.placed += 1
        if topic:
            self._sender.send(topic, placed)

    def cancel(self, order_id: str) -> bool:
        """Cancel an order, and tell of it twice, as Shopify does.

        Nobody can once goods are on their way.
        """
        order = self._books.change(
            order_id, shop_books.cancel, unless=lambda _, handling: handling.begun
        )
        if order is not None:
            self._sender.send("orders/cancelled", order)
            self._sender.send("orders/updated", order)
        return order is not None

    def readdress(self, order_id: str, address: dict[str, Any]) -> bool:
        """Send an order elsewhere, and tell of it; nobody can once all of it is on its way."""
        alter = shop_books.readdress(address)
        order = self._books.change(order_id, alter, unless=owes_nothing)
        if order is not None:
            self._sender.send("orders/updated", order)
        return order is not None

    def _run(self, plan: Plan) -> None:
        try:
            maker = OrderMaker(plan.seed, self._market)
            chance = random.Random(f"customers/{plan.seed}")
            begun = time.monotonic()
            later: list[tuple[float, str, bool]] = []
            for position in range(plan.count):
                due = begun + position / plan.rate
                threading.Event().wait(max(0.0, due - time.monotonic()))
                order = maker.make(shop_books.now_text())
                self.place(order)
                what = chance.random()
                if what < plan.cancel_share + plan.readdress_share and order["shipping_address"]:
                    wait = chance.uniform(0.2, 3.0)
                    cancels = what < plan.cancel_share
                    later.append((time.monotonic() + wait, str(order["id"]), cancels))
            for due, order_id, cancels in sorted(later):
                threading.Event().wait(max(0.0, due - time.monotonic()))
                if cancels:
                    self.cancel(order_id)
                else:
                    self.readdress(order_id, address_of(maker.place(), chance_name(chance)))
        finally:
            with self._lock:
                self._busy -= 1


def chance_name(chance: random.Random) -> tuple[str, str]:
    """Return somebody to receive it."""
    return chance.choice((("Grace", "Hopper"), ("Alan", "Turing")))
