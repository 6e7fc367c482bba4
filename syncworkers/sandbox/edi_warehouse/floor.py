"""The warehouse's floor: it picks and hands over; carriers move what has left.

By itself (autopilot) or step by step, as tests and people tell it. Every step that nobody may take
any more (cancelled, on hold) is left out.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from syncworkers.sandbox.carriers import make_parcel
from syncworkers.sandbox.edi_warehouse import documents
from syncworkers.sandbox.edi_warehouse.books import (
    COMPLETED,
    ON_HOLD,
    WAITING,
    Line,
    Recipient,
    Release,
    now_ms,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from syncworkers.sandbox.agenda import Agenda
    from syncworkers.sandbox.edi_warehouse.books import Books, Order, Shipment
    from syncworkers.sandbox.edi_warehouse.documents import Draft
    from syncworkers.sandbox.edi_warehouse.stock import Stock

ON_THE_WAY = ("Ontario", "CA", "US")
MILESTONES = {"AF": "InTransit", "X6": "InTransit", "D1": "Delivered"}
"""What the books call the codes of AT7-01; another code stands there as it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Habits:
    """How a floor works by itself.

    `pace` scales the seconds it takes. Of the orders with several units a share leaves in two
    parcels, and a share with one unit too few; of all orders a share has a line substituted.
    """

    seed: int = 1
    pace: float = 1.0
    autopilot: bool = True
    partial_share: float = 0.25
    short_share: float = 0.0
    substitute_share: float = 0.0


