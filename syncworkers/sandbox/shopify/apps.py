"""What apps do to orders: fulfil them, correct the tracking, note metafields.

Refusals say what Shopify was seen to say; the wording of those about orders or locations that do
not go together, and of an unknown fulfilment, is unverified.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from syncworkers.sandbox.shopify.handling import (
    CANCELLED,
    Fulfilment,
    FulfilmentOrder,
    fulfilment_orders,
)
from syncworkers.sandbox.shopify.metafields import refusals
from syncworkers.sandbox.shopify.rest import write_down

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from syncworkers.sandbox.shopify.books import Books
    from syncworkers.sandbox.shopify.handling import Metafield
    from syncworkers.sandbox.shopify.metafields import Refusal
    from syncworkers.sandbox.shopify.webhooks import WebhookSender

Order = dict[str, Any]
Given = dict[str, Any]
QUANTITY = "Invalid fulfillment order line item quantity requested."
_FULFILLABLE = frozenset({"OPEN", "IN_PROGRESS"})


class UserError(Exception):
    """What an app did is refused; nothing happened."""

    def __init__(self, message: str, *field: str) -> None:
        super().__init__(message)
        self.field = list(field)


class RefusedMetafieldsError(Exception):
    """Some metafield is refused, and so none was set."""

    def __init__(self, refusals: Sequence[Refusal]) -> None:
        super().__init__("; ".join(one.message for one in refusals))
        self.refusals = refusals


@dataclass(frozen=True, slots=True, kw_only=True)
class _Parcel:
    """What a new fulfilment is to hold, checked."""

    order_id: str
    location: int
    lines: dict[str, int]


class Apps:
    """Does what installed apps ask for, and tells of it as Shopify does: by `orders/updated`."""

    def __init__(self, books: Books, sender: WebhookSender) -> None:
        self._books = books
        self._sender = sender

    def fulfil(self, groups: Sequence[Given], tracking: Given, *, notify: bool) -> Fulfilment:
        """Send goods off; `groups` as in `FulfillmentInput`. Raises `UserError`."""
        with self._books.lock:
            parcel = self._packed(groups)
            made = self._books.add_fulfilment(
                parcel.order_id,
                lambda new_id: Fulfilment(
                    id=new_id,
                    location=parcel.location,
                    created_at=time.time(),
                    tracking=_tracking(tracking),
                    lines=parcel.lines,
                    notified=int(notify),
                ),
            )
            self._changed(parcel.order_id)
        return made

    def track(self, fulfilment_id: str, tracking: Given, *, notify: bool) -> Fulfilment:
        """Replace the tracking of a fulfilment. Raises `UserError`."""
        with self._books.lock:
            found = self._books.fulfilment(fulfilment_id)
            if found is None:
                raise UserError("Fulfillment does not exist.", "fulfillmentId")
            if found[1].status == CANCELLED:
                raise UserError("fulfillment_is_cancelled", "fulfillmentId")
            found[1].tracking = _tracking(tracking)
            found[1].notified += notify
            self._changed(found[0])
            return found[1]

    def note(self, metafields: Sequence[Given]) -> list[Metafield]:
        """Set metafields of orders, all or none. Raises `RefusedMetafieldsError`."""
        with self._books.lock:
            owners = [one["ownerId"].rpartition("/")[2] for one in metafields]
            known = [self._books.handling(owner) is not None for owner in owners]
            found = refusals(metafields, known)
            if found:
                raise RefusedMetafieldsError(found)
            made = [
                self._books.set_metafield(
                    owner, (one["namespace"], one["key"]), one["type"], one["value"]
                )
                for owner, one in zip(owners, metafields, strict=True)
            ]
            for owner in dict.fromkeys(owners):
                self._changed(owner)
        return made

    def _changed(self, order_id: str) -> None:
        handling = self._books.handling(order_id)
        order = handling and self._books.change(order_id, write_down(handling))
        if order:
            self._sender.send("orders/updated", order)

    def _packed(self, groups: Sequence[Given]) -> _Parcel:
        """Check what is to be sent off; a group without lines means all that is left of it."""
        wanted = [(self._order_of(group), group) for group in groups]
        if not wanted:
            raise _refused("Fulfillment order does not exist.")
        if len({order_id for (order_id, _), _ in wanted}) > 1:
            raise _refused("All fulfillment orders must belong to the same order.")
        if len({one.location for (_, one), _ in wanted}) > 1:
            raise _refused("All fulfillment orders must be assigned to the same location.")
        lines: dict[str, int] = {}
        for (_, one), group in wanted:
            if one.status not in _FULFILLABLE:
                state = one.status.lower()
                raise _refused(f"Fulfillment order {one.id} has an unfulfillable status= {state}.")
            _pack(one, group.get("fulfillmentOrderLineItems") or (), lines)
        order_id, first = wanted[0][0]
        return _Parcel(order_id=order_id, location=first.location, lines=lines)

    def _order_of(self, group: Given) -> tuple[str, FulfilmentOrder]:
        wanted = group["fulfillmentOrderId"].rpartition("/")[2]
        order_id = wanted[:-1]
        order, handling = self._books.get(order_id), self._books.handling(order_id)
        for one in fulfilment_orders(order, handling) if order and handling else ():
            if one.id == wanted:
                return order_id, one
        raise _refused("Fulfillment order does not exist.")


def _pack(one: FulfilmentOrder, wanted: Sequence[Given], lines: dict[str, int]) -> None:
    if not wanted:
        lines |= {part.line: part.remaining for part in one.lines if part.remaining}
        return
    parts = {part.id: part for part in one.lines}
    for item in wanted:
        part = parts.get(item["id"].rpartition("/")[2])
        packed = lines.get(part.line, 0) if part else 0
        if part is None or not 0 < item["quantity"] <= part.remaining - packed:
            raise _refused(QUANTITY)
        lines[part.line] = packed + item["quantity"]


def _refused(message: str) -> UserError:
    return UserError(message, "fulfillment")


def _tracking(given: Given) -> Mapping[str, str | None]:
    return {name: given.get(name) or None for name in ("company", "number", "url")}
