"""What must work in a shop before the first order: token, domain, API version, scopes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from syncworkers.connectors.shopify.answers import shaped
from syncworkers.errors import SyncError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from syncworkers.connectors.shopify.settings import Settings
    from syncworkers.connectors.shopify.shop import Shop

SCOPES = frozenset(
    "read_customers read_locations read_merchant_managed_fulfillment_orders read_orders"
    " write_merchant_managed_fulfillment_orders write_orders".split()
)
"""What our documents need; metafields of an order need its write scope (not in the contract)."""


def check(shop: Shop, settings: Settings) -> list[str]:
    """Ask the shop about itself; return what is not as configured."""
    try:
        data = shop.query("shop", {})
        with shaped():
            return list(_findings(data, settings))
    except SyncError as error:
        return [f"{settings.url} cannot be read: {error}"]


def _findings(data: Mapping[str, Any], settings: Settings) -> Iterator[str]:
    domain = data["shop"]["myshopifyDomain"]
    if domain.lower() != settings.shop:
        yield f"[connection] shop is {settings.shop}, but the address answers as {domain}"
    versions = {one["handle"] for one in data["publicApiVersions"] if one["supported"]}
    if settings.api_version not in versions:
        yield (
            f"[connection] api_version {settings.api_version} is not supported any more;"
            f" supported are {', '.join(sorted(versions))}"
        )
    installation = data.get("currentAppInstallation") or {}
    granted = {one["handle"] for one in installation.get("accessScopes", ())}
    # Who may write may read; Shopify then names one of the two.
    implied = {one.replace("write_", "read_", 1) for one in granted}
    for scope in sorted(SCOPES - granted - implied):
        yield f"the app lacks the scope {scope}: grant it in the shop's app settings"
