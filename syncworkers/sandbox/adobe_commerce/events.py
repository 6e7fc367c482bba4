"""Adobe I/O Events as the shop sends them: strings for numbers, signed with RSA, repeated."""

from __future__ import annotations

import base64
import datetime as dt
import json
import uuid
from typing import TYPE_CHECKING, Any

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from syncworkers.sandbox.notices import Notice, Notifier

if TYPE_CHECKING:
    from syncworkers.sandbox.faults import FaultPlan

SAVED = "com.adobe.commerce.observer.sales_order_save_commit_after"
REPEATS = (2.0, 4.0, 8.0, 16.0)
"""One minute, two, four there; compressed."""
PATIENCE = 10.0


class EventSender:
    """Tells one address of orders, signed with a key that lies at `key_path`."""

    def __init__(self, url: str, client_id: str, plan: FaultPlan, *, seed: int) -> None:
        self._url = url
        self._client_id = client_id
        self._key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self.key_path = f"/prod/keys/pub-key-{uuid.uuid4()}.pem"
        self._notifier = Notifier(plan, seed=seed, repeats=REPEATS, patience=PATIENCE)

    @property
    def public_key(self) -> bytes:
        """Return the key that proves what is sent, as it lies at `key_path`."""
        return self._key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )

    def pending(self) -> int:
        """Return how many events are still on their way."""
        return self._notifier.pending()

    def saved(self, order: dict[str, Any]) -> None:
        """Tell that an order was saved, perhaps badly."""
        body = self.event(order)
        headers = self.headers(body)
        self._notifier.send(Notice(url=self._url, body=body, headers=lambda: headers))

    def event(self, order: dict[str, Any], *, event_id: str | None = None) -> bytes:
        """Write an event: the shop's inner model, all numbers as texts."""
        value = {
            name: str(order[name])
            for name in ("entity_id", "increment_id", "state", "status", "store_id", "updated_at")
        }
        event = {
            "specversion": "1.0",
            "id": str(uuid.uuid4()),
            "source": "urn:uuid:0f2a1c9e-3c5b-4d1e-9d55-3f2f6f0a9b11",
            "type": SAVED,
            "time": dt.datetime.now(dt.UTC).isoformat(),
            "datacontenttype": "application/json",
            "eventid": event_id or str(uuid.uuid4()),
            "recipientclientid": self._client_id,
            "data": {"key": str(uuid.uuid4()), "value": value, "source": "sandbox"},
        }
        return json.dumps(event).encode()

    def headers(self, body: bytes) -> dict[str, str]:
        """Sign a body; the first of the two signatures is of a key that nobody keeps any more."""
        signature = self._key.sign(body, padding.PKCS1v15(), hashes.SHA256())
        return {
            "Content-Type": "application/json",
            "x-adobe-digital-signature-1": base64.b64encode(b"old" * 80).decode(),
            "x-adobe-public-key1-path": "/prod/keys/pub-key-gone.pem",
            "x-adobe-digital-signature-2": base64.b64encode(signature).decode(),
            "x-adobe-public-key2-path": self.key_path,
        }
