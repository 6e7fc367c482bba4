"""The shop's books: its orders, what was placed when, and how they change."""

from __future__ import annotations

import copy
import datetime as dt
import threading
import time
from typing import TYPE_CHECKING, Any

from syncworkers.sandbox.shopify.handling import Handling, Metafield

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from syncworkers.sandbox.shopify.handling import Fulfilment

Order = dict[str, Any]
SHOP_ZONE = dt.timezone(dt.timedelta(hours=-5))
FIRST_FULFILMENT = 5_100_000_000_001


class Books:
    """All orders, by id; safe to use from many threads."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self._orders: dict[str, Order] = {}
        self._placed: dict[str, tuple[Order, float]] = {}
        """By id: the order as placed, and when."""
        self._handlings: dict[str, Handling] = {}
        self._owners: dict[str, str] = {}
        """The order of each fulfilment."""

    def place(self, order: Order) -> Order:
        """Enter an order, or replace it whole."""
        with self.lock:
            key = str(order["id"])
            self._orders[key] = order
            self._placed.setdefault(key, (copy.deepcopy(order), time.time()))
            self._handlings.setdefault(key, Handling())
            return copy.deepcopy(order)

    def get(self, order_id: str) -> Order | None:
        """Return a copy of an order."""
        with self.lock:
            return copy.deepcopy(self._orders.get(order_id))

    def changed(self, since: dt.datetime, until: dt.datetime) -> list[Order]:
        """Return what changed in a window, oldest change first."""
        with self.lock:
            found = [
                (moment, str(order["id"]), order)
                for order in self._orders.values()
                if since <= (moment := dt.datetime.fromisoformat(order["updated_at"])) <= until
            ]
            return [copy.deepcopy(order) for _, _, order in sorted(found, key=lambda one: one[:2])]

    def handling(self, order_id: str) -> Handling | None:
        """Return what became of an order, to be read and altered under the lock."""
        return self._handlings.get(order_id)

    def add_fulfilment(self, order_id: str, make: Callable[[str], Fulfilment]) -> Fulfilment:
        """Enter what `make` makes of a new id."""
        with self.lock:
            made = make(str(FIRST_FULFILMENT + len(self._owners)))
            self._owners[made.id] = order_id
            self._handlings[order_id].fulfilments.append(made)
            return made

    def fulfilment(self, fulfilment_id: str) -> tuple[str, Fulfilment] | None:
        """Return a fulfilment and its order's id."""
        with self.lock:
            owner = self._owners.get(fulfilment_id, "")
            found = self._handlings[owner].fulfilments if owner else []
            return next(((owner, one) for one in found if one.id == fulfilment_id), None)

    def set_metafield(
        self, order_id: str, name: tuple[str, str], kind: str, value: str
    ) -> Metafield:
        """Set a value at an order; `name` is namespace and key."""
        with self.lock:
            kept = self._handlings[order_id].metafields
            new_id = kept[name].id if name in kept else f"{order_id}{len(kept)}"
            kept[name] = Metafield(
                id=new_id, namespace=name[0], key=name[1], type=kind, value=value
            )
            return kept[name]

    def change(
        self,
        order_id: str,
        alter: Callable[[Order], None],
        *,
        unless: Callable[[Order, Handling], bool] | None = None,
    ) -> Order | None:
        """Alter an order; its `updated_at` moves by a second at least, as people are no faster.

        None: there is no such order, or `unless` forbids it.
        """
        with self.lock:
            order = self._orders.get(order_id)
            if order is None or (unless and unless(order, self._handlings[order_id])):
                return None
            alter(order)
            before = dt.datetime.fromisoformat(order["updated_at"])
            moment = max(dt.datetime.now(tz=SHOP_ZONE), before + dt.timedelta(seconds=1))
            order["updated_at"] = moment.isoformat(timespec="seconds")
            return copy.deepcopy(order)

    def count(self) -> int:
        """Return how many orders there are."""
        with self.lock:
            return len(self._orders)

    def fulfilments(self) -> int:
        """Return how many fulfilments there are."""
        return len(self._owners)

    def noted(self) -> int:
        """Return how many orders have metafields."""
        with self.lock:
            return sum(bool(one.metafields) for one in self._handlings.values())

    def audited(self) -> list[dict[str, Any]]:
        """Return every order as sold: what was placed, with its present address and state."""
        with self.lock:
            return [self._audited(key) for key in self._orders]

    def _audited(self, key: str) -> dict[str, Any]:
        now, (placed, at) = self._orders[key], self._placed[key]
        return {
            "id": key,
            "name": now["name"],
            "placed_at": at,
            "total": placed["total_price"],
            "currency": placed["currency"],
            "cancelled": now["cancelled_at"] is not None,
            "shipping_method": _method(placed),
            "shipping_address": now.get("shipping_address"),
            "billing_address": now.get("billing_address"),
            "lines": [
                {name: line.get(name) for name in ("id", "sku", "quantity", "price", "gift_card")}
                for line in placed["line_items"]
            ],
            "fulfillments": [_told(one) for one in self._handlings[key].fulfilments],
            "metafields": {
                ".".join(name): one.value for name, one in self._handlings[key].metafields.items()
            },
        }


def _method(order: Order) -> str | None:
    lines: list[Order] = order.get("shipping_lines") or []
    return str(lines[0]["title"]) if lines else None


def _told(one: Fulfilment) -> dict[str, Any]:
    return {
        "id": one.id,
        "created_at": one.created_at,
        "status": one.status,
        "tracking": dict(one.tracking),
        "lines": [{"id": line, "quantity": quantity} for line, quantity in one.lines.items()],
        "notified": one.notified,
    }


def now_text() -> str:
    """Return the shop's time in whole seconds, in its own zone."""
    return dt.datetime.now(tz=SHOP_ZONE).isoformat(timespec="seconds")


def cancel(order: Order) -> None:
    """Cancel a whole order: nothing is owed any more."""
    order["cancelled_at"] = now_text()
    order["cancel_reason"] = "customer"
    order["financial_status"] = "voided"
    for line in order["line_items"]:
        line["current_quantity"] = line["fulfillable_quantity"] = 0
    for name in ("current_total_price", "current_total_tax", "current_subtotal_price"):
        order[name] = "0.00"


def readdress(address: Mapping[str, Any]) -> Callable[[Order], None]:
    """Make the change that sends an order elsewhere."""

    def alter(order: Order) -> None:
        order["shipping_address"] = {**(order.get("shipping_address") or {}), **address}

    return alter
