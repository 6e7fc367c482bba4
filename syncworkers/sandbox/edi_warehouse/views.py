"""Orders as the books show them to an auditor, in the shape all simulated warehouses have."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from syncworkers.sandbox.edi_warehouse.books import Goods, Order, Recipient, Shipment

Fields = dict[str, Any]


def order_books(order: Order) -> Fields:
    """Show an order; each of its shipments goes where its own recipient is."""
    release = order.release
    return {
        "id": order.id,
        "reference": order.reference,
        "number": release.number,
        "created_at": order.created_at.timestamp(),
        "status": order.status,
        "cancelled": order.status == "Cancelled",
        "shipping_method": release.method,
        "recipient": _recipient(order.recipient),
        "products": [
            {"sku": one.sku, "quantity": one.quantity, "external_line_id": one.place}
            for one in release.lines
        ],
        "shipments": [_shipment(one) for one in order.shipments],
    }


def _recipient(recipient: Recipient) -> Fields:
    names = ("name", "address1", "city", "zip_code", "state", "country")
    return {name: getattr(recipient, name) for name in names}


def _shipment(shipment: Shipment) -> Fields:
    parcel, shipped = shipment.parcel, shipment.shipped_at
    return {
        "id": str(shipment.id),
        "status": shipment.status,
        "recipient": _recipient(shipment.recipient),
        "shipped": shipped is not None,
        "shipped_at": shipped and shipped.timestamp(),
        "carrier": parcel and parcel.carrier,
        "tracking_number": parcel and parcel.number,
        "lines": [_goods(one) for one in shipment.goods if one.leaving],
        "milestone": shipment.milestone,
    }


def _goods(goods: Goods) -> Fields:
    return {
        "sku": goods.line.sku,
        "inventory_id": None,
        "quantity": goods.leaving,
        "sent_sku": goods.sent_sku or goods.line.sku,
    }
