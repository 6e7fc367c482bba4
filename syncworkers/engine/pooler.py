"""Settings of a connection that hold even behind a transaction pooler.

PgBouncer refuses `options` at start-up, and a plain SET would reach whoever gets the server's
connection next. There the settings are made anew in every transaction, for one round trip each.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import psycopg
import sqlalchemy as sa

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy.pool import ConnectionPoolEntry

POOLED = "settings of each transaction"


def keep_settings(engine: sa.Engine, settings: Mapping[str, int]) -> None:
    """See to it that Postgres has these settings, by name, in everything the engine does."""
    options = " ".join(f"-c {name}={value}" for name, value in settings.items())
    each_time = "; ".join(f"SET LOCAL {name} = {value}" for name, value in settings.items())

    def connect(
        dialect: sa.engine.Dialect,
        record: ConnectionPoolEntry,
        words: list[Any],
        named: dict[str, Any],
    ) -> Any:
        try:
            return dialect.connect(*words, **named, options=options)
        except psycopg.OperationalError as error:
            if "unsupported startup parameter" not in str(error):
                raise
        record.info[POOLED] = each_time
        return dialect.connect(*words, **named)

    def begin(connection: sa.Connection) -> None:
        if POOLED in connection.info:
            connection.exec_driver_sql(connection.info[POOLED])

    sa.event.listen(engine, "do_connect", connect)
    sa.event.listen(engine, "begin", begin)
