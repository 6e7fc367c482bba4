"""How Celery reaches Redis."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit

PREFIX = "syncworkers:"
"""Stands before every key of the transport."""

WORKING: dict[str, Any] = {
    "socket_timeout": 30,
    "socket_connect_timeout": 5,
    "socket_keepalive": True,
    "health_check_interval": 25,
    "global_keyprefix": PREFIX,
    "client_name": "syncworkers",
    "unacked_restore_interval": 5,
    "unacked_restore_throttle": 1,
}
"""Workers and beat: they wait for Redis and come back by themselves. A kombu that does not know an
option ignores it."""

PUBLISHING: dict[str, Any] = {
    **WORKING,
    "socket_timeout": 0.5,
    "socket_connect_timeout": 0.5,
}
"""Whoever sends wake-ups: a hint is not worth more than a moment."""


def broker_url(redis_url: str) -> str:
    """Turn the address of a Redis, as its own client writes it, into Celery's.

    The client writes a socket as `unix://[user]@/path?db=2&password=...`, kombu as
    `redis+socket://user:password@/path?virtual_host=2`.
    """
    parts = urlsplit(redis_url)
    if parts.scheme != "unix":
        return redis_url
    options = dict(parse_qsl(parts.query))
    database = options.pop("db", "0")
    user = unquote(parts.username or options.pop("username", ""))
    password = unquote(parts.password or "") or options.pop("password", "")
    login = f"{quote(user, safe='')}:{quote(password, safe='')}@" if user or password else ""
    query = urlencode({"virtual_host": database, **options})
    return f"redis+socket://{login}{parts.path}?{query}"
