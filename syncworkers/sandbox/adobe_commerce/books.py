"""The shop's books: orders, shipments, comments; what may be done to them, and what is refused."""

from __future__ import annotations

import copy
import datetime as dt
import json
import re
import threading
import time
from collections import defaultdict
from decimal import Decimal
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

Row = dict[str, Any]
INVOICE = re.compile(r"Invoice (\S+) of (\S+) over (\S+) ([A-Z]{3})")
FORMAT = "%Y-%m-%d %H:%M:%S"
FIRST_SHIPMENT = 7000
SHIPPED_TOGETHER = frozenset({"BREAKFAST-BOX"})
"""Bundles of which only the bundle itself can be shipped."""
REFUSED = "Shipment Document Validation Error(s):\n"


class RefusedError(Exception):
    """The shop refuses; a template and what stands in its places."""

    def __init__(self, message: str, *parameters: object, status: int = 400) -> None:
        super().__init__(message)
        self.message = message
        self.parameters = list(parameters)
        self.status = status


class Books:
    """All orders and shipments by id; one lock, held for each change."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.orders: dict[int, Row] = {}
        self.shipments: dict[int, Row] = {}
        self._of_order: dict[int, list[Row]] = defaultdict(list)
        self._placed: dict[int, float] = {}
        self._tell: Callable[[Row], None] = lambda _: None

    def listen(self, tell: Callable[[Row], None]) -> None:
        """Have `tell` called with each order that changed, under the lock."""
        self._tell = tell

    def place(self, order: Row) -> None:
        """Enter an order."""
        with self.lock:
            self.orders[order["entity_id"]] = order
            self._placed[order["entity_id"]] = time.time()
            self._tell(order)

    def get(self, order_id: int) -> Row:
        """Return an order; raises `RefusedError`."""
        if order_id not in self.orders:
            message = (
                "The entity that was requested doesn't exist. Verify the entity and try again."
            )
            raise RefusedError(message, status=404)
        return self.orders[order_id]

    def cancel(self, order_id: int) -> bool:
        """Cancel an order of which nothing has left; say whether that was possible."""
        with self.lock:
            order = self.orders.get(order_id)
            if order is None or order["state"] != "new":
                return False
            order["state"] = order["status"] = "canceled"
            for row in order["items"]:
                row["qty_canceled"] = row["qty_ordered"]
            self._touch(order)
            return True

    def ship(self, order_id: int, sent: Row) -> int:
        """Ship items; return the shipment's id. Raises `RefusedError`."""
        with self.lock:
            order = self.get(order_id)
            if order["state"] == "canceled":
                raise RefusedError(f"{REFUSED}The order does not allow a shipment to be created.")
            rows = {row["item_id"]: row for row in order["items"]}
            items = sent.get("items") or [
                {"order_item_id": key, "qty": row["qty_ordered"] - row["qty_shipped"]}
                for key, row in rows.items()
            ]
            wanted = [(int(one["order_item_id"]), float(one["qty"])) for one in items]
            self._check(rows, wanted)
            for key, units in wanted:
                rows[key]["qty_shipped"] += units
            return self._add_shipment(order, wanted, sent)

    def _check(self, rows: dict[int, Row], wanted: Sequence[tuple[int, float]]) -> None:
        for key, units in wanted:
            row = rows.get(key)
            if row is None or row["is_virtual"] or _is_variant(rows, row) or _is_inside(rows, row):
                raise RefusedError(f"{REFUSED}You can't create a shipment without products.")
            if units <= 0 or row["qty_shipped"] + units > row["qty_ordered"]:
                message = (
                    "The quantity to ship must not be greater than the unshipped quantity for "
                    'product SKU "%1".'
                )
                raise RefusedError(f"{REFUSED}{message}", row["sku"])

    def _add_shipment(self, order: Row, wanted: Sequence[tuple[int, float]], sent: Row) -> int:
        key = FIRST_SHIPMENT + len(self.shipments)
        comment = (sent.get("comment") or {}).get("comment", "")
        made = {
            "entity_id": key,
            "order_id": order["entity_id"],
            "created_at": now_text(),
            "updated_at": now_text(),
            "items": [{"order_item_id": item, "qty": units} for item, units in wanted],
            "tracks": [
                {**track, "entity_id": key * 10 + n}
                for n, track in enumerate(sent.get("tracks") or ())
            ],
            "comments": [{"comment": comment}] if comment and sent.get("appendComment") else [],
        }
        self.shipments[key] = made
        self._of_order[order["entity_id"]].append(made)
        # A partial shipment does not move `updated_at` there; a state does.
        if order["state"] == "new":
            order["state"] = order["status"] = "processing"
            self._touch(order)
        return key

    def track(self, entity: Row) -> Row:
        """Add a track to a shipment; raises `RefusedError`."""
        with self.lock:
            shipment = self.shipments.get(int(entity["parent_id"]))
            if shipment is None:
                raise RefusedError("The shipment doesn't exist.", status=404)
            track = {**entity, "entity_id": shipment["entity_id"] * 10 + len(shipment["tracks"])}
            shipment["tracks"].append(track)
            return track

    def comment(self, order_id: int, history: Row) -> None:
        """Add a comment to an order; raises `RefusedError`."""
        with self.lock:
            order = self.get(order_id)
            order["status_histories"].append({**history, "created_at": now_text()})
            self._touch(order)

    def _touch(self, order: Row) -> None:
        """Move the time of the last change: whole seconds, as people are no faster."""
        before = dt.datetime.strptime(order["updated_at"], FORMAT).replace(tzinfo=dt.UTC)
        moment = max(dt.datetime.now(dt.UTC), before + dt.timedelta(seconds=1))
        order["updated_at"] = moment.strftime(FORMAT)
        self._tell(order)

    def audited(self) -> list[Row]:
        """Show every order as the audit wants it."""
        with self.lock:
            keys = list(self.orders)
        return [self._audited(key) for key in keys]

    def _audited(self, key: int) -> Row:
        with self.lock:
            order = copy.deepcopy(self.orders[key])
            shipped = copy.deepcopy(self._of_order[key])
        assignments = order["extension_attributes"].get("shipping_assignments", [])
        shipping = assignments[0]["shipping"] if assignments else {}
        card = Decimal(str(order["extension_attributes"].get("gift_cards_amount", 0)))
        total = Decimal(str(order["grand_total"])).quantize(Decimal("0.01")) + card
        return {
            "id": str(key),
            "name": order["increment_id"],
            "placed_at": self._placed[key],
            "total": str(total),
            "currency": order["order_currency_code"],
            "cancelled": order["state"] == "canceled",
            "shipping_method": shipping.get("method"),
            "shipping_address": _address(shipping.get("address")),
            "billing_address": _address(order["billing_address"]),
            "lines": list(_lines(order["items"])),
            "fulfillments": [_told(one) for one in shipped],
            "metafields": {"erp.invoices": _invoices(order)},
        }


