"""Business events: who sent this, and what does it hint at.

F&O signs nothing, so the proof is a secret at the end of the address. An event is lossy and no
export: only its key is taken, the rest is read by OData. Two envelopes are in use, and in older
ones BusinessEventId and ControlNumber may be missing. No posted-invoice event was ever recorded:
its field names are those of the documentation, unverified.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from typing import TYPE_CHECKING, Any

from syncworkers.connectors.base import ProofError, Received
from syncworkers.connectors.exact_json import load_json

if TYPE_CHECKING:
    from collections.abc import Mapping

    from syncworkers.connectors.dynamics365.settings import Settings

    Fields = Mapping[str, Any]

INVOICE_POSTED = "SalesInvoicePostedBusinessEvent"
INVOICE = "invoice"
UNKNOWN = "unknown"
ELSEWHERE = "/elsewhere"
"""Ends the topic of an event of a company that is none of ours: nobody is to act on it."""
_OF_INVOICE = frozenset({"InvoiceId", "SalesOrderId"})
"""Tell a posted sales invoice by its fields, where the envelope does not name the event."""
_LIMIT = 100
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


def receive(settings: Settings, body: bytes, path: str) -> Received:
    """Prove the sender by the address, then describe the event; raises `ProofError`."""
    given = path.strip("/").encode()
    # Every secret is tried, so that the time it takes does not tell which one failed.
    if not sum(hmac.compare_digest(one.encode(), given) for one in settings.event_secrets):
        raise ProofError("the address is not one that events are sent to")
    fields = _event(body)
    event_id = _text(fields, "EventId").strip("{}").upper()
    external_id = event_id or f"sha256:{hashlib.sha256(body).hexdigest()}"
    topic, entity = _meaning(settings, fields)
    return Received(
        external_id=external_id,
        topic=topic,
        kind=INVOICE,
        entity=entity or f"{topic}:{external_id}",
        event_id=event_id or None,
        contract=_version(fields),
    )


def _meaning(settings: Settings, fields: Fields) -> tuple[str, str]:
    """Return the topic and, for an invoice of ours, its `<company>/<number>`."""
    topic = _text(fields, "BusinessEventId")
    if not topic and fields.keys() >= _OF_INVOICE:
        topic = INVOICE_POSTED
    if topic != INVOICE_POSTED:
        return topic or UNKNOWN, ""
    company = (_text(fields, "LegalEntity") or _text(fields, "BusinessEventLegalEntity")).lower()
    number = _text(fields, "InvoiceId")
    if not company or not number:
        return UNKNOWN, ""
    if company not in settings.companies:
        return topic + ELSEWHERE, ""
    return topic, f"{company}/{number}"


def _event(body: bytes) -> Fields:
    """Return the event's fields, taken out of an Event Grid wrapping; none if it has none."""
    event: Any = _load(body)
    if isinstance(event, list) and len(event) == 1:
        event = event[0]
    inner = event.get("data") if isinstance(event, dict) else None
    if isinstance(inner, str):
        inner = _load(inner.encode("utf-8", "replace"))
    if isinstance(inner, dict) and "EventId" not in event:
        event = inner
    return event if isinstance(event, dict) else {}


def _load(text: bytes) -> Any:
    try:
        return load_json(text)
    except ValueError:
        return None


def _version(fields: Fields) -> str | None:
    parts = [fields.get(name) for name in ("MajorVersion", "MinorVersion")]
    told = [str(one) for one in parts if isinstance(one, int) and not isinstance(one, bool)]
    return ".".join(told)[:_LIMIT] or None


def _text(fields: Fields, name: str) -> str:
    """Return a text of an event; what cannot be stored or is beyond reason is none."""
    value = fields.get(name)
    if not isinstance(value, str) or len(value) > _LIMIT:
        return ""
    return _UNSTORABLE.sub("", value)
