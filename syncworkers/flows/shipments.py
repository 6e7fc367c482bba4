"""Decide about messages on shipments: what left the warehouse is told to the ERP and the store."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from syncworkers.canonical.advices import ShipAdvice
from syncworkers.canonical.kinds import Kind
from syncworkers.canonical.shipments import TrackingReport, WarehouseReport, WarehouseState
from syncworkers.engine import lines
from syncworkers.errors import RejectedError, Violation, WaitingError
from syncworkers.flows.advices import Advices
from syncworkers.flows.parcels import Parcels, parcel_key
from syncworkers.flows.parents import await_parent
from syncworkers.flows.roots import Root, load_roots, match_invoices
from syncworkers.rules import clock, effects, expectations, release, shipping
from syncworkers.rules.units import FRACTION
from syncworkers.store import fleet as fleet_state
from syncworkers.store import identity, outbox, partner_state
from syncworkers.store import parts as part_store
from syncworkers.store import shipments as shipment_store
from syncworkers.store.partner_state import Mode

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.orm import Session

    from syncworkers.errors import SyncError
    from syncworkers.flows.fleet import Fleet
    from syncworkers.flows.reading import Reading
    from syncworkers.flows.writes import Writes

UNKNOWN_ORDER = "shipment.unknown_order"
UNKNOWN_PARCEL = "shipment.unknown_parcel"
Subject = WarehouseReport | TrackingReport | ShipAdvice
"""What warehouses and carriers say."""


class Shipments:
    """Decides about the reports of one batch; see `applying.Decider`."""

    def __init__(self, fleet: Fleet, session: Session, writes: Writes) -> None:
        self._fleet = fleet
        self._session = session
        self._writes = writes
        self._orders: dict[tuple[str, str, str], int] = {}
        self._imported: dict[tuple[str, str], str] = {}
        """Our references of what an earlier integration entered, by warehouse and its id."""
        self._holders: dict[str, part_store.Holder] = {}
        """Who ships what a partner speaks of that is not its own."""
        self._modes: dict[str, Mode] = {}
        self._roots: dict[int, Root] = {}
        self._changed: dict[int, part_store.StoredPart] = {}
        self._parcels = Parcels(fleet, session, writes, now=fleet_state.now(session))
        self._advices = Advices(session, writes)

    def load(self, readings: Sequence[Reading]) -> None:
        """Lock the orders behind the reports, and read what came of them."""
        for partner in {one.partner for one in readings}:
            subjects = [one.subject for one in readings if one.partner == partner]
            self._find_orders(partner, subjects)
        self._roots = load_roots(self._session, set(self._orders.values()))
        advised = [one for one in readings if isinstance(one.subject, ShipAdvice)]
        parts = (self._advised(one) for one in advised)
        self._advices.load({part.id for part in parts if part is not None})
        self._parcels.draw_ids(sum(self._most_new(one) for one in readings))

    def _advised(self, reading: Reading) -> part_store.StoredPart | None:
        """Return the part that a document is about."""
        root = self._root(reading)
        reference = self._reference(reading.partner, reading.subject)
        return None if root is None else _part(root, reference)

    def _most_new(self, reading: Reading) -> int:
        """Return how many parcels a message may bring at most."""
        subject = reading.subject
        if isinstance(subject, ShipAdvice):
            part = self._advised(reading)
            return 0 if part is None else 1 + self._advices.count(part.id)
        return len(subject.shipments) if isinstance(subject, WarehouseReport) else 0

    def _find_orders(self, partner: str, subjects: Sequence[Subject]) -> None:
        reports = [one for one in subjects if not isinstance(one, TrackingReport)]
        self._modes[partner] = partner_state.mode(self._session, partner)
        theirs = {_part_id(one) for one in reports}
        for name, ours in part_store.imported(self._session, partner, theirs).items():
            self._imported[partner, name] = ours
        references = {self._reference(partner, one) for one in reports}
        known = part_store.orders_of(self._session, partner, references)
        for name, order in known.items():
            self._orders[partner, "part", name] = order
        self._holders |= part_store.holders(self._session, references - known.keys())
        ids = {one.external_id for one in subjects if isinstance(one, TrackingReport)}
        for name, order in shipment_store.orders_of(self._session, partner, ids).items():
            self._orders[partner, "shipment", name] = order

    def _reference(self, partner: str, report: WarehouseReport | ShipAdvice) -> str:
        """Return our reference of the part a report is about."""
        return self._imported.get((partner, _part_id(report)), report.reference)

    def _root(self, reading: Reading) -> Root | None:
        subject = reading.subject
        if isinstance(subject, TrackingReport):
            key = (reading.partner, "shipment", subject.external_id)
        else:
            key = (reading.partner, "part", self._reference(reading.partner, subject))
        order = self._orders.get(key)
        return None if order is None else self._roots[order]

    def called(self, reading: Reading) -> str:
        """Return the number of the order, else what the warehouse calls it."""
        if reading.subject is None:
            name: str = reading.row["entity"]
            return name
        root = self._root(reading)
        if root is not None:
            return root.stored.order.number
        return getattr(reading.subject, "reference", "") or reading.subject.external_id

    def decide(self, reading: Reading) -> SyncError | None:
        """Take a report in, or say what is in its way."""
        root = self._root(reading)
        subject = reading.subject
        if isinstance(subject, TrackingReport):
            return self._track(reading, root, subject)
        named = replace(subject, reference=self._reference(reading.partner, subject))
        if root is None and named.reference.startswith(release.CERTIFY):
            self._writes.end(reading, "superseded", "made by `partners certify`")
            return None
        if root is None:
            return self._unknown(reading, named)
        try:
            if isinstance(named, ShipAdvice):
                self._add_up(reading, root, named)
            else:
                self._take(reading, root, named)
        except RejectedError as error:
            return error
        return None

    def _add_up(self, reading: Reading, root: Root, advice: ShipAdvice) -> None:
        """Take a document in: with those before it, it says how its part stands."""
        part = _part(root, advice.reference)
        folded = self._advices.fold(part, advice)
        report = folded.report
        if part.reported_at is not None and report.updated_at < part.reported_at:
            # All that was said is in it: whenever it was written, it is never the older word. What
            # corrects something counts in no later sum, though its date was noted.
            report = replace(report, updated_at=part.reported_at)
        self._take(reading, root, report)
        self._advices.keep(reading, root, part, advice, folded)

    def _unknown(self, reading: Reading, report: WarehouseReport | ShipAdvice) -> SyncError:
        if release.is_ours(report.reference, self._fleet.policy.bookings):
            holder = self._holders.get(report.reference)
            if holder is not None:
                return self._not_theirs(reading.partner, report, holder)
            return await_parent(
                reading,
                key=f"part:{reading.partner}:{report.reference}",
                code=UNKNOWN_ORDER,
                what=f"order part {report.reference}",
                now=self._parcels.now,
                patience=self._fleet.policy.expectations[expectations.PARENT_KNOWN],
            )
        if self._modes[reading.partner] is Mode.OBSERVE:
            # An earlier integration works there: its orders become ours as links are imported.
            told = f"{reading.partner} has {report.external_id} from somebody else"
            return WaitingError(
                told, key=identity.key(Kind.PART, reading.partner, _part_id(report))
            )
        message = (
            f"{reading.partner} has an order {report.reference!r} (its id {report.external_id}) "
            "that no store of ours sent: find out who made it, because its goods leave the stock"
        )
        violation = Violation(path="reference", code=UNKNOWN_ORDER, message=message)
        return RejectedError("an order we never sent", violations=[violation])

    def _not_theirs(
        self, node: str, report: WarehouseReport | ShipAdvice, holder: part_store.Holder
    ) -> RejectedError:
        """Refuse what another node does with a part: above all of another company's stock."""
        policy = self._fleet.policy
        company = holder.company or policy.bookings[holder.store].company
        stock_of = policy.fulfilment.warehouses[node].company or company
        code, whose = "fulfilment.other_node", ""
        if stock_of != company:
            code = "fulfilment.other_company"
            whose = f", of stock of {stock_of} for an order booked in {company}"
        message = (
            f"order {holder.order_number} is to be shipped by {holder.partner}, and {node} speaks"
            f" of it as {report.external_id}{whose}: have it stopped there, or book the goods over"
        )
        violation = Violation(path="reference", code=code, message=message)
        return RejectedError("a part that is another's to ship", violations=[violation])

    def _take(self, reading: Reading, root: Root, report: WarehouseReport) -> None:
        part = _part(root, report.reference)
        moment = clock.believed(report.updated_at, self._parcels.now, part.reported_at)
        report = replace(report, updated_at=moment)
        correlation = root.stored.correlation_id
        if part.reported_at is not None and report.updated_at < part.reported_at:
            reason = f"we have a newer report, of {part.reported_at.isoformat()}"
            self._writes.end(reading, "superseded", reason, correlation)
            return
        said = self._parcels.take(reading, root, part, report)
        complete = shipping.is_complete(part.lines, root.shipped(part.id))
        if complete:
            self._writes.end_expectation(expectations.SHIPPED, Kind.PART, part.id)
        said += self._note_state(reading, root, part, report, complete=complete)
        if said:
            self._writes.end(reading, "applied", "; ".join(said), correlation)
        else:
            self._writes.end(reading, "superseded", "says nothing new", correlation)

    def _note_state(
        self,
        reading: Reading,
        root: Root,
        part: part_store.StoredPart,
        report: WarehouseReport,
        *,
        complete: bool,
    ) -> list[str]:
        """Note how far the part is; a state that somebody must look at becomes a case."""
        state, detail = shipping.stage(report, complete=complete)
        acknowledged = state in shipping.ACKNOWLEDGED
        if acknowledged and not part.acknowledged:
            self._writes.end_expectation(expectations.ACKNOWLEDGED, Kind.PART, part.id)
        moved = state.value != part.state
        if moved or report.updated_at != part.reported_at:
            changed = replace(
                part,
                state=state.value,
                code=report.code,
                reported_at=report.updated_at,
                acknowledged=acknowledged or part.acknowledged,
            )
            self._changed[part.id] = changed
            root.parts[root.parts.index(part)] = changed
        if not moved:
            return []
        self._attend(reading, root, part, state, detail)
        return [f"{part.partner} says {report.code}"]

    def _attend(
        self,
        reading: Reading,
        root: Root,
        part: part_store.StoredPart,
        state: WarehouseState,
        detail: str,
    ) -> None:
        before = WarehouseState(part.state) if part.state else None
        if before is not None and before in shipping.TROUBLE:
            self._writes.mended.append((part.reference, shipping.TROUBLE[before]))
        called_off = root.stored.order.cancelled_at is not None
        if state is WarehouseState.CANCELLED:
            self._writes.end_expectation(
                expectations.SHIPPED, Kind.PART, part.id, state="cancelled"
            )
        if state in shipping.TROUBLE and not (state is WarehouseState.CANCELLED and called_off):
            self._writes.open_case(
                reading,
                code=shipping.TROUBLE[state],
                error=f"{part.partner}, order {root.stored.order.number}: {detail}",
                called=part.reference,
                correlation_id=root.stored.correlation_id,
            )
        leftover = shipping.leftover(part.lines, root.packed(part))
        if state is WarehouseState.CANCELLED and leftover:
            self._writes.open_case(
                reading,
                code=FRACTION,
                error=f"{part.partner}, order {root.stored.order.number}: nothing more is to"
                f" follow, and {' and '.join(leftover)} left without making whole what was sold:"
                " have the rest sent, or settle it with the customer and correct the stock",
                called=part.reference,
                correlation_id=root.stored.correlation_id,
            )

    def _track(
        self, reading: Reading, root: Root | None, subject: TrackingReport
    ) -> SyncError | None:
        moment = clock.believed(subject.updated_at, self._parcels.now, None)
        report = replace(subject, updated_at=moment)
        if root is None:
            return await_parent(
                reading,
                key=parcel_key(reading.partner, report.external_id),
                code=UNKNOWN_PARCEL,
                what=f"parcel {report.external_id}",
                now=self._parcels.now,
                patience=self._fleet.policy.expectations[expectations.PARENT_KNOWN],
            )
        said = self._parcels.track(reading, root, report)
        state = "applied" if said else "superseded"
        reason = "; ".join(said) or "says nothing new"
        self._writes.end(reading, state, reason, root.stored.correlation_id)
        return None

    def write(self) -> None:
        """Write parts, parcels and what they match; wake the cancels that wait for such news."""
        part_store.report(self._session, list(self._changed.values()))
        self._advices.write()
        self._parcels.write()
        match_invoices(self._session, self._roots.values(), self._writes)
        waiting = outbox.open_lines(self._session, Kind.PART, effects.PART_CANCEL, self._changed)
        woken = lines.hasten(self._session, waiting)
        lanes = self._fleet.lanes.values()
        self._writes.touched |= {lane.name for lane in lanes if lane.id in woken}


def _part_id(report: WarehouseReport | ShipAdvice) -> str:
    """Return the warehouse's own id of a part; one that sends documents knows it by ours alone."""
    return report.reference if isinstance(report, ShipAdvice) else report.external_id


def _part(root: Root, reference: str) -> part_store.StoredPart:
    return next(one for one in root.parts if one.reference == reference)
