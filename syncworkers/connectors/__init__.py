"""Connectors: one package per kind of partner, raw payloads over its real protocol."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from syncworkers.connectors.dynamics365 import Dynamics365
from syncworkers.connectors.shipbob import ShipBob
from syncworkers.connectors.shopify import Shopify

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

CONNECTORS: Mapping[str, Callable[..., Any]] = {
    "dynamics365": Dynamics365,
    "shipbob": ShipBob,
    "shopify": Shopify,
}
"""By the name a partner file gives; each takes (policy, tokens, budget)."""
