"""How what we made is known again: calls take no key of ours, so a comment carries it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

_MARKER = re.compile(r"\[sw:([^\]]{1,200})\]")


def marked(text: str, key: str) -> str:
    """Return a text with the key that it is known by."""
    return f"{text} [sw:{key}]".strip()


def keys_in(comments: Iterable[Any]) -> set[str]:
    """Return all keys that comments, as the shop shows them, carry."""
    texts = (one.get("comment") for one in comments if isinstance(one, dict))
    return {key for text in texts for key in _MARKER.findall(str(text or ""))}
