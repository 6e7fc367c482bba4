"""What a Dynamics 365 partner file must say under `[connection]`, checked once at the start."""

from __future__ import annotations

import re
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
    "customer_set": "CustomersV3",
    "invoice_header_set": "SalesInvoiceHeadersV2",
    "invoice_line_set": "SalesInvoiceLinesV2",
}
_SECRETS = ("event_secret", "previous_event_secret")
_OTHERS = ("resource", "companies", "cancel_status", "batch_bytes", "shipment_service")
_SERVICE = re.compile(r"[A-Za-z_]\w*/[A-Za-z_]\w*", re.ASCII)
_PATH_SECRET = re.compile(r"[A-Za-z0-9._~-]{16,}")


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
    customer_set: str
    invoice_header_set: str
    invoice_line_set: str
    companies: frozenset[str]
    """Legal entities we may write to, in lower case."""
    default_company: str
    cancel_status: str
    """The SalesOrderStatus that calls a whole order off."""
    batch_bytes: int
    """A `$batch` body is not made longer than this, unless one order alone is."""
    shipment_service: str = ""
    """`<group>/<service>` of the custom service that posts packing slips; empty for none."""
    event_secret: str = field(repr=False, default="")
    """The end of the address that business events are sent to; empty where none are."""
    previous_event_secret: str = field(repr=False, default="")
    """The former one, while the endpoint is moved."""

    @property
    def scope(self) -> str:
        """Return the scope our tokens are for."""
        return f"{self.resource}/.default"

    @property
    def event_secrets(self) -> tuple[str, ...]:
        """Return what an event's address may end with, the present one first."""
        return tuple(one for one in (self.event_secret, self.previous_event_secret) if one)


def read_settings(partner: str, connection: Mapping[str, Any]) -> Settings:
    """Check the connection settings of a partner; raises `ValueError` naming key and remedy."""
    known = {*_REQUIRED, *_SETS, *_SECRETS, *_OTHERS}
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
        shipment_service=_service(partner, connection),
        **{key: _path_secret(partner, connection, key) for key in _SECRETS},
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


def _service(partner: str, connection: Mapping[str, Any]) -> str:
    if "shipment_service" not in connection:
        return ""
    name = _text(partner, connection, "shipment_service")
    if not _SERVICE.fullmatch(name):
        raise _wrong(partner, "shipment_service", 'must be "<service group>/<service>"')
    return name


def _path_secret(partner: str, connection: Mapping[str, Any], key: str) -> str:
    if key not in connection:
        return ""
    secret = _text(partner, connection, key)
    if not _PATH_SECRET.fullmatch(secret):
        remedy = "must be 16 characters or more, of letters, digits, '.', '_', '~' and '-'"
        raise _wrong(partner, key, remedy)
    return secret


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
