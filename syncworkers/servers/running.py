"""Servers for a while: those that are given, else embedded ones."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from syncworkers.servers.postgres import EmbeddedPostgres
from syncworkers.servers.redis import EmbeddedRedis

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Servers:
    """Addresses of a Postgres and a Redis that answer."""

    database_url: str = field(repr=False)
    redis_url: str = field(repr=False)
    embedded: tuple[str, ...]
    """Which of them are ours."""
    postgres: EmbeddedPostgres | None = None
    redis: EmbeddedRedis | None = None


@contextmanager
def running(
    folder: Path,
    *,
    database_url: str | None,
    redis_url: str | None,
    durable: bool = True,
    fresh: bool = False,
) -> Iterator[Servers]:
    """Start what is not given, and stop what was started. Raises `ServerError`.

    `fresh` forgets earlier data first; what is not `durable` is fast and forgotten at the end.
    """
    folder = folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    embedded: list[str] = []
    postgres: EmbeddedPostgres | None = None
    redis: EmbeddedRedis | None = None
    with ExitStack() as started:
        if database_url is None:
            postgres = EmbeddedPostgres(folder, durable=durable)
            if fresh:
                postgres.erase()
            if not durable:
                started.callback(postgres.erase)
            started.callback(postgres.stop)
            postgres.start()
            database_url = postgres.url
            embedded.append("postgres")
        if redis_url is None:
            redis = EmbeddedRedis(folder)
            started.callback(redis.stop)
            redis.start()
            redis_url = redis.url
            embedded.append("redis")
        yield Servers(
            database_url=database_url,
            redis_url=redis_url,
            embedded=tuple(embedded),
            postgres=postgres,
            redis=redis,
        )
