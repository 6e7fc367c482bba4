"""`syncworkers db`: the database's shape."""

from __future__ import annotations

import click

from syncworkers.bootstrap import connect
from syncworkers.cli.output import as_json, console, print_json
from syncworkers.store import migrate


@click.group()
def db() -> None:
    """Bring the database up to date."""


@db.command()
@as_json
@click.pass_context
def upgrade(ctx: click.Context, *, as_json: bool) -> None:
    """Run the missing migrations; safe to run again, and from several machines at once."""
    with ctx.find_root().obj.serving() as found:
        database = connect(found.database_url)
        migrate.upgrade(database)
        with database.connect() as connection:
            current = migrate.is_current(connection)
        database.dispose()
    if as_json:
        print_json({"ok": current})
    else:
        console.print("the database is at the revision this build needs")
