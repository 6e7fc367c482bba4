"""Root orders, locked, with everything that came of them: what shipments and invoices need."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from syncworkers.canonical.bookings import Booking
from syncworkers.canonical.kinds import Kind
from syncworkers.rules import effects, expectations, matching, shipping
from syncworkers.store import codec, invoices, outbox, parts, shipments
from syncworkers.store import orders as order_store

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from sqlalchemy.orm import Session

    from syncworkers.flows.writes import Writes
    from syncworkers.store.orders import StoredOrder
    from syncworkers.store.parts import StoredPart


@dataclass(slots=True, kw_only=True)
class Root:
    """An order as it stands while the batch is decided. All its lists may grow meanwhile."""

    stored: StoredOrder
    parts: list[parts.StoredPart]
    shipments: list[shipments.StoredShipment]
    invoices: list[invoices.StoredInvoice]
    booked: tuple[matching.BookedLine, ...]
    erp_cancel: str | None
    """How the cancel owed to the ERP stands."""
    part_cancels: Mapping[int, str]
    """How those owed to warehouses stand, by part."""
    rematch: bool = field(default=False)
    """A shipment or an invoice is new."""

    def packed(self, part: StoredPart) -> shipping.Counted:
        """Return what left with all shipments of a part, as its warehouse counts."""
        mine = [(one.lines, one.packed) for one in self.shipments if one.part_id == part.id]
        return shipping.packed(part.lines, mine)

    def shipped(self, part: int) -> dict[str, int]:
        """Return what left with all shipments of a part, in sales units by order line."""
        return shipping.shipped(one.lines for one in self.shipments if one.part_id == part)


def load_roots(session: Session, ids: Collection[int]) -> dict[int, Root]:
    """Lock these orders, and read what came of them."""
    orders = order_store.lock_ids(session, ids)
    found_parts = parts.of_orders(session, orders)
    found_shipments = shipments.of_orders(session, orders)
    found_invoices = invoices.of_orders(session, orders)
    bookings = outbox.bodies_of(session, Kind.ORDER, effects.ORDER_CREATE, orders)
    cancelled = [one.id for one in orders.values() if one.order.cancelled_at is not None]
    at_erp = outbox.states_of(session, Kind.ORDER, effects.ORDER_CANCEL, cancelled)
    at_warehouses = outbox.states_of(
        session,
        Kind.PART,
        effects.PART_CANCEL,
        [part.id for order in cancelled for part in found_parts[order]],
    )
    return {
        key: Root(
            stored=order,
            parts=found_parts[key],
            shipments=found_shipments[key],
            invoices=found_invoices[key],
            booked=tuple(_booked(bookings[key])) if key in bookings else (),
            erp_cancel=at_erp.get(key),
            part_cancels=at_warehouses,
        )
        for key, order in orders.items()
    }


def _booked(body: dict[str, object]) -> Iterable[matching.BookedLine]:
    """Read the lines as they were booked: the tables may have changed since."""
    for line in codec.load(body, Booking).lines:
        yield matching.BookedLine(
            reference=line.reference,
            item=line.item,
            net_price=line.unit_price - line.unit_discount,
        )


def match_invoices(session: Session, roots: Iterable[Root], writes: Writes) -> None:
    """Match the invoices of these orders to what was shipped, and note what that meets."""
    touched = [root for root in roots if root.rematch and root.invoices]
    before = invoices.matches_of(session, [one.id for root in touched for one in root.invoices])
    changed: list[int] = []
    new: list[invoices.Match] = []
    for root in touched:
        found = _matches(root)
        for invoice in root.invoices:
            mine = [one for one in found if one.invoice_id == invoice.id]
            if mine != before[invoice.id]:
                changed.append(invoice.id)
                new += mine
        for shipment in {one.shipment_id for one in found if one.shipment_id is not None}:
            writes.end_expectation(expectations.INVOICED, Kind.SHIPMENT, shipment)
    invoices.replace_matches(session, changed, new)


def _matches(root: Root) -> list[invoices.Match]:
    shipped = [
        matching.ShippedUnits(
            shipment=one.id,
            shipped_at=one.shipped_at,
            reference=line.reference,
            quantity=line.quantity,
        )
        for one in root.shipments
        for line in one.lines
    ]
    ids = {one.invoice.external_id: one.id for one in root.invoices}
    found = matching.match(root.booked, shipped, [one.invoice for one in root.invoices])
    places: dict[tuple[int, int], int] = {}
    matches = []
    for one in found:
        line = (ids[one.invoice], one.line)
        places[line] = places.get(line, -1) + 1
        matches.append(
            invoices.Match(
                invoice_id=line[0],
                line=line[1],
                place=places[line],
                order_line=one.reference,
                shipment_id=one.shipment,
                quantity=one.quantity,
                certain=one.certain,
            )
        )
    return sorted(matches, key=lambda one: (one.invoice_id, one.line, one.place))