def _is_variant(rows: dict[int, Row], row: Row) -> bool:
    """Say whether a row only says which variant of its configurable parent was bought."""
    parent = rows.get(row.get("parent_item_id") or 0)
    return parent is not None and parent["product_type"] == "configurable"


def _is_inside(rows: dict[int, Row], row: Row) -> bool:
    """Say whether a row is a part of a bundle that is only shipped whole."""
    parent = rows.get(row.get("parent_item_id") or 0)
    return parent is not None and parent["sku"] in SHIPPED_TOGETHER


def _lines(rows: Sequence[Row]) -> Iterator[Row]:
    """Show what is sold: the parts of bundles, and configurable products once."""
    by_id = {row["item_id"]: row for row in rows}
    for row in rows:
        if row["product_type"] == "bundle" or _is_variant(by_id, row):
            continue
        yield {
            "id": row["item_id"],
            "sku": row["sku"],
            "quantity": int(row["qty_ordered"]),
            "price": str(row["price"]),
            "gift_card": False,
            "intangible": bool(row["is_virtual"]),
        }


def _address(fields: Row | None) -> Row | None:
    if fields is None:
        return None
    return {
        "name": f"{fields['firstname']} {fields['lastname']}",
        "address1": fields["street"][0],
        "city": fields["city"],
        "zip": fields["postcode"],
        "province_code": fields.get("region_code", ""),
        "country_code": fields["country_id"],
    }


def _told(shipment: Row) -> Row:
    track = shipment["tracks"][0] if shipment["tracks"] else {}
    return {
        "id": str(shipment["entity_id"]),
        "status": "success",
        "tracking": {"number": track.get("track_number", "")},
        "lines": [
            {"id": str(one["order_item_id"]), "quantity": int(one["qty"])}
            for one in shipment["items"]
        ],
    }


def _invoices(order: Row) -> str:
    found = [INVOICE.search(one.get("comment") or "") for one in order["status_histories"]]
    return json.dumps(
        [
            {"number": one[1], "date": one[2], "amount": one[3], "currency": one[4]}
            for one in found
            if one
        ]
    )


def now_text() -> str:
    """Return the shop's time: UTC, whole seconds, without saying so."""
    return dt.datetime.now(dt.UTC).strftime(FORMAT)
