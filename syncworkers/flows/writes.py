"""What a batch of messages will write: gathered while it is decided, written set by set.

Everything here is common to all kinds; each kind adds the rows of its own canonical tables.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from syncworkers.engine import lines, parking
from syncworkers.errors import RejectedError
from syncworkers.flows.lanes import INBOX, deliver_lane
from syncworkers.store import attention, codec, contracts, history, identity, inbox, outbox

if TYPE_CHECKING:
    import uuid
    from collections.abc import Mapping

    from sqlalchemy.orm import Session

    from syncworkers.canonical.kinds import Kind
    from syncworkers.errors import SyncError
    from syncworkers.flows.fleet import Fleet
    from syncworkers.flows.reading import Reading
    from syncworkers.rules.effects import Effect, EffectKey

TOPIC_WAIT = 86400.0
"""Seconds until a topic that nobody reads is looked at again: it waits for a release. So long waits
as well what an earlier integration did: for a person who imports its link."""
TURN_WAIT = 15.0
"""Seconds until a delivery that waits for another one looks whether it may go; mostly it is woken
before."""
PAYLOAD_KEPT = 64_000
"""Characters of a refused payload that its case shows; the whole stays in the inbox."""

Entities = dict[tuple[str, int], int]
"""Our ids of what an order has, by kind and place."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """What deliveries and expectations follow from: the message, and the root order if any."""

    reading: Reading
    correlation_id: uuid.UUID
    line: int
    """The root order's id: what is owed for it to one partner stands in one line, unless said."""
    version: int
    entities: Entities


