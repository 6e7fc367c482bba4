"""`syncworkers recover`: after the database was restored to an earlier moment."""

from __future__ import annotations

import datetime as dt
import sys

import click

from syncworkers.cli.context import open_fleet
from syncworkers.cli.output import as_json, console, errors, named_actor, print_json
from syncworkers.errors import RejectedError
from syncworkers.flows import recover as recovering


@click.command()
@click.option("--since", required=True, help="The moment the database went back to, ISO 8601.")
@click.option(
    "--watch",
    default=recovering.WATCH / 60,
    show_default=True,
    type=click.FloatRange(1, 10_080),
    help="Minutes in which new deliveries are looked up before they are sent.",
)
@named_actor
@as_json
@click.pass_context
def recover(ctx: click.Context, *, since: str, watch: float, actor: str, as_json: bool) -> None:
    """Make a restored database safe to work with; run it before any worker starts.

    Whatever may have been sent since then is looked up at its partner first, and what partners told
    since then is read again.
    """
    moment = _moment(since)
    try:
        with open_fleet(ctx) as fleet:
            done = recovering.recover(fleet, moment, actor=actor, watch=watch * 60)
    except RejectedError as error:
        errors.print(f"[red]{error}[/red]", soft_wrap=True)
        sys.exit(1)
    if as_json:
        print_json(done)
        return
    console.print(
        f"{done.deliveries} deliveries are looked up before they are sent, {done.cursors} cursors "
        f"went back to {done.since:%Y-%m-%d %H:%M:%S %Z}; new deliveries are looked up first until "
        f"{done.until:%Y-%m-%d %H:%M:%S %Z}. Now start the fleet.",
        soft_wrap=True,
    )


def _moment(text: str) -> dt.datetime:
    try:
        moment = dt.datetime.fromisoformat(text)
    except ValueError as error:
        message = f"{text!r} is no time; write it as 2026-11-25T03:10:00Z"
        raise click.BadParameter(message, param_hint="--since") from error
    if moment.tzinfo is None:
        message = f"{text!r} has no time zone; write it as 2026-11-25T03:10:00Z"
        raise click.BadParameter(message, param_hint="--since")
    return moment
