"""Connectors: one package per kind of partner, raw payloads over its real protocol."""

from __future__ import annotations

from typing import TYPE_CHECKING

from syncworkers.connectors.adobe_commerce import AdobeCommerce
from syncworkers.connectors.dynamics365 import Dynamics365
from syncworkers.connectors.edi_sftp import EdiSftp
from syncworkers.connectors.shipbob import ShipBob
from syncworkers.connectors.shopify import Shopify

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from syncworkers.connectors.base import Checks

CONNECTORS: Mapping[str, Callable[..., Checks]] = {
    "adobe_commerce": AdobeCommerce,
    "dynamics365": Dynamics365,
    "edi_sftp": EdiSftp,
    "shipbob": ShipBob,
    "shopify": Shopify,
}
"""By the name a partner file gives; each takes (policy, ports)."""
