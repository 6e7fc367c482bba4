"""Signed webhooks: who sent this, and what does it say of itself.

Contract: the HMAC is over the raw body with the app's secret. Topic, shop and ids stand in headers
that nobody signs: they are hints.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from typing import TYPE_CHECKING, Any

from syncworkers.connectors.base import ProofError, Received

if TYPE_CHECKING:
    from collections.abc import Mapping

    from syncworkers.connectors.shopify.settings import Settings

ORDER = "order"
_PREFIXES = ("x-shopify-", "shopify-")
"""The coming “Events” drop the `x-`."""


def receive(settings: Settings, headers: Mapping[str, str], body: bytes) -> Received:
    """Prove the sender, then describe the message; raises `ProofError`."""
    signature = _header(headers, "hmac-sha256")
    if not signature:
        raise ProofError("the signature header is missing")
    # Every secret is tried, so that the time it takes does not tell which one failed.
    if not sum(_signs(secret, signature, body) for secret in settings.secrets):
        raise ProofError("the signature is wrong")
    shop = _header(headers, "shop-domain").lower()
    if shop != settings.shop:
        raise ProofError("the message is of another shop")
    topic = _header(headers, "topic") or "unknown"
    fingerprint = hashlib.sha256(topic.encode() + b"\n" + body).hexdigest()
    # Shopify always gives an id; a message without one is told apart by what it says.
    external_id = _header(headers, "webhook-id") or f"sha256:{fingerprint}"
    return Received(
        external_id=external_id,
        topic=topic,
        kind=ORDER,
        entity=_order_id(topic, body) or f"{topic}:{external_id}",
        event_id=_header(headers, "event-id") or None,
        contract=_header(headers, "api-version") or None,
    )


def _header(headers: Mapping[str, str], name: str) -> str:
    for prefix in _PREFIXES:
        if value := headers.get(prefix + name):
            return value.replace("\0", "")
    return ""


def _signs(secret: str, signature: str, body: bytes) -> bool:
    digest = hmac.new(secret.encode(), body, hashlib.sha256).digest()
    return hmac.compare_digest(base64.b64encode(digest), signature.encode())


def _order_id(topic: str, body: bytes) -> str | None:
    """Return the order a message is about, if it says so."""
    try:
        fields: Any = json.loads(body)
    except (ValueError, RecursionError):
        return None
    key = "id" if topic.startswith("orders/") else "order_id"
    value = fields.get(key) if isinstance(fields, dict) else None
    if isinstance(value, bool) or not isinstance(value, int | str):
        return None
    text = str(value).rpartition("/")[2].partition("?")[0]
    return text if text.isdecimal() and text.isascii() and len(text) <= 20 else None
