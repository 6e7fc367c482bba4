"""Report: what we planned for an observed partner beside what really stands there.

Only reads. What stands there is known again by its link, by our reference, or by a name that people
know it by: the store's order number, a parcel's number.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TYPE_CHECKING

from syncworkers.canonical.kinds import Kind
from syncworkers.connectors.base import Deadline, Verdict
from syncworkers.connectors.cutover import Observes
from syncworkers.errors import RejectedError
from syncworkers.flows import sending
from syncworkers.rules import effects
from syncworkers.store import fleet as fleet_state
from syncworkers.store import identity, partner_state, plans, takeover
from syncworkers.store.partner_state import Mode

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from sqlalchemy.orm import Session

    from syncworkers.connectors.base import Outcome, Request
    from syncworkers.connectors.cutover import Sighting
    from syncworkers.flows.fleet import Fleet, Partner
    from syncworkers.flows.sending import Entity
    from syncworkers.store.plans import Planned

TOGETHER = 200
"""Deliveries looked up at a time."""
LOOK_LIMIT = 300.0
"""Seconds for the look-ups of so many."""
CHANGED_BY = {effects.ORDER_READDRESS: Kind.ORDER, effects.PART_READDRESS: Kind.PART}
UNDONE_BY = {effects.ORDER_CANCEL: Kind.ORDER, effects.PART_CANCEL: Kind.PART}


class Finding(StrEnum):
    """How plan and reality differ."""

    MISSING = "missing"
    """We would have done it, and nobody has."""
    DIFFERS = "differs"
    """It is there, and otherwise than we would have it."""
    UNPLANNED = "unplanned"
    """It is there, and nothing of ours plans it."""
    UNWRITABLE = "unwritable"
    """Our own mapping refuses to write it."""
    AMBIGUOUS = "ambiguous"
    """Several objects there, or several orders of ours, bear the same name."""
    UNREAD = "unread"
    """It could not be looked up now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unlinked:
    """What of ours stands there by its name alone: a look-up before sending would not find it."""

    kind: str
    entity_id: int
    external_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One of them: `details` field by field."""

    finding: Finding
    order: str
    store: str
    operation: str
    external_id: str | None
    details: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PartnerReport:
    """One partner's plan beside its reality; orders by the number of their store."""

    partner: str
    mode: Mode
    since: dt.datetime
    until: dt.datetime
    planned: int
    agree: tuple[str, ...]
    differ: tuple[Difference, ...]
    unlinked: tuple[Unlinked, ...]

    @property
    def ok(self) -> bool:
        """Say whether plan and reality are the same."""
        return not self.differ


def report(fleet: Fleet, partner: str, since: dt.datetime) -> PartnerReport:
    """Compare what was planned since then; raises the errors of `Pulls` where nothing is listed."""
    known = fleet.partners[partner]
    with fleet.session() as session:
        until = fleet_state.now(session)
        mode = partner_state.mode(session, partner)
    there = list(_sightings(known, since, until))
    comparison = _Comparison(known, _Index(there))
    count = after = 0
    while True:
        with fleet.session() as session:
            some = plans.planned(session, partner, since, after=after, limit=TOGETHER)
            entities = {sending.entity(one.row) for one in some}
            links = identity.links(session, partner, entities)
        if not some:
            break
        count, after = count + len(some), some[-1].row["id"]
        comparison.add(some, links)
    comparison.run()
    differ = [*comparison.differ, *_unplanned(fleet, partner, there, comparison.used)]
    wrong = {(one.store, one.order) for one in differ}
    return PartnerReport(
        partner=partner,
        mode=mode,
        since=since,
        until=until,
        planned=count,
        agree=tuple(sorted({order for store, order in comparison.orders - wrong if order})),
        differ=tuple(differ),
        unlinked=tuple(comparison.unlinked),
    )


def _sightings(partner: Partner, since: dt.datetime, until: dt.datetime) -> Iterator[Sighting]:
    connection = partner.connection
    if isinstance(connection, Observes):
        for page in connection.standing(since, until):
            yield from page


def plain(name: str) -> str:
    """Bring a name into one form: stores write #1001, people 1001."""
    return name.strip().removeprefix("#").casefold()


class _Index:
    """What stands there, by what it may be known by."""

    def __init__(self, there: Iterable[Sighting]) -> None:
        self._by_id: dict[tuple[str, str], Sighting] = {}
        self._by_name: dict[tuple[str, str], list[Sighting]] = defaultdict(list)
        for one in there:
            self._by_id[one.kind, one.external_id] = one
            for name in {plain(name) for name in (*one.names, one.reference) if name}:
                self._by_name[one.kind, name].append(one)

    def by_id(self, kind: str, external_id: str) -> Sighting | None:
        """Return what has this id."""
        return self._by_id.get((kind, external_id))

    def named(self, kind: str, name: str) -> Sequence[Sighting]:
        """Return what bears this name; what was called off there only if nothing else does."""
        found = self._by_name.get((kind, plain(name)), [])
        return [one for one in found if not one.cancelled] or found


