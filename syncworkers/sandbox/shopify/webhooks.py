"""Signed webhooks, as Shopify sends them."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
import uuid
from typing import TYPE_CHECKING, Any

from syncworkers.sandbox.notices import Notice, Notifier

if TYPE_CHECKING:
    from syncworkers.sandbox.faults import FaultPlan

REPEATS = tuple(2.0 * 2**tries for tries in range(8))
"""Eight within four hours there; compressed."""
PATIENCE = 5.0


class WebhookSender:
    """Tells one address of what happens to orders."""

    def __init__(
        self, url: str, shop: str, secret: str, version: str, plan: FaultPlan, *, seed: int
    ) -> None:
        self._url = url
        self._shop = shop
        self._secret = secret
        self._version = version
        self._notifier = Notifier(plan, seed=seed, repeats=REPEATS, patience=PATIENCE)

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
        """Notify of an order as it is now, perhaps badly."""
        body = json.dumps(order, ensure_ascii=False).encode()
        headers = self._headers(topic, body, webhook_id or str(uuid.uuid4()))
        self._notifier.send(Notice(url=self._url, body=body, headers=lambda: headers))

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
