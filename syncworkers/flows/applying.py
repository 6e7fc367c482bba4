"""Apply a batch of readings in one transaction: decide in memory, then write set by set."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any

from syncworkers.canonical.kinds import Kind
from syncworkers.engine import lines, parking
from syncworkers.engine.lines import LineResult
from syncworkers.errors import RejectedError, RetryableError, SyncError, WaitingError
from syncworkers.flows.lanes import INBOX, deliver_orders
from syncworkers.rules import backoff, changes, sequence
from syncworkers.rules import orders as order_rules
from syncworkers.store import attention, codec, contracts, history, identity, inbox, outbox
from syncworkers.store import orders as order_store

if TYPE_CHECKING:
    import uuid
    from collections.abc import Sequence

    from sqlalchemy.orm import Session

    from syncworkers.canonical.orders import SalesOrder
    from syncworkers.engine.lines import ClaimedLine
    from syncworkers.flows.fleet import Fleet
    from syncworkers.flows.reading import Reading
    from syncworkers.rules.orders import Plan

RULES_VERSION = "orders/1"
TOPIC_WAIT = 86400.0
"""Seconds until a topic that nobody reads is looked at again: it waits for a release."""
PAYLOAD_KEPT = 64_000
"""Characters of a refused payload that its case shows; the whole stays in the inbox."""


@dataclass(slots=True, kw_only=True)
class LinePlan:
    """A claimed line and what its messages say."""

    line: ClaimedLine
    readings: Sequence[Reading]


def refuse_head(plan: LinePlan, error: RejectedError) -> LinePlan:
    """Put a verdict in the way of the line's first message; the others wait for the next claim."""
    head = replace(plan.readings[0], order=None, error=error)
    return LinePlan(line=plan.line, readings=[head])


@dataclass(slots=True, kw_only=True)
class Standing:
    """An order as it stands while the batch is decided."""

    id: int
    version: int
    order: SalesOrder | None
    owed: bool
    """Its create is owed to the ERP, or made."""
    stored: SalesOrder | None
    correlation_id: uuid.UUID
    erp: str | None = None
    erp_number: str | None = None


@dataclass(slots=True)
class Writes:
    """Everything the batch will write, gathered before the first statement."""

    endings: list[inbox.Ending] = field(default_factory=list)
    versions: list[dict[str, Any]] = field(default_factory=list)
    deliveries: list[outbox.NewDelivery] = field(default_factory=list)
    expectations: list[attention.NewExpectation] = field(default_factory=list)
    called_off: list[int] = field(default_factory=list)
    cases: list[attention.NewCase] = field(default_factory=list)
    parked: list[tuple[int, str]] = field(default_factory=list)
    rereads: dict[int, bytes] = field(default_factory=dict)
    drift: dict[tuple[str, str, str], tuple[int, int]] = field(default_factory=dict)
    retried: list[int] = field(default_factory=list)