@dataclass(slots=True)
class _Entity:
    """All that is planned for one entity, in order."""

    planned: list[Planned] = field(default_factory=list)
    link: tuple[str, str | None] | None = None

    def has(self, operations: Iterable[str]) -> bool:
        """Say whether one of these is planned."""
        return any(one.row["operation"] in operations for one in self.planned)


class _Comparison:
    """Gathers the plan by entity, looks all of it up, and says what differs."""

    def __init__(self, partner: Partner, there: _Index) -> None:
        self._partner = partner
        self._there = there
        self._entities: dict[Entity, _Entity] = defaultdict(_Entity)
        self._names: dict[tuple[str, str], set[int]] = defaultdict(set)
        self.orders: set[tuple[str, str]] = set()
        self.used: set[tuple[str, str]] = set()
        self.differ: list[Difference] = []
        self.unlinked: list[Unlinked] = []

    def add(self, some: Sequence[Planned], links: dict[Entity, tuple[str, str | None]]) -> None:
        """Take a part of the plan in."""
        for one in some:
            kind, entity_id = sending.entity(one.row)
            self._entities[kind, entity_id].planned.append(one)
            self._entities[kind, entity_id].link = links.get((kind, entity_id))
            self.orders.add((one.store, one.number))
            if one.row["operation"] in effects.CREATES:
                for name in _names(one):
                    self._names[kind, plain(name)].add(entity_id)

    def run(self) -> None:
        """Look everything up, many at a time."""
        wanted: list[tuple[Planned, Request, Sighting | None]] = []
        for (kind, entity_id), entity in self._entities.items():
            sighted = self._sight(kind, entity_id, entity)
            for one in entity.planned:
                request = self._request(one, entity, sighted)
                if request is not None:
                    wanted.append((one, request, sighted))
        for start in range(0, len(wanted), TOGETHER):
            some = wanted[start : start + TOGETHER]
            requests = [request for _, request, _ in some]
            outcomes = self._partner.connection.find(requests, Deadline(LOOK_LIMIT))
            for (one, request, sighted), outcome in zip(some, outcomes, strict=True):
                self._judge(one, request, sighted, outcome)

    def _sight(self, kind: str, entity_id: int, entity: _Entity) -> Sighting | None:
        """Return what an entity of ours is there: by link, our reference, or a shared name."""
        first = entity.planned[0]
        if entity.link is not None:
            return self._note(self._there.by_id(kind, entity.link[0]))
        reference = str(first.row["body"].get("reference") or "")
        own = [one for one in self._there.named(kind, reference) if one.reference == reference]
        if own or not entity.has(effects.CREATES):
            return self._note(own[0] if own else None)
        for name in _names(first):
            found = self._there.named(kind, name)
            sharing = self._names[kind, plain(name)]
            if len(found) == 1 and len(sharing) == 1:
                return self._note(found[0])
            if found:
                ids = ", ".join(one.external_id for one in found)
                told = f"{name} names {ids} there and {len(sharing)} of ours"
                self._differ(Finding.AMBIGUOUS, first, None, (told,))
                self.used |= {(kind, one.external_id) for one in found}
        return None

    def _note(self, sighted: Sighting | None) -> Sighting | None:
        if sighted is not None:
            self.used.add((sighted.kind, sighted.external_id))
        return sighted

    def _request(self, one: Planned, entity: _Entity, sighted: Sighting | None) -> Request | None:
        """Write what is planned; None, and said, where it cannot be written."""
        links = {sending.entity(one.row): entity.link or (None, None)}
        try:
            request = sending.request_of(self._partner, one.row, links, ())
        except RejectedError as error:
            details = tuple(f"{each.path}: {each.message}" for each in error.violations)
            self._differ(Finding.UNWRITABLE, one, None, details or (str(error),))
            return None
        reference = str(one.row["body"].get("reference") or "")
        others = sighted is not None and sighted.reference != reference
        external_id = sighted.external_id if others and sighted else request.external_id
        return replace(
            request,
            external_id=external_id,
            imported=others or entity.link is not None,
            readdressed=entity.has(CHANGED_BY) and one.row["operation"] in effects.CREATES,
        )

    def _judge(
        self, one: Planned, request: Request, sighted: Sighting | None, outcome: Outcome
    ) -> None:
        kind, entity_id = sending.entity(one.row)
        there = outcome.external_id or request.external_id
        if there is not None:
            self.used.add((kind, there))
        entity = self._entities[kind, entity_id]
        if sighted is not None and _by_name_alone(one, entity, sighted, outcome):
            self.unlinked.append(
                Unlinked(kind=kind, entity_id=entity_id, external_id=sighted.external_id)
            )
        match outcome.verdict:
            case Verdict.ADOPTED | Verdict.CONFIRMED:
                if outcome.differences:
                    self._differ(Finding.DIFFERS, one, there, outcome.differences)
            case Verdict.ABSENT:
                self._judge_absent(one, entity, sighted)
            case Verdict.REJECTED:
                self._judge_refused(one, entity, outcome, there)
            case _:
                self._differ(Finding.UNREAD, one, there, (outcome.error or "no time was left",))

    def _judge_absent(self, one: Planned, entity: _Entity, sighted: Sighting | None) -> None:
        """What was called off before anybody made it is rightly not there.

        What bears its name, and cannot be read by it, was made by somebody else.
        """
        is_create = one.row["operation"] in effects.CREATES
        if is_create and (entity.has(UNDONE_BY) or sighted is not None):
            return
        self._differ(Finding.MISSING, one, None, (_wanted(one),))

    def _judge_refused(
        self, one: Planned, entity: _Entity, outcome: Outcome, there: str | None
    ) -> None:
        codes = {violation.code for violation in outcome.violations}
        if any(code.endswith(".order_missing") for code in codes):
            # The create is said to be missing already; a cancel has come true.
            if not entity.has(effects.CREATES) and one.row["operation"] not in UNDONE_BY:
                self._differ(Finding.MISSING, one, there, (outcome.error or "",))
            return
        details = outcome.differences or (outcome.error or "refused",)
        self._differ(Finding.DIFFERS, one, there, details)

    def _differ(
        self, finding: Finding, one: Planned, there: str | None, details: tuple[str, ...]
    ) -> None:
        self.differ.append(
            Difference(
                finding=finding,
                order=one.number or f"{one.row['entity_kind']} {one.row['entity_id']}",
                store=one.store,
                operation=one.row["operation"],
                external_id=there,
                details=details,
            )
        )


