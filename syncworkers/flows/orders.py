"""Decide about messages on orders: the newest snapshot counts, and what it asks for is owed."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from syncworkers.canonical.kinds import Kind
from syncworkers.engine.keys import line_key
from syncworkers.errors import SyncError, WaitingError
from syncworkers.flows.accounts import Accounts, Holder
from syncworkers.flows.writes import Cause
from syncworkers.rules import changes, clock, effects, plans, sequence
from syncworkers.rules import orders as order_rules
from syncworkers.rules.effects import EffectKey
from syncworkers.store import base, identity, outbox
from syncworkers.store import fleet as fleet_state
from syncworkers.store import orders as order_store
from syncworkers.store import parts as part_store

if TYPE_CHECKING:
    import datetime as dt
    import uuid
    from collections.abc import Mapping, Sequence

    from sqlalchemy.orm import Session

    from syncworkers.canonical.orders import SalesOrder
    from syncworkers.flows.fleet import Fleet
    from syncworkers.flows.reading import Reading
    from syncworkers.flows.writes import Writes
    from syncworkers.rules.effects import Effect
    from syncworkers.rules.plans import Plan, PlannedPart

RULES_VERSION = "orders/4"
MORE_PARTS = 20
"""Ids drawn at a time once each order of the batch has got one."""
Name = tuple[str, str]
"""Store and the store's id of an order."""


@dataclass(slots=True, kw_only=True)
class Standing:
    """An order as it stands while the batch is decided."""

    id: int
    scope: str
    version: int
    order: SalesOrder | None
    booked: bool
    """Its create is owed to the ERP, or made."""
    stored: SalesOrder | None
    correlation_id: uuid.UUID
    company: str | None
    """In which it is booked; None: in none yet, or before that was written down."""
    parts: list[plans.KnownPart] = field(default_factory=list)
    part_ids: dict[int, int] = field(default_factory=dict)
    erp: str | None = None
    erp_number: str | None = None
    seen_at: dt.datetime | None = None
    """A newer snapshot said nothing new."""

    def newest(self) -> SalesOrder | None:
        """Return the order with the time of the newest snapshot seen."""
        if self.order is None or self.seen_at is None:
            return self.order
        return replace(self.order, updated_at=self.seen_at)


