"""Pick up: files that a partner left come into the inbox, each once, and then into the archive."""

from __future__ import annotations

import datetime as dt
from itertools import islice
from typing import TYPE_CHECKING

import structlog

from syncworkers.canonical.kinds import Kind
from syncworkers.connectors.base import Deadline
from syncworkers.connectors.files import Seen
from syncworkers.engine import slots
from syncworkers.engine.keys import line_key
from syncworkers.engine.lines import ANNOUNCE
from syncworkers.errors import CredentialsError, RetryableError
from syncworkers.flows.correlation import correlation_id
from syncworkers.flows.files import FILE, PATIENCE
from syncworkers.flows.lanes import OPEN_CASES, process_lane
from syncworkers.store import attention, inbox, recovery, sightings
from syncworkers.store.sightings import Sighting

if TYPE_CHECKING:
    from collections.abc import Iterator

    from syncworkers.connectors.files import Collected
    from syncworkers.flows.fleet import Fleet, Partner

log = structlog.get_logger(__name__)

TOPIC = "edi/file"
COUNT = "stock/csv"
"""What a flat file of stock is: a document of its own, known by its name."""
LONGEST = 300.0
"""Seconds that one look may take, all files read."""
UNFINISHED_LOOKS = 20
"""A file that was whole by its looks so often, and had no end, is taken as damaged."""
NAMED = 20
"""Files that become cases at a time: where all are stuck, some tell why."""
SKEW = dt.timedelta(minutes=5)
"""By so much a worker's clock, which stamps what is archived, may be behind the database's."""
REFUSED = "pickup.refused"
STUCK = "pickup.stuck"
"""A file that cannot be taken; the case closes by itself once it is, or is gone."""


def pick_up(fleet: Fleet, partner: str) -> int:
    """Take in every whole file that lies at a partner; return how many.

    One of us at a time: what lies among the claimed files then belongs to nobody who is alive. A
    partner that is away costs nothing; one that refuses us is a case.
    """
    known = fleet.partners[partner]
    every = known.policy.poll.every if known.policy.poll else 60.0
    entry = f"files.pick_up:{partner}"
    lease = LONGEST + 60.0
    with slots.hold(fleet.session, entry, every=every, owner=fleet.worker, lease=lease) as ours:
        if not ours:
            return 0
        try:
            return _Look(fleet, known).take()
        except RetryableError as error:
            log.warning("pick-up put off", partner=partner, error=str(error))
        except CredentialsError as error:
            _announce(fleet, partner, error)
    return 0


class _Look:
    """One look at a partner's folder."""

    def __init__(self, fleet: Fleet, partner: Partner) -> None:
        self._fleet = fleet
        self._partner = partner
        self._name = partner.policy.name
        self._unfinished: dict[str, int] = {}
        self._stuck: dict[str, str] = {}
        self._stored = 0

    def take(self) -> int:
        """Have all whole files handed over; note what was left.

        While a recovery lasts, what was taken in the lost time is taken again: most of it is known
        and only counted.
        """
        deadline = Deadline(LONGEST)
        with self._fleet.session() as session:
            before = sightings.sightings(session, self._name)
            lost = recovery.lost(session)
        if lost is not None:
            again = self._partner.connection.restore(lost[0] - SKEW, lost[1], deadline)
            log.info("files taken again", partner=self._name, files=again)
        self._unfinished = {one.name: one.unfinished for one in before}
        unchanged = {
            Seen(name=one.name, size=one.size, modified=one.modified): one.unchanged
            for one in before
        }
        left = self._partner.connection.collect(
            unchanged, self._keep, self._stuck.__setitem__, deadline
        )
        seen = [
            Sighting(
                name=one.name,
                size=one.size,
                modified=one.modified,
                unfinished=self._unfinished.get(one.name, 0),
            )
            for one in left
        ]
        with self._fleet.session() as session:
            sightings.note(session, self._name, seen)
            attention.resolve_by_progress(session, self._name, REFUSED)
            attention.resolve_others(session, self._name, STUCK, self._stuck.keys())
            opened = [attention.open_once(session, one) for one in self._cases()]
        if any(opened):
            self._fleet.waker.notify([OPEN_CASES])
        return self._stored

    def _cases(self) -> Iterator[attention.NewCase]:
        for name, why in islice(self._stuck.items(), NAMED):
            told = f"{name!r} at {self._name} cannot be taken: {why}; have it mended there. "
            yield _case(self._name, name, STUCK, told + "The other files are taken")

    def _keep(self, file: Collected) -> bool:
        """Store a file; False for one whose end is missing, until it has been so for long."""
        topic = self._topic(file)
        looks = self._unfinished.get(file.name, 0) + 1
        if looks < UNFINISHED_LOOKS and not self._partner.reads[topic].is_whole(file.body):
            self._unfinished[file.name] = looks
            return False
        self._unfinished.pop(file.name, None)
        message = self._message(file, topic)
        with self._fleet.session() as session:
            stored = inbox.store(session, [message], announce=ANNOUNCE, patience=PATIENCE)
            if not stored:
                inbox.count_duplicate(session, *inbox.identity(message))
        self._stored += len(stored)
        if stored:
            self._fleet.waker.notify([process_lane(message.kind)])
        return True

    def _topic(self, file: Collected) -> str:
        counts = self._partner.reads.get(COUNT)
        return COUNT if counts is not None and counts.takes(file.name) else TOPIC

    def _message(self, file: Collected, topic: str) -> inbox.NewMessage:
        """Make the message of a file.

        What is counted may be the same every night, so a count is another one by its name and age.
        """
        kind = Kind.STOCK if topic == COUNT else Kind.FILE
        modified = None if file.modified is None else str(file.modified)
        external_id = file.digest
        if topic == COUNT:
            external_id = f"{file.digest}/{file.name}/{modified}"
        return inbox.NewMessage(
            lane=self._fleet.lanes[process_lane(kind)].id,
            # One line for all: what was left first is read first.
            line=line_key(self._name, kind),
            partner=self._name,
            source=FILE,
            external_id=external_id,
            topic=topic,
            kind=kind,
            entity=file.name,
            event_id=modified if topic == COUNT else None,
            correlation_id=correlation_id(self._name, kind, external_id),
            body=file.body,
        )


def _announce(fleet: Fleet, partner: str, error: CredentialsError) -> None:
    """Open a case, once: until it is mended, nothing comes from this partner."""
    with fleet.session() as session:
        opened = attention.open_once(session, _case(partner, partner, REFUSED, str(error)))
    if opened:
        fleet.waker.notify([OPEN_CASES])


def _case(partner: str, about: str, code: str, error: str) -> attention.NewCase:
    return attention.NewCase(
        about="poll",
        about_id=0,
        partner=partner,
        entity_kind=Kind.FILE,
        entity=about,
        code=code,
        error=error,
        violations=(),
        payload=None,
        correlation_id=correlation_id(partner, Kind.FILE, code),
    )
