"""Check: is a partner as it must be, thing by thing; missing subscriptions are created anew."""

from __future__ import annotations

from typing import TYPE_CHECKING

from syncworkers.connectors.base import Subscribes
from syncworkers.connectors.cutover import CheckResult, Inspects
from syncworkers.errors import SyncError
from syncworkers.flows.doctor import ANSWERS, unknown_methods
from syncworkers.flows.modes import named
from syncworkers.flows.subscribe import mend_subscriptions
from syncworkers.store import partner_state
from syncworkers.store.partner_state import Mode

if TYPE_CHECKING:
    from syncworkers.flows.fleet import Fleet


def check(fleet: Fleet, partner: str, *, actor: str) -> list[CheckResult]:
    """Look at everything; only subscriptions are written, and not at an observed partner.

    Raises `RejectedError` for an unknown partner; what a partner refuses is one of the results.
    """
    known = named(fleet, partner)
    connection = known.connection
    if isinstance(connection, Inspects):
        found = connection.inspect()
    else:
        remedy = f"see config/partners/{partner}.toml"
        complaints = connection.check()
        found = [
            CheckResult(name="check", ok=False, saw=one, remedy=remedy) for one in complaints
        ] or [CheckResult(name="check", ok=True, saw=ANSWERS)]
    wrong = list(unknown_methods(fleet, partner))
    if wrong:
        remedy = "see config/fulfilment.toml"
        found.append(
            CheckResult(name="shipping methods", ok=False, saw="; ".join(wrong), remedy=remedy)
        )
    # Where nobody answers, nothing can be said of subscriptions.
    if isinstance(connection, Subscribes) and all(one.ok for one in found[:2]):
        found.append(_subscriptions(fleet, partner, actor))
    return found


def _subscriptions(fleet: Fleet, partner: str, actor: str) -> CheckResult:
    name = "webhook subscriptions"
    address = fleet.partners[partner].policy.connection.get("webhook_url")
    if not address:
        told = "arranged by hand: [connection] webhook_url is not set"
        return CheckResult(name=name, ok=True, saw=told)
    try:
        missing, created = mend_subscriptions(fleet, partner, actor=actor)
    except SyncError as error:
        return CheckResult(name=name, ok=False, saw=str(error), remedy="see rights and webhook_url")
    if created:
        told = f"{', '.join(created)} were missing, and are subscribed to again"
        return CheckResult(name=name, ok=True, saw=told)
    if missing:
        with fleet.session() as session:
            observed = partner_state.mode(session, partner) is Mode.OBSERVE
        remedy = f"`syncworkers partners mode {partner} live` creates them" if observed else ""
        return CheckResult(name=name, ok=False, saw=f"missing: {', '.join(missing)}", remedy=remedy)
    return CheckResult(name=name, ok=True, saw="all stand")
