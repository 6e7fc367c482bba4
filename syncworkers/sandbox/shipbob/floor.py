"""The warehouse's floor: it accepts, labels and hands over; carriers move what has left.

By itself (autopilot) or step by step, as tests and people tell it. Every step that nobody may take
any more (cancelled, on hold) is left out.
"""

from __future__ import annotations

import datetime as dt
import random
from typing import TYPE_CHECKING, Any

from syncworkers.sandbox.agenda import Agenda
from syncworkers.sandbox.carriers import make_parcel
from syncworkers.sandbox.shipbob.books import (
    CANCELLED,
    COMPLETED,
    LABELED,
    WAITING,
    put_aside,
    touch,
)
from syncworkers.sandbox.shipbob.views import order_view, shipment_view, stamp

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from syncworkers.sandbox.shipbob.books import Books, Order, Shipment
    from syncworkers.sandbox.shipbob.webhooks import Webhooks

SHIPPED = "order.shipped"
UNSHIPPED = WAITING | {LABELED, "OnHold", "Exception"}


class Floor:
    """Works on orders; a step returns whether there was anything to do it with."""

    def __init__(
        self,
        books: Books,
        webhooks: Webhooks,
        *,
        channel_id: int,
        seed: int,
        pace: float,
        autopilot: bool,
        partial_share: float,
    ) -> None:
        self._books = books
        self._webhooks = webhooks
        self._channel_id = channel_id
        self._chance = random.Random(f"shipbob/{seed}")
        self._pace = pace
        self._autopilot = autopilot
        self._partial_share = partial_share
        self._agenda = Agenda()
        self._foreign = 0

    @property
    def busy(self) -> bool:
        """Say whether anything is still to happen by itself."""
        return self._agenda.busy

    def take(self, order: Order) -> None:
        """Begin with a new order; what cannot be worked is told at once."""
        for shipment in order.shipments:
            if shipment.status == "Exception":
                self.tell("order.shipment.exception", shipment)
        self._later(1.0, lambda: self._begin(order))

    def accept(self, reference: str) -> bool:
        """Take an order up, or up again after a hold."""
        return self._step(reference, UNSHIPPED - {LABELED, "Processing"}, self._accept)

    def label(self, reference: str) -> bool:
        """Pick, pack and label the next shipment."""
        return self._step(reference, WAITING, self._label)

    def ship(self, reference: str, lines: Mapping[str, int] | None = None) -> bool:
        """Hand the next shipment over, or only these units of it, by SKU."""

        def hand_over(shipment: Shipment) -> None:
            if lines:
                self._books.split(shipment, lines)
            if shipment.status != LABELED:
                self._label(shipment)
            self._hand_over(shipment)

        return self._step(reference, WAITING | {LABELED}, hand_over)

    def hold(self, reference: str) -> bool:
        """Stop the next shipment."""
        return self._step(reference, WAITING, self._hold)

    def fail(self, reference: str) -> bool:
        """Find that the next shipment cannot be sent."""
        return self._step(reference, WAITING | {"OnHold"}, self._fail)

    def cancel(self, reference: str) -> bool:
        """Call all that has not left off by hand: for that no webhook is sent."""
        with self._books.lock:
            order = self._books.references.get(reference)
            open_ones = [one for one in order.shipments if one.status in UNSHIPPED] if order else []
            for shipment in open_ones:
                shipment.status = CANCELLED
                touch(shipment)
            return bool(open_ones)

    def move(
        self,
        shipment_id: int,
        status: str,
        *,
        substatus: str = "",
        location: str = "",
        at: dt.datetime | None = None,
    ) -> bool:
        """Let a carrier say where a parcel is, in whatever words."""
        with self._books.lock:
            shipment = self._books.shipments.get(shipment_id)
            if shipment is None or shipment.parcel is None:
                return False
            now = touch(shipment)
            shipment.tracked_at = now
            shipment.way.append(
                {
                    "status": status,
                    "substatus": substatus or None,
                    "timestamp": stamp(at or now),
                    "location": location or None,
                    "message": None,
                    "carrier_message": None,
                }
            )
            if status == "Delivered":
                shipment.delivered_at = at or now
                self.tell("order.shipment.delivered", shipment)
            return True

    def foreign(self, sku: str, reference: str = "") -> Order:
        """Ship an order that nobody of ours sent, perhaps under a reference that is another's."""
        with self._books.lock:
            self._foreign += 1
            reference = reference or f"by-hand-{self._foreign}"
            order = self._books.enter(_foreign_order(reference, sku))
        self.ship(order.reference)
        return order

    def tell(
        self, topic: str, shipment: Shipment, *, to_all: bool = False, secret: str = ""
    ) -> None:
        """Send a webhook about a shipment; some are about its whole order."""
        order = self._books.orders[shipment.order_id]
        body: dict[str, Any] = shipment_view(shipment, order.method)
        if topic == SHIPPED:
            body = order_view(order, self._channel_id)
        self._webhooks.send(topic, body, to_all=to_all, secret=secret)

    def _step(
        self, reference: str, states: frozenset[str], act: Callable[[Shipment], None]
    ) -> bool:
        with self._books.lock:
            order = self._books.references.get(reference)
            ready = [one for one in order.shipments if one.status in states] if order else []
            for shipment in ready[:1]:
                act(shipment)
            return bool(ready)

    def _accept(self, shipment: Shipment) -> None:
        shipment.status, shipment.details = "Processing", []
        touch(shipment)
        self._later(self._chance.uniform(3.0, 7.0), lambda: self._work(shipment))

    def _label(self, shipment: Shipment) -> None:
        shipment.status = LABELED
        shipment.parcel = make_parcel(self._books.next_parcel(), self._chance)
        shipment.labeled_at = touch(shipment)
        self.move(shipment.id, "PreTransit", substatus="Label created")

    def _hand_over(self, shipment: Shipment) -> None:
        shipment.status = COMPLETED
        shipment.shipped_at = touch(shipment)
        self.tell(SHIPPED, shipment)
        self._later(1.0, lambda: self._carry(shipment))

    def _hold(self, shipment: Shipment) -> None:
        shipment.status = "OnHold"
        touch(shipment)
        self.tell("order.shipment.on_hold", shipment)

    def _fail(self, shipment: Shipment) -> None:
        put_aside(shipment, "MissingInventory", "Not found on its shelf", shipment.goods[:1])
        touch(shipment)
        self.tell("order.shipment.exception", shipment)

    def _later(self, seconds: float, action: Callable[[], None]) -> None:
        if self._autopilot:
            self._agenda.later(seconds * self._pace, action)

    def _begin(self, order: Order) -> None:
        """Accept an order; some of several units leave in two parcels, whichever first."""
        with self._books.lock:
            shipment = order.shipments[0]
            if shipment.status != "None" or len(order.shipments) > 1:
                return  # somebody was faster, by hand
            if shipment.units > 1 and self._chance.random() < self._partial_share:
                other = self._books.split(shipment, self._some(shipment))
                if other is not None:
                    late = self._chance.choice((shipment, other))
                    late.status = "Processing"
                    touch(late)
                    wait = self._chance.uniform(3.0, 7.0) + self._chance.uniform(2.0, 4.0)
                    self._later(wait, lambda: self._work(late))
            for one in order.shipments:
                if one.status == "None":
                    self._accept(one)

    def _some(self, shipment: Shipment) -> dict[str, int]:
        """Choose some units of a shipment, neither none nor all."""
        units = [goods.sku for goods in shipment.goods for _ in range(goods.quantity)]
        chosen = self._chance.sample(units, self._chance.randint(1, len(units) - 1))
        return {sku: chosen.count(sku) for sku in chosen}

    def _work(self, shipment: Shipment) -> None:
        with self._books.lock:
            if shipment.status == "Processing":
                self._label(shipment)
                self._later(0.7, lambda: self._finish(shipment))

    def _finish(self, shipment: Shipment) -> None:
        with self._books.lock:
            if shipment.status == LABELED:
                self._hand_over(shipment)

    def _carry(self, shipment: Shipment) -> None:
        self.move(shipment.id, "InTransit", location="Ontario, CA")
        wait = self._chance.uniform(2.0, 4.0)
        self._later(wait, lambda: self._deliver(shipment))

    def _deliver(self, shipment: Shipment) -> None:
        self.move(shipment.id, "Delivered", location="At the door")


def _foreign_order(reference: str, sku: str) -> dict[str, Any]:
    address = {"address1": "1 Other St", "city": "Reno", "state": "NV", "zip_code": "89501"}
    return {
        "reference_id": reference,
        "type": "DTC",
        "shipping_method": "Standard",
        "recipient": {"name": "Somebody Else", "address": {**address, "country": "US"}},
        "products": [{"reference_id": sku, "name": sku, "quantity": 1}],
    }