class Batch:
    """One transaction's worth of lines."""

    def __init__(self, fleet: Fleet, session: Session, plans: Sequence[LinePlan]) -> None:
        self._fleet = fleet
        self._session = session
        self._plans = plans
        self._standing: dict[tuple[str, str], Standing] = {}
        self._writes = Writes()
        self._accounts: dict[tuple[str, str, str, str], str] = {}
        self.touched: set[str] = set()
        """Lanes that have new deliveries."""

    @property
    def has_cases(self) -> bool:
        """Say whether the batch opened exception cases."""
        return bool(self._writes.cases)

    def apply(self) -> list[LineResult]:
        """Decide and write; return what becomes of each line."""
        self._load()
        results = [self._decide_line(plan) for plan in self._plans]
        self._write()
        return results

    # Loading: everything the decisions need, in a handful of statements.

    def _load(self) -> None:
        arrived = self._arrived()
        stored = order_store.lock(self._session, arrived.keys())
        ids = order_store.draw_ids(self._session, len(arrived) - len(stored))
        owed = outbox.owed_entities(
            self._session, Kind.ORDER, order_rules.CREATE, [one.id for one in stored.values()]
        )
        for key, reading in sorted(arrived.items(), key=lambda item: item[0]):
            known = stored.get(key)
            self._standing[key] = Standing(
                id=known.id if known else ids.pop(0),
                version=known.version if known else 0,
                order=known.order if known else None,
                stored=known.order if known else None,
                owed=known is not None and known.id in owed,
                correlation_id=reading.row["correlation_id"],
            )
        self._accounts = identity.customer_accounts(
            self._session,
            {
                (store, reading.order.customer_id, policy.erp, policy.company)
                for (store, _), reading in arrived.items()
                if reading.order and reading.order.customer_id
                if (policy := self._fleet.policy.bookings.get(store))
            },
        )

    def _arrived(self) -> dict[tuple[str, str], Reading]:
        """Return the orders spoken of, each with the last message that does."""
        return {
            (reading.row["partner"], reading.order.external_id): reading
            for plan in self._plans
            for reading in plan.readings
            if reading.order is not None
        }

    # Deciding: pure rules, row by row in the line's order.

    def _decide_line(self, plan: LinePlan) -> LineResult:
        finished = 0
        for reading in plan.readings:
            error = reading.error or self._decide(reading)
            self._note(reading)
            if isinstance(error, RetryableError):
                return self._again(plan, finished, error)
            if isinstance(error, WaitingError):
                self._writes.parked.append((reading.row["id"], error.key))
            elif error is not None:
                self._refuse(reading, error)
            finished += 1
        return LineResult(key=plan.line.key, finished=finished)

    def _again(self, plan: LinePlan, finished: int, error: RetryableError) -> LineResult:
        attempts = plan.line.attempts + (0 if error.throttled else 1)
        wait = backoff.delay(max(attempts, 1), first=1.0, limit=60.0, jitter=1.0)
        return LineResult(
            key=plan.line.key,
            finished=finished,
            due_in=max(error.after or 0.0, wait),
            attempts=min(attempts, 1000),
            crashes=plan.line.crashes,
        )

    def _decide(self, reading: Reading) -> SyncError | None:
        order = reading.order
        assert order is not None  # noqa: S101 - a reading without an error has its order
        standing = self._standing[reading.row["partner"], order.external_id]
        decision = sequence.decide(standing.order, order)
        if decision.superseded:
            self._end(reading, "superseded", decision.reason)
            return None
        try:
            plan = self._plan(reading, standing, order)
        except SyncError as error:
            return error
        if plan.waiting_for is not None:
            return WaitingError("a link is missing", key=plan.waiting_for)
        self._accept(reading, standing, order, plan)
        return None

    def _plan(self, reading: Reading, standing: Standing, order: SalesOrder) -> Plan:
        store = reading.row["partner"]
        policy = self._fleet.policy.bookings[store]
        account = self._accounts.get((store, order.customer_id or "", policy.erp, policy.company))
        return order_rules.plan(
            policy,
            before=standing.order,
            after=order,
            booked=standing.owed,
            account=account,
            version=standing.version + 1,
        )

    def _accept(self, reading: Reading, standing: Standing, order: SalesOrder, plan: Plan) -> None:
        row = reading.row
        standing.version += 1
        self._writes.versions.append(
            {
                "entity_kind": Kind.ORDER.value,
                "entity_id": standing.id,
                "version": standing.version,
                "message_id": row["id"],
                "mapping": reading.mapping,
                "rules": RULES_VERSION,
                "snapshot": codec.dump(order),
                "diff": changes.diff(standing.order, order),
            }
        )
        standing.order = order
        standing.erp, standing.erp_number = plan.erp, plan.erp_number
        for planned in plan.deliveries:
            standing.owed = standing.owed or planned.operation == order_rules.CREATE
            self._owe(reading, standing, plan, planned)
        self._expect(reading, standing, plan)
        self._end(reading, "applied", plan.reason)

    def _owe(self, reading: Reading, standing: Standing, plan: Plan, planned: Any) -> None:
        lane = self._fleet.lanes[deliver_orders(plan.erp)]
        self.touched.add(lane.name)
        self._writes.deliveries.append(
            outbox.NewDelivery(
                lane=lane.id,
                line=standing.id,
                partner=plan.erp,
                operation=planned.operation,
                entity_kind=Kind.ORDER,
                entity_id=standing.id,
                entity_version=standing.version,
                cause=planned.cause,
                body=codec.dump(planned.body),
                correlation_id=reading.row["correlation_id"],
                causation_id=reading.row["id"],
            )
        )

    def _expect(self, reading: Reading, standing: Standing, plan: Plan) -> None:
        if plan.cancel_expectations:
            self._writes.called_off.append(standing.id)
        self._writes.expectations.extend(
            attention.NewExpectation(
                name=name,
                entity_kind=Kind.ORDER,
                entity_id=standing.id,
                partner=plan.erp,
                within=self._fleet.policy.expectations[name],
                correlation_id=reading.row["correlation_id"],
            )
            for name in plan.expectations
        )

    def _end(self, reading: Reading, state: str, reason: str | None) -> None:
        self._writes.endings.append(inbox.Ending(id=reading.row["id"], state=state, reason=reason))
        if reading.row["retries"]:
            self._writes.retried.append(reading.row["id"])

    def _refuse(self, reading: Reading, error: SyncError) -> None:
        violations = error.violations if isinstance(error, RejectedError) else ()
        row = reading.row
        self._writes.endings.append(inbox.Ending(id=row["id"], state="rejected", reason=str(error)))
        name = reading.order.number if reading.order else row["entity"]
        body = reading.reread or reading.received
        self._writes.cases.append(
            attention.NewCase(
                about="message",
                about_id=row["id"],
                partner=row["partner"],
                entity_kind=row["kind"],
                entity=name,
                code=violations[0].code if violations else "refused",
                error=str(error),
                violations=tuple(asdict(violation) for violation in violations),
                payload=_readable(body),
                correlation_id=row["correlation_id"],
            )
        )

    def _note(self, reading: Reading) -> None:
        if reading.reread is not None:
            self._writes.rereads[reading.row["id"]] = reading.reread
        for path in reading.drift:
            key = (reading.row["partner"], reading.mapping, path)
            seen, first = self._writes.drift.get(key, (0, reading.row["id"]))
            self._writes.drift[key] = (seen + 1, first)

    # Writing: orders first, then the lines of deliveries, and only then the deliveries' ids.

    def _write(self) -> None:
        session, writes = self._session, self._writes
        order_store.save(session, self._order_writes())
        history.add(session, writes.versions)
        identity.link(session, self._links())
        by_lane: dict[int, list[int]] = defaultdict(list)
        for delivery in writes.deliveries:
            by_lane[delivery.lane].append(delivery.line)
        for lane in sorted(by_lane):
            lines.enqueue(session, lane, by_lane[lane])
        outbox.add(session, writes.deliveries)
        attention.end_expectations(
            session, Kind.ORDER, writes.called_off, "erp_booked", state="cancelled"
        )
        attention.expect(session, writes.expectations)
        inbox.keep_reread(session, writes.rereads)
        inbox.finish(session, writes.endings)
        for row, key in writes.parked:
            wait = TOPIC_WAIT if key.startswith("topic:") else 0.0
            parking.park(session, INBOX, row, key=key, at_least=wait)
        attention.open_cases(session, writes.cases)
        attention.resolve_by_success(session, "message", writes.retried)
        contracts.note(session, writes.drift)

    def _changed(self) -> list[tuple[str, Standing]]:
        return [
            (partner, standing)
            for (partner, _), standing in sorted(self._standing.items())
            if standing.order is not None and standing.order is not standing.stored
        ]

    def _order_writes(self) -> list[order_store.OrderWrite]:
        policies = self._fleet.policy
        return [
            order_store.OrderWrite(
                id=standing.id,
                scope=f"{policies.partners[partner].brand}/{policies.bookings[partner].company}",
                partner=partner,
                version=standing.version,
                correlation_id=standing.correlation_id,
                before=standing.stored,
                after=standing.order,
                erp=standing.erp,
                erp_number=standing.erp_number,
            )
            for partner, standing in self._changed()
            if standing.order is not None
        ]

    def _links(self) -> list[identity.NewLink]:
        return [
            identity.NewLink(
                kind=Kind.ORDER,
                entity_id=standing.id,
                partner=partner,
                external_id=standing.order.external_id,
            )
            for partner, standing in self._changed()
            if standing.order is not None and standing.stored is None
        ]


def _readable(body: bytes) -> str:
    """Show a payload in a text column: whatever bytes came, without NUL."""
    return body[:PAYLOAD_KEPT].decode("utf-8", errors="replace").replace("\x00", "\ufffd")
