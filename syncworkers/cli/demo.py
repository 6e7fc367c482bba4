"""`syncworkers demo`: orders through the whole way on this machine, then an audit of the books."""

from __future__ import annotations

import datetime as dt
import signal
import sys
import time
from pathlib import Path

import click

from syncworkers.cli.context import Context
from syncworkers.cli.demo_progress import Progress
from syncworkers.cli.demo_result import Result, print_result, read_result
from syncworkers.cli.demo_run import DemoError, Run
from syncworkers.cli.output import console, errors, print_json, write_json
from syncworkers.cli.stage import PACE, Stage, staged, storm_over
from syncworkers.cli.trace import print_story
from syncworkers.flows import trace
from syncworkers.storm.schedule import schedule
from syncworkers.supervisor import processes
from syncworkers.supervisor.state import AlreadyRunningError, sole


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
        with sole(folder, about), staged(context, folder, how) as stage:
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


def _perform(stage: Stage, *, orders: int, rate: float, quiet: bool) -> Result:
    run = Run(stage.fleet, stage.books, stage.servers.redis_url)
    stormy = stage.how.faults == "storm"
    plan = schedule(stage.how.seed, tuple(stage.books.faces)) if stormy else []
    storm = storm_over(stage, plan)
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