class Floor:
    """Works on orders; a step returns whether there was anything to do it with."""

    def __init__(
        self,
        books: Books,
        stock: Stock,
        agenda: Agenda,
        tell: Callable[[Draft], None],
        habits: Habits,
    ) -> None:
        """Work with these books; `tell` sends a document."""
        self._books = books
        self._stock = stock
        self._agenda = agenda
        self._tell = tell
        self._habits = habits
        self._chance = random.Random(f"harbor/{habits.seed}")
        self._foreign = 0

    def take(self, order: Order) -> None:
        """Begin with a new order; some leave in two parcels, some short or substituted."""
        for line in order.release.lines:
            self._stock.promise(line.sku, line.quantity)
        if not self._habits.autopilot:
            return
        wait = self._chance.uniform(3.0, 7.0)
        self._vary(order)
        for shipment in order.shipments:
            self._later(wait, order, shipment)
            wait += self._chance.uniform(2.0, 4.0)

    def _vary(self, order: Order) -> None:
        habits, first = self._habits, order.shipments[0]
        several = first.units > 1
        if self._chance.random() < habits.partial_share and several:
            units = [one.line.sku for one in first.goods for _ in range(one.quantity)]
            chosen = self._chance.sample(units, self._chance.randint(1, len(units) - 1))
            kept = {sku: chosen.count(sku) for sku in chosen}
            self._books.split(order, first, kept)
        last = order.shipments[-1].goods[-1]
        if self._chance.random() < habits.short_share and order.shipments[-1].units > 1:
            last.lacking = 1
        if self._chance.random() < habits.substitute_share:
            first.goods[0].sent_sku = _other(first.goods[0].line.sku)

    def accept(self, reference: str) -> bool:
        """Take an order up again after a hold."""
        with self._books.lock:
            found = self._books.waiting(reference, (ON_HOLD,))
            if found is not None:
                found[1].status = WAITING
                self._later(self._chance.uniform(3.0, 7.0), *found)
            return found is not None

    def hold(self, reference: str) -> bool:
        """Stop the next parcel."""
        with self._books.lock:
            found = self._books.waiting(reference, (WAITING,))
            if found is not None:
                found[1].status = ON_HOLD
            return found is not None

    def ship(self, reference: str, lines: Mapping[str, int] | None = None) -> bool:
        """Hand the next parcel over, or only these units of it, by SKU."""
        with self._books.lock:
            found = self._books.waiting(reference, (WAITING, ON_HOLD))
            if found is None:
                return False
            if lines:
                self._books.split(*found, lines)
            self._hand_over(*found)
            return True

    def short(self, reference: str, lines: Mapping[str, int] | None = None) -> bool:
        """Hand the next parcel over without these units, by SKU; they will never come."""
        with self._books.lock:
            found = self._books.waiting(reference, (WAITING, ON_HOLD))
            if found is None:
                return False
            goods = found[1].goods
            missing = dict(lines or {goods[0].line.sku: 1})
            if found[1].units <= sum(missing.values()):
                return False
            for one in goods:
                one.lacking = min(one.quantity, missing.pop(one.line.sku, 0))
            self._hand_over(*found)
            return True

    def substitute(self, reference: str, lines: Mapping[str, str] | None = None) -> bool:
        """Hand the next parcel over with other products, by the SKU that was ordered."""
        with self._books.lock:
            found = self._books.waiting(reference, (WAITING, ON_HOLD))
            if found is None:
                return False
            first = found[1].goods[0].line.sku
            others = dict(lines or {first: _other(first)})
            for one in found[1].goods:
                one.sent_sku = others.get(one.line.sku, one.sent_sku)
            self._hand_over(*found)
            return True

    def cancel(self, reference: str) -> bool:
        """Call an order off by hand, and say so."""
        with self._books.lock:
            order = self._books.cancel(reference)
            if order is not None:
                self.called_off(order)
            return order is not None

    def called_off(self, order: Order) -> None:
        """Give the goods of an order back that is called off, and answer for each of its lines."""
        if not order.called_off:
            order.called_off = True
            for line in order.release.lines:
                self._stock.promise(line.sku, -line.quantity)
        self._tell(documents.cancelled(order, now_ms()))

    def foreign(self, sku: str, reference: str = "") -> Order | None:
        """Ship an order that nobody of ours sent, perhaps under a reference that is another's."""
        with self._books.lock:
            self._foreign += 1
            order = self._books.enter(_foreign(reference or f"by-hand-{self._foreign}", sku))
            if order is not None:
                self._stock.promise(sku, 1)
                self._hand_over(order, order.shipments[0])
            return order

    def move(self, shipment_id: int, code: str, location: tuple[str, ...] = ()) -> bool:
        """Let a carrier say where a parcel is, by a code of AT7-01."""
        with self._books.lock:
            shipment = self._books.shipments.get(shipment_id)
            if shipment is None or shipment.parcel is None:
                return False
            now = now_ms()
            shipment.milestone = MILESTONES.get(code, code)
            if code == "D1":
                shipment.delivered_at = now
            self._tell(documents.tracking(shipment, code, now, location=location))
            return True

    def _later(self, seconds: float, order: Order, shipment: Shipment) -> None:
        def work() -> None:
            with self._books.lock:
                if shipment.status == WAITING:
                    self._hand_over(order, shipment)

        self._wait(seconds, work)

    def _wait(self, seconds: float, action: Callable[[], object]) -> None:
        if self._habits.autopilot:
            self._agenda.later(seconds * self._habits.pace, action)

    def _hand_over(self, order: Order, shipment: Shipment) -> None:
        shipment.status = COMPLETED
        shipment.parcel = make_parcel(self._books.next_parcel(), self._chance)
        shipment.shipped_at = now_ms()
        for one in shipment.goods:
            self._stock.promise(one.line.sku, -one.quantity)
            self._stock.change(one.sent_sku or one.line.sku, -one.leaving)
        self._tell(documents.advice(order, shipment))
        self._carry(shipment)

    def _carry(self, shipment: Shipment) -> None:
        to = shipment.recipient
        home = (to.city, to.state, to.country)
        wait = 1.0
        for code, location in (("AF", ON_THE_WAY), ("X6", ON_THE_WAY), ("D1", home)):
            self._wait(wait, partial(self.move, shipment.id, code, location))
            wait += self._chance.uniform(1.0, 2.0)


def _other(sku: str) -> str:
    return f"{sku}-ALT"


def _foreign(reference: str, sku: str) -> Release:
    recipient = Recipient(
        name="Somebody Else", address1="1 Other St", city="Reno", state="NV", zip_code="89501"
    )
    line = Line(place="1", sku=sku, qualifier="VN", quantity=1)
    return Release(
        purpose="N",
        reference=reference,
        number=reference,
        method="GROUND",
        recipient=recipient,
        lines=(line,),
    )
