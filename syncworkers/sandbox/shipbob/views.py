"""Orders, shipments and tracking as the API shows them, and as the books do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from syncworkers.sandbox.shipbob import catalogue

if TYPE_CHECKING:
    import datetime as dt

    from syncworkers.sandbox.shipbob.books import Goods, Order, Shipment

Fields = dict[str, Any]


def order_view(order: Order, channel_id: int) -> Fields:
    """Show an order, `OrderViewModel`."""
    sent = order.sent
    return {
        "id": order.id,
        "created_date": stamp(order.created_at),
        "purchase_date": sent.get("purchase_date"),
        "reference_id": order.reference,
        "order_number": sent.get("order_number") or order.reference,
        "status": order.status,
        "type": sent["type"],
        "channel": {"id": channel_id, "name": catalogue.CHANNEL_NAME},
        "shipping_method": order.method,
        "recipient": recipient_view(sent["recipient"]),
        "products": [product_view(line, order) for line in sent["products"]],
        "tags": sent.get("tags") or [],
        "shipments": [shipment_view(one, order.method) for one in order.shipments],
        "gift_message": sent.get("gift_message"),
        "shipping_terms": {"carrier_type": "Parcel", "payment_term": "MerchantResponsible"},
        "financials": {"total_price": None},
    }


def recipient_view(recipient: Fields) -> Fields:
    """Show to whom it goes; what was not sent is null."""
    address = recipient["address"]
    names = ("address1", "address2", "company_name", "city", "state", "country", "zip_code")
    return {
        "name": recipient["name"],
        "email": recipient.get("email"),
        "phone_number": recipient.get("phone_number"),
        "address": {name: address.get(name) for name in names},
    }


def product_view(line: Fields, order: Order) -> Fields:
    """Show a line of an order."""
    goods = next(
        one
        for shipment in order.shipments
        for one in shipment.goods
        if one.reference == line["reference_id"]
    )
    return {
        "id": goods.inventory_id - catalogue.PRODUCT_SHIFT,
        "reference_id": line["reference_id"],
        "sku": goods.sku,
        "quantity": line["quantity"],
        "quantity_unit_of_measure_code": line.get("quantity_unit_of_measure_code"),
        "external_line_id": line.get("external_line_id"),
        "unit_price": line.get("unit_price"),
        "gtin": None,
        "upc": None,
    }


def shipment_view(shipment: Shipment, method: str) -> Fields:
    """Show a shipment, `ShipmentViewModel`: its products have no quantity and no order line."""
    return {
        "id": shipment.id,
        "order_id": shipment.order_id,
        "reference_id": shipment.reference,
        "created_date": stamp(shipment.created_at),
        "last_update_at": stamp(shipment.updated_at),
        "last_tracking_update_at": stamp(shipment.tracked_at),
        "status": shipment.status,
        "status_details": shipment.details,
        "location": catalogue.PLACE,
        "ship_option": method,
        "recipient": {**recipient_view(shipment.recipient), "full_name": None},
        "products": [_packed(one) for one in shipment.goods],
        "tracking": _tracking(shipment),
        "parent_cartons": [],
        "measurements": {"length_in": 10, "width_in": 8, "depth_in": 4, "total_weight_oz": 20},
        "package_material_type": "Box",
        "require_signature": False,
        "is_tracking_uploaded": False,
        "estimated_fulfillment_date": None,
        "estimated_fulfillment_date_status": "PendingOnTime",
        "actual_fulfillment_date": stamp(shipment.labeled_at),
        "delivery_date": stamp(shipment.delivered_at),
        "gift_message": None,
        "insurance_value": None,
        "invoice_amount": None,
        "invoice_currency_code": None,
    }


def _packed(goods: Goods) -> Fields:
    item = {
        "id": goods.inventory_id,
        "name": goods.name,
        "quantity": goods.quantity,
        "quantity_committed": goods.quantity,
        "lot": None,
        "expiration_date": None,
        "is_dangerous_goods": False,
        "serial_numbers": [],
    }
    return {
        "id": goods.inventory_id - catalogue.PRODUCT_SHIFT,
        "reference_id": goods.reference,
        "sku": goods.sku,
        "name": goods.name,
        "inventory_items": [item],
    }


def _tracking(shipment: Shipment) -> Fields:
    parcel = shipment.parcel
    return {
        "carrier": parcel and parcel.carrier,
        "carrier_service": parcel and parcel.service,
        "tracking_number": parcel and parcel.number,
        "tracking_url": parcel and parcel.url,
        "shipping_date": stamp(shipment.shipped_at),
        "bol": None,
        "pro_number": None,
        "scac": None,
    }


def tracking_view(shipment: Shipment) -> Fields | None:
    """Show the way of a parcel, `ShipmentTrackingResponse`, newest first; None before it began."""
    parcel = shipment.parcel
    if parcel is None or not shipment.way:
        return None
    now = shipment.way[-1]
    return {
        "shipment_id": shipment.id,
        "status": now["status"],
        "substatus": now["substatus"],
        "location": now["location"],
        "message": now["message"],
        "carrier_message": now["carrier_message"],
        "eta": None,
        "carrier": parcel.carrier,
        "service": parcel.service,
        "carrier_tracking_number": parcel.number,
        "tracking_id": parcel.number,
        "public_tracking_url": parcel.url,
        "last_updated": stamp(shipment.tracked_at),
        "history": sorted(shipment.way, key=lambda one: str(one["timestamp"]), reverse=True),
    }


def order_books(order: Order) -> Fields:
    """Show an order to an auditor; each of its shipments goes where its own recipient is."""
    return {
        "id": order.id,
        "reference": order.reference,
        "number": order.sent.get("order_number") or order.reference,
        "created_at": order.created_at.timestamp(),
        "status": order.status,
        "cancelled": order.status == "Cancelled",
        "shipping_method": order.method,
        "recipient": _recipient_books(order.shipments[-1].recipient),
        "products": [
            {name: line.get(name) for name in ("sku", "quantity", "external_line_id")}
            for line in order.sent["products"]
        ],
        "shipments": [_shipment_books(one) for one in order.shipments],
    }


def _recipient_books(recipient: Fields) -> Fields:
    address = recipient["address"]
    names = ("address1", "city", "zip_code", "state", "country")
    return {"name": recipient["name"], **{name: address.get(name) or "" for name in names}}


def _shipment_books(shipment: Shipment) -> Fields:
    parcel, shipped = shipment.parcel, shipment.shipped_at
    return {
        "id": shipment.id,
        "status": shipment.status,
        "recipient": _recipient_books(shipment.recipient),
        "shipped": shipped is not None,
        "shipped_at": shipped and shipped.timestamp(),
        "carrier": parcel and parcel.carrier,
        "tracking_number": parcel and parcel.number,
        "lines": [
            {"sku": one.sku, "inventory_id": one.inventory_id, "quantity": one.quantity}
            for one in shipment.goods
        ],
        "milestone": shipment.way[-1]["status"] if shipment.way else None,
    }


def stamp(time: dt.datetime | None) -> str | None:
    """Write a time as ShipBob does: milliseconds, with its zone."""
    return None if time is None else time.isoformat(timespec="milliseconds")
