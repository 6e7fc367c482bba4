"""`syncworkers chaos`: storms for as long as asked, watched all the while, with a report."""

from __future__ import annotations

import datetime as dt
import json
import signal
import sys
import time
from functools import partial
from typing import TYPE_CHECKING

import click

from syncworkers.cli.demo_progress import Progress
from syncworkers.cli.demo_result import print_result, read_result
from syncworkers.cli.demo_run import DemoError, Run, total
from syncworkers.cli.output import console, errors, write_json
from syncworkers.cli.stage import PACE, staged, storm_over
from syncworkers.sandbox.audit import audit
from syncworkers.storm.report import Report, write
from syncworkers.storm.schedule import schedule
from syncworkers.storm.watch import Watch, recoveries
from syncworkers.supervisor import processes
from syncworkers.supervisor.simulators import SIMULATORS
from syncworkers.supervisor.state import AlreadyRunningError, sole

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from syncworkers.cli.context import Context
    from syncworkers.cli.stage import Stage


@click.command()
@click.option("--minutes", default=5.0, show_default=True, type=click.FloatRange(0.5, 1440))
@click.option("--seed", default=1, show_default=True, help="The same seed makes the same storm.")
@click.option("--rate", default=3.0, show_default=True, help="Orders placed a second.")
@click.pass_context
def chaos(ctx: click.Context, *, minutes: float, seed: int, rate: float) -> None:
    """Storm for MINUTES while orders flow, and look at the partners' books all the while.

    Runs with a database and a Redis of its own. The report stands in .syncworkers/chaos/<seed>.
    """
    context: Context = ctx.find_root().obj
    folder = context.state / "demo"
    about = {"since": dt.datetime.now(dt.UTC).isoformat(timespec="seconds"), "gateway": "chaos"}
    how = processes.Sandbox(seed=seed, faults="storm", speed=20.0, pace=PACE)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        with sole(folder, about), staged(context, folder, how) as stage:
            ok = _rage(stage, minutes=minutes, rate=rate, folder=context.state / "chaos")
    except AlreadyRunningError as error:
        errors.print(f"a demo of this checkout runs already: {error.args[0]}", soft_wrap=True)
        sys.exit(2)
    except DemoError as error:
        errors.print(f"[red]{error}[/red]", soft_wrap=True)
        sys.exit(1)
    except KeyboardInterrupt:
        errors.print("stopped; nothing is left running")
        sys.exit(130)
    sys.exit(0 if ok else 1)


def _rage(stage: Stage, *, minutes: float, rate: float, folder: Path) -> bool:
    """Let the storm loose, wait for rest, and leave the report; say whether all is well."""
    seconds, seed = minutes * 60, stage.how.seed
    plan = schedule(seed, tuple(stage.books.faces), seconds=seconds)
    orders = max(1, int(rate * seconds))
    run = Run(stage.fleet, stage.books, stage.servers.redis_url)
    storm = storm_over(stage, plan)
    watch = Watch(progress=partial(_progress, stage), never_right=partial(_never_right, stage))
    began = run.place(orders, seed=seed, rate=rate)
    with Progress(orders, quiet=False) as progress:
        with watch, storm:
            settled = run.wait(
                (stage.supervisor.tend, storm.tend), progress.show, raging=lambda: storm.raging
            )
        result = read_result(
            stage.fleet,
            stage.books,
            run,
            seconds=time.monotonic() - began,
            settled=settled,
            struck=storm.counts(),
        )
    report = Report(
        seed=seed,
        minutes=minutes,
        kills=storm.kills,
        checks=watch.checks,
        wrong=watch.wrong,
        struck=storm.struck,
        # Later there is nothing to do any more, and so nothing to see.
        recoveries=recoveries([one for one in storm.struck if one.at < seconds], watch.samples),
        schedule=plan,
        result=json.loads(write_json(result)),
    )
    place = write(report, watch.samples, folder / str(seed))
    print_result(result)
    console.print(
        f"{report.kills} processes killed, slowest recovery {report.slowest:.1f} s; see {place}",
        soft_wrap=True,
    )
    return report.ok


def _progress(stage: Stage) -> tuple[int, Mapping[str, int]]:
    """Return the orders placed, and what stands at each partner because of us."""
    now = stage.books.read("progress")
    counted = {
        "store": ("fulfillments", "noted"),
        "erp": ("orders", "slips"),
        "warehouse": ("orders",),
    }
    counts = {
        one.partner: sum(now[one.partner][what] for what in counted[one.role]) for one in SIMULATORS
    }
    return total(now, "placed"), counts


def _never_right(stage: Stage) -> Sequence[str]:
    found = audit(stage.books.read("books"), stage.fleet.policy)
    return (*found.duplicated, *found.unexpected)
