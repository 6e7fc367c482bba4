"""Real servers for the whole run: an embedded Postgres, migrated once, and an embedded Redis."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa
from redis import Redis

from syncworkers import servers
from syncworkers.bootstrap import connect
from syncworkers.store import migrate

if TYPE_CHECKING:
    from collections.abc import Iterator

    from syncworkers.servers import Servers

# What `tasks.celery` reads when a test imports it; nobody listens there.
os.environ.setdefault("REDIS_URL", "redis://127.0.0.1:9/0")


@pytest.fixture(scope="session")
def running_servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    """The servers of this test process."""
    folder = tmp_path_factory.mktemp("servers")
    with servers.running(folder, database_url=None, redis_url=None, durable=False) as found:
        yield found


@pytest.fixture(scope="session")
def database_url(running_servers: Servers) -> str:
    """The address of a migrated database."""
    database = connect(running_servers.database_url)
    migrate.upgrade(database)
    database.dispose()
    return running_servers.database_url


@pytest.fixture
def clean_database(database_url: str) -> Iterator[sa.Engine]:
    """An engine on the migrated database, with every table empty."""
    database = connect(database_url)
    with database.begin() as connection:
        tables = connection.execute(
            sa.text(
                "SELECT string_agg(quote_ident(tablename), ', ') FROM pg_tables"
                " WHERE schemaname = 'public' AND tablename <> 'alembic_version'"
            )
        ).scalar_one()
        connection.execute(sa.text(f"TRUNCATE {tables} RESTART IDENTITY CASCADE"))
    yield database
    database.dispose()


@pytest.fixture
def redis_client(running_servers: Servers) -> Iterator[Redis]:
    """An empty Redis."""
    with Redis.from_url(running_servers.redis_url, socket_timeout=2.0) as client:
        client.flushall()
        yield client
