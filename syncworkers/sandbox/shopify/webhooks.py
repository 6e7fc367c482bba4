"""Webhook subscriptions, and signed webhooks as Shopify sends them."""

from __future__ import annotations

import base64
import hashlib
import hmac
import itertools
import json
import threading
import time
import uuid
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from syncworkers.sandbox.notices import Notice, Notifier

if TYPE_CHECKING:
    from syncworkers.sandbox.faults import FaultPlan

REPEATS = tuple(2.0 * 2**tries for tries in range(8))
"""Eight within four hours there; compressed."""
PATIENCE = 5.0
ORDER_TOPICS = ("orders/create", "orders/updated", "orders/cancelled")


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscription:
    """Who wants to hear of one topic, as `orders/create`."""

    id: int
    topic: str
    url: str


class WebhookSender:
    """Tells those who subscribed of what happens to orders.

    `url` has subscribed to everything about orders from the beginning.
    """

    def __init__(
        self, url: str, shop: str, secret: str, version: str, plan: FaultPlan, *, seed: int
    ) -> None:
        self._shop = shop
        self._secret = secret
        self._version = version
        self._notifier = Notifier(plan, seed=seed, repeats=REPEATS, patience=PATIENCE)
        self._lock = threading.Lock()
        self._ids = itertools.count(seed * 1000 + 1)
        self._subscriptions: list[Subscription] = []
        for topic in ORDER_TOPICS if url else ():
            self.subscribe(topic, url)

    def subscribe(self, topic: str, url: str) -> Subscription | None:
        """Send a topic to an address from now on; None if that is so already."""
        with self._lock:
            if any((one.topic, one.url) == (topic, url) for one in self._subscriptions):
                return None
            made = Subscription(id=next(self._ids), topic=topic, url=url)
            self._subscriptions.append(made)
            return made

    def unsubscribe(self, topic: str | None = None) -> int:
        """Forget who wants to hear of a topic, or of any; return how many that were."""
        with self._lock:
            left = [one for one in self._subscriptions if topic not in {None, one.topic}]
            gone = len(self._subscriptions) - len(left)
            self._subscriptions = left
            return gone

    def subscriptions(self) -> list[Subscription]:
        """Return the subscriptions, oldest first."""
        with self._lock:
            return list(self._subscriptions)

    @property
    def delivered(self) -> int:
        """Return how many webhooks were answered with 2xx."""
        return self._notifier.delivered

    @property
    def given_up(self) -> int:
        """Return how many webhooks nobody took."""
        return self._notifier.given_up

    def pending(self) -> int:
        """Return how many webhooks are still on their way."""
        return self._notifier.pending()

    def send(self, topic: str, order: dict[str, Any], *, webhook_id: str | None = None) -> None:
        """Notify whoever asked for it of an order as it is now, perhaps badly."""
        body = json.dumps(order, ensure_ascii=False).encode()
        for one in self.subscriptions():
            if one.topic == topic:
                headers = self._headers(topic, body, webhook_id or str(uuid.uuid4()))
                notice = Notice(url=one.url, body=body, headers=partial(dict, headers))
                self._notifier.send(notice)

    def _headers(self, topic: str, body: bytes, webhook_id: str) -> dict[str, str]:
        digest = hmac.new(self._secret.encode(), body, hashlib.sha256).digest()
        return {
            "Content-Type": "application/json",
            "X-Shopify-Topic": topic,
            "X-Shopify-Hmac-Sha256": base64.b64encode(digest).decode(),
            "X-Shopify-Shop-Domain": self._shop,
            "X-Shopify-API-Version": self._version,
            "X-Shopify-Webhook-Id": webhook_id,
            "X-Shopify-Event-Id": str(uuid.uuid4()),
            "X-Shopify-Triggered-At": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        }
