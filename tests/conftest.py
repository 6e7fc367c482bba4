"""Real servers for the whole run: an embedded Postgres, migrated once, and an embedded Redis.

With TEST_DATABASE_URL and TEST_REDIS_URL the tests run there instead, in databases of their own.
"""

from __future__ import annotations

import os
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings
from redis import Redis

from syncworkers import servers
from syncworkers.bootstrap import connect
from syncworkers.store import migrate

if TYPE_CHECKING:
    from collections.abc import Iterator

    from syncworkers.servers import Servers

pytest.register_assert_rewrite("tests.connectors.suite")
# What `tasks.celery` reads when a test imports it; nobody listens there.
os.environ.setdefault("REDIS_URL", "redis://127.0.0.1:9/0")
# A busy machine is slow; that a property holds does not depend on how long an example takes.
hypothesis_settings.register_profile(
    "untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
hypothesis_settings.load_profile("untimed")


@pytest.fixture(scope="session")
def running_servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    """The servers of this test process."""
    folder = tmp_path_factory.mktemp("servers")
    with ExitStack() as made:
        given_database = os.environ.get("TEST_DATABASE_URL")
        database_url = made.enter_context(_own_database(given_database)) if given_database else None
        yield made.enter_context(
            servers.running(
                folder, database_url=database_url, redis_url=_own_redis(), durable=False
            )
        )


@contextmanager
def _own_database(url: str) -> Iterator[str]:
    """Make a database for this process, and drop it at the end."""
    server = sa.create_engine(url, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
    name = f"test_{os.getpid()}"
    with server.connect() as connection:
        connection.execute(sa.text(f"CREATE DATABASE {name}"))
    yield sa.make_url(url).set(database=name).render_as_string(hide_password=False)
    with server.connect() as connection:
        connection.execute(sa.text(f"DROP DATABASE {name} WITH (FORCE)"))


def _own_redis() -> str | None:
    """Return the address of a Redis database that no other test process uses."""
    given = os.environ.get("TEST_REDIS_URL")
    number = os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")
    return given and urlsplit(given)._replace(path=f"/{number}").geturl()


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
