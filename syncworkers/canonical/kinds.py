"""The kinds of business object that pass through."""

from __future__ import annotations

from enum import StrEnum


class Kind(StrEnum):
    """One business object; also the first half of task and operation names (`order.create`)."""

    ORDER = "order"
    PART = "part"
    """What one warehouse is to ship of an order."""
    SHIPMENT = "shipment"
    INVOICE = "invoice"
    CUSTOMER = "customer"
    ITEM = "item"
