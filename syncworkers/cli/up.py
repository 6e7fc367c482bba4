"""`syncworkers up`: the whole fleet on this machine, until Ctrl-C."""

from __future__ import annotations

import datetime as dt
import os
import signal
import sys
from typing import TYPE_CHECKING, Any

import click

from syncworkers.cli.context import CHECKOUT, Context
from syncworkers.cli.output import as_json, console, errors, print_json
from syncworkers.supervisor import processes
from syncworkers.supervisor.environment import (
    choose_ports,
    flower_password,
    is_free,
    sandbox_environment,
)
from syncworkers.supervisor.state import AlreadyRunningError, sole, write_environment
from syncworkers.supervisor.supervise import Supervisor

if TYPE_CHECKING:
    from collections.abc import Mapping

    from syncworkers.servers import Servers

READY_WITHIN = 60.0
FIRST_PORT = 8101


@click.command()
@click.option("--faults", type=click.Choice(["none", "normal"]), default="none", show_default=True)
@click.option("--seed", default=1, show_default=True, help="Of the simulated partners.")
@click.option("--speed", default=1.0, show_default=True, help="Of the partners' limits.")
@as_json
@click.pass_context
def up(ctx: click.Context, *, faults: str, seed: int, speed: float, as_json: bool) -> None:
    """Start migrations, gateway, workers, beat, Flower and (in dev) simulated partners."""
    context: Context = ctx.find_root().obj
    port = context.settings.port
    about = {
        "since": dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
        "gateway": f"http://127.0.0.1:{port}",
    }
    how = processes.Sandbox(seed=seed, faults=faults, speed=speed)
    try:
        with sole(context.state, about):
            if not is_free(port):
                errors.print(f"port {port} is taken; set PORT to another one")
                sys.exit(2)
            with context.serving() as found:
                _run(context, found, how, as_json=as_json)
    except AlreadyRunningError as error:
        _refuse(error.args[0], as_json=as_json)


def _refuse(other: Mapping[str, Any], *, as_json: bool) -> None:
    if as_json:
        print_json({"ok": False, "running": other})
    else:
        errors.print(
            f"a fleet of this checkout runs already: process {other.get('pid')} since "
            f"{other.get('since')}, {other.get('gateway')}; stop it with Ctrl-C there",
            soft_wrap=True,
        )
    sys.exit(2)


def child_environment(context: Context, found: Servers) -> dict[str, str]:
    """Return what every process of the fleet is told."""
    return {
        **os.environ,
        "DATABASE_URL": found.database_url,
        "REDIS_URL": found.redis_url,
        "SYNCWORKERS_CONFIG": str(context.settings.config.resolve()),
        "SYNCWORKERS_ENV": context.settings.environment,
        "PYTHONUNBUFFERED": "1",
    }


def _run(context: Context, found: Servers, how: processes.Sandbox, *, as_json: bool) -> None:
    ports = choose_ports(context.settings.port, first=FIRST_PORT)
    env = child_environment(context, found)
    wanted = processes.fleet(ports, flower_password(context.state))
    if context.settings.environment == "dev":
        simulated = sandbox_environment(ports)
        write_environment(context.state, simulated)
        env.update(simulated)
        wanted = [*processes.sandbox(ports, how), *wanted]
    fleet = Supervisor(
        wanted,
        env=env,
        folder=context.state,
        cwd=CHECKOUT,
        say=lambda text: errors.print(f"[red]{text}[/red]", soft_wrap=True),
    )
    for sign in (signal.SIGTERM, signal.SIGINT):
        signal.signal(sign, lambda *_: fleet.end_watch())
    try:
        fleet.start()
        silent = fleet.wait_ready(READY_WITHIN)
        _announce(context, found, wanted, silent, as_json=as_json)
        fleet.watch()
    finally:
        fleet.stop()
    if not as_json:
        console.print("stopped; nothing is left running")


def _announce(
    context: Context,
    found: Servers,
    wanted: list[processes.Process],
    silent: list[str],
    *,
    as_json: bool,
) -> None:
    if as_json:
        print_json({"ok": not silent, "processes": wanted, "silent": silent})
        return
    for name in found.embedded:
        console.print(f"{name:<18} embedded, {context.state / name}", soft_wrap=True)
    for process in wanted:
        mark = "[red]silent[/red] " if process.name in silent else ""
        console.print(f"{process.name:<18} {mark}{process.look}", soft_wrap=True)
    console.print(f"logs               {context.state / 'log'}", soft_wrap=True)
    console.print(f"Flower's password  {context.state / 'flower-password'}", soft_wrap=True)
    console.print("[bold]up[/bold]; Ctrl-C stops everything")
