"""What must work in a shop before the first order: token, domain, API version, scopes."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from syncworkers.connectors.cutover import CheckResult
from syncworkers.connectors.inspecting import (
    RIGHTS,
    VersionEnd,
    clock,
    complaints,
    first_call,
    reading,
    version,
)
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


SOURCE = "shopify.dev/docs/api/usage/versioning: twelve months at least"
VERSIONS: Mapping[str, VersionEnd] = {
    version: VersionEnd(last=dt.date.fromisoformat(last), source=SOURCE)
    for version, last in (
        ("2026-01", "2027-01-01"),
        ("2026-04", "2027-04-01"),
        ("2026-07", "2027-07-01"),
        ("2026-10", "2027-10-01"),
    )
}
"""Until when at least Shopify supports a version."""


def check(shop: Shop, settings: Settings) -> list[str]:
    """Ask the shop about itself; return what is not as configured."""
    try:
        data = shop.query("shop", {})
        with shaped():
            return [
                *_wrong_domain(data, settings),
                *_wrong_version(data, settings),
                *_lacking_scopes(data),
            ]
    except SyncError as error:
        return [f"{settings.url} cannot be read: {error}"]


def inspect(shop: Shop, settings: Settings, today: dt.date) -> list[CheckResult]:
    """Look at everything, thing by thing."""
    found, data = first_call(lambda: shop.query("shop", {}), settings.shop)
    found.append(clock(shop.ahead))
    if data is None:
        return found
    try:
        with shaped():
            found += _judged(data, settings)
    except SyncError as error:
        found.append(CheckResult(name="shop", ok=False, saw=str(error), remedy="is url a shop's?"))
    found.append(version(settings.api_version, VERSIONS, today))
    found.append(reading(lambda: _read_orders(shop)))
    return found


def _judged(data: Mapping[str, Any], settings: Settings) -> Iterator[CheckResult]:
    yield complaints(
        "shop", _wrong_domain(data, settings), well=settings.shop, remedy="correct shop or url"
    )
    yield complaints(
        "supported version",
        _wrong_version(data, settings),
        well=f"{settings.api_version} is supported, says the shop",
        remedy="move [connection] api_version",
    )
    yield complaints(
        RIGHTS,
        _lacking_scopes(data),
        well=f"all {len(SCOPES)} scopes are granted",
        remedy="grant what is missing, then install the app anew",
    )


def _read_orders(shop: Shop) -> str:
    since = "updated_at:>='2020-01-01T00:00:00Z'"
    data = shop.query("orders_changed", {"first": 1, "after": None, "query": since})
    with shaped():
        return f"read {len(data['orders']['nodes'])} order"


def _wrong_domain(data: Mapping[str, Any], settings: Settings) -> Iterator[str]:
    domain = data["shop"]["myshopifyDomain"]
    if domain.lower() != settings.shop:
        yield f"[connection] shop is {settings.shop}, but the address answers as {domain}"


def _wrong_version(data: Mapping[str, Any], settings: Settings) -> Iterator[str]:
    versions = {one["handle"] for one in data["publicApiVersions"] if one["supported"]}
    if settings.api_version not in versions:
        yield (
            f"[connection] api_version {settings.api_version} is not supported any more;"
            f" supported are {', '.join(sorted(versions))}"
        )


def _lacking_scopes(data: Mapping[str, Any]) -> Iterator[str]:
    installation = data.get("currentAppInstallation") or {}
    granted = {one["handle"] for one in installation.get("accessScopes", ())}
    # Who may write may read; Shopify then names one of the two.
    implied = {one.replace("write_", "read_", 1) for one in granted}
    for scope in sorted(SCOPES - granted - implied):
        yield f"the app lacks the scope {scope}: grant it in the shop's app settings"
