"""Maintenance: notice silence, keep tables small."""

from __future__ import annotations

from syncworkers.flows import expect, subscribe
from syncworkers.flows import purge as purging
from tasks.celery import app
from tasks.fleet import fleet


@app.task(name="maintenance.check_expectations")
def check_expectations() -> None:
    """Open a case for everything that should have followed and did not."""
    expect.check_expectations(fleet())


@app.task(name="maintenance.purge")
def purge() -> None:
    """Remove what retention no longer asks for; once an hour, by its slot."""
    purging.purge(fleet())


@app.task(name="maintenance.audit_subscriptions")
def audit_subscriptions(partner: str) -> None:
    """Have a partner call us where it has stopped to; once an hour, by its slot."""
    subscribe.audit_subscriptions(fleet(), partner)
