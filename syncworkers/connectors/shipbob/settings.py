"""What a ShipBob partner file must say under `[connection]`, checked once at the start."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Mapping

_REQUIRED = ("url", "api_version", "access_token", "channel_id", "webhook_secret")
_OPTIONAL = ("previous_webhook_secret", "webhook_url", "sunset")
_VERSION = re.compile(r"20\d\d-(01|07)")
_SECRET = re.compile(r"whsec_[a-zA-Z0-9+/]{32}")
_SECRET_FORM = "must be whsec_ and 32 characters of base64, as ShipBob makes them"  # noqa: S105
SUNSETS: Mapping[str, dt.date] = {
    "2025-07": dt.date(2027, 7, 31),
    "2026-01": dt.date(2028, 1, 31),
    "2026-07": dt.date(2028, 7, 31),
}
"""When ShipBob ends a version, as it says today; `sunset` in the partner file overrides it."""
SUNSETS_SOURCE = "developer.shipbob.com: versions live two years"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """One ShipBob account, as seen by our token and through our channel."""

    url: str
    api_version: str
    access_token: str = field(repr=False)
    channel_id: int
    webhook_secrets: tuple[str, ...] = field(repr=False)
    """What may sign webhooks: the present secret first, then the one before a rotation."""
    webhook_url: str = ""
    """Where webhooks are to go; empty where they are arranged by hand."""
    sunset: dt.date | None = None
    """The last day of the API version; None if nobody knows."""

    @property
    def base(self) -> str:
        """Return what every path follows."""
        return f"{self.url}/{self.api_version}"

    @property
    def secrets(self) -> tuple[str, ...]:
        """Return everything that must never be told."""
        return (self.access_token, *self.webhook_secrets)


def read_settings(partner: str, connection: Mapping[str, Any]) -> Settings:
    """Check the connection settings of a partner; raises `ValueError` naming key and remedy."""
    known = {*_REQUIRED, *_OPTIONAL}
    for key in connection:
        if key not in known:
            raise _wrong(partner, key, f"is not known; known are {', '.join(sorted(known))}")
    for key in _REQUIRED:
        if connection.get(key) in (None, ""):
            raise _wrong(partner, key, 'is missing: give a text, or { env = "NAME" }')
    version = str(connection["api_version"])
    if not _VERSION.fullmatch(version):
        raise _wrong(partner, "api_version", "must be one of ShipBob's half-years, as 2026-01")
    return Settings(
        url=_address(partner, connection, "url"),
        api_version=version,
        access_token=_text(partner, connection, "access_token"),
        channel_id=_number(partner, connection, "channel_id"),
        webhook_secrets=_webhook_secrets(partner, connection),
        webhook_url=_address(partner, connection, "webhook_url"),
        sunset=_date(partner, connection, SUNSETS.get(version)),
    )


def _wrong(partner: str, key: str, remedy: str) -> ValueError:
    return ValueError(f"config/partners/{partner}.toml: [connection] {key} {remedy}")


def _text(partner: str, connection: Mapping[str, Any], key: str) -> str:
    value = connection.get(key, "")
    if not isinstance(value, str) or value != value.strip() or not _is_plain(value):
        raise _wrong(partner, key, "must be a plain text on one line, without blanks around it")
    return value


def _is_plain(text: str) -> bool:
    return text.isascii() and text.isprintable()


def _address(partner: str, connection: Mapping[str, Any], key: str) -> str:
    value = _text(partner, connection, key)
    parts = urlsplit(value)
    if value and (parts.scheme not in {"http", "https"} or not parts.hostname or parts.query):
        raise _wrong(partner, key, "must be an https address without a query")
    return value.rstrip("/")


def _number(partner: str, connection: Mapping[str, Any], key: str) -> int:
    # What comes from the environment is a text.
    value = str(connection[key])
    if not (value.isascii() and value.isdecimal() and 0 < int(value) < 2**31):
        raise _wrong(partner, key, "must be the number of a channel, see GET /channel")
    return int(value)


def _webhook_secrets(partner: str, connection: Mapping[str, Any]) -> tuple[str, ...]:
    found = []
    for key in ("webhook_secret", "previous_webhook_secret"):
        secret = _text(partner, connection, key)
        if secret and not _SECRET.fullmatch(secret):
            raise _wrong(partner, key, _SECRET_FORM)
        found += [secret] if secret else []
    return tuple(found)


def _date(partner: str, connection: Mapping[str, Any], default: dt.date | None) -> dt.date | None:
    value = connection.get("sunset", default)
    try:
        return dt.date.fromisoformat(value) if isinstance(value, str) else _plain_date(value)
    except (TypeError, ValueError):
        raise _wrong(partner, "sunset", "must be a date, as 2028-01-31") from None


def _plain_date(value: object) -> dt.date | None:
    if value is None or (isinstance(value, dt.date) and not isinstance(value, dt.datetime)):
        return value
    raise TypeError
