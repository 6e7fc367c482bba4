"""The people of the simulated shop: they place orders, and some change their minds."""

from __future__ import annotations

import random
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from syncworkers.sandbox.adobe_commerce.books import now_text
from syncworkers.sandbox.adobe_commerce.maker import OrderMaker

if TYPE_CHECKING:
    from syncworkers.sandbox.adobe_commerce.books import Books


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How many orders, how many a second, and which share of them is cancelled later."""

    count: int
    seed: int = 1
    rate: float = 50.0
    cancel_share: float = 0.04


class Customers:
    """Places orders in a thread of its own."""

    def __init__(self, books: Books) -> None:
        self._books = books
        self._lock = threading.Lock()
        self._busy = 0

    @property
    def busy(self) -> bool:
        """Say whether somebody still wants something."""
        return self._busy > 0

    def start(self, plan: Plan) -> None:
        """Begin to place orders."""
        with self._lock:
            self._busy += 1
        threading.Thread(target=self._run, args=[plan], daemon=True).start()

    def _run(self, plan: Plan) -> None:
        try:
            maker = OrderMaker(plan.seed)
            chance = random.Random(f"adobe customers/{plan.seed}")
            begun = time.monotonic()
            later: list[tuple[float, int]] = []
            for position in range(plan.count):
                due = begun + position / plan.rate
                threading.Event().wait(max(0.0, due - time.monotonic()))
                order = maker.make(now_text())
                self._books.place(order)
                if chance.random() < plan.cancel_share:
                    moment = time.monotonic() + chance.uniform(0.2, 3.0)
                    later.append((moment, order["entity_id"]))
            for due, order_id in sorted(later):
                threading.Event().wait(max(0.0, due - time.monotonic()))
                self._books.cancel(order_id)
        finally:
            with self._lock:
                self._busy -= 1
