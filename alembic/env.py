"""Migration environment: the database is DATABASE_URL, or the connection a caller hands over."""

from __future__ import annotations

import os

import sqlalchemy as sa
from alembic import context

# Every table must be known before its metadata is compared.
from syncworkers.engine.tables import EngineBase
from syncworkers.store.schema import Base

METADATA = [EngineBase.metadata, Base.metadata]


def run(connection: sa.Connection) -> None:
    """Run the migrations in one transaction."""
    context.configure(connection=connection, target_metadata=METADATA, compare_type=True)
    with context.begin_transaction():
        context.run_migrations()


given = context.config.attributes.get("connection")
if given is not None:
    run(given)
else:
    url = os.environ.get("DATABASE_URL")
    if not url:
        message = "DATABASE_URL is not set; `syncworkers up` sets it, or export it and run again"
        raise SystemExit(message)
    url = sa.make_url(url)
    if url.drivername in {"postgres", "postgresql"}:
        url = url.set(drivername="postgresql+psycopg")
    with sa.create_engine(url, poolclass=sa.NullPool).connect() as opened:
        run(opened)
        opened.commit()
