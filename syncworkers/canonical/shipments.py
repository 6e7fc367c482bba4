"""What warehouses and carriers say of goods on their way, and a shipment as we tell others of it.

Two axes that are never mixed: the warehouse's state of a shipment, and the transport milestones of
its parcel.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum


class WarehouseState(StrEnum):
    """How far a warehouse is with a part or a shipment."""

    RECEIVED = "received"
    """It has it, and has not said yet that it will do it."""
    ACCEPTED = "accepted"
    ON_HOLD = "on_hold"
    EXCEPTION = "exception"
    LABEL_CREATED = "label_created"
    SHIPPED = "shipped"
    CANCELLED = "cancelled"
    UNKNOWN = "unknown"
    """A word of the warehouse that no table of ours knows."""


class Milestone(StrEnum):
    """Where a parcel is. The ranks that keep it from going back stand in `rules/milestones.py`."""

    LABEL_CREATED = "label_created"
    PICKUP_SCHEDULED = "pickup_scheduled"
    PICKED_UP = "picked_up"
    IN_TRANSIT = "in_transit"
    OUT_FOR_DELIVERY = "out_for_delivery"
    DELIVERY_ATTEMPTED = "delivery_attempted"
    AVAILABLE_FOR_PICKUP = "available_for_pickup"
    CUSTOMS_HOLD = "customs_hold"
    DELAYED = "delayed"
    EXCEPTION = "exception"
    """Something is wrong, and the source does not say what."""
    REFUSED = "refused"
    DAMAGED = "damaged"
    LOST = "lost"
    RETURNING = "returning"
    DELIVERED = "delivered"
    RETURNED = "returned"
    CANCELLED = "cancelled"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class MilestoneEvent:
    """One piece of news of a parcel; `code` is the source's own word, kept for mapping it anew."""

    milestone: Milestone
    occurred_at: dt.datetime
    code: str
    location: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PackedGoods:
    """What is in a parcel: `item` is the warehouse's own id of goods, `quantity` by its unit."""

    item: str
    sku: str
    quantity: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportedShipment:
    """One parcel as its warehouse reports it. All times are aware UTC and the warehouse's own."""

    external_id: str
    state: WarehouseState
    code: str
    """The warehouse's own word for the state."""
    detail: str
    """Why it is held or wrong, in the warehouse's words."""
    carrier: str
    service: str
    tracking_number: str
    tracking_url: str
    shipped_at: dt.datetime | None
    goods: tuple[PackedGoods, ...]
    milestones: tuple[MilestoneEvent, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class WarehouseReport:
    """A whole snapshot of one part at its warehouse.

    `external_id` is the warehouse's id of the part, `reference` ours. `updated_at` orders the
    snapshots of one part. `more_follows` says that it will send what is still open, whatever stands
    in `shipments`.
    """

    external_id: str
    reference: str
    state: WarehouseState
    code: str
    updated_at: dt.datetime
    shipments: tuple[ReportedShipment, ...]
    more_follows: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackingReport:
    """What is known of one parcel's way; `external_id` is the warehouse's id of the shipment."""

    external_id: str
    updated_at: dt.datetime
    milestones: tuple[MilestoneEvent, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ShippedLine:
    """Sales units that a shipment made whole; `reference` is the store's id of the order line."""

    reference: str
    sku: str
    quantity: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Shipment:
    """A shipment as its store and the ERP are told of it.

    `reference` is our own id of it and makes a repeat harmless. `store_order` is the store's id of
    the order, `company` and `erp_number` name it in the ERP.
    """

    reference: str
    store_order: str
    company: str
    erp_number: str
    shipped_at: dt.datetime
    carrier: str
    service: str
    tracking_number: str
    tracking_url: str
    notify_customer: bool
    lines: tuple[ShippedLine, ...]
