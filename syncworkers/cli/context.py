"""What every command shares: settings, where state is kept, and servers while it runs."""

from __future__ import annotations

import os
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from syncworkers import servers
from syncworkers.bootstrap import build_fleet, connect
from syncworkers.store import migrate
from syncworkers.supervisor.environment import NOWHERE, sandbox_environment
from syncworkers.supervisor.state import read_environment

if TYPE_CHECKING:
    from collections.abc import Iterator

    import click

    from syncworkers.flows.fleet import Fleet
    from syncworkers.servers import Servers
    from syncworkers.settings import Settings

CHECKOUT = Path(__file__).resolve().parents[2]


class Context:
    """Made once per call of the command line."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.actor = settings.actor
        self.state = Path(os.environ.get("SYNCWORKERS_STATE") or CHECKOUT / ".syncworkers")
        self.servers: Servers | None = None
        if settings.environment == "dev":
            known = read_environment(self.state) or sandbox_environment(NOWHERE)
            for name, value in known.items():
                os.environ.setdefault(name, value)
        if not settings.config.is_absolute() and not settings.config.is_dir():
            self.settings = replace(settings, config=CHECKOUT / settings.config)

    @contextmanager
    def serving(self) -> Iterator[Servers]:
        """Find or start the servers of this command; embedded ones are brought up to date."""
        with servers.running(
            self.state,
            database_url=self.settings.given_database_url,
            redis_url=self.settings.given_redis_url,
        ) as found:
            self.servers = found
            if "postgres" in found.embedded:
                database = connect(found.database_url)
                migrate.upgrade(database)
                database.dispose()
            yield found


@contextmanager
def open_fleet(ctx: click.Context) -> Iterator[Fleet]:
    """Compose a fleet for one command; it sends no wake-ups, the sweep finds its work."""
    context: Context = ctx.find_root().obj
    with context.serving() as found:
        settings = replace(
            context.settings,
            given_database_url=found.database_url,
            given_redis_url=found.redis_url,
        )
        fleet = build_fleet(settings, worker=f"cli:{context.actor}")
        try:
            yield fleet
        finally:
            fleet.database.dispose()
