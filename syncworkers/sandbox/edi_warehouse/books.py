"""The warehouse's books: orders with unique references, and the parcels that leave for them."""

from __future__ import annotations

import datetime as dt
import itertools
import threading
from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from syncworkers.sandbox.carriers import Parcel

WAITING, ON_HOLD = "Processing", "OnHold"
COMPLETED, CANCELLED = "Completed", "Cancelled"


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipient:
    """To whom it goes."""

    name: str = ""
    address1: str = ""
    address2: str = ""
    city: str = ""
    state: str = ""
    zip_code: str = ""
    country: str = "US"


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """Units of one product, as they were ordered."""

    place: str
    """The sender's id of the line."""
    sku: str
    qualifier: str
    """What kind of id the SKU is, as in VN."""
    quantity: int
    unit: str = "EA"


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """A ship order as it was read: `purpose` is N, F (cancel), R (change)..."""

    purpose: str
    reference: str
    number: str
    method: str
    recipient: Recipient
    lines: tuple[Line, ...]


@dataclass(slots=True, kw_only=True)
class Goods:
    """Units of an ordered line that are meant for one parcel, and what became of them."""

    line: Line
    quantity: int
    lacking: int = 0
    """Of these so many will never come."""
    sent_sku: str = ""
    """What left instead; "" is what was ordered."""

    @property
    def leaving(self) -> int:
        """Return how many units are in the parcel."""
        return self.quantity - self.lacking


@dataclass(slots=True, kw_only=True)
class Shipment:
    """One parcel: what is in it, and how far it is."""

    id: int
    recipient: Recipient
    goods: list[Goods]
    status: str = WAITING
    parcel: Parcel | None = None
    shipped_at: dt.datetime | None = None
    delivered_at: dt.datetime | None = None
    milestone: str | None = None

    @property
    def units(self) -> int:
        """Return how many units leave in it."""
        return sum(one.leaving for one in self.goods)


@dataclass(slots=True, kw_only=True)
class Order:
    """An order as it was sent, and its parcels."""

    id: int
    release: Release
    recipient: Recipient
    created_at: dt.datetime
    shipments: list[Shipment] = field(default_factory=list)
    called_off: bool = False
    """That it is cancelled was told."""

    @property
    def reference(self) -> str:
        """Return the sender's reference."""
        return self.release.reference

    @property
    def begun(self) -> bool:
        """Say whether anything of it has left."""
        return any(one.shipped_at is not None for one in self.shipments)

    @property
    def status(self) -> str:
        """Say how far it is, by its parcels."""
        states = {one.status for one in self.shipments}
        if states == {CANCELLED}:
            return "Cancelled"
        if states <= {COMPLETED, CANCELLED}:
            return "Fulfilled"
        return "PartiallyFulfilled" if COMPLETED in states else "Processing"

    def left(self, line: Line) -> int:
        """Return how many units of a line have left."""
        return sum(
            one.leaving
            for shipment in self.shipments
            if shipment.shipped_at is not None
            for one in shipment.goods
            if one.line == line
        )

    def coming(self, line: Line) -> int:
        """Return how many units of a line are still to leave."""
        return sum(
            one.leaving
            for shipment in self.shipments
            if shipment.status in {WAITING, ON_HOLD}
            for one in shipment.goods
            if one.line == line
        )


class Books:
    """All orders and shipments; `lock` is held for each change and its telling.

    Ids follow from the seed; parcels of two warehouses of different seeds never share a number.
    """

    def __init__(self, *, seed: int) -> None:
        self.lock = threading.RLock()
        self.orders: dict[str, Order] = {}
        """By reference."""
        self.shipments: dict[int, Shipment] = {}
        self.duplicate_attempts = 0
        self.cancel_answers: Counter[str] = Counter()
        self.changes: Counter[str] = Counter()
        first = seed % 1000 * 100_000 + 1
        self._order_ids = itertools.count(700_000_000 + first)
        self._shipment_ids = itertools.count(800_000_000 + first)
        # Behind the numbers of ShipBob's channels, which are below a hundred of these.
        self._parcels = itertools.count(5_000_001 + seed % 49 * 100_000)

    def enter(self, release: Release) -> Order | None:
        """Take an order with one parcel for all of it; None, counted, where it is known."""
        with self.lock:
            if release.reference in self.orders:
                self.duplicate_attempts += 1
                return None
            order = Order(
                id=next(self._order_ids),
                release=release,
                recipient=release.recipient,
                created_at=now_ms(),
            )
            self.orders[release.reference] = order
            self._add(order, [Goods(line=one, quantity=one.quantity) for one in release.lines])
            return order

    def _add(self, order: Order, goods: list[Goods]) -> Shipment:
        shipment = Shipment(id=next(self._shipment_ids), recipient=order.recipient, goods=goods)
        order.shipments.append(shipment)
        self.shipments[shipment.id] = shipment
        return shipment

    def split(self, order: Order, shipment: Shipment, kept: Mapping[str, int]) -> Shipment | None:
        """Leave only these units, by SKU, in a parcel; return the new one with the others."""
        wanted, stays, goes = dict(kept), [], []
        for one in shipment.goods:
            units = min(one.quantity, max(0, wanted.get(one.line.sku, 0)))
            wanted[one.line.sku] = wanted.get(one.line.sku, 0) - units
            stays += [replace(one, quantity=units)] if units else []
            rest = one.quantity - units
            goes += [replace(one, quantity=rest)] if rest else []
        if not (stays and goes):
            return None
        shipment.goods = stays
        return self._add(order, goes)

    def cancel(self, reference: str) -> Order | None:
        """Call an order off, unless something has left; return it if it is called off."""
        with self.lock:
            order = self.orders.get(reference)
            if order is None or order.begun:
                self.cancel_answers["Unknown" if order is None else "Failure"] += 1
                return None
            self.cancel_answers["Repeated" if order.called_off else "Success"] += 1
            for one in order.shipments:
                one.status = CANCELLED
            return order

    def readdress(self, reference: str, recipient: Recipient) -> bool:
        """Send an order elsewhere, unless something has left or it is called off."""
        with self.lock:
            order = self.orders.get(reference)
            done = order is not None and not order.begun and order.status != "Cancelled"
            self.changes["done" if done else "ignored"] += 1
            if order is not None and done:
                order.recipient = recipient
                for one in order.shipments:
                    one.recipient = recipient
            return done

    def next_parcel(self) -> int:
        """Return the serial number of the next parcel."""
        return next(self._parcels)

    def waiting(self, reference: str, states: Sequence[str]) -> tuple[Order, Shipment] | None:
        """Return the next parcel of an order that is in one of these states."""
        order = self.orders.get(reference)
        for one in order.shipments if order else ():
            if one.status in states and order is not None:
                return order, one
        return None


def now_ms() -> dt.datetime:
    """Return the present time in whole milliseconds."""
    now = dt.datetime.now(dt.UTC)
    return now.replace(microsecond=now.microsecond // 1000 * 1000)
