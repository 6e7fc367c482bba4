"""Inventory: what warehouses say of their stock."""

from __future__ import annotations

from syncworkers.canonical.kinds import Kind
from syncworkers.flows.process import process_due
from tasks.celery import app
from tasks.fleet import fleet


@app.task(name="inventory.process")
def process() -> None:
    """Work through the inbox of stock documents."""
    process_due(fleet(), Kind.STOCK)
