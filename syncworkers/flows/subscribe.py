"""Subscribe: see to it that a partner calls us, and say so where it had stopped to."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from syncworkers.connectors.base import Subscribes
from syncworkers.engine import slots
from syncworkers.store import attention, partner_state
from syncworkers.store.partner_state import Mode

if TYPE_CHECKING:
    from syncworkers.flows.fleet import Fleet

log = structlog.get_logger(__name__)

HOURLY = 3600.0


def audit_entry(partner: str) -> str:
    """Name the beat entry of a partner's audit; who waits for its end looks there."""
    return f"maintenance.audit_subscriptions:{partner}"


def audit_subscriptions(fleet: Fleet, partner: str) -> list[str]:
    """Create what is missing, once an hour; return the topics created.

    At an observed partner nothing is created, only said. Raises what the partner's connector
    raises: the slot is then given back, and tried again.
    """
    with slots.hold(fleet.session, audit_entry(partner), every=HOURLY, owner=fleet.worker) as ours:
        if not ours:
            return []
        missing, created = mend_subscriptions(fleet, partner, actor="syncworkers")
    if created:
        log.warning("subscriptions were missing and are there again", partner=partner, of=created)
    elif missing:
        log.warning("subscriptions are missing at an observed partner", partner=partner, of=missing)
    return created


def mend_subscriptions(fleet: Fleet, partner: str, *, actor: str) -> tuple[list[str], list[str]]:
    """Return the topics that nobody sent us, and those of them that were subscribed to now.

    The mode is read once the slot is taken: whoever changes it sees the slot, or we the mode.
    """
    connection = fleet.partners[partner].connection
    if not isinstance(connection, Subscribes):
        return [], []
    with fleet.session() as session:
        live = partner_state.mode(session, partner) is Mode.LIVE
    if not live:
        return connection.missing_subscriptions(), []
    created = connection.subscribe()
    if created:
        with fleet.session() as session:
            attention.audit(
                session,
                actor=actor,
                act="partners.subscribe",
                about="partner",
                about_id=None,
                partner=partner,
                reason="webhook subscriptions were missing",
                topics=created,
            )
    return created, created
