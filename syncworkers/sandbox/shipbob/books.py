"""The warehouse's books: orders with unique references, and their shipments."""

from __future__ import annotations

import datetime as dt
import itertools
import threading
from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from syncworkers.sandbox.shipbob import catalogue

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from syncworkers.sandbox.carriers import Parcel

Fields = dict[str, Any]
WAITING = frozenset({"None", "Processing"})
"""What the floor may work on."""
CANCELLABLE = WAITING | {"OnHold", "Exception"}
"""Nothing is labelled yet, so it can still be called off."""
LABELED, COMPLETED, CANCELLED = "LabeledCreated", "Completed", "Cancelled"
MILLISECOND = dt.timedelta(milliseconds=1)


class DuplicateError(Exception):
    """An order with that reference is there already."""


@dataclass(slots=True, kw_only=True)
class Goods:
    """Units of one product in a shipment."""

    sku: str
    name: str
    reference: str
    inventory_id: int
    quantity: int


@dataclass(slots=True, kw_only=True)
class Shipment:
    """One parcel: what is in it, and how far it is."""

    id: int
    order_id: int
    reference: str
    recipient: Fields
    goods: list[Goods]
    created_at: dt.datetime
    updated_at: dt.datetime
    status: str = "None"
    details: list[Fields] = field(default_factory=list)
    parcel: Parcel | None = None
    labeled_at: dt.datetime | None = None
    shipped_at: dt.datetime | None = None
    delivered_at: dt.datetime | None = None
    tracked_at: dt.datetime | None = None
    way: list[Fields] = field(default_factory=list)
    """Its tracking, as it was told; the last is where it is."""

    @property
    def units(self) -> int:
        """Return how many units are in it."""
        return sum(goods.quantity for goods in self.goods)


@dataclass(slots=True, kw_only=True)
class Order:
    """An order as it was sent, what it got, and its shipments."""

    id: int
    sent: Fields
    method: str
    created_at: dt.datetime
    shipments: list[Shipment] = field(default_factory=list)

    @property
    def reference(self) -> str:
        """Return the sender's reference."""
        return str(self.sent["reference_id"])

    @property
    def status(self) -> str:
        """Say how far it is, by its shipments."""
        states = [one.status for one in self.shipments]
        left = [one for one in states if one != CANCELLED]
        if not left:
            return "Cancelled"
        if "Exception" in left:
            return "Exception"
        if all(one == COMPLETED for one in left):
            return "Fulfilled"
        return "PartiallyFulfilled" if COMPLETED in left else "Processing"


class Books:
    """All orders and shipments; `lock` is held for each change and its telling.

    Ids are the account's own, and may be another's too; parcels of two accounts never share a
    number.
    """

    def __init__(self, *, seed: int, account: int = 0) -> None:
        self.lock = threading.RLock()
        self.orders: dict[int, Order] = {}
        self.shipments: dict[int, Shipment] = {}
        self.references: dict[str, Order] = {}
        self.duplicate_attempts = 0
        self.cancel_answers: Counter[str] = Counter()
        first = seed % 1000 * 100_000 + 1
        self._order_ids = itertools.count(300_000_000 + first)
        self._shipment_ids = itertools.count(500_000_000 + first)
        self._parcels = itertools.count(account % 100 * 100_000 + 1)
        self._inventory = dict(catalogue.INVENTORY)

    def enter(self, sent: Fields) -> Order:
        """Take an order; raises `DuplicateError`. Goods nobody has put it aside at once."""
        with self.lock:
            reference = str(sent["reference_id"])
            if reference in self.references:
                self.duplicate_attempts += 1
                raise DuplicateError(reference)
            now = now_ms()
            order = Order(
                id=next(self._order_ids),
                sent=sent,
                method=catalogue.method_of(str(sent["shipping_method"])),
                created_at=now,
            )
            self.orders[order.id] = self.references[reference] = order
            shipment = self._add(order, list(self._goods(sent)), now)
            lacking = [one for one in shipment.goods if one.inventory_id >= catalogue.UNSTOCKED]
            if lacking:
                put_aside(shipment, "OutOfStock", "No Stock On Hand For Sku", lacking)
            return order

    def _goods(self, sent: Fields) -> Iterator[Goods]:
        for line in sent["products"]:
            reference = str(line["reference_id"])
            sku = str(line.get("sku") or reference)
            unknown = catalogue.UNSTOCKED + len(self._inventory)
            yield Goods(
                sku=sku,
                name=str(line.get("name") or sku),
                reference=reference,
                inventory_id=self._inventory.setdefault(sku, unknown),
                quantity=line["quantity"],
            )

    def _add(self, order: Order, goods: list[Goods], now: dt.datetime) -> Shipment:
        shipment = Shipment(
            id=next(self._shipment_ids),
            order_id=order.id,
            reference=order.reference,
            recipient=order.sent["recipient"],
            goods=goods,
            created_at=now,
            updated_at=now,
        )
        order.shipments.append(shipment)
        self.shipments[shipment.id] = shipment
        return shipment

    def split(self, shipment: Shipment, kept: Mapping[str, int]) -> Shipment | None:
        """Leave only these units, by SKU, in a shipment; return the new one with the others."""
        with self.lock:
            wanted, stays, goes = dict(kept), [], []
            for goods in shipment.goods:
                units = min(goods.quantity, wanted.get(goods.sku, 0))
                wanted[goods.sku] = wanted.get(goods.sku, 0) - units
                stays += [replace(goods, quantity=units)] if units else []
                rest = goods.quantity - units
                goes += [replace(goods, quantity=rest)] if rest else []
            if not (stays and goes):
                return None
            shipment.goods = stays
            touch(shipment)
            other = self._add(self.orders[shipment.order_id], goes, now_ms())
            other.recipient = shipment.recipient
            other.status = shipment.status if shipment.status in WAITING else "Processing"
            return other

    def next_parcel(self) -> int:
        """Return the serial number of the next parcel."""
        return next(self._parcels)

    def cancel(self, order: Order) -> tuple[str, list[tuple[Shipment, bool]]]:
        """Call off what is not labelled; return the result, and whether each shipment was."""
        with self.lock:
            results = []
            for shipment in order.shipments:
                if shipment.status == CANCELLED:
                    continue
                results.append((shipment, shipment.status in CANCELLABLE))
                if results[-1][1]:
                    shipment.status = CANCELLED
                    touch(shipment)
            done = {is_done for _, is_done in results}
            status = {frozenset({True}): "Success", frozenset({False}): "Failure"}.get(
                frozenset(done), "PartialSuccess"
            )
            self.cancel_answers[status] += 1
            return status, results


def put_aside(shipment: Shipment, name: str, description: str, goods: list[Goods]) -> None:
    """Mark a shipment as one that cannot go on, and say why."""
    shipment.status = "Exception"
    shipment.details = [
        {
            "id": 100,
            "name": name,
            "description": description,
            "inventory_id": one.inventory_id,
            "exception_fulfillment_center_id": catalogue.PLACE["id"],
            "extra_information": {"validation_messages": []},
        }
        for one in goods
    ]


def touch(shipment: Shipment) -> dt.datetime:
    """Note a change: its time is later than that of any change before."""
    shipment.updated_at = max(now_ms(), shipment.updated_at + MILLISECOND)
    return shipment.updated_at


def now_ms() -> dt.datetime:
    """Return the present time in whole milliseconds."""
    now = dt.datetime.now(dt.UTC)
    return now.replace(microsecond=now.microsecond // 1000 * 1000)
