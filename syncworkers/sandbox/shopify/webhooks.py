"""Send signed webhooks, as Shopify does: retried, not in order, not always, not once."""

from __future__ import annotations

import base64
import hashlib
import heapq
import hmac
import itertools
import json
import random
import threading
import time
import uuid
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import urllib3

from syncworkers.sandbox.faults import WebhookFault

if TYPE_CHECKING:
    from syncworkers.sandbox.faults import FaultPlan

TRIES = 9
"""The first and eight repeats."""
FIRST_REPEAT = 2.0
"""Seconds; each further wait is twice as long."""
PATIENCE = urllib3.Timeout(connect=1.0, read=5.0)
THREADS = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhook:
    """One notification on its way."""

    topic: str
    body: bytes
    webhook_id: str
    event_id: str
    tries: int = 0


class WebhookSender:
    """Sends from its own threads; `send` never waits."""

    def __init__(
        self, url: str, shop: str, secret: str, version: str, plan: FaultPlan, *, seed: int
    ) -> None:
        self._url = url
        self._shop = shop
        self._secret = secret
        self._version = version
        self._plan = plan
        self._chance = random.Random(f"webhooks/{seed}")
        self._pool = urllib3.PoolManager(maxsize=THREADS, retries=False, timeout=PATIENCE)
        self._queue: list[tuple[float, int, Webhook]] = []
        self._order = itertools.count()
        self._ready = threading.Condition()
        self._under_way = 0
        self.delivered = 0
        self.given_up = 0
        for _ in range(THREADS if url else 0):
            threading.Thread(target=self._work, daemon=True).start()

    def send(self, topic: str, order: dict[str, Any], *, webhook_id: str | None = None) -> None:
        """Notify of an order as it is now, perhaps badly."""
        webhook = Webhook(
            topic=topic,
            body=json.dumps(order, ensure_ascii=False).encode(),
            webhook_id=webhook_id or str(uuid.uuid4()),
            event_id=str(uuid.uuid4()),
        )
        match self._plan.next_webhook():
            case WebhookFault.LOSE:
                return
            case WebhookFault.DUPLICATE:
                self._put(webhook, 0.0)
                self._put(webhook, self._chance.uniform(0.0, 1.0))
            case WebhookFault.DELAY:
                self._put(webhook, self._chance.uniform(3.0, 6.0))
            case WebhookFault.REORDER:
                self._put(webhook, 1.5)
            case _:
                self._put(webhook, 0.0)

    def pending(self) -> int:
        """Return how many notifications are still on their way."""
        with self._ready:
            return len(self._queue) + self._under_way

    def _put(self, webhook: Webhook, wait: float) -> None:
        if not self._url:
            return
        with self._ready:
            heapq.heappush(self._queue, (time.monotonic() + wait, next(self._order), webhook))
            self._ready.notify()

    def _take(self) -> Webhook:
        with self._ready:
            while True:
                wait = self._queue[0][0] - time.monotonic() if self._queue else None
                if wait is not None and wait <= 0:
                    self._under_way += 1
                    return heapq.heappop(self._queue)[2]
                self._ready.wait(wait)

    def _work(self) -> None:
        while True:
            webhook = self._take()
            good = self._post(webhook)
            with self._ready:
                self._under_way -= 1
                self.delivered += good
            if good:
                continue
            if webhook.tries + 1 >= TRIES:
                self.given_up += 1
                continue
            wait = FIRST_REPEAT * 2**webhook.tries
            self._put(replace(webhook, tries=webhook.tries + 1), wait)

    def _post(self, webhook: Webhook) -> bool:
        try:
            answer = self._pool.request(
                "POST", self._url, body=webhook.body, headers=self._headers(webhook)
            )
        except urllib3.exceptions.HTTPError:
            return False
        return 200 <= answer.status < 300

    def _headers(self, webhook: Webhook) -> dict[str, str]:
        digest = hmac.new(self._secret.encode(), webhook.body, hashlib.sha256).digest()
        return {
            "Content-Type": "application/json",
            "X-Shopify-Topic": webhook.topic,
            "X-Shopify-Hmac-Sha256": base64.b64encode(digest).decode(),
            "X-Shopify-Shop-Domain": self._shop,
            "X-Shopify-API-Version": self._version,
            "X-Shopify-Webhook-Id": webhook.webhook_id,
            "X-Shopify-Event-Id": webhook.event_id,
            "X-Shopify-Triggered-At": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        }
