"""`syncworkers doctor`: is everything as it must be?"""

from __future__ import annotations

import datetime as dt
import sys

import click
from rich.markup import escape

from syncworkers.bootstrap import link_redis
from syncworkers.cli.context import open_fleet
from syncworkers.cli.output import as_json, console, print_json
from syncworkers.flows.doctor import Checked, examine
from syncworkers.store import ledger

MARKS = {"ok": "[green]ok  [/green]", "warn": "[yellow]warn[/yellow]", "bad": "[red]BAD [/red]"}


@click.command()
@click.option("--ledger", "with_ledger", is_flag=True, help="Prove that nothing was dropped.")
@as_json
@click.pass_context
def doctor(ctx: click.Context, *, with_ledger: bool, as_json: bool) -> None:
    """Check settings, connections, migrations, Redis policy, clock, lag and partners."""
    with open_fleet(ctx) as fleet:
        redis = link_redis(ctx.find_root().obj.servers.redis_url)
        checked = examine(fleet, redis, now=dt.datetime.now(dt.UTC))
        proof = ledger.prove(fleet.database) if with_ledger else None
    well = all(one.level != "bad" for one in checked) and (proof is None or proof.ok)
    if as_json:
        print_json({"ok": well, "checks": checked, "ledger": proof})
    else:
        _print(checked)
        if proof is not None:
            print_ledger(proof)
    sys.exit(0 if well else 1)


def _print(checked: list[Checked]) -> None:
    for one in checked:
        remedy = f"  → {one.remedy}" if one.remedy else ""
        console.print(f"{MARKS[one.level]} {one.name}: {escape(one.saw + remedy)}", soft_wrap=True)


def print_ledger(proof: ledger.Ledger) -> None:
    """Print the proof: totals by state, then what must not exist and does."""
    for name, totals in (("messages", proof.messages), ("deliveries", proof.deliveries)):
        listed = ", ".join(f"{state} {count}" for state, count in totals.items()) or "none"
        console.print(f"ledger {name}: {listed}")
    for finding in proof.findings:
        console.print(
            f"{MARKS['bad']} {finding.rows} rows: {finding.check}: {'; '.join(finding.examples)}",
            soft_wrap=True,
        )
    if proof.ok:
        console.print(f"{MARKS['ok']} ledger: {len(ledger.CHECKS)} checks found nothing")
