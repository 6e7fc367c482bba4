"""Bring the database to the revision this build needs, and say whether it is there."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

if TYPE_CHECKING:
    import sqlalchemy as sa

SCRIPTS = Path(__file__).resolve().parents[2] / "alembic"


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(SCRIPTS))
    return config


def upgrade(database: sa.Engine) -> None:
    """Run the missing migrations; any number of callers at once is harmless."""
    config = _config()
    with database.begin() as connection:
        # A transaction-scoped lock, so that it works behind a transaction pooler too.
        connection.exec_driver_sql("SELECT pg_advisory_xact_lock(7310942)")
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def is_current(connection: sa.Connection) -> bool:
    """Say whether the database is at, or after, the revision this build needs.

    After: a revision we do not know was put there by a newer build (expand, deploy, contract).
    """
    present = MigrationContext.configure(connection).get_current_heads()
    scripts = ScriptDirectory.from_config(_config())
    known = {script.revision for script in scripts.walk_revisions()}
    head = scripts.get_current_head()
    return bool(present) and (head in present or not set(present) <= known)
