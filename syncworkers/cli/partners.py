"""`syncworkers partners`: how each partner stands, and what a person decides about it."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click
from rich.markup import escape
from rich.table import Table

from syncworkers.cli.context import open_fleet
from syncworkers.cli.output import as_json, console, errors, named_actor, print_json
from syncworkers.errors import SyncError
from syncworkers.flows import cutover, modes
from syncworkers.flows.certify import certify as certify_partner
from syncworkers.flows.check import check as check_partner
from syncworkers.store import certifications
from syncworkers.store.partner_state import Mode

if TYPE_CHECKING:
    from collections.abc import Iterator

    from syncworkers.flows.fleet import Fleet
    from syncworkers.store.certifications import Certification

given_reason = click.option("--reason", default="", help="Why; kept in the audit.")


@click.group()
def partners() -> None:
    """See partners, and decide whether and how we write to them."""


@contextmanager
def acting(ctx: click.Context) -> Iterator[Fleet]:
    """Open a fleet; what is refused is said without a traceback."""
    try:
        with open_fleet(ctx) as fleet:
            yield fleet
    except SyncError as error:
        errors.print(f"[red]{escape(str(error))}[/red]", soft_wrap=True)
        sys.exit(1)


@partners.command("list")
@as_json
@click.pass_context
def list_partners(ctx: click.Context, *, as_json: bool) -> None:
    """List partners with their modes; exit 0 if nothing is paused or blocked."""
    with acting(ctx) as fleet:
        found = modes.standings(fleet)
    well = not any(one.paused or one.blocked for one in found)
    if as_json:
        print_json(found)
        sys.exit(0 if well else 1)
    table = Table(box=None, pad_edge=False, padding=(0, 1))
    for column in ("partner", "role", "mode", "since", "planned", "open", "blocked", "paused"):
        table.add_column(column, overflow="fold")
    for one in found:
        table.add_row(
            one.partner,
            one.role,
            one.mode.value,
            (one.since or "")[:16],
            str(one.planned),
            str(one.open),
            str(one.blocked),
            escape(one.paused or ""),
        )
    console.print(table)
    sys.exit(0 if well else 1)


@partners.command()
@click.argument("name")
@click.option("--minutes", type=click.FloatRange(min=0.1), help="By default until it is resumed.")
@given_reason
@named_actor
@as_json
@click.pass_context
def pause(  # noqa: PLR0913 - its arguments are the command's options
    ctx: click.Context,
    *,
    name: str,
    minutes: float | None,
    reason: str,
    actor: str,
    as_json: bool,
) -> None:
    """Send a partner nothing for a while; what it tells is still read."""
    seconds = minutes * 60 if minutes else None
    with acting(ctx) as fleet:
        modes.pause(
            fleet, name, actor=actor, reason=reason or f"paused by {actor}", seconds=seconds
        )
    _say({"partner": name, "paused": True, "minutes": minutes}, f"{name} is paused", as_json)


@partners.command()
@click.argument("name")
@given_reason
@named_actor
@as_json
@click.pass_context
def resume(ctx: click.Context, *, name: str, reason: str, actor: str, as_json: bool) -> None:
    """Send a partner what it is owed again."""
    with acting(ctx) as fleet:
        modes.resume(fleet, name, actor=actor, reason=reason)
    _say({"partner": name, "paused": False}, f"{name} is sent what it is owed", as_json)


@partners.command()
@click.argument("name")
@click.argument("wanted", type=click.Choice([one.value for one in Mode]))
@click.option(
    "--watch",
    default=modes.WATCH / 60,
    show_default=True,
    type=click.FloatRange(0, 10_080),
    help="Going live: minutes in which new deliveries are looked up before they are sent.",
)
@click.option(
    "--without-look", "unseen", is_flag=True, help="Going live: do not look for doubles first."
)
@given_reason
@named_actor
@as_json
@click.pass_context
def mode(  # noqa: PLR0913 - its arguments are the command's options
    ctx: click.Context,
    *,
    name: str,
    wanted: str,
    watch: float,
    unseen: bool,
    reason: str,
    actor: str,
    as_json: bool,
) -> None:
    """Only watch a partner (observe), or write to it (live)."""
    with acting(ctx) as fleet:
        if Mode(wanted) is Mode.OBSERVE:
            done = modes.observe(fleet, name, actor=actor, reason=reason)
        else:
            done = cutover.go_live(
                fleet, name, actor=actor, reason=reason, watch=watch * 60, look=not unseen
            )
    _say(done, _told(done), as_json)
    sys.exit(1 if done.under_way else 0)


@partners.command()
@click.argument("name")
@named_actor
@as_json
@click.pass_context
def check(ctx: click.Context, *, name: str, actor: str, as_json: bool) -> None:
    """Check credentials, clock, rights, subscriptions, API version; repair subscriptions."""
    with acting(ctx) as fleet:
        found = check_partner(fleet, name, actor=actor)
    well = all(one.ok for one in found)
    if as_json:
        print_json({"partner": name, "ok": well, "checks": found})
    for one in found if not as_json else ():
        mark = "[green]ok    [/green]" if one.ok else "[red]FAILED[/red]"
        remedy = f"  → {one.remedy}" if one.remedy else ""
        console.print(f"{mark} {one.name}: {escape(one.saw + remedy)}", soft_wrap=True)
    sys.exit(0 if well else 1)


@partners.command()
@click.argument("name")
@click.option("--order", default=None, help="Imitate this order; by default the newest.")
@click.option("--yes", is_flag=True, help="In production too: it writes to the partner.")
@named_actor
@as_json
@click.pass_context
def certify(  # noqa: PLR0913 - its arguments are the command's options
    ctx: click.Context, *, name: str, order: str | None, yes: bool, actor: str, as_json: bool
) -> None:
    """Probe a partner's own sandbox for what we rely on; the score is kept per API version."""
    if ctx.find_root().obj.settings.environment == "production" and not yes:
        told = "certifying makes and calls off orders there: run it at a sandbox, or say --yes"
        errors.print(f"[red]{told}[/red]", soft_wrap=True)
        sys.exit(1)
    with acting(ctx) as fleet:
        kept = certify_partner(fleet, name, actor=actor, order=order)
        with fleet.session() as session:
            others = certifications.latest(session, name)
    if as_json:
        print_json({"partner": name, "ok": not kept.failed, **_score(kept), "probes": kept.probes})
    for one in kept.probes if not as_json else ():
        mark = {"passed": "[green]ok     [/green]", "failed": "[red]FAILED [/red]"}
        console.print(
            f"{mark.get(one['result'], 'skipped')} {one['name']}: {escape(one['saw'])}",
            soft_wrap=True,
        )
    for version, one in sorted(others.items()) if not as_json else ():
        score = _score(one)
        console.print(f"{name} {version}: {score['score']}, {one.at:%Y-%m-%d %H:%M} UTC")
    sys.exit(1 if kept.failed else 0)


def _score(one: Certification) -> dict[str, Any]:
    return {
        "api_version": one.api_version,
        "score": f"{one.passed} of {one.passed + one.failed} probes passed, {one.skipped} skipped",
        "passed": one.passed,
        "failed": one.failed,
        "skipped": one.skipped,
    }


def _told(done: modes.ModeChange) -> str:
    if not done.changed and not done.under_way:
        return f"{done.partner} was {done.mode.value} already"
    if done.mode is Mode.LIVE:
        return (
            f"{done.partner} is live: {done.released} planned deliveries are looked up there, and"
            " sent where they are missing"
        )
    if done.under_way:
        return (
            f"{done.partner} is observed, but {done.under_way} batches begun before have not ended:"
            " a call of theirs may still land; run this again"
        )
    return f"{done.partner} is observed: nothing is written to it any more"


def _say(value: Any, text: str, as_json: bool) -> None:  # noqa: FBT001 - the command's own flag
    if as_json:
        print_json(value)
    else:
        console.print(escape(text), soft_wrap=True)
