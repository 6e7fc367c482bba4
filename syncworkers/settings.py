"""Settings of one process, from the environment alone (twelve-factor)."""

from __future__ import annotations

import getpass
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

ENVIRONMENTS = ("dev", "staging", "production")


class SettingsError(Exception):
    """A variable of the environment is missing or wrong; the text names it and the remedy."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What a process is told from outside; addresses may hold passwords and are never shown."""

    given_database_url: str | None = field(repr=False)
    given_redis_url: str | None = field(repr=False)
    port: int
    sentry_dsn: str | None = field(repr=False)
    config: Path
    environment: str
    actor: str

    @property
    def database_url(self) -> str:
        """Return the database's address; raises `SettingsError` where nobody gave one."""
        return _given("DATABASE_URL", self.given_database_url)

    @property
    def redis_url(self) -> str:
        """Return Redis' address; raises `SettingsError` where nobody gave one."""
        return _given("REDIS_URL", self.given_redis_url)


def load_settings(environ: Mapping[str, str] | None = None) -> Settings:
    """Read the settings. Raises `SettingsError`."""
    found = os.environ if environ is None else environ
    environment = found.get("SYNCWORKERS_ENV") or "dev"
    if environment not in ENVIRONMENTS:
        message = f"SYNCWORKERS_ENV is {environment!r}; it must be one of {', '.join(ENVIRONMENTS)}"
        raise SettingsError(message)
    return Settings(
        given_database_url=_sqlalchemy_url(found.get("DATABASE_URL") or None),
        given_redis_url=found.get("REDIS_URL") or None,
        port=_port(found.get("PORT") or "8000"),
        sentry_dsn=found.get("SENTRY_DSN") or None,
        config=Path(found.get("SYNCWORKERS_CONFIG") or "config"),
        environment=environment,
        actor=found.get("SYNCWORKERS_ACTOR") or _login_name(),
    )


def _login_name() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        # Containers run as users that no list knows.
        return f"uid-{os.getuid()}"


def _given(name: str, value: str | None) -> str:
    if value is None:
        message = f"{name} is not set; `syncworkers up` sets it for its processes"
        raise SettingsError(message)
    return value


def _sqlalchemy_url(url: str | None) -> str | None:
    """Accept the forms that hosting platforms hand out; psycopg 3 is our driver."""
    if url is None:
        return None
    scheme, _, rest = url.partition("://")
    plain = scheme in {"postgres", "postgresql"}
    return f"postgresql+psycopg://{rest}" if plain else url


def _port(text: str) -> int:
    if not text.isdecimal() or not 0 < int(text) < 65536:
        message = f"PORT is {text!r}; it must be a number from 1 to 65535"
        raise SettingsError(message)
    return int(text)