def _by_name_alone(one: Planned, entity: _Entity, sighted: Sighting, outcome: Outcome) -> bool:
    """Say whether a create would be sent although its object is there.

    Parcels are known again by what is in them where a partner can do that.
    """
    if one.row["operation"] not in effects.CREATES or entity.link is not None:
        return False
    ours = sighted.reference == str(one.row["body"].get("reference") or "")
    is_parcel = one.row["entity_kind"] == Kind.SHIPMENT
    return not ours and (not is_parcel or outcome.verdict is Verdict.ABSENT)


def _names(one: Planned) -> Iterator[str]:
    """Name what people may know an object by that is not under our reference."""
    tracking = one.row["body"].get("tracking_number")
    if one.row["entity_kind"] == Kind.SHIPMENT:
        if tracking:
            yield str(tracking)
    elif one.number:
        yield one.number


def _wanted(one: Planned) -> str:
    return f"{one.row['operation']} is planned since {one.row['created_at']:%Y-%m-%d %H:%M} UTC"


def _unplanned(
    fleet: Fleet, partner: str, there: Sequence[Sighting], used: set[tuple[str, str]]
) -> Iterator[Difference]:
    """Name what stands there, is not called off, and nothing of ours is about."""
    left = [one for one in there if (one.kind, one.external_id) not in used and not one.cancelled]
    with fleet.session() as session:
        owned = identity.owners(session, partner, {(one.kind, one.external_id) for one in left})
        references = {one.reference for one in left} | {one.external_id for one in left}
        ours = plans.ours(session, partner, references)
        ours |= _planned_before(session, partner, left)
    for one in left:
        names = {one.reference, one.external_id, *map(plain, one.names)}
        if (one.kind, one.external_id) in owned or names & ours:
            continue
        yield Difference(
            finding=Finding.UNPLANNED,
            order=next((name.removeprefix("#") for name in one.names), one.external_id),
            store="",
            operation=f"{one.kind}.create",
            external_id=one.external_id,
            details=(f"{one.kind} {one.external_id}, reference {one.reference or 'none'}",),
        )


def _planned_before(session: Session, partner: str, left: Sequence[Sighting]) -> set[str]:
    """Return the names of orders that were planned, or done, before the time reported on."""
    names = {plain(name) for one in left for name in one.names}
    orders = takeover.orders_named(session, names)
    parts = takeover.parts_of(session, {one.id for one in orders})
    targets = {(Kind.ORDER.value, one.id, partner): one for one in orders}
    by_id = {one.id: one for one in orders}
    targets |= {
        (Kind.PART.value, part, partner): by_id[order]
        for (order, warehouse, _), part in parts.items()
        if warehouse == partner
    }
    made = takeover.creates_of(session, list(targets))
    return {plain(targets[target].number) for target in made}
