"""How commands speak: rich for people, JSON for scripts."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
import uuid
from decimal import Decimal
from typing import Any

import click
from rich.console import Console

console = Console(highlight=False)
errors = Console(stderr=True, highlight=False)

as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON instead of text.")
named_actor = click.option(
    "--actor",
    envvar="SYNCWORKERS_ACTOR",
    default=lambda: click.get_current_context().find_root().obj.actor,
    show_default="your login name",
    help="Who does this; kept in the audit.",
)


def print_json(value: Any) -> None:
    """Print a value as JSON; dataclasses, times, decimals and ids included."""
    click.echo(write_json(value))


def write_json(value: Any) -> str:
    """Return a value as JSON text."""
    return json.dumps(value, default=_plain, indent=2, ensure_ascii=False)


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    if isinstance(value, dt.datetime | dt.date):
        return value.isoformat()
    if isinstance(value, Decimal | uuid.UUID):
        return str(value)
    if isinstance(value, set | frozenset):
        return sorted(value)
    message = f"no JSON form for {type(value).__name__}"
    raise TypeError(message)
