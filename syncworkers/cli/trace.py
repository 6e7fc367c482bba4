"""`syncworkers trace ORDER`: the whole story of an order, as a tree and as a timeline."""

from __future__ import annotations

import datetime as dt
import sys
from typing import TYPE_CHECKING

import click
from rich.markup import escape
from rich.table import Table
from rich.text import Text
from rich.tree import Tree

from syncworkers.cli.context import open_fleet
from syncworkers.cli.output import as_json, console, errors, print_json
from syncworkers.flows import trace as flow

if TYPE_CHECKING:
    from syncworkers.flows.trace import Node, Story

STYLES = {"ok": "green", "wait": "yellow", "bad": "red"}


@click.command()
@click.argument("entity")
@as_json
@click.pass_context
def trace(ctx: click.Context, entity: str, *, as_json: bool) -> None:
    """Tell the whole story of ENTITY.

    ENTITY is an order number (1001), the store's id, the ERP's number, a tracking number, an
    invoice number or a correlation id.
    """
    with open_fleet(ctx) as fleet:
        stories = flow.trace(fleet, entity)
    if as_json:
        print_json(stories)
    elif stories:
        for story in stories:
            print_story(story)
    else:
        errors.print(f"nobody ever spoke of {entity}: no order and no message has that name")
    sys.exit(0 if stories else 1)


def print_story(story: Story) -> None:
    """Print one story: where it stands first, then the timeline."""
    now = dt.datetime.now(dt.UTC)  # shown to a person, nothing is decided by it
    console.print(f"\n[bold]order {story.number}[/bold] of {story.partner}")
    console.print(f"  stage      {story.stage}")
    console.print(f"  next       {story.next_step}", soft_wrap=True)
    console.print(f"  correlation {story.correlation_id}")
    order = story.facts.order
    if order is not None:
        console.print(
            f"  total      {order['total']} {order['currency']}, placed "
            f"{order['placed_at']:%Y-%m-%d %H:%M} UTC, ERP number {order['erp_number'] or '-'}"
        )
    if story.tree is not None:
        console.print(_branch(story.tree, Tree("", hide_root=True), now))
    table = Table(box=None, pad_edge=False, padding=(0, 1))
    for column in ("time (UTC)", "age", "who", "what", "detail"):
        table.add_column(column, overflow="fold")
    for event in story.events:
        table.add_row(
            f"{event.at.astimezone(dt.UTC):%H:%M:%S.%f}"[:-3],
            age(now - event.at),
            event.who,
            Text(event.what, style=STYLES[event.level]),
            event.detail,
        )
    console.print(table)


def _branch(node: Node, above: Tree, now: dt.datetime) -> Tree:
    """Hang a node and all below it into a tree; return the tree."""
    when = f"{node.at.astimezone(dt.UTC):%H:%M:%S}, {age(now - node.at)} ago"
    label = f"[bold]{node.kind}[/bold] {escape(node.name)} [dim]{when}[/dim] {escape(node.state)}"
    here = above.add(label)
    for child in node.children:
        _branch(child, here, now)
    return above


def age(since: dt.timedelta) -> str:
    """Say how long ago, in the largest unit that fits."""
    seconds = int(since.total_seconds())
    for size, unit in ((86400, "d"), (3600, "h"), (60, "m")):
        if seconds >= size:
            return f"{seconds // size}{unit}"
    return f"{seconds}s"
