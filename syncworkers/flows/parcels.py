"""Parcels of one batch: new ones are told to ERP and store, known ones move on."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import TYPE_CHECKING

from syncworkers.canonical.kinds import Kind
from syncworkers.canonical.shipments import (
    Milestone,
    MilestoneEvent,
    ReportedShipment,
    Shipment,
    TrackingReport,
    WarehouseReport,
    WarehouseState,
)
from syncworkers.flows.writes import Cause
from syncworkers.rules import expectations, milestones, shipping, telling
from syncworkers.rules.milestones import Position
from syncworkers.store import base, shipments

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sqlalchemy.orm import Session

    from syncworkers.canonical.shipments import ShippedLine
    from syncworkers.flows.fleet import Fleet
    from syncworkers.flows.reading import Reading
    from syncworkers.flows.roots import Root
    from syncworkers.flows.writes import Writes
    from syncworkers.store.parts import StoredPart
    from syncworkers.store.shipments import StoredShipment

RULES_VERSION = "shipments/2"
INCIDENTS = frozenset(
    {Milestone.REFUSED, Milestone.DAMAGED, Milestone.LOST, Milestone.RETURNING}
    | {Milestone.CANCELLED}
)
"""News of a parcel that a person must act upon."""
DAY = dt.timedelta(days=1)


def parcel_key(partner: str, external_id: str) -> str:
    """Name what news of a parcel wait for that nobody has told us of yet."""
    return f"parcel:{partner}:{external_id}"


class Parcels:
    """Gathers new and changed shipments, and what they ask for."""

    def __init__(self, fleet: Fleet, session: Session, writes: Writes, *, now: dt.datetime) -> None:
        self._fleet = fleet
        self._session = session
        self._writes = writes
        self.now = now
        self._ids: list[int] = []
        self._new: dict[int, StoredShipment] = {}
        self._changed: dict[int, StoredShipment] = {}
        self._milestones: list[shipments.NewMilestone] = []

    def draw_ids(self, count: int) -> None:
        """Draw ids for as many shipments as may be new."""
        self._ids = base.draw_ids(self._session, shipments.ShipmentRow, count)

    def take(
        self, reading: Reading, root: Root, part: StoredPart, report: WarehouseReport
    ) -> list[str]:
        """Take in all parcels of a report; return what is new, in words.

        Raises `RejectedError`, before anything is noted, for goods that were not ordered.
        """
        known = {one.external_id: one for one in root.shipments if one.part_id == part.id}
        new = list(self._allotted(root, part, report, known))
        said = [self._ship(reading, root, part, one, lines) for one, lines in new]
        for one in report.shipments:
            if one.external_id in known:
                said += self._move(reading, root, known[one.external_id], one)
        return said

    def _allotted(
        self,
        root: Root,
        part: StoredPart,
        report: WarehouseReport,
        known: dict[str, StoredShipment],
    ) -> Iterator[tuple[ReportedShipment, tuple[ShippedLine, ...]]]:
        """Say which sales units the goods of new parcels make whole."""
        before = root.packed(part)
        for place, one in enumerate(report.shipments):
            if one.state is WarehouseState.SHIPPED and one.external_id not in known:
                path = f"shipments[{place}]"
                lines = shipping.allot(part.lines, before, one.goods, path)
                before = shipping.added(before, one.goods)
                yield one, lines

    def _ship(
        self,
        reading: Reading,
        root: Root,
        part: StoredPart,
        reported: ReportedShipment,
        lines: tuple[ShippedLine, ...],
    ) -> str:
        stored = self._stored(root, part, reported, lines)
        root.shipments.append(stored)
        root.rematch = True
        self._new[stored.id] = stored
        self._writes.arrived.append(parcel_key(stored.partner, stored.external_id))
        self._note_milestones(stored, reported.milestones, reading)
        self._note_version(reading, stored, reported)
        self._tell(reading, root, stored)
        units = sum(line.quantity for line in lines)
        what = f"{units} units" if lines else "goods that make no unit whole yet"
        return f"{what} left with {stored.carrier} {stored.tracking_number}".rstrip()

    def _stored(
        self,
        root: Root,
        part: StoredPart,
        reported: ReportedShipment,
        lines: tuple[ShippedLine, ...],
    ) -> StoredShipment:
        policy = self._fleet.policy
        poll = policy.partners[part.partner].poll
        shipped_at = reported.shipped_at or self.now
        begun = Position(milestone=Milestone.LABEL_CREATED, at=shipped_at)
        position = self._follow(root, begun, reported.milestones)
        return shipments.StoredShipment(
            id=self._ids.pop(0),
            scope=root.stored.scope,
            order_id=root.stored.id,
            part_id=part.id,
            partner=part.partner,
            external_id=reported.external_id,
            version=1,
            correlation_id=root.stored.correlation_id,
            carrier=policy.fulfilment.carriers.get(reported.carrier, reported.carrier),
            service=reported.service,
            tracking_number=reported.tracking_number,
            tracking_url=reported.tracking_url,
            shipped_at=shipped_at,
            milestone=position.milestone,
            milestone_at=position.at,
            flag=position.flag,
            tracked_at=None,
            track_due_at=self.now + dt.timedelta(seconds=poll.track) if poll else None,
            lines=lines,
            packed=reported.goods,
        )

    def _follow(self, root: Root, position: Position, events: Sequence[MilestoneEvent]) -> Position:
        placed_at = root.stored.order.placed_at
        return milestones.follow(position, events, placed_at=placed_at, now=self.now)

    def _note_milestones(
        self, stored: StoredShipment, events: Sequence[MilestoneEvent], reading: Reading
    ) -> None:
        self._milestones += [
            shipments.NewMilestone(shipment_id=stored.id, event=event, message_id=reading.row["id"])
            for event in events
        ]

    def _note_version(
        self, reading: Reading, stored: StoredShipment, reported: ReportedShipment
    ) -> None:
        self._writes.keep_version(
            reading,
            kind=Kind.SHIPMENT,
            entity=stored.id,
            version=stored.version,
            rules=RULES_VERSION,
            accepted=reported,
        )

    def _tell(self, reading: Reading, root: Root, stored: StoredShipment) -> None:
        """Owe the news to ERP and store; a shipment after a cancel is for a person to decide.

        Neither hears of a parcel that makes nothing whole that was sold.
        """
        cause = self._cause(reading, root, stored)
        cancelled = root.stored.order.cancelled_at is not None
        store = root.stored.partner if stored.lines and not cancelled else None
        erp = root.stored.erp if stored.lines and root.erp_cancel != "confirmed" else None
        shipment = self._shipment(root, stored)
        for effect in telling.shipped(shipment, store=store, erp=erp):
            self._writes.owe(cause, effect)
        if store is not None:
            self._writes.expect(cause, expectations.STORE_TOLD, store, Kind.SHIPMENT, stored.id)
        if erp is not None:
            self._writes.expect(cause, expectations.INVOICED, erp, Kind.SHIPMENT, stored.id)
        # Where the warehouse refused the cancel, there is a case already.
        if cancelled and root.part_cancels.get(stored.part_id) != "dead":
            self._writes.open_case(
                reading,
                code="shipment.after_cancel",
                error=f"order {root.stored.order.number} was cancelled, and {stored.partner} "
                "shipped it all the same: have it returned, or settle it with the customer",
                called=root.stored.order.number,
                correlation_id=root.stored.correlation_id,
            )

    def _cause(self, reading: Reading, root: Root, stored: StoredShipment) -> Cause:
        return Cause(
            reading=reading,
            correlation_id=root.stored.correlation_id,
            line=root.stored.id,
            version=stored.version,
            entities={(Kind.SHIPMENT, 0): stored.id},
        )

    def _shipment(self, root: Root, stored: StoredShipment) -> Shipment:
        order, policy = root.stored.order, self._fleet.policy
        return Shipment(
            # The warehouse's own id: it stays the same when our database was restored.
            reference=f"{stored.partner}/{stored.external_id}",
            store_order=order.external_id,
            company=root.stored.company or policy.bookings[root.stored.partner].company,
            erp_number=root.stored.erp_number or "",
            shipped_at=stored.shipped_at,
            carrier=stored.carrier,
            service=stored.service,
            tracking_number=stored.tracking_number,
            tracking_url=stored.tracking_url,
            notify_customer=policy.fulfilment.stores[root.stored.partner].notify_customer,
            lines=stored.lines,
        )

    def _move(
        self, reading: Reading, root: Root, stored: StoredShipment, reported: ReportedShipment
    ) -> list[str]:
        """Follow a known parcel: its tracking may come late, and it may be voided."""
        said = self._follow_news(reading, root, stored, self._news(stored, reported))
        present = self._present(stored)
        carriers = self._fleet.policy.fulfilment.carriers
        tracked = replace(
            present,
            carrier=carriers.get(reported.carrier, reported.carrier),
            service=reported.service,
            tracking_number=reported.tracking_number,
            tracking_url=reported.tracking_url,
        )
        if tracked == present or not reported.tracking_number:
            return said
        changed = replace(tracked, version=present.version + 1)
        self._keep(root, changed)
        self._note_version(reading, changed, reported)
        if root.stored.order.cancelled_at is None and changed.lines:
            effect = telling.tracked(
                self._shipment(root, changed), store=root.stored.partner, version=changed.version
            )
            self._writes.owe(self._cause(reading, root, changed), effect)
        return [*said, f"tracking is {changed.carrier} {changed.tracking_number}"]

    def _news(self, stored: StoredShipment, reported: ReportedShipment) -> Sequence[MilestoneEvent]:
        """Return what a report says of a known parcel; that it was taken back is news as well."""
        voided = reported.state is WarehouseState.CANCELLED
        if not voided or self._present(stored).milestone in milestones.ARRIVED:
            return reported.milestones
        taken_back = MilestoneEvent(
            code=reported.code, milestone=Milestone.CANCELLED, occurred_at=self.now
        )
        return [*reported.milestones, taken_back]

    def track(self, reading: Reading, root: Root, report: TrackingReport) -> list[str]:
        """Take in what the carrier says; return what is new, in words."""
        stored = next(
            one
            for one in root.shipments
            if (one.partner, one.external_id) == (reading.partner, report.external_id)
        )
        said = self._follow_news(reading, root, stored, report.milestones)
        present = self._present(stored)
        if present.tracked_at is None or present.tracked_at < report.updated_at:
            self._keep(root, replace(present, tracked_at=report.updated_at))
        return said

    def _follow_news(
        self,
        reading: Reading,
        root: Root,
        stored: StoredShipment,
        events: Sequence[MilestoneEvent],
    ) -> list[str]:
        present = self._present(stored)
        self._note_milestones(present, events, reading)
        before = Position(milestone=present.milestone, at=present.milestone_at, flag=present.flag)
        after = self._follow(root, before, events)
        if after == before:
            return []
        moved = replace(present, milestone=after.milestone, milestone_at=after.at, flag=after.flag)
        if after.milestone in milestones.ARRIVED:
            moved = replace(moved, track_due_at=self.now + DAY)
        self._keep(root, moved)
        if after.milestone is not before.milestone and after.milestone in INCIDENTS:
            self._writes.open_case(
                reading,
                code=f"parcel.{after.milestone.value}",
                error=f"the parcel {present.carrier} {present.tracking_number} of order "
                f"{root.stored.order.number} is {after.milestone.value}: settle it with the carrier"
                " and the customer",
                called=root.stored.order.number,
                correlation_id=root.stored.correlation_id,
            )
        return [f"parcel {present.tracking_number} {after.milestone.value}"]

    def _present(self, stored: StoredShipment) -> StoredShipment:
        """Return a shipment as the batch has left it so far."""
        return self._new.get(stored.id) or self._changed.get(stored.id) or stored

    def _keep(self, root: Root, changed: StoredShipment) -> None:
        """Put a changed shipment in its place."""
        gathered = self._new if changed.id in self._new else self._changed
        gathered[changed.id] = changed
        root.shipments[:] = [changed if one.id == changed.id else one for one in root.shipments]

    def write(self) -> None:
        """Write shipments, their lines and their news."""
        shipments.save(self._session, list(self._new.values()), list(self._changed.values()))
        shipments.add_milestones(self._session, self._milestones)
