"""What a Dynamics 365 partner file must say under `[connection]`, checked once at the start."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Mapping

_REQUIRED = ("url", "token_url", "client_id", "client_secret", "default_company")
_SETS = {
    "header_set": "SalesOrderHeadersV2",
    "line_set": "SalesOrderLinesV3",
    "charge_set": "SalesOrderHeaderChargesV2",
}
_OTHERS = ("resource", "companies", "cancel_status", "batch_bytes")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """One environment: addresses, our registration there, and the names of its entity sets.

    Set names are settings, because F&O keeps several versions of a set alive at a time.
    """

    url: str
    token_url: str
    client_id: str
    client_secret: str = field(repr=False)
    resource: str
    header_set: str
    line_set: str
    charge_set: str
    companies: frozenset[str]
    """Legal entities we may write to, in lower case."""
    default_company: str
    cancel_status: str
    """The SalesOrderStatus that calls a whole order off."""
    batch_bytes: int
    """A `$batch` body is not made longer than this, unless one order alone is."""

    @property
    def scope(self) -> str:
        """Return the scope our tokens are for."""
        return f"{self.resource}/.default"


def read_settings(partner: str, connection: Mapping[str, Any]) -> Settings:
    """Check the connection settings of a partner; raises `ValueError` naming key and remedy."""
    known = {*_REQUIRED, *_SETS, *_OTHERS}
    for key in connection:
        if key not in known:
            raise _wrong(partner, key, f"is not known; known are {', '.join(sorted(known))}")
    texts = {key: _text(partner, connection, key) for key in _REQUIRED}
    for key in ("url", "token_url"):
        texts[key] = _address(partner, key, texts[key])
    company = texts["default_company"].lower()
    return Settings(
        url=texts["url"],
        token_url=texts["token_url"],
        client_id=texts["client_id"],
        client_secret=texts["client_secret"],
        resource=_resource(partner, connection, texts["url"]),
        **{key: _set_name(partner, connection, key) for key in _SETS},
        companies=_companies(partner, connection, company),
        default_company=company,
        cancel_status=_text(partner, {"cancel_status": "Canceled", **connection}, "cancel_status"),
        batch_bytes=_bytes(partner, connection),
    )


def _wrong(partner: str, key: str, remedy: str) -> ValueError:
    return ValueError(f"config/partners/{partner}.toml: [connection] {key} {remedy}")


def _text(partner: str, connection: Mapping[str, Any], key: str) -> str:
    value = connection.get(key)
    if not isinstance(value, str) or not value.strip():
        raise _wrong(partner, key, 'is missing: give a text, or { env = "NAME" }')
    return value


def _address(partner: str, key: str, value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query:
        raise _wrong(partner, key, "must be an https address without a query")
    return value.rstrip("/")


def _resource(partner: str, connection: Mapping[str, Any], url: str) -> str:
    # The resource has no trailing slash: with one, Entra issues a token that F&O refuses.
    resource = _text(partner, {"resource": url, **connection}, "resource").rstrip("/")
    return resource.removesuffix("/.default")


def _set_name(partner: str, connection: Mapping[str, Any], key: str) -> str:
    name = _text(partner, {**_SETS, **connection}, key)
    if not name.isidentifier():
        raise _wrong(partner, key, f"must be the name of an entity set, as {_SETS[key]}")
    return name


def _companies(partner: str, connection: Mapping[str, Any], default: str) -> frozenset[str]:
    value = connection.get("companies", [default])
    if not isinstance(value, (list, tuple)) or not all(isinstance(one, str) for one in value):
        raise _wrong(partner, "companies", 'must be a list of legal entities, as ["usmf"]')
    companies = frozenset(one.lower() for one in value)
    if default not in companies:
        raise _wrong(partner, "companies", f"must contain default_company ({default})")
    return companies


def _bytes(partner: str, connection: Mapping[str, Any]) -> int:
    value = connection.get("batch_bytes", 4_000_000)
    if not isinstance(value, int) or isinstance(value, bool) or value < 1000:
        raise _wrong(partner, "batch_bytes", "must be a number of bytes, at least 1000")
    return value
