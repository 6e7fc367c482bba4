"""What the warehouse does with an interchange: it knows repeated ones, answers, and then acts."""

from __future__ import annotations

import hashlib
import threading
from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from syncworkers.sandbox.edi_warehouse.documents import Draft
from syncworkers.sandbox.edi_warehouse.file_faults import FileFault
from syncworkers.sandbox.edi_warehouse.releases import (
    CANCELS,
    CHANGE,
    NEW,
    complaints,
    read_release,
    refusal,
)
from syncworkers.x12.acknowledge import acknowledge, acknowledge_interchange

if TYPE_CHECKING:
    from syncworkers.sandbox.edi_warehouse.books import Books, Release
    from syncworkers.sandbox.edi_warehouse.file_faults import FilePlan
    from syncworkers.sandbox.edi_warehouse.floor import Floor
    from syncworkers.sandbox.edi_warehouse.outbox import Outbox, Route
    from syncworkers.x12.outcomes import File, Group, Interchange, SetRead
    from syncworkers.x12.segments import Segment, TransactionSet

ACKNOWLEDGEMENTS = "FA"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """An interchange that was taken, and how it was answered."""

    digest: str
    drafts: tuple[Draft, ...]
    notes: tuple[Segment, ...]


class Intake:
    """Takes files that were read; safe to use from many threads."""

    def __init__(
        self, books: Books, floor: Floor, outbox: Outbox, plan: FilePlan, route: Route
    ) -> None:
        self._books = books
        self._floor = floor
        self._outbox = outbox
        self._plan = plan
        self._route = route
        self._lock = threading.Lock()
        self._known: dict[str, Answered] = {}
        self._rejected: set[str] = set()
        self.counts: Counter[str] = Counter(
            dict.fromkeys(("duplicate_interchanges", "reused_numbers", "acknowledgements"), 0)
        )

    def reject(self, reference: str) -> None:
        """Refuse the order of a reference, once, when it comes."""
        with self._lock:
            self._rejected.add(reference)

    def take(self, file: File) -> None:
        """Take all interchanges of a file."""
        with self._lock:
            for one in file.interchanges:
                self._take(one)

    def _take(self, found: Interchange) -> None:
        envelope, route = found.envelope, self._route
        if (envelope.sender, envelope.receiver) != (route.receiver, route.sender):
            self.counts["misaddressed"] += 1
            return
        if envelope.usage != route.usage:
            self.counts["wrong_usage"] += 1
            return
        digest = _digest(found)
        known = self._known.get(envelope.control_number)
        if known is not None and known.digest == digest:
            self.counts["duplicate_interchanges"] += 1
            self._answer(known)
        elif known is not None:
            self.counts["reused_numbers"] += 1
        else:
            self._take_new(found, digest)

    def _take_new(self, found: Interchange, digest: str) -> None:
        groups = [] if found.refused else [self._checked(one) for one in found.groups]
        answers = [(one, acknowledge(one, "0001")) for one in groups]
        answered = Answered(
            digest=digest,
            drafts=tuple(Draft(code="997", segments=one.segments) for _, one in answers if one),
            notes=(acknowledge_interchange(found),) if found.envelope.acknowledge else (),
        )
        self.counts["refused_interchanges"] += found.refused
        self._known[found.envelope.control_number] = answered
        self._answer(answered)
        for group in groups:
            for one in () if group.refused else group.sets:
                if one.transaction_set is not None and not one.refused:
                    self._act(one.transaction_set)

    def _answer(self, answered: Answered) -> None:
        if answered.drafts or answered.notes:
            self._outbox.send(answered.drafts, notes=answered.notes)

    def _checked(self, group: Group) -> Group:
        """Look at each ship order of a group: what cannot be worked is refused in the 997."""
        if group.envelope.functional_id == ACKNOWLEDGEMENTS:
            return group
        return replace(group, sets=tuple(self._complained(one) for one in group.sets))

    def _complained(self, one: SetRead) -> SetRead:
        found = one.transaction_set
        if found is None or found.code != "940":
            return one
        wrong = complaints(found)
        if not wrong and self._is_rejected(read_release(found)):
            self._plan.count(FileFault.REJECT)
            wrong = [refusal(found)]
        told = {(other.position, other.element) for other in wrong}
        others = [two for two in one.findings if (two.position, two.element) not in told]
        return replace(one, findings=(*others, *wrong))

    def _is_rejected(self, release: Release) -> bool:
        if release.reference in self._rejected:
            self._rejected.remove(release.reference)
            return True
        return release.purpose == NEW and self._plan.rejects()

    def _act(self, found: TransactionSet) -> None:
        if found.code == "997":
            self._note(found)
        elif found.code == "940":
            self._work(read_release(found))
        else:
            self.counts[f"received_{found.code}"] += 1

    def _note(self, found: TransactionSet) -> None:
        """Note how a group of ours was taken."""
        self.counts["acknowledgements"] += 1
        about = next((one for one in found.segments if one.tag == "AK1"), None)
        summary = next((one for one in found.segments if one.tag == "AK9"), None)
        if about is not None and summary is not None:
            group = f"{about.get(1)}/{about.get(2).lstrip('0')}"
            self._outbox.note(group, summary.get(1))

    def _work(self, release: Release) -> None:
        with self._books.lock:
            if release.purpose == NEW:
                order = self._books.enter(release)
                if order is not None:
                    self._floor.take(order)
            elif release.purpose in CANCELS:
                order = self._books.cancel(release.reference)
                if order is not None:
                    self._floor.called_off(order)
            elif release.purpose == CHANGE:
                self._books.readdress(release.reference, release.recipient)
            else:
                self.counts["unknown_purposes"] += 1


def _digest(found: Interchange) -> str:
    """Digest what an interchange says, wherever in a file it stands."""
    told = hashlib.sha256(repr(found.envelope).encode())
    for group in found.groups:
        told.update(repr(group.envelope).encode())
        for one in group.sets:
            inner = one.transaction_set
            said = inner.segments if inner is not None else [str(other) for other in one.findings]
            told.update(repr((one.code, one.control_number, said)).encode())
    return told.hexdigest()
