"""What all payloads for Shopify share: its global ids."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from syncworkers.errors import Violation

if TYPE_CHECKING:
    from collections.abc import Iterator

_PLAIN = re.compile(r"[1-9][0-9]{0,19}")


def gid(kind: str, plain: str) -> str | None:
    """Return `gid://shopify/<kind>/<plain>`, or None for what is no id of the store."""
    return f"gid://shopify/{kind}/{plain}" if _PLAIN.fullmatch(plain) else None


def wrong_order(store_order: str) -> Iterator[Violation]:
    """Say whether the id is none of the store's orders."""
    if gid("Order", store_order) is None:
        message = f"{store_order!r} is no order id of the store"
        yield Violation(path="order", code="field.invalid", message=message)
