"""Shipments: read them in, work the inbox, tell the stores what is on its way."""

from __future__ import annotations

from syncworkers.canonical.kinds import Kind
from syncworkers.flows.deliver import deliver_due
from syncworkers.flows.poll import poll as poll_changed
from syncworkers.flows.process import process_due
from syncworkers.flows.track import track as track_parcels
from tasks.celery import app
from tasks.fleet import fleet


@app.task(name="shipments.process")
def process() -> None:
    """Work through the inbox of shipments."""
    process_due(fleet(), Kind.SHIPMENT)


@app.task(name="shipments.deliver")
def deliver(partner: str) -> None:
    """Tell one store what is due to it: shipments, tracking, invoices."""
    deliver_due(fleet(), partner)


@app.task(name="shipments.poll")
def poll(partner: str) -> None:
    """Read the orders of one warehouse that changed."""
    poll_changed(fleet(), partner, Kind.SHIPMENT)


@app.task(name="shipments.track")
def track(partner: str) -> None:
    """Ask one warehouse where its parcels are."""
    track_parcels(fleet(), partner)
