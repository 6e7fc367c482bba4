"""What an Adobe Commerce partner file must say under `[connection]`, checked once at the start."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Mapping

PAAS, SAAS = "paas", "saas"
KEYS_ORIGIN = "https://static.adobeioevents.com"
"""Where Adobe keeps the keys that sign events; no other place is ever asked."""
IMS = "https://ims-na1.adobelogin.com/ims/token/v3"
_OAUTH = ("consumer_key", "consumer_secret", "access_token", "access_token_secret")
_IMS = ("client_id", "client_secret", "organisation")
_PLAIN = ("url", "flavour", "store", "bearer", "token_url", "event_client_id", "event_keys")
_TEXTS = frozenset({*_OAUTH, *_IMS, *_PLAIN})
_TABLES = frozenset({"sources"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """One instance, and how we prove who we are there.

    As a platform (`paas`) an OAuth 1.0a integration signs every call, or its token is a bearer; as
    a service (`saas`) tokens come from Adobe's IMS.
    """

    url: str
    flavour: str
    store: str = "all"
    """The store view whose scope calls have; `all` writes no overrides."""
    consumer_key: str = field(repr=False, default="")
    consumer_secret: str = field(repr=False, default="")
    access_token: str = field(repr=False, default="")
    access_token_secret: str = field(repr=False, default="")
    bearer: str = field(repr=False, default="")
    client_id: str = ""
    client_secret: str = field(repr=False, default="")
    organisation: str = ""
    token_url: str = IMS
    event_client_id: str = ""
    """The API key of the project whose events come here; events for any other are refused."""
    event_keys: str = KEYS_ORIGIN
    sources: Mapping[str, str] = field(default_factory=dict)
    """By warehouse: its source code in the shop; without one nothing is said of the source."""

    @property
    def base(self) -> str:
        """Return what every path follows."""
        if self.flavour == SAAS:
            return self.url
        return f"{self.url}/rest/{self.store}"

    @property
    def secrets(self) -> tuple[str, ...]:
        """Return what must never show."""
        known = (
            self.consumer_secret,
            self.access_token,
            self.access_token_secret,
            self.bearer,
            self.client_secret,
        )
        return tuple(one for one in known if one)


def read_settings(partner: str, connection: Mapping[str, Any]) -> Settings:
    """Check the connection settings of a partner; raises `ValueError` naming key and remedy."""
    for key, value in connection.items():
        if key not in _TEXTS | _TABLES:
            known = ", ".join(sorted(_TEXTS | _TABLES))
            raise _wrong(partner, key, f"is not known; known are {known}")
        if key in _TEXTS and (not isinstance(value, str) or not value.strip()):
            raise _wrong(partner, key, "must be a text that is not empty")
    if connection.get("flavour") not in {PAAS, SAAS}:
        raise _wrong(partner, "flavour", f'must be "{PAAS}" or "{SAAS}"')
    _require(partner, connection, ("url", *_credentials(connection)))
    address = urlsplit(connection["url"])
    if address.scheme not in {"http", "https"} or not address.hostname or address.query:
        raise _wrong(partner, "url", "must be an https address without a query")
    sources = connection.get("sources", {})
    if not isinstance(sources, dict) or not all(isinstance(one, str) for one in sources.values()):
        raise _wrong(partner, "sources", 'must be a table of texts, as { shipbob-eu = "eu_wh" }')
    return Settings(**{**connection, "url": connection["url"].rstrip("/")})


def _credentials(connection: Mapping[str, Any]) -> tuple[str, ...]:
    if connection["flavour"] == SAAS:
        return _IMS
    return ("bearer",) if "bearer" in connection else _OAUTH


def _require(partner: str, connection: Mapping[str, Any], keys: tuple[str, ...]) -> None:
    for key in keys:
        if key not in connection:
            raise _wrong(partner, key, 'is missing: give a text, or { env = "NAME" }')


def _wrong(partner: str, key: str, remedy: str) -> ValueError:
    return ValueError(f"config/partners/{partner}.toml: [connection] {key} {remedy}")
