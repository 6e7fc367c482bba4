"""`syncworkers exceptions`: the cases that wait for a person."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click
from rich.markup import escape
from rich.table import Table

from syncworkers.cli.context import open_fleet
from syncworkers.cli.output import as_json, console, errors, named_actor, print_json
from syncworkers.errors import RejectedError
from syncworkers.flows.retry import retry as retry_case
from syncworkers.store import cases

if TYPE_CHECKING:
    from syncworkers.store.attention import ExceptionCase


@click.group()
def exceptions() -> None:
    """See and repair what failed."""


@exceptions.command("list")
@click.option("--state", default="open", help="open, retried, resolved or all.")
@click.option("--partner", default=None, help="Only cases of this partner.")
@click.option("--code", default=None, help="Only cases with this code.")
@click.option("--limit", default=50, show_default=True)
@as_json
@click.pass_context
def list_cases(  # noqa: PLR0913 - its arguments are the command's options
    ctx: click.Context,
    *,
    state: str,
    partner: str | None,
    code: str | None,
    limit: int,
    as_json: bool,
) -> None:
    """List cases, the newest first."""
    wanted = None if state == "all" else state
    with open_fleet(ctx) as fleet, fleet.session() as session:
        found = [
            as_dict(case)
            for case in cases.find(session, state=wanted, partner=partner, code=code, limit=limit)
        ]
    if as_json:
        print_json(found)
        return
    table = Table(box=None, pad_edge=False, padding=(0, 1))
    for column in ("case", "state", "opened", "partner", "entity", "code", "error"):
        table.add_column(column, overflow="fold")
    for case in found:
        table.add_row(
            str(case["id"]),
            case["state"],
            f"{case['opened_at']:%m-%d %H:%M:%S}",
            case["partner"],
            f"{case['entity_kind']} {escape(case['entity'])}",
            case["code"],
            escape(case["error"][:120]),
        )
    console.print(table if found else f"no case is {state}")


@exceptions.command("show")
@click.argument("case_id", type=int)
@as_json
@click.pass_context
def show_case(ctx: click.Context, case_id: int, *, as_json: bool) -> None:
    """Show one case whole: error, violations, payload, and the state of its row."""
    with open_fleet(ctx) as fleet, fleet.session() as session:
        case = cases.lock(session, case_id)
        if case is None:
            errors.print(f"there is no case {case_id}; `syncworkers exceptions list` shows them")
            sys.exit(1)
        shown = as_dict(case)
        row = cases.row_of(session, case)
        shown["row_state"] = row.state if row is not None else None
        shown["payload"] = case.payload
    if as_json:
        print_json(shown)
        return
    _print_case(shown)


def _print_case(shown: dict[str, object]) -> None:
    for name, value in shown.items():
        if name not in {"violations", "payload"} and value is not None:
            console.print(f"{name:>15}  {escape(str(value))}", soft_wrap=True)
    violations = shown["violations"]
    if isinstance(violations, list) and violations:
        console.print("     violations")
        for one in violations:
            console.print(
                f"                 [bold]{escape(one['path'] or '(whole)')}[/bold] "
                f"{one['code']}: {escape(one['message'])}",
                soft_wrap=True,
            )
    if shown["payload"]:
        console.print("        payload")
        console.print(escape(str(shown["payload"])), soft_wrap=True)


@exceptions.command("retry")
@click.argument("case_ids", type=int, nargs=-1, required=True)
@named_actor
@as_json
@click.pass_context
def retry(ctx: click.Context, case_ids: tuple[int, ...], *, actor: str, as_json: bool) -> None:
    """Try the rows of these cases again, as they are."""
    results = []
    with open_fleet(ctx) as fleet:
        for case_id in case_ids:
            try:
                retry_case(fleet, case_id, actor=actor)
            except RejectedError as error:
                results.append({"case": case_id, "retried": False, "error": str(error)})
            else:
                results.append({"case": case_id, "retried": True, "error": None})
    if as_json:
        print_json(results)
    for result in results if not as_json else ():
        said = "is tried again" if result["retried"] else f"not retried: {result['error']}"
        console.print(f"case {result['case']} {escape(str(said))}", soft_wrap=True)
    sys.exit(0 if all(result["retried"] for result in results) else 1)


def as_dict(case: ExceptionCase) -> dict[str, Any]:
    """Return a case as plain values, without its payload."""
    return {
        "id": case.id,
        "state": case.state,
        "about": case.about,
        "about_id": case.about_id,
        "partner": case.partner,
        "entity_kind": case.entity_kind,
        "entity": case.entity,
        "code": case.code,
        "error": case.error,
        "violations": case.violations,
        "correlation_id": case.correlation_id,
        "group_id": case.group_id,
        "opened_at": case.opened_at,
        "announced_at": case.announced_at,
        "resolved_at": case.resolved_at,
        "resolved_by": case.resolved_by,
        "resolution": case.resolution,
    }
