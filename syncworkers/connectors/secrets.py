"""Keep secrets out of everything that is stored, logged or shown."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import quote, quote_plus

if TYPE_CHECKING:
    from collections.abc import Iterable

HIDDEN = "***"
EVIDENCE_LIMIT = 4000
_PATTERNS = (
    re.compile(r"(?i)(\b(?:proxy-)?authorization\s*[:=]\s*)[^\r\n]+"),
    re.compile(r"(?i)(\b(?:bearer|basic)\s+)[a-z0-9._~+/=-]{8,}"),
    re.compile(r"(?i)([a-z0-9-]*(?:access-token|api-key)\s*:\s*)[^\r\n]+"),
    re.compile(
        r"(?i)(\b(?:client_secret|client_assertion|access_token|refresh_token|id_token|password)"
        r"\\?[\"']?\s*[:=]\s*\\?[\"']?)[^\s\"'&,}\\]+"
    ),
)


def redact(text: str, secrets: Iterable[str] = ()) -> str:
    """Hide tokens and passwords by their shape, and the given secrets in all spellings."""
    for secret in secrets:
        for spelling in {secret, quote(secret, safe=""), quote_plus(secret)}:
            if spelling:
                text = text.replace(spelling, HIDDEN)
    for pattern in _PATTERNS:
        text = pattern.sub(rf"\g<1>{HIDDEN}", text)
    return text


def evidence(text: str, secrets: Iterable[str] = (), limit: int = EVIDENCE_LIMIT) -> str:
    """Shorten a text for a case, without secrets: cut only after hiding."""
    text = redact(text, secrets).replace("\0", "")
    return text if len(text) <= limit else f"{text[: limit - 1]}…"
