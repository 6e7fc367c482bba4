"""What lies on the warehouse's shelves; without a beginning of its own it is made up, seeded."""

from __future__ import annotations

import random
import threading
from collections import Counter
from typing import TYPE_CHECKING

from syncworkers.sandbox.shopify.catalogue import ARTICLES, FILTER_CASE

if TYPE_CHECKING:
    from collections.abc import Mapping

LEAST, MOST = 2_000, 9_000


class Stock:
    """Units by SKU; safe to use from many threads."""

    def __init__(self, *, seed: int) -> None:
        self._chance = random.Random(f"stock/{seed}")
        self._lock = threading.Lock()
        self._held: dict[str, int] = {}
        self._promised: Counter[str] = Counter()
        for article in (*ARTICLES, FILTER_CASE):
            self._find(article.sku)

    def _find(self, sku: str) -> None:
        if sku not in self._held:
            self._held[sku] = self._chance.randint(LEAST, MOST)

    def promise(self, sku: str, units: int) -> None:
        """Keep units for an order; fewer than none gives them back."""
        with self._lock:
            self._find(sku)
            self._promised[sku] += units

    def change(self, sku: str, units: int) -> None:
        """Put units on the shelf, or take them off."""
        with self._lock:
            self._find(sku)
            self._held[sku] += units

    def counted(self) -> Mapping[str, tuple[int, int]]:
        """Return by SKU how many are there, and how many are free."""
        with self._lock:
            return {
                sku: (held, max(0, held - self._promised[sku])) for sku, held in self._held.items()
            }
