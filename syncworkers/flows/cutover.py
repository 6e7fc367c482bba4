"""Cutover: go live only where a look at the partner shows that nothing would be made twice."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from syncworkers.errors import RejectedError, Violation
from syncworkers.flows import modes
from syncworkers.flows.report import Finding, report
from syncworkers.store import plans
from syncworkers.store.partner_state import Mode

if TYPE_CHECKING:
    from syncworkers.flows.fleet import Fleet
    from syncworkers.flows.modes import ModeChange

BEFORE = dt.timedelta(days=1)
"""So much earlier than we planned it an earlier integration may have done the same."""
SHOWN = 10


def go_live(  # noqa: PLR0913 - who, why, and how carefully, all named
    fleet: Fleet, partner: str, *, actor: str, reason: str, watch: float, look: bool = True
) -> ModeChange:
    """Let a partner go live.

    Raises `RejectedError` where things stand there that are ours by their names alone, and so would
    be made again; and the errors of `Pulls` where the partner cannot be read. `look=False` goes
    live without this look.
    """
    modes.named(fleet, partner)
    with fleet.session() as session:
        oldest = plans.oldest(session, partner)
    if look and oldest is not None:
        _refuse_doubles(fleet, partner, oldest - BEFORE)
    return modes.go_live(fleet, partner, actor=actor, reason=reason, watch=watch)


def _refuse_doubles(fleet: Fleet, partner: str, since: dt.datetime) -> None:
    seen = report(fleet, partner, since)
    if seen.mode is not Mode.OBSERVE:
        return
    unsure = [one for one in seen.differ if one.finding in {Finding.AMBIGUOUS, Finding.UNREAD}]
    if not seen.unlinked and not unsure:
        return
    ids = [one.external_id for one in seen.unlinked]
    orders = [f"order {one.order} ({one.finding.value})" for one in unsure]
    shown = ", ".join([*ids, *orders][:SHOWN])
    message = (
        f"{len(ids) + len(unsure)} things stand at {partner} that may be ours, without a link:"
        f" {shown}. They would be made twice. `syncworkers observe report --partner {partner}"
        " --links FILE` writes them down for `links import`"
    )
    violation = Violation(path="partner", code="cutover.unlinked", message=message)
    raise RejectedError(message, violations=[violation])
