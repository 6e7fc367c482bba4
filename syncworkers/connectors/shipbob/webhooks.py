"""Signed webhooks: who sent this, and what does it say of itself.

Contract: Standard Webhooks; the signature is over id, time and raw body. The topic stands in a
header that nobody signs, and bodies are not in the contract: both are hints. Whether the time is
stamped anew for each try is unverified, so a message is known by its id alone.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from typing import TYPE_CHECKING, Any

from syncworkers.connectors.base import ProofError, Received
from syncworkers.connectors.exact_json import load_json
from syncworkers.connectors.shipbob.wire import fields, order_id

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

SHIPMENT = "shipment"
SHIPPED = "order.shipped"
HANDLED = frozenset(
    {
        SHIPPED,
        "order.shipment.delivered",
        "order.shipment.exception",
        "order.shipment.on_hold",
        "order.shipment.cancelled",
    }
)
TOLERANCE = 300.0
"""Seconds between the sender's clock and ours; Standard Webhooks leaves it to the receiver."""
SIGNATURES_LIMIT = 16
_VERSION = "v1,"


def receive(
    secrets: Sequence[str], headers: Mapping[str, str], body: bytes, now: float
) -> Received:
    """Prove the sender, then describe the message; raises `ProofError`."""
    external_id, stamp, signatures = (
        headers.get(f"webhook-{name}", "") for name in ("id", "timestamp", "signature")
    )
    if not (external_id and stamp and signatures):
        raise ProofError("webhook-id, webhook-timestamp or webhook-signature is missing")
    given = signatures.split(" ")[:SIGNATURES_LIMIT]
    message = b".".join([*(one.encode("utf-8", "replace") for one in (external_id, stamp)), body])
    # Everything is tried, so that the time it takes does not tell which secret failed.
    if not sum(_signs(secret, one, message) for secret in secrets for one in given):
        raise ProofError("the signature is wrong")
    if not stamp.isdecimal() or abs(now - float(stamp)) > TOLERANCE:
        raise ProofError("the message is too old, or from the future")
    topic = headers.get("x-webhook-topic", "").replace("\0", "") or "unknown"
    external_id = external_id.replace("\0", "")
    return Received(
        external_id=external_id,
        topic=topic,
        kind=SHIPMENT,
        entity=_order_of(topic, body) or f"{topic}:{external_id}",
    )


def sign(secret: str, message: bytes) -> str:
    """Return the signature of a message: `id.time.body`, each as sent."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    digest = hmac.new(key, message, hashlib.sha256).digest()
    return _VERSION + base64.b64encode(digest).decode()


def _signs(secret: str, given: str, message: bytes) -> bool:
    return hmac.compare_digest(sign(secret, message).encode(), given.encode("utf-8", "replace"))


def _order_of(topic: str, body: bytes) -> str | None:
    """Return the order a message is about, if it says so: a shipment names it, an order is it."""
    try:
        told: dict[str, Any] = fields(load_json(body))
    except ValueError:
        return None
    if not topic.startswith("order."):
        return None
    return order_id(told, "order_id") or (order_id(told) if topic == SHIPPED else None)
