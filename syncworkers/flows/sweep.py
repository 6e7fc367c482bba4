"""The sweep: what every lost wake-up, crash and due time relies on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from syncworkers.engine import sweep
from syncworkers.flows.lanes import WORKS

if TYPE_CHECKING:
    from syncworkers.flows.fleet import Fleet

log = structlog.get_logger(__name__)


def wake_due(fleet: Fleet) -> None:
    """Free expired leases, bring back due parked rows, wake each lane with ready lines."""
    with fleet.session() as session:
        freed = sweep.free_expired(session, WORKS)
    if freed:
        log.warning("leases expired: a worker died or stalled", lines=freed)
    with fleet.session() as session:
        sweep.wake_parked(session, WORKS)
        due = sweep.due_lanes(session)
    fleet.waker.notify(due)
