"""The sweep: what every lost wake-up, crash and due time relies on."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import psutil
import structlog

from syncworkers.engine import slots, sweep
from syncworkers.flows.lanes import WORKS

if TYPE_CHECKING:
    from syncworkers.flows.fleet import Fleet

log = structlog.get_logger(__name__)


def wake_due(fleet: Fleet) -> None:
    """Free expired leases, bring back due parked rows, wake each lane with ready lines.

    Leases of processes that are gone from this machine are not waited for: they would keep the
    lanes' slots until they end, and nobody else would do what beat had them do.
    """
    with fleet.session() as session:
        orphaned = [one for one in sweep.workers(session) if _is_gone(one)]
        freed = sweep.free_expired(session, WORKS, orphaned=orphaned)
        runs = slots.free(session, [one for one in slots.owners(session) if _is_gone(one)])
    if freed or runs:
        log.warning("leases freed: a worker died or stalled", lines=freed, gone=orphaned, runs=runs)
    with fleet.session() as session:
        sweep.wake_parked(session, WORKS)
        due = sweep.due_lanes(session)
    fleet.waker.notify(due)


def _is_gone(worker: str) -> bool:
    """Say whether a worker, named `host:pid`, was a process of this machine and is no more."""
    host, _, pid = worker.rpartition(":")
    return host == socket.gethostname() and pid.isdecimal() and not psutil.pid_exists(int(pid))
