"""The sweep, in a queue of its own: the guarantee behind every wake-up."""

from __future__ import annotations

from syncworkers.flows import sweep
from tasks.celery import app
from tasks.fleet import fleet


@app.task(name="sweep.wake_due")
def wake_due() -> None:
    """Free expired leases, bring back what is due, wake the lanes with work."""
    sweep.wake_due(fleet())
