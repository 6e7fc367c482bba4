"""Decide about files: their documents become messages, known ones are dropped, all are answered."""

from __future__ import annotations

from dataclasses import asdict
from itertools import islice
from typing import TYPE_CHECKING

from syncworkers.canonical.files import Acknowledgement
from syncworkers.canonical.kinds import Kind
from syncworkers.engine.keys import line_key
from syncworkers.engine.lines import ANNOUNCE
from syncworkers.errors import RejectedError, Violation
from syncworkers.flows.correlation import correlation_id
from syncworkers.flows.fates import Fates
from syncworkers.flows.lanes import process_lane
from syncworkers.flows.writes import Cause
from syncworkers.rules import effects
from syncworkers.store import inbox, interchanges
from syncworkers.store.interchanges import Arrival, Repeat

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.orm import Session

    from syncworkers.canonical.files import (
        ReceivedDocument,
        ReceivedFile,
        ReceivedGroup,
        ReceivedInterchange,
        Refusal,
    )
    from syncworkers.errors import SyncError
    from syncworkers.flows.fleet import Fleet
    from syncworkers.flows.reading import Reading
    from syncworkers.flows.writes import Writes

FILE = "file"
"""How documents came that are messages of their own; see `inbox.Message.source`."""
TOGETHER = 500
"""Messages stored by one statement."""
PATIENCE = 10_000
"""Milliseconds for a lock."""
REUSED = "edi.number_reused"


class Files:
    """Decides about the files of one batch; see `applying.Decider`."""

    def __init__(self, fleet: Fleet, session: Session, writes: Writes) -> None:
        self._fleet = fleet
        self._session = session
        self._writes = writes
        self._fates = Fates(session, writes)
        self._taken: list[tuple[Reading, ReceivedInterchange, ReceivedGroup]] = []

    def load(self, readings: Sequence[Reading]) -> None:
        """Nothing is needed beforehand: numbers are looked up as they come."""

    def called(self, reading: Reading) -> str:
        """Return the file's name."""
        name: str = reading.row["entity"]
        return name

    def decide(self, reading: Reading) -> SyncError | None:
        """Take a file's interchanges in; a file of which nothing can be taken is refused."""
        file: ReceivedFile = reading.subject
        refusals = [one for each in file.interchanges for one in each.refusals]
        if file.interchanges and all(one.refusals for one in file.interchanges):
            violations = [Violation(**asdict(one)) for one in refusals]
            return RejectedError("nothing in the file can be taken", violations=violations)
        said = [self._interchange(reading, one) for one in file.interchanges]
        self._writes.end(reading, "applied", "; ".join(said) or "has no interchange in it")
        return None

    def _interchange(self, reading: Reading, interchange: ReceivedInterchange) -> str:
        called = f"interchange {interchange.number} of {interchange.sender}"
        if interchange.refusals:
            self._open_case(reading, interchange.refusals, called)
            return f"{called} refused"
        arrival = Arrival(
            partner=reading.partner,
            sender=interchange.sender,
            receiver=interchange.receiver,
            usage=interchange.usage,
            number=interchange.number,
            digest=interchange.digest,
            message_id=reading.row["id"],
        )
        repeat = interchanges.register(self._session, arrival)
        if repeat is Repeat.REUSED:
            message = (
                f"{called} came before with other content, so that nobody knows which of them "
                "counts: nothing in it is taken; have it sent again under a number of its own"
            )
            self._writes.open_case(reading, code=REUSED, error=message, called=called)
            return f"{called} reuses a number"
        if repeat is Repeat.NEW:
            self._fates.note(reading, interchange.fates)
        for group in interchange.groups:
            self._acknowledge(reading, interchange, group)
            if repeat is Repeat.NEW:
                self._group(reading, interchange, group)
        if repeat is Repeat.DUPLICATE:
            return f"{called} came before: dropped, and acknowledged again"
        return f"{called}: {sum(len(one.documents) for one in interchange.groups)} documents"

    def _group(
        self, reading: Reading, interchange: ReceivedInterchange, group: ReceivedGroup
    ) -> None:
        self._fates.note(reading, group.fates)
        self._taken.append((reading, interchange, group))
        if group.refusals:
            called = f"group {group.functional_id} {group.number} of {reading.row['entity']}"
            self._open_case(reading, group.refusals, called)

    def _open_case(self, reading: Reading, refusals: Sequence[Refusal], called: str) -> None:
        first = refusals[0]
        self._writes.open_case(
            reading,
            code=first.code,
            error=f"{called}: {first.path} {first.message}; have it corrected and sent again",
            called=called,
            violations=tuple(asdict(one) for one in refusals),
        )

    def _message(
        self,
        reading: Reading,
        interchange: ReceivedInterchange,
        group: ReceivedGroup,
        document: ReceivedDocument,
    ) -> inbox.NewMessage:
        partner = self._fleet.partners[reading.partner]
        handled = document.topic in partner.reads
        numbers = f"{interchange.number}/{group.number}/{document.place}"
        return inbox.NewMessage(
            lane=self._fleet.lanes[process_lane(document.kind)].id,
            line=line_key(reading.partner, document.kind, document.entity),
            partner=reading.partner,
            source=FILE,
            external_id=f"{reading.row['id']}/{numbers}",
            topic=document.topic,
            kind=document.kind,
            entity=document.entity,
            event_id=f"{interchange.number}/{group.number}/{document.number}",
            correlation_id=correlation_id(reading.partner, document.kind, document.entity),
            body=document.body.encode(),
            waiting_for=None if handled else f"topic:{document.topic}",
        )

    def _acknowledge(
        self, reading: Reading, interchange: ReceivedInterchange, group: ReceivedGroup
    ) -> None:
        """Owe the answer to a group; it says of syntax only, whatever comes of its documents."""
        if not group.acknowledgement:
            return
        file = reading.row["id"]
        cause = Cause(
            reading=reading,
            correlation_id=reading.row["correlation_id"],
            line=line_key(reading.partner, effects.GROUP_ACKNOWLEDGE, interchange.sender),
            version=1,
            entities={(Kind.FILE, 0): file},
        )
        key = effects.EffectKey(
            partner=reading.partner,
            operation=effects.GROUP_ACKNOWLEDGE,
            cause=f"{interchange.number}/{group.functional_id}/{group.number}",
            kind=Kind.FILE,
        )
        body = Acknowledgement(reference=f"{file}/{key.cause}", segments=group.acknowledgement)
        self._writes.owe(cause, effects.Effect(key=key, body=body))

    def write(self) -> None:
        """Store the documents as messages; they are worked as soon as this is committed."""
        messages = (
            self._message(*taken, one) for taken in self._taken for one in taken[2].documents
        )
        while some := list(islice(messages, TOGETHER)):
            inbox.store(self._session, some, announce=ANNOUNCE, patience=PATIENCE)
            self._writes.touched |= {
                process_lane(one.kind) for one in some if one.waiting_for is None
            }
