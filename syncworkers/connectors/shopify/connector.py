"""One shop as a partner that sends orders."""

from __future__ import annotations

from typing import TYPE_CHECKING

from syncworkers.connectors.base import ANSWERS
from syncworkers.connectors.shopify import doctor, orders, webhooks
from syncworkers.connectors.shopify.settings import read_settings
from syncworkers.connectors.shopify.shop import Shop

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterator, Mapping, Sequence

    from syncworkers.connectors.base import Budget, Header, Received, Record, TokenCache
    from syncworkers.policy.partners import PartnerPolicy

CANCELLED = "orders/cancelled"


class Shopify:
    """Offers `Receives` and `Pulls` of `connectors.base`."""

    answers = ANSWERS
    handled = frozenset({"orders/create", "orders/updated", CANCELLED})
    reread = frozenset({CANCELLED})
    polled_topic = reread_topic = "orders/polled"
    """What we name an order that we read ourselves, after a poll or a hint."""

    def __init__(self, policy: PartnerPolicy, tokens: TokenCache, budget: Budget) -> None:
        self._settings = read_settings(policy.name, policy.connection)
        self._shop = Shop(self._settings, tokens, budget, call_deadline=policy.lane.call_deadline)

    def receive(self, headers: Mapping[str, str], body: bytes) -> Received:
        """Prove and describe a webhook; raises `ProofError`."""
        return webhooks.receive(self._settings, headers, body)

    def changed(self, kind: str, since: dt.datetime, until: dt.datetime) -> Iterator[list[Header]]:
        """Yield pages of orders that changed in a window; raises the verdicts of a read."""
        _only_orders(kind)
        return orders.changed(self._shop, since, until)

    def fetch(self, kind: str, external_ids: Sequence[str]) -> list[Record]:
        """Read whole orders; what the shop does not have is left out."""
        _only_orders(kind)
        return orders.fetch(self._shop, external_ids)

    def check(self) -> list[str]:
        """Read what must work before the first order; return what does not, with a remedy."""
        return doctor.check(self._shop, self._settings)

    def close(self) -> None:
        """Close the connections; the next call opens new ones."""
        self._shop.close()


def _only_orders(kind: str) -> None:
    if kind != webhooks.ORDER:
        message = f"Shopify is not read for {kind}"
        raise ValueError(message)
