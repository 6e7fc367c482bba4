"""Subscribe: see to it that a partner calls us, and say so where it had stopped to."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from syncworkers.engine import slots

if TYPE_CHECKING:
    from syncworkers.flows.fleet import Fleet

log = structlog.get_logger(__name__)

HOURLY = 3600.0


def audit_subscriptions(fleet: Fleet, partner: str) -> list[str]:
    """Create what is missing, once an hour; return the topics created.

    Raises what the partner's connector raises: the slot is then given back, and tried again.
    """
    entry = f"maintenance.audit_subscriptions:{partner}"
    with slots.hold(fleet.session, entry, every=HOURLY, owner=fleet.worker) as ours:
        if not ours:
            return []
        topics: list[str] = fleet.partners[partner].connection.subscribe()
    if topics:
        log.warning("subscriptions were missing and are there again", partner=partner, of=topics)
    return topics