@dataclass(slots=True)
class Writes:
    """Everything but the canonical rows."""

    fleet: Fleet
    endings: list[inbox.Ending] = field(default_factory=list)
    versions: list[dict[str, Any]] = field(default_factory=list)
    links: list[identity.NewLink] = field(default_factory=list)
    deliveries: list[outbox.NewDelivery] = field(default_factory=list)
    expectations: list[attention.NewExpectation] = field(default_factory=list)
    met: dict[tuple[str, str, str], list[int]] = field(default_factory=lambda: defaultdict(list))
    cases: list[attention.NewCase] = field(default_factory=list)
    blocking: list[tuple[tuple[int, int], attention.NewCase]] = field(default_factory=list)
    """Lines, as (lane, key), that wait behind a case."""
    mended: list[tuple[str, str]] = field(default_factory=list)
    parked: list[tuple[int, str]] = field(default_factory=list)
    rereads: dict[int, bytes] = field(default_factory=dict)
    drift: dict[tuple[str, str, str], tuple[int, int]] = field(default_factory=dict)
    retried: list[int] = field(default_factory=list)
    arrived: list[str] = field(default_factory=list)
    """Keys that parked rows may wait for, and that are here now."""
    touched: set[str] = field(default_factory=set)
    """Lanes that have new deliveries."""

    def keep_version(  # noqa: PLR0913 - what, which, by which rules, all named
        self,
        reading: Reading,
        *,
        kind: Kind,
        entity: int,
        version: int,
        rules: str,
        accepted: Any,
        diff: dict[str, Any] | None = None,
    ) -> None:
        """Keep what was accepted as a version of an entity, with the message that said it."""
        self.versions.append(
            {
                "entity_kind": kind.value,
                "entity_id": entity,
                "version": version,
                "message_id": reading.row["id"],
                "mapping": reading.mapping,
                "rules": rules,
                "snapshot": codec.dump(accepted),
                "diff": diff or {},
            }
        )

    def owe(self, cause: Cause, effect: Effect, *, line: int | None = None) -> None:
        """Owe an effect; `line` is for what need not keep its turn among an order's effects."""
        key = effect.key
        lane = self.fleet.lanes[deliver_lane(self.fleet.partners[key.partner].policy)]
        self.touched.add(lane.name)
        self.deliveries.append(
            outbox.NewDelivery(
                lane=lane.id,
                line=cause.line if line is None else line,
                partner=key.partner,
                operation=key.operation,
                entity_kind=key.kind,
                entity_id=cause.entities[key.kind, key.place],
                entity_version=cause.version,
                cause=key.cause,
                after=tuple(permanent(one, cause.entities) for one in effect.after),
                not_before=effect.not_before,
                body=codec.dump(effect.body),
                correlation_id=cause.correlation_id,
                causation_id=cause.reading.row["id"],
            )
        )

    def expect(  # noqa: PLR0913 - what, of whom, about what, and since when
        self,
        cause: Cause,
        name: str,
        partner: str,
        kind: str,
        entity: int,
        *,
        delay: float = 0.0,
    ) -> None:
        """Expect something to follow, within the time people decided, that begins after `delay`."""
        self.expectations.append(
            attention.NewExpectation(
                name=name,
                entity_kind=kind,
                entity_id=entity,
                partner=partner,
                within=self.fleet.policy.expectations[name] + delay,
                correlation_id=cause.correlation_id,
            )
        )

    def end_expectation(self, name: str, kind: str, entity: int, *, state: str = "met") -> None:
        """Mark an expectation met, or cancelled."""
        self.met[kind, name, state].append(entity)

    def end(
        self,
        reading: Reading,
        state: str,
        reason: str | None,
        correlation_id: uuid.UUID | None = None,
    ) -> None:
        """End a message, as part of the business transaction it turned out to belong to."""
        ending = inbox.Ending(
            id=reading.row["id"], state=state, reason=reason, correlation_id=correlation_id
        )
        self.endings.append(ending)
        if reading.row["retries"]:
            self.retried.append(reading.row["id"])

    def refuse(self, reading: Reading, error: SyncError, called: str) -> None:
        """End a message as rejected, with its case."""
        self.end(reading, "rejected", str(error))
        self.retried = [one for one in self.retried if one != reading.row["id"]]
        violations = error.violations if isinstance(error, RejectedError) else ()
        self.open_case(
            reading,
            code=violations[0].code if violations else "refused",
            error=str(error),
            called=called,
            violations=tuple(asdict(violation) for violation in violations),
        )

    def open_case(  # noqa: PLR0913 - a case has that many sides, all named
        self,
        reading: Reading,
        *,
        code: str,
        error: str,
        called: str,
        violations: tuple[dict[str, str], ...] = (),
        correlation_id: uuid.UUID | None = None,
    ) -> None:
        """Open a case about a message; `called` is what people call its object."""
        row = reading.row
        self.cases.append(
            attention.NewCase(
                about="message",
                about_id=row["id"],
                partner=row["partner"],
                entity_kind=row["kind"],
                entity=called,
                code=code,
                error=error,
                violations=violations,
                payload=_readable(reading.reread or reading.received),
                correlation_id=correlation_id or row["correlation_id"],
            )
        )

    def block(self, line: tuple[int, int] | None, case: attention.NewCase) -> None:
        """Open a case; whatever comes in that line waits behind it."""
        self.cases.append(case)
        if line is not None:
            self.blocking.append((line, case))

    def note(self, reading: Reading) -> None:
        """Keep what was read again, and what no mapping knows."""
        if reading.reread is not None:
            self.rereads[reading.row["id"]] = reading.reread
        for path in reading.drift:
            key = (reading.row["partner"], reading.mapping, path)
            seen, first = self.drift.get(key, (0, reading.row["id"]))
            self.drift[key] = (seen + 1, first)

    def write(self, session: Session) -> None:
        """Write it all: lines before the deliveries whose ids are drawn under their locks."""
        history.add(session, self.versions)
        identity.link(session, self.links)
        self._write_deliveries(session)
        # Expected first: what a batch expects it may meet as well.
        attention.expect(session, self.expectations)
        for (kind, name, state), entities in sorted(self.met.items()):
            attention.end_expectations(session, kind, entities, name, state=state)
        inbox.keep_reread(session, self.rereads)
        inbox.finish(session, self.endings)
        parking.park(session, INBOX, [_wait(row, key) for row, key in self.parked])
        opened = attention.open_cases(session, self.cases)
        numbers = {id(case): number for case, number in zip(self.cases, opened, strict=True)}
        for line, case in self.blocking:
            lines.block(session, *line, numbers[id(case)])
        attention.resolve_by_success(session, "message", self.retried)
        for entity, code in self.mended:
            attention.resolve_by_progress(session, entity, code)
        contracts.note(session, self.drift)

    def _write_deliveries(self, session: Session) -> None:
        by_lane: dict[int, list[outbox.NewDelivery]] = defaultdict(list)
        for delivery in self.deliveries:
            by_lane[delivery.lane].append(delivery)
        for lane, owed in sorted(by_lane.items()):
            due = {one.line for one in owed if not one.after and one.not_before is None}
            lines.enqueue(session, lane, [one.line for one in owed if one.line in due])
            waiting = [one.line for one in owed if one.line not in due]
            lines.enqueue(session, lane, waiting, due_in=TURN_WAIT)
        outbox.add(session, self.deliveries)


def permanent(key: EffectKey, entities: Mapping[tuple[str, int], int]) -> str:
    """Return the permanent name of an effect on one of these entities."""
    entity = f"{key.kind}/{entities[key.kind, key.place]}"
    return outbox.idempotency_key(key.partner, key.operation, entity, key.cause)


def _wait(row: int, key: str) -> parking.Wait:
    long = key.startswith(("topic:", "link:"))
    return parking.Wait(row=row, key=key, at_least=TOPIC_WAIT if long else 0.0)


def _readable(body: bytes) -> str:
    """Show a payload in a text column: whatever bytes came, without NUL."""
    return body[:PAYLOAD_KEPT].decode("utf-8", errors="replace").replace("\x00", "\ufffd")
