"""`syncworkers`: every command has `--json`, and exits 0 only when all is well."""

from __future__ import annotations

import sys

import click

from syncworkers.cli.chaos import chaos
from syncworkers.cli.context import Context
from syncworkers.cli.db import db
from syncworkers.cli.demo import demo
from syncworkers.cli.doctor import doctor
from syncworkers.cli.exceptions import exceptions
from syncworkers.cli.observe import links, observe
from syncworkers.cli.output import errors
from syncworkers.cli.partners import partners
from syncworkers.cli.recover import recover
from syncworkers.cli.trace import trace
from syncworkers.cli.up import up
from syncworkers.policy.load import PolicyError
from syncworkers.servers.postgres import ServerError
from syncworkers.settings import SettingsError, load_settings


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="syncworkers")
@click.pass_context
def cli(ctx: click.Context) -> None:
    """Keep ERP, storefronts and warehouses in step."""
    ctx.obj = Context(load_settings())


for command in (
    chaos,
    db,
    demo,
    doctor,
    exceptions,
    links,
    observe,
    partners,
    recover,
    trace,
    up,
):
    cli.add_command(command)


def main() -> None:
    """Run the command line; what is wrong with the set-up is said without a traceback."""
    try:
        cli()
    except (SettingsError, PolicyError, ServerError) as error:
        errors.print(f"[red]{error}[/red]", soft_wrap=True)
        sys.exit(2)
