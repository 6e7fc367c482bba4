"""Invoices, ours and those that partners send us: read them in, work the inbox."""

from __future__ import annotations

from syncworkers.canonical.kinds import Kind
from syncworkers.flows.poll import poll as poll_changed
from syncworkers.flows.process import process_due
from tasks.celery import app
from tasks.fleet import fleet


@app.task(name="invoices.process")
def process() -> None:
    """Work through the inbox of invoices."""
    process_due(fleet(), Kind.INVOICE)


@app.task(name="invoices.process_charges")
def process_charges() -> None:
    """Work through the inbox of what partners want to be paid."""
    process_due(fleet(), Kind.CHARGE)


@app.task(name="invoices.poll")
def poll(partner: str) -> None:
    """Read the invoices that one ERP posted."""
    poll_changed(fleet(), partner, Kind.INVOICE)
