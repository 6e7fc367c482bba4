"""What a Shopify partner file must say under `[connection]`, checked once at the start."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Mapping

_KNOWN = frozenset(
    "url shop api_version client_id client_secret previous_client_secret access_token"
    " webhook_url".split()
)
_VERSION = re.compile(r"20\d\d-(01|04|07|10)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """One shop and our app in it."""

    url: str
    shop: str
    """The shop's permanent domain: webhooks of any other are refused."""
    api_version: str
    client_id: str
    client_secret: str = field(repr=False)
    previous_client_secret: str = field(repr=False, default="")
    """Signs webhooks for an hour after a rotation."""
    access_token: str = field(repr=False, default="")
    """A permanent token of an app made before 2026; without it tokens are fetched."""

    webhook_url: str = ""
    """Where webhooks are to go; empty where they are arranged by hand."""

    @property
    def endpoint(self) -> str:
        """Return where GraphQL is spoken."""
        return f"{self.url}/admin/api/{self.api_version}/graphql.json"

    @property
    def secrets(self) -> tuple[str, ...]:
        """Return what may sign webhooks, the present one first."""
        return tuple(one for one in (self.client_secret, self.previous_client_secret) if one)


def read_settings(partner: str, connection: Mapping[str, Any]) -> Settings:
    """Check the connection settings of a partner; raises `ValueError` naming key and remedy."""
    _check_keys(partner, connection)
    for key in ("url", "shop", "api_version", "client_id", "client_secret"):
        if key not in connection:
            raise _wrong(partner, key, 'is missing: give a text, or { env = "NAME" }')
    for key in ("url", "webhook_url"):
        if not _is_address(connection.get(key, connection["url"])):
            raise _wrong(partner, key, "must be an https address without a query")
    if not _VERSION.fullmatch(connection["api_version"]):
        raise _wrong(partner, "api_version", "must be one of Shopify's quarters, as 2026-07")
    addresses = {key: connection.get(key, "").rstrip("/") for key in ("url", "webhook_url")}
    settings = {**connection, **addresses}
    return Settings(**{**settings, "shop": settings["shop"].lower()})


def _check_keys(partner: str, connection: Mapping[str, Any]) -> None:
    for key, value in connection.items():
        if key not in _KNOWN:
            raise _wrong(partner, key, f"is not known; known are {', '.join(sorted(_KNOWN))}")
        if not isinstance(value, str) or not value.strip():
            raise _wrong(partner, key, "must be a text that is not empty")


def _is_address(text: str) -> bool:
    address = urlsplit(text)
    return address.scheme in {"http", "https"} and bool(address.hostname) and not address.query


def _wrong(partner: str, key: str, remedy: str) -> ValueError:
    return ValueError(f"config/partners/{partner}.toml: [connection] {key} {remedy}")
