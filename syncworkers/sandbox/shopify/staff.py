"""The people who run the simulated shop: they hold orders, move lines, call parcels back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from syncworkers.sandbox.shopify.handling import CANCELLED
from syncworkers.sandbox.shopify.rest import write_down

if TYPE_CHECKING:
    from collections.abc import Mapping

    from syncworkers.sandbox.shopify.books import Books
    from syncworkers.sandbox.shopify.webhooks import WebhookSender


class Staff:
    """Switches for tests; each says whether there was such an order or fulfilment."""

    def __init__(self, books: Books, sender: WebhookSender) -> None:
        self._books = books
        self._sender = sender

    def hold(self, order_id: str, *, held: bool = True) -> bool:
        """Hold all that is to be shipped of an order, or let it go."""
        with self._books.lock:
            handling = self._books.handling(order_id)
            if handling is not None:
                handling.held = held
        return handling is not None

    def move(self, order_id: str, lines: Mapping[str, int]) -> bool:
        """Let lines be shipped from other locations (1 to 9); an order is split by it."""
        with self._books.lock:
            handling = self._books.handling(order_id)
            if handling is not None:
                handling.locations.update(lines)
        return handling is not None

    def call_back(self, fulfilment_id: str) -> bool:
        """Cancel a fulfilment: its units are owed again."""
        with self._books.lock:
            found = self._books.fulfilment(fulfilment_id)
            handling = self._books.handling(found[0]) if found else None
            if found is None or handling is None:
                return False
            found[1].status = CANCELLED
            order = self._books.change(found[0], write_down(handling))
        if order:
            self._sender.send("orders/updated", order)
        return True
