"""Orders: read them in, work the inbox, deliver what is owed to ERP and warehouses."""

from __future__ import annotations

from syncworkers.canonical.kinds import Kind
from syncworkers.flows.deliver import deliver_due
from syncworkers.flows.poll import poll as poll_changed
from syncworkers.flows.process import process_due
from tasks.celery import app
from tasks.fleet import fleet


@app.task(name="orders.process")
def process() -> None:
    """Work through the inbox of orders."""
    process_due(fleet(), Kind.ORDER)


@app.task(name="orders.deliver")
def deliver(partner: str) -> None:
    """Send what is due to an ERP or a warehouse."""
    deliver_due(fleet(), partner)


@app.task(name="orders.poll")
def poll(partner: str) -> None:
    """Read the orders of one store that changed."""
    poll_changed(fleet(), partner, Kind.ORDER)
