"""A stage: servers, fleet and simulated partners, started afresh and stopped at the end."""

from __future__ import annotations

import os
import shutil
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from syncworkers import servers
from syncworkers.bootstrap import build_fleet, connect
from syncworkers.cli.context import CHECKOUT
from syncworkers.cli.demo_run import Books, DemoError
from syncworkers.cli.output import errors
from syncworkers.store import migrate
from syncworkers.storm.inflict import Storm
from syncworkers.supervisor import processes
from syncworkers.supervisor.environment import choose_ports, flower_password, sandbox_environment
from syncworkers.supervisor.supervise import Supervisor

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from syncworkers.cli.context import Context
    from syncworkers.flows.fleet import Fleet
    from syncworkers.servers import Servers
    from syncworkers.settings import Settings
    from syncworkers.storm.schedule import Scheduled
    from syncworkers.supervisor.environment import Ports

READY_WITHIN = 60.0
PACE = 0.6
"""Warehouse and carrier hurry: nobody who waits for a demo wants to see them pack."""


class Stage:
    """Everything that runs during a demo."""

    def __init__(
        self,
        fleet: Fleet,
        supervisor: Supervisor,
        found: Servers,
        ports: Ports,
        how: processes.Sandbox,
    ) -> None:
        self.fleet = fleet
        self.supervisor = supervisor
        self.servers = found
        self.ports = ports
        self.how = how
        self.books = Books(ports)


@contextmanager
def staged(context: Context, folder: Path, how: processes.Sandbox) -> Iterator[Stage]:
    """Start servers, fleet and partners afresh; stop them all at the end.

    Raises `DemoError` if something does not come up.
    """
    shutil.rmtree(folder / "log", ignore_errors=True)
    with ExitStack() as started:
        found = started.enter_context(
            servers.running(folder, database_url=None, redis_url=None, fresh=True)
        )
        _migrate(found.database_url)
        ports = choose_ports()
        os.environ.update(sandbox_environment(ports))
        settings = replace(
            context.settings,
            environment="dev",
            given_database_url=found.database_url,
            given_redis_url=found.redis_url,
        )
        password = flower_password(folder)
        supervisor = Supervisor(
            [*processes.sandbox(ports, how), *processes.fleet(ports, password)],
            env=_environment(found, settings),
            folder=folder,
            cwd=CHECKOUT,
            say=lambda text: errors.print(f"[red]{text}[/red]", soft_wrap=True),
        )
        started.callback(supervisor.stop)
        _start(supervisor, folder)
        fleet = build_fleet(settings, worker="demo")
        started.callback(fleet.database.dispose)
        errors.print(
            f"Flower meanwhile: http://127.0.0.1:{ports.flower} (syncworkers / {password})",
            soft_wrap=True,
        )
        yield Stage(fleet, supervisor, found, ports, how)


def _migrate(database_url: str) -> None:
    database = connect(database_url)
    migrate.upgrade(database)
    database.dispose()


def _environment(found: Servers, settings: Settings) -> dict[str, str]:
    """Return what the demo's processes find in their environment."""
    return {
        **os.environ,
        "DATABASE_URL": found.database_url,
        "REDIS_URL": found.redis_url,
        "SYNCWORKERS_CONFIG": str(settings.config.resolve()),
        "SYNCWORKERS_ENV": "dev",
        "SENTRY_DSN": "",
        "PYTHONUNBUFFERED": "1",
    }


def _start(supervisor: Supervisor, folder: Path) -> None:
    """Start all processes; raise DemoError if one does not come up."""
    supervisor.start()
    silent = supervisor.wait_ready(READY_WITHIN)
    if silent:
        message = f"{', '.join(silent)} did not start; see {folder / 'log'}"
        raise DemoError(message)


def storm_over(stage: Stage, plan: Sequence[Scheduled]) -> Storm:
    """Prepare what falls upon our own processes and servers."""
    postgres, redis = stage.servers.postgres, stage.servers.redis
    if postgres is None or redis is None:
        message = "a demo needs servers of its own"
        raise DemoError(message)
    return Storm(
        plan,
        postgres=postgres,
        redis=redis,
        supervisor=stage.supervisor,
        faces=stage.books.faces,
    )
