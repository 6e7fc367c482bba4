"""One correlation id per business transaction, derived from what everybody agrees on."""

from __future__ import annotations

import uuid

_NAMESPACE = uuid.UUID("6f1c0e0a-54f5-4f4e-9f0b-6f1d6a3c7b52")


def correlation_id(partner: str, kind: str, entity: str) -> uuid.UUID:
    """Return the id that every message, delivery, log line and call about this object carries."""
    return uuid.uuid5(_NAMESPACE, f"{partner}/{kind}/{entity}")
