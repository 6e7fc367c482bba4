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
    FILE = "file"
    """What a partner left for us: documents, each of a kind of its own."""
    STOCK = "stock"
    """A count of goods, or a movement of them."""
    CHARGE = "charge"
    """What a warehouse or a carrier wants to be paid."""
