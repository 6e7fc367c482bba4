"""How far ShipBob's own words say it is. Contract: OrderStatus and OrderStatusEnum of 2026-01."""

from __future__ import annotations

from typing import TYPE_CHECKING

from syncworkers.canonical.shipments import WarehouseState

if TYPE_CHECKING:
    from collections.abc import Mapping

ORDER_STATES: Mapping[str, WarehouseState] = {
    "Processing": WarehouseState.ACCEPTED,
    "Exception": WarehouseState.EXCEPTION,
    "PartiallyFulfilled": WarehouseState.ACCEPTED,
    "Fulfilled": WarehouseState.SHIPPED,
    "Cancelled": WarehouseState.CANCELLED,
    "ImportReview": WarehouseState.EXCEPTION,
}

SHIPMENT_STATES: Mapping[str, WarehouseState] = {
    "None": WarehouseState.ACCEPTED,
    "Processing": WarehouseState.ACCEPTED,
    # Shipped, not delivered: that only a carrier says.
    "Completed": WarehouseState.SHIPPED,
    "Exception": WarehouseState.EXCEPTION,
    "OnHold": WarehouseState.ON_HOLD,
    "Cancelled": WarehouseState.CANCELLED,
    # Nothing says what it means. By its name it was swept out of the queue unshipped, so a person
    # must look; unverified.
    "CleanSweeped": WarehouseState.EXCEPTION,
    "LabeledCreated": WarehouseState.LABEL_CREATED,
    "ImportReview": WarehouseState.EXCEPTION,
}
"""A word that is in no table is `unknown`, and kept as the code."""
