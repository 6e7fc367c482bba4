"""`syncworkers demo`: orders through the whole way on this machine, then an audit of the books."""

from __future__ import annotations

import datetime as dt
import os
import shutil
import signal
import sys
import time
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from syncworkers import servers
from syncworkers.bootstrap import build_fleet, connect
from syncworkers.cli.context import CHECKOUT, Context
from syncworkers.cli.demo_progress import Progress
from syncworkers.cli.demo_result import Result, print_result, read_result
from syncworkers.cli.demo_run import Books, DemoError, Run
from syncworkers.cli.output import console, errors, print_json, write_json
from syncworkers.cli.trace import print_story
from syncworkers.flows import trace
from syncworkers.store import migrate
from syncworkers.storm.inflict import Storm
from syncworkers.storm.schedule import schedule
from syncworkers.supervisor import processes
from syncworkers.supervisor.environment import choose_ports, flower_password, sandbox_environment
from syncworkers.supervisor.state import AlreadyRunningError, sole
from syncworkers.supervisor.supervise import Supervisor

if TYPE_CHECKING:
    from collections.abc import Iterator

    from syncworkers.flows.fleet import Fleet
    from syncworkers.servers import Servers
    from syncworkers.settings import Settings
    from syncworkers.supervisor.environment import Ports

READY_WITHIN = 60.0
PACE = 0.6
"""Warehouse and carrier hurry: nobody who waits for a demo wants to see them pack."""


@click.command()
@click.option("--orders", default=200, show_default=True, type=click.IntRange(1, 100_000))
@click.option("--seed", default=1, show_default=True, help="The same seed makes the same orders.")
@click.option(
    "--faults", type=click.Choice(["none", "normal", "storm"]), default="normal", show_default=True
)
@click.option("--speed", default=20.0, show_default=True, help="Of the partners' rate limits.")
@click.option("--rate", default=50.0, show_default=True, help="Orders placed a second.")
@click.option(
    "--json",
    "json_file",
    type=click.Path(path_type=Path),
    help="Write the result there; - prints it.",
)
@click.option("--keep", is_flag=True, help="Leave the fleet running afterwards, until Ctrl-C.")
@click.pass_context
def demo(  # noqa: PLR0913 - its arguments are the command's options
    ctx: click.Context,
    *,
    orders: int,
    seed: int,
    faults: str,
    speed: float,
    rate: float,
    json_file: Path | None,
    keep: bool,
) -> None:
    """Drive ORDERS through simulated partners over real sockets, then audit the partners' books.

    Runs with a database and a Redis of its own, whatever DATABASE_URL and REDIS_URL say.
    """
    context: Context = ctx.find_root().obj
    folder = context.state / "demo"
    about = {"since": dt.datetime.now(dt.UTC).isoformat(timespec="seconds"), "gateway": "a demo"}
    how = processes.Sandbox(seed=seed, faults=faults, speed=speed, pace=PACE)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        with sole(folder, about), _stage(context, folder, how) as stage:
            result = _perform(stage, orders=orders, rate=rate, quiet=json_file == Path("-"))
            _show(stage, result, json_file)
            if keep:
                _keep(stage)
    except AlreadyRunningError as error:
        errors.print(f"a demo of this checkout runs already: {error.args[0]}", soft_wrap=True)
        sys.exit(2)
    except DemoError as error:
        errors.print(f"[red]{error}[/red]", soft_wrap=True)
        sys.exit(1)
    except KeyboardInterrupt:
        errors.print("stopped; nothing is left running")
        sys.exit(130)
    sys.exit(0 if result.ok else 1)


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
def _stage(context: Context, folder: Path, how: processes.Sandbox) -> Iterator[Stage]:
    """Start servers, fleet and partners afresh; stop them all at the end."""
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


def _perform(stage: Stage, *, orders: int, rate: float, quiet: bool) -> Result:
    run = Run(stage.fleet, stage.books, stage.servers.redis_url)
    storm = _storm(stage)
    began = run.place(orders, seed=stage.how.seed, rate=rate)
    with Progress(orders, quiet=quiet) as progress, storm:
        settled = run.wait(
            (stage.supervisor.tend, storm.tend), progress.show, raging=lambda: storm.raging
        )
    return read_result(
        stage.fleet,
        stage.books,
        run,
        seconds=time.monotonic() - began,
        settled=settled,
        struck=storm.counts(),
    )


def _storm(stage: Stage) -> Storm:
    """Prepare what falls upon our own processes and servers; nothing unless a storm is wanted."""
    postgres, redis = stage.servers.postgres, stage.servers.redis
    if postgres is None or redis is None:
        message = "a demo needs servers of its own"
        raise DemoError(message)
    rounds = 1 if stage.how.faults == "storm" else 0
    return Storm(
        schedule(stage.how.seed, tuple(stage.books.faces), rounds=rounds),
        postgres=postgres,
        redis=redis,
        supervisor=stage.supervisor,
        faces=stage.books.faces,
    )


def _show(stage: Stage, result: Result, json_file: Path | None) -> None:
    if json_file == Path("-"):
        print_json(result)
        return
    if json_file is not None:
        json_file.write_text(write_json(result), encoding="utf-8")
    if result.example:
        for story in trace.trace(stage.fleet, result.example):
            print_story(story)
    print_result(result)
    console.print(
        "\n`make up` starts the fleet with simulated partners and Flower, and keeps it running;"
        "\n`make demo ARGS=--keep` leaves this one up.",
        soft_wrap=True,
    )


def _keep(stage: Stage) -> None:
    """Stay until Ctrl-C."""
    for sign in (signal.SIGTERM, signal.SIGINT):
        signal.signal(sign, lambda *_: stage.supervisor.end_watch())
    console.print(f"gateway http://127.0.0.1:{stage.ports.gateway}; Ctrl-C stops everything")
    stage.supervisor.watch()
