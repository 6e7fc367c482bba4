"""`syncworkers observe` and `links`: what a partner that we only watch has, and taking it over."""

from __future__ import annotations

import datetime as dt
import sys
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.markup import escape

from syncworkers.cli.context import open_fleet
from syncworkers.cli.output import as_json, console, errors, named_actor, print_json
from syncworkers.errors import SyncError
from syncworkers.flows.links import import_links, proposed_links
from syncworkers.flows.modes import named, standings
from syncworkers.flows.report import report as compare
from syncworkers.store.partner_state import Mode

if TYPE_CHECKING:
    from syncworkers.flows.fleet import Fleet
    from syncworkers.flows.report import PartnerReport

WEEK = dt.timedelta(days=7)


@click.group()
def observe() -> None:
    """Compare our plan with what really happens at partners that we only watch."""


@observe.command("report")
@click.option(
    "--partner", "partners", multiple=True, help="Only this one; by default all observed."
)
@click.option("--since", default=None, help="ISO 8601 with a zone; by default a week ago.")
@click.option(
    "--links",
    "links_file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write what was found by name there as a file for `links import`.",
)
@as_json
@click.pass_context
def report(
    ctx: click.Context,
    *,
    partners: tuple[str, ...],
    since: str | None,
    links_file: Path | None,
    as_json: bool,
) -> None:
    """Name each order where plan and reality differ, and those that agree; only reads."""
    moment = _moment(since)
    try:
        with open_fleet(ctx) as fleet:
            names = [named(fleet, one).policy.name for one in partners] or _observed(fleet)
            reports = [compare(fleet, name, moment) for name in names]
            if links_file is not None:
                links_file.write_text(proposed_links(fleet, reports), encoding="utf-8")
    except SyncError as error:
        errors.print(f"[red]{escape(str(error))}[/red]", soft_wrap=True)
        sys.exit(1)
    if as_json:
        print_json(
            [
                {"ok": one.ok, **{each.name: getattr(one, each.name) for each in fields(one)}}
                for one in reports
            ]
        )
    elif not reports:
        console.print("no partner is observed; name one with --partner")
    for one in reports if not as_json else ():
        _print(one)
    sys.exit(0 if all(one.ok for one in reports) else 1)


def _observed(fleet: Fleet) -> list[str]:
    return [one.partner for one in standings(fleet) if one.mode is Mode.OBSERVE]


def _moment(text: str | None) -> dt.datetime:
    if text is None:
        return dt.datetime.now(dt.UTC) - WEEK
    try:
        moment = dt.datetime.fromisoformat(text)
    except ValueError:
        moment = dt.datetime(1, 1, 1)  # noqa: DTZ001 - refused below
    if moment.tzinfo is None:
        message = f"{text!r} is no time with a zone; write it as 2026-11-25T03:10:00Z"
        raise click.BadParameter(message, param_hint="--since")
    return moment


def _as_dict(one: PartnerReport) -> dict[str, Any]:
    return {"ok": one.ok, **{each.name: getattr(one, each.name) for each in fields(one)}}


def _print(one: PartnerReport) -> None:
    console.print(
        f"[bold]{one.partner}[/bold] ({one.mode.value}): {one.planned} deliveries planned since"
        f" {one.since:%Y-%m-%d %H:%M} UTC; {len(one.agree)} orders agree, {len(one.differ)}"
        " differences",
        soft_wrap=True,
    )
    for each in one.differ:
        there = f" [{each.external_id} there]" if each.external_id else ""
        console.print(
            f"  {each.finding.value:<10} order {each.order} {each.operation}"
            + escape(f"{there}: {'; '.join(each.details)}"),
            soft_wrap=True,
        )


@click.group()
def links() -> None:
    """Take over what an earlier integration has made."""


@links.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--partial", is_flag=True, help="Take the rows that are right, refuse the others.")
@click.option("--reason", default="", help="Why; kept in the audit.")
@named_actor
@as_json
@click.pass_context
def import_(  # noqa: PLR0913 - its arguments are the command's options
    ctx: click.Context, *, file: Path, partial: bool, reason: str, actor: str, as_json: bool
) -> None:
    """Link orders and parts of ours to what stands at partners: CSV, or JSON by the file's name.

    Columns: partner, external_id, order; where needed store, part, shipment.
    """
    try:
        text = file.read_text(encoding="utf-8")
        with open_fleet(ctx) as fleet:
            done = import_links(
                fleet,
                text,
                is_json=file.suffix.lower() == ".json",
                actor=actor,
                reason=reason or f"import of {file.name}",
                partial=partial,
            )
    except UnicodeDecodeError as error:
        errors.print(f"[red]{file.name} is no UTF-8: {error.reason}[/red]", soft_wrap=True)
        sys.exit(1)
    except SyncError as error:
        errors.print(f"[red]{escape(str(error))}[/red]", soft_wrap=True)
        sys.exit(1)
    if as_json:
        print_json(done)
    else:
        for one in done.refused:
            console.print(escape(f"row {one.row}: {one.reason} ({one.code})"), soft_wrap=True)
        said = "linked" if done.written else "would be linked; nothing was written"
        console.print(f"{done.rows} rows: {done.linked} {said}, {done.known} stood so already")
    sys.exit(1 if done.refused else 0)