class Orders:
    """Decides about the orders of one batch; see `applying.Decider`."""

    def __init__(self, fleet: Fleet, session: Session, writes: Writes) -> None:
        self._fleet = fleet
        self._session = session
        self._writes = writes
        self._accounts = Accounts(fleet, session)
        self._now = fleet_state.now(session)
        self._standing: dict[Name, Standing] = {}
        self._new_parts: list[part_store.StoredPart] = []
        self._part_ids: list[int] = []

    def load(self, readings: Sequence[Reading]) -> None:
        """Lock the orders spoken of, and read what is known of them."""
        # Of each order the last message that speaks of it.
        arrived = {(one.partner, one.subject.external_id): one for one in readings}
        stored = order_store.lock(self._session, arrived.keys())
        ids = [one.id for one in stored.values()]
        new = base.draw_ids(self._session, order_store.SalesOrderRow, len(arrived) - len(stored))
        self._part_ids = base.draw_ids(self._session, part_store.OrderPartRow, len(arrived))
        owed = outbox.owed_entities(self._session, Kind.ORDER, effects.ORDER_CREATE, ids)
        for name, reading in sorted(arrived.items(), key=lambda item: item[0]):
            known = stored.get(name)
            self._standing[name] = Standing(
                id=known.id if known else new.pop(0),
                scope=known.scope if known else self._fleet.policy.scope(name[0]),
                version=known.version if known else 0,
                order=known.order if known else None,
                stored=known.order if known else None,
                booked=known is not None and known.id in owed,
                correlation_id=known.correlation_id if known else reading.row["correlation_id"],
                company=known.company if known else None,
            )
        self._load_parts(ids)
        self._accounts.load(readings)

    def _load_parts(self, ids: Sequence[int]) -> None:
        parts = part_store.of_orders(self._session, ids)
        every = [part.id for found in parts.values() for part in found]
        live = outbox.owed_entities(self._session, Kind.PART, effects.PART_CREATE, every)
        for standing in self._standing.values():
            for part in parts.get(standing.id, ()):
                standing.part_ids[part.number] = part.id
                if part.id in live:
                    standing.parts.append(_known_part(part))

    def called(self, reading: Reading) -> str:
        """Return the order's number, or its store's id of it."""
        number: str = reading.subject.number if reading.subject else reading.row["entity"]
        return number

    def decide(self, reading: Reading) -> SyncError | None:
        """Accept a snapshot, or say what is in its way."""
        standing = self._standing[reading.partner, reading.subject.external_id]
        newest = standing.newest()
        known = newest.updated_at if newest else None
        moment = clock.believed(reading.subject.updated_at, self._now, known)
        order: SalesOrder = replace(reading.subject, updated_at=moment)
        decision = sequence.decide(newest, order)
        if decision.superseded:
            self._writes.end(reading, "superseded", decision.reason)
            if newest is not None and order.updated_at > newest.updated_at:
                standing.seen_at = order.updated_at
            return None
        holders = self._accounts.of(reading.partner, order)
        try:
            facts = self._known(standing, holders)
            plan = order_rules.plan(self._policies(reading.partner, order), facts, order)
        except SyncError as error:
            return error
        if plan.waiting_for is not None:
            return WaitingError("a link is missing", key=plan.waiting_for)
        self._accept(reading, standing, order, plan)
        return None

    def _policies(self, store: str, order: SalesOrder) -> plans.Policies:
        policy = self._fleet.policy
        return plans.Policies(
            booking=policy.bookings[store],
            store=policy.fulfilment.stores[store],
            warehouses=policy.fulfilment.warehouses,
            routing=policy.routing,
            calendars=policy.calendars,
            units=policy.units,
            brand=policy.brand(store, order.store_view),
        )

    def _known(self, standing: Standing, holders: Mapping[str, Holder]) -> plans.Known:
        return plans.Known(
            before=standing.order,
            booked=standing.booked,
            version=standing.version + 1,
            parts=tuple(standing.parts),
            company=standing.company,
            accounts={
                company: plans.KnownAccount(number=one.account, owed=one.owed)
                for company, one in holders.items()
            },
        )

    def _accept(self, reading: Reading, standing: Standing, order: SalesOrder, plan: Plan) -> None:
        standing.version += 1
        self._writes.keep_version(
            reading,
            kind=Kind.ORDER,
            entity=standing.id,
            version=standing.version,
            rules=RULES_VERSION,
            accepted=order,
            diff=changes.diff(standing.order, order),
        )
        standing.order, standing.seen_at = order, None
        standing.erp, standing.erp_number = plan.erp, plan.erp_number
        if plan.company is not None:
            standing.company = plan.company
            policy = self._fleet.policy
            standing.scope = policy.scope(reading.partner, plan.company, order.store_view)
        for planned in plan.parts:
            self._enter_part(standing, planned)
        holders = self._accounts.of(reading.partner, order)
        customer = holders.get(plan.company or "", Holder())
        cause = Cause(
            reading=reading,
            correlation_id=standing.correlation_id,
            line=standing.id,
            version=standing.version,
            entities=_entities(standing, customer),
        )
        for effect in plan.effects:
            self._owe(cause, standing, customer, effect)
        for one in plan.expectations:
            entity = cause.entities[one.kind, one.place]
            ahead = (one.since - self._now).total_seconds() if one.since else 0.0
            self._writes.expect(
                cause, one.name, one.partner, one.kind, entity, delay=max(0.0, ahead)
            )
        self._writes.end(reading, "applied", plan.reason)

    def _owe(self, cause: Cause, standing: Standing, customer: Holder, effect: Effect) -> None:
        key: EffectKey = effect.key
        standing.booked = standing.booked or key.operation == effects.ORDER_CREATE
        if key.kind is not Kind.CUSTOMER:
            self._writes.owe(cause, effect)
            return
        # An account spans orders, so it has a line of its own.
        self._writes.owe(cause, effect, line=line_key(Kind.CUSTOMER, str(customer.id)))
        customer.owed = True

    def _enter_part(self, standing: Standing, planned: PlannedPart) -> None:
        if not self._part_ids:  # an order went out in several parts
            self._part_ids = base.draw_ids(self._session, part_store.OrderPartRow, MORE_PARTS)
        part = part_store.StoredPart(
            id=self._part_ids.pop(0),
            order_id=standing.id,
            number=planned.number,
            partner=planned.warehouse,
            reference=planned.part.reference,
            gate=planned.gate,
            lines=planned.part.lines,
            state=None,
            code=None,
            reported_at=None,
            acknowledged=False,
            route=planned.route,
            schedule=planned.schedule,
        )
        self._new_parts.append(part)
        standing.part_ids[part.number] = part.id
        standing.parts.append(_known_part(part))
        self._writes.arrived.append(f"part:{part.partner}:{part.reference}")

    def write(self) -> None:
        """Write orders and their parts."""
        writes = [
            _write(partner, standing, standing.order)
            for (partner, _), standing in sorted(self._standing.items())
            if standing.order is not None and standing.order is not standing.stored
        ]
        order_store.save(self._session, writes)
        part_store.add(self._session, self._new_parts)
        order_store.touch(
            self._session,
            {one.id: one.seen_at for one in self._standing.values() if one.seen_at is not None},
        )
        for one in writes:
            if one.before is None:
                self._writes.links.append(
                    identity.NewLink(
                        kind=Kind.ORDER,
                        entity_id=one.id,
                        partner=one.partner,
                        external_id=one.after.external_id,
                    )
                )
            if one.erp_number is not None:
                self._writes.arrived.append(f"order:{one.erp}:{one.erp_number}")


def _entities(standing: Standing, customer: Holder) -> dict[tuple[str, int], int]:
    entities: dict[tuple[str, int], int] = {(Kind.ORDER, 0): standing.id}
    if customer.id is not None:
        entities[Kind.CUSTOMER, 0] = customer.id
    return entities | {(Kind.PART, number): id_ for number, id_ in standing.part_ids.items()}


def _known_part(part: part_store.StoredPart) -> plans.KnownPart:
    return plans.KnownPart(number=part.number, warehouse=part.partner, reference=part.reference)


def _write(partner: str, standing: Standing, order: SalesOrder) -> order_store.OrderWrite:
    return order_store.OrderWrite(
        id=standing.id,
        scope=standing.scope,
        partner=partner,
        version=standing.version,
        correlation_id=standing.correlation_id,
        before=standing.stored,
        after=order,
        erp=standing.erp,
        erp_number=standing.erp_number,
        company=standing.company,
    )
