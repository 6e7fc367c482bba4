"""The beat schedule.

Any number of beats is harmless: short entries are idempotent, long ones take a slot.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from syncworkers.connectors import CONNECTORS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from syncworkers.policy.partners import PartnerPolicy

Entry = dict[str, Any]


def entry(task: str, every: float, *args: str, expires: float | None = None) -> Entry:
    """Spell out one entry; a message that nobody took in time is worthless, so it expires."""
    options = {"expires": every if expires is None else expires}
    return {"task": task, "schedule": every, "args": args, "options": options}


SCHEDULE: dict[str, Entry] = {
    "sweep.wake_due": entry("sweep.wake_due", 3.0, expires=10.0),
    # The wake-up announces a case at once; this is the net below it.
    "dead_letter.open_cases": entry("dead_letter.open_cases", 30.0),
    "maintenance.check_expectations": entry("maintenance.check_expectations", 15.0),
    # Hourly by its slot; asked for more often, so that a restarted beat misses none.
    "maintenance.purge": entry("maintenance.purge", 600.0),
}


POLLS: Mapping[str, tuple[str, ...]] = {
    "store": ("orders.poll",),
    "erp": ("invoices.poll",),
    "warehouse": ("shipments.poll", "shipments.track"),
}
"""By a partner's role: what is read from it."""
PICK_UP = ("files.pick_up",)
"""What is done at a partner that leaves files instead."""


def polls(partners: Iterable[PartnerPolicy]) -> dict[str, Entry]:
    """Add the entries of each partner that is polled, and of those that must be asked to call us.

    What takes its turns from rows or a slot is asked for more often, so that a restarted beat
    misses none.
    """
    entries: dict[str, Entry] = {}
    for partner in partners:
        if partner.poll is not None:
            collects = hasattr(CONNECTORS[partner.connector], "collect")
            for task in PICK_UP if collects else POLLS[partner.role]:
                entries[f"{task}:{partner.name}"] = entry(task, partner.poll.every, partner.name)
        if partner.role == "warehouse" or partner.connection.get("webhook_url"):
            task = "maintenance.audit_subscriptions"
            entries[f"{task}:{partner.name}"] = entry(task, 10.0, partner.name)
    return entries


def unmonitored(schedule: Mapping[str, Entry]) -> list[str]:
    """Name the entries a cron monitor cannot watch: whole minutes are its smallest measure."""
    return [name for name, each in schedule.items() if each["schedule"] % 60]
