"""Decide about messages on charges: each is kept once, beside the shipments it is for."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from syncworkers.errors import RejectedError, Violation
from syncworkers.rules import changes
from syncworkers.store import charges as charge_store

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sqlalchemy.orm import Session

    from syncworkers.canonical.charges import Charges as Charged
    from syncworkers.errors import SyncError
    from syncworkers.flows.fleet import Fleet
    from syncworkers.flows.reading import Reading
    from syncworkers.flows.writes import Writes

CHANGED, UNMATCHED = "charge.changed", "charge.unmatched"
SHOWN = 10
"""References that one message names."""

Key = tuple[str, str, str]
"""Partner, kind and number."""


class Charges:
    """Decides about the charges of one batch; see `applying.Decider`."""

    def __init__(self, fleet: Fleet, session: Session, writes: Writes) -> None:
        self._session = session
        self._writes = writes
        self._known: dict[Key, tuple[Charged, bool]] = {}
        """And whether they are matched."""
        self._shipments: dict[tuple[str, str], set[int]] = {}
        """By partner and reference."""
        self._steps: list[Callable[[], None]] = []

    def load(self, readings: Sequence[Reading]) -> None:
        """Take the turn of each partner; read what is known, and the shipments that are named."""
        for name in sorted({one.partner for one in readings}):
            charge_store.take_turn(self._session, name)
            charged: list[Charged] = [one.subject for one in readings if one.partner == name]
            numbers = {one.number for one in charged}
            for known, matched in charge_store.known(self._session, name, numbers):
                self._known[name, known.kind, known.number] = (known, matched)
            bills = {bill for one in charged for bill in one.bills_of_lading}
            tracking = {number for one in charged for number in one.tracking_numbers}
            found = charge_store.shipments_of(self._session, name, bills, tracking)
            for reference, shipments in found.items():
                self._shipments[name, reference] = shipments

    def called(self, reading: Reading) -> str:
        """Return the charge's number."""
        name: str = reading.subject.number if reading.subject else reading.row["entity"]
        return name

    def decide(self, reading: Reading) -> SyncError | None:
        """Keep a charge, matched or not, or say what is in its way."""
        charges: Charged = reading.subject
        key = (reading.partner, charges.kind, charges.number)
        known, matched = self._known.get(key, (None, False))
        if known is not None and known != charges:
            return _changed(known, charges)
        shipments = self._find(reading.partner, charges)
        repeated = known is not None and not reading.row["retries"]
        if matched or (repeated and not shipments):
            self._writes.end(reading, "superseded", "says nothing new")
            return None
        if known is None:
            add = partial(charge_store.add, self._session, reading.partner, reading.row["id"])
            self._steps.append(partial(add, charges, shipments))
        elif shipments:
            match = partial(charge_store.match, self._session, reading.partner)
            self._steps.append(partial(match, charges, shipments))
        self._known[key] = (charges, bool(shipments))
        if not shipments:
            return _unmatched(charges)
        reason = _matched(charges, shipments)
        self._writes.end(reading, "applied", reason)
        return None

    def _find(self, partner: str, charges: Charged) -> dict[int, str]:
        """Return the shipments a charge is for, and by which reference each was found."""
        found: dict[int, str] = {}
        for reference in (*charges.bills_of_lading, *charges.tracking_numbers):
            for shipment in self._shipments.get((partner, reference), ()):
                found.setdefault(shipment, reference)
        return found

    def write(self) -> None:
        """Write the charges down, in the order in which they were told."""
        for step in self._steps:
            step()


def _changed(known: Charged, charges: Charged) -> RejectedError:
    differing = ", ".join(list(changes.diff(known, charges))[:SHOWN])
    message = (
        f"{charges.number} came before with other content ({differing}): an invoice never changes; "
        "have it credited, and charged anew under another number"
    )
    violation = Violation(path="", code=CHANGED, message=message)
    return RejectedError("a charge that changed", violations=[violation])


def _unmatched(charges: Charged) -> RejectedError:
    message = (
        f"{charges.number} over {charges.total} {charges.currency} is for no shipment we know "
        f"({_list(charges)}): it is kept unmatched, and not to be paid before somebody finds out "
        "what it is for; retry once its shipment is here"
    )
    violation = Violation(path="", code=UNMATCHED, message=message)
    return RejectedError("a charge for no known shipment", violations=[violation])


def _matched(charges: Charged, shipments: dict[int, str]) -> str:
    told = f"{charges.total} {charges.currency} for {len(shipments)} shipments"
    by = set(shipments.values())
    named = dict.fromkeys((*charges.bills_of_lading, *charges.tracking_numbers))
    missing = [one for one in named if one not in by]
    return f"{told}; nobody knows {', '.join(missing[:SHOWN])}" if missing else told


def _list(charges: Charged) -> str:
    named = [
        *(f"bill of lading {one}" for one in charges.bills_of_lading),
        *(f"tracking number {one}" for one in charges.tracking_numbers),
    ]
    return ", ".join(named[:SHOWN]) or "it names none"
