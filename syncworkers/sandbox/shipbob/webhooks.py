"""Webhook subscriptions and what is sent to them, signed as Standard Webhooks are."""

from __future__ import annotations

import base64
import hashlib
import hmac
import itertools
import json
import random
import re
import threading
import time
import uuid
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from syncworkers.sandbox.notices import Notice, Notifier
from syncworkers.sandbox.shipbob.books import now_ms
from syncworkers.sandbox.shipbob.views import stamp

if TYPE_CHECKING:
    from collections.abc import Sequence

    from syncworkers.sandbox.faults import FaultPlan

REPEATS = (0.5, 2.0, 4.0, 8.0, 15.0, 30.0, 30.0)
"""5 s, 5 min, 30 min, 2 h, 5 h, 10 h, 10 h there; compressed."""
PATIENCE = 15.0
SECRET = re.compile(r"whsec_[a-zA-Z0-9+/]{32}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscription:
    """Who wants to hear what; right after a rotation two secrets sign."""

    id: str
    topics: tuple[str, ...]
    url: str
    description: str
    secrets: tuple[str, ...]
    created_at: str
    enabled: bool = True

    def view(self) -> dict[str, Any]:
        """Show it as it is listed, without its secret."""
        return {
            "id": self.id,
            "topics": list(self.topics),
            "url": self.url,
            "description": self.description,
            "created_at": self.created_at,
            "enabled": self.enabled,
        }


class Webhooks:
    """All subscriptions, and the sending to them."""

    def __init__(self, plan: FaultPlan, *, seed: int) -> None:
        self._lock = threading.Lock()
        self._all: dict[str, Subscription] = {}
        self._ids = itertools.count(seed * 1000 + 1)
        self._chance = random.Random(f"secrets/{seed}")
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

    def create(
        self, topics: Sequence[str], url: str, *, description: str = "", secret: str = ""
    ) -> Subscription:
        """Subscribe an address; without a secret one is made up."""
        with self._lock:
            made = base64.b64encode(self._chance.randbytes(24)).decode()
            subscription = Subscription(
                id=str(next(self._ids)),
                topics=tuple(topics),
                url=url,
                description=description,
                secrets=(secret or f"whsec_{made}",),
                created_at=stamp(now_ms()) or "",
            )
            self._all[subscription.id] = subscription
            return subscription

    def all(self) -> list[Subscription]:
        """Return the subscriptions, oldest first."""
        with self._lock:
            return list(self._all.values())

    def delete(self, subscription_id: str) -> bool:
        """Forget a subscription; False if there is none."""
        with self._lock:
            return self._all.pop(subscription_id, None) is not None

    def rotate(self, secret: str) -> None:
        """Give every subscription a new secret; the former one signs too."""
        with self._lock:
            for one in self._all.values():
                self._all[one.id] = replace(one, secrets=(secret, one.secrets[0]))

    def enable(self, *, enabled: bool) -> None:
        """Switch every subscription off, as for an address that keeps failing, or on again."""
        with self._lock:
            for one in self._all.values():
                self._all[one.id] = replace(one, enabled=enabled)

    def send(
        self, topic: str, body: dict[str, Any], *, to_all: bool = False, secret: str = ""
    ) -> None:
        """Tell everybody who wants to hear it, perhaps badly.

        `to_all` tells also those who did not ask; `secret` signs instead of their own.
        """
        raw = json.dumps(body, ensure_ascii=False).encode()
        for one in self.all():
            if one.enabled and (to_all or topic in one.topics):
                notice = _notice(one, topic, raw, (secret,) if secret else one.secrets)
                self._notifier.send(notice)


def _notice(to: Subscription, topic: str, raw: bytes, secrets: Sequence[str]) -> Notice:
    name = f"msg_{uuid.uuid4().hex}"

    def headers() -> dict[str, str]:
        """Sign anew for each try, whose time is its own."""
        now = str(int(time.time()))
        return {
            "Content-Type": "application/json",
            "webhook-id": name,
            "webhook-timestamp": now,
            "webhook-signature": " ".join(signature(one, name, now, raw) for one in secrets),
            "x-webhook-topic": topic,
        }

    return Notice(url=to.url, body=raw, headers=headers)


def signature(secret: str, name: str, timestamp: str, body: bytes) -> str:
    """Return one entry of the signature header."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    digest = hmac.new(key, f"{name}.{timestamp}.".encode() + body, hashlib.sha256).digest()
    return f"v1,{base64.b64encode(digest).decode()}"
