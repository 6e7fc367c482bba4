"""Adobe I/O Events: who sent this, and what does it say of itself.

Contract: the signature is RSA with SHA-256 over the raw body; either of two keys may have made it,
and both lie at one pinned place. What an event carries is the shop's inner model, not REST: it is a
hint, and the order is read again. Adobe repeats only on 429 and 5xx, so whoever cannot be checked
just now is asked to come again, and only a forgery is refused.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import re
import threading
import time
from typing import TYPE_CHECKING, Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from syncworkers.connectors.base import ProofError, Received
from syncworkers.connectors.http import Call, HttpClient
from syncworkers.errors import RetryableError, SyncError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from syncworkers.connectors.adobe_commerce.settings import Settings

ORDER = "order"
TYPE_PREFIX = "com.adobe.commerce."
HANDLED = frozenset(
    {
        "observer.sales_order_save_commit_after",
        "observer.sales_order_invoice_save_after",
        "observer.sales_order_shipment_save_after",
        "observer.sales_order_creditmemo_save_after",
    }
)
KEY_LIFE = 24 * 3600.0
KEY_SECONDS = 3.0
"""For fetching a key: the sender waits ten."""
_KEY_PATH = re.compile(r"/(?:prod|stage)/keys/pub-key-[A-Za-z0-9-]{1,64}\.pem")
_SIGNATURES = (
    ("x-adobe-digital-signature-1", "x-adobe-public-key1-path"),
    ("x-adobe-digital-signature-2", "x-adobe-public-key2-path"),
)


class Keys:
    """The public keys of the place where Adobe keeps them, and nobody else's."""

    def __init__(self, origin: str) -> None:
        self._origin = origin.rstrip("/")
        self._http = HttpClient(connections=2)
        self._lock = threading.Lock()
        self._known: dict[str, tuple[float, rsa.RSAPublicKey]] = {}

    def get(self, path: str) -> rsa.RSAPublicKey | None:
        """Return the key of a path; None for a path that no key can have.

        Raises `RetryableError` where the place cannot be read just now.
        """
        if not _KEY_PATH.fullmatch(path):
            return None
        with self._lock:
            until, key = self._known.get(path, (0.0, None))
        if key is not None and time.monotonic() < until:
            return key
        key = self._fetch(path)
        if key is not None:
            with self._lock:
                self._known[path] = (time.monotonic() + KEY_LIFE, key)
        return key

    def _fetch(self, path: str) -> rsa.RSAPublicKey | None:
        try:
            answer = self._http.send(
                Call(method="GET", url=f"{self._origin}{path}", read=True), KEY_SECONDS
            )
        except SyncError as error:
            raise RetryableError(f"the keys of events cannot be read: {error}") from None
        if answer.status == 404:
            return None
        if answer.status != 200:
            raise RetryableError(f"the keys of events cannot be read: {answer.status}")
        try:
            key = serialization.load_pem_public_key(answer.body)
        except ValueError:
            raise RetryableError("what lies where the keys of events are is no key") from None
        return key if isinstance(key, rsa.RSAPublicKey) else None

    def close(self) -> None:
        """Close the connections; the next call opens new ones."""
        self._http.close()


def receive(settings: Settings, keys: Keys, headers: Mapping[str, str], body: bytes) -> Received:
    """Prove the sender, then describe the event.

    Raises `ProofError`, and `RetryableError` where it cannot be checked just now.
    """
    if not _is_signed(keys, headers, body):
        raise ProofError("no signature fits")
    event = _fields(body)
    recipient = event.get("recipientclientid") or event.get("recipient_client_id")
    if settings.event_client_id and recipient != settings.event_client_id:
        raise ProofError("the event is for somebody else")
    fingerprint = hashlib.sha256(body).hexdigest()
    told = event.get("eventid") or event.get("event_id") or event.get("id")
    external_id = _plain(told) or headers.get("x-adobe-event-id", "") or f"sha256:{fingerprint}"
    topic = _plain(event.get("type")).removeprefix(TYPE_PREFIX) or "unknown"
    return Received(
        external_id=external_id,
        topic=topic,
        kind=ORDER,
        entity=_order_id(topic, event) or f"{topic}:{external_id}",
        event_id=external_id,
    )


def _is_signed(keys: Keys, headers: Mapping[str, str], body: bytes) -> bool:
    """Check every signature there is; one that fits is enough.

    A key that cannot be read decides nothing while the other one may fit.
    """
    unread: RetryableError | None = None
    for signature, path in _SIGNATURES:
        if signature not in headers or path not in headers:
            continue
        try:
            key = keys.get(headers[path])
        except RetryableError as error:
            unread = error
            continue
        if key is not None and _fits(key, headers[signature], body):
            return True
    if unread is not None:
        raise unread
    return False


def _fits(key: rsa.RSAPublicKey, signature: str, body: bytes) -> bool:
    try:
        raw = base64.b64decode(signature, validate=True)
        key.verify(raw, body, padding.PKCS1v15(), hashes.SHA256())
    except (InvalidSignature, binascii.Error, ValueError):
        return False
    return True


def _fields(body: bytes) -> dict[str, Any]:
    try:
        fields = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return fields if isinstance(fields, dict) else {}


def _plain(value: Any) -> str:
    return value.replace("\0", "") if isinstance(value, str) else ""


def _order_id(topic: str, event: Mapping[str, Any]) -> str | None:
    """Return the order an event is about, if it says so; ids arrive as texts or numbers."""
    data = event.get("data")
    value = data.get("value") if isinstance(data, dict) else None
    if not isinstance(value, dict):
        return None
    key = "entity_id" if topic.startswith("observer.sales_order_save") else "order_id"
    text = str(value.get(key, ""))
    return text if text.isascii() and text.isdecimal() and len(text) <= 20 else None
