"""Purge: what ended long ago leaves in small batches, and is added to a total as it leaves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from syncworkers.engine import slots
from syncworkers.store import retention

if TYPE_CHECKING:
    from syncworkers.flows.fleet import Fleet

HOURLY = 3600.0


def purge(fleet: Fleet) -> int:
    """Remove finished rows beyond their retention; return how many."""
    removed = 0
    with slots.hold(fleet.session, "maintenance.purge", every=HOURLY, owner=fleet.worker) as ours:
        while ours:
            with fleet.session() as session:
                batch = retention.purge_batch(session)
            removed += batch
            if not batch:
                break
    return removed
