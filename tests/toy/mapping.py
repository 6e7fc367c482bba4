"""A toyshop's orders as canonical ones, and what it is told of shipments and invoices."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from marshmallow import fields

from mappings.schema import Instant, PartnerSchema, Quantity, Text, load_document
from syncworkers.canonical.orders import Address, OrderLine, SalesOrder

if TYPE_CHECKING:
    from syncworkers.canonical.invoices import InvoiceNotice
    from syncworkers.canonical.shipments import Shipment

name = "toyshop.order/1"


class _Line(PartnerSchema):
    id = fields.String(required=True)
    sku = Text()
    units = Quantity(required=True)
    cents = fields.Integer(required=True, strict=True)


class _To(PartnerSchema):
    name = Text()
    street = Text()
    city = Text()
    zip = Text()


class _Order(PartnerSchema):
    ignored = frozenset({"changed"})
    id = fields.String(required=True)
    placed = Instant(required=True)
    to = fields.Nested(_To, required=True)
    lines = fields.List(fields.Nested(_Line), required=True)


def load(body: bytes | str) -> tuple[SalesOrder, tuple[str, ...]]:
    """Return the order and the paths nobody knows; raises `RejectedError`."""
    told, drift = load_document(_Order(), body)
    lines = tuple(
        OrderLine(
            external_id=one["id"],
            sku=one["sku"],
            title=one["sku"],
            quantity=one["units"],
            unit_price=Decimal(one["cents"]) / 100,
            discount=Decimal(0),
            tax=Decimal(0),
            requires_shipping=True,
            gift_card=False,
        )
        for one in told["lines"]
    )
    to = told["to"]
    address = Address(
        name=to["name"],
        street=to["street"],
        city=to["city"],
        postal_code=to["zip"],
        country="US",
    )
    order = SalesOrder(
        external_id=told["id"],
        number=f"T{told['id']}",
        placed_at=told["placed"],
        updated_at=told["placed"],
        cancelled_at=None,
        currency="USD",
        total=sum((one.quantity * one.unit_price for one in lines), Decimal(0)),
        tax_total=Decimal(0),
        taxes_included=False,
        test=False,
        customer_id=None,
        customer_name=to["name"],
        email="",
        po_number="",
        note="",
        shipping_method="Post",
        payment_gateways=(),
        shipping_address=address,
        billing_address=address,
        lines=lines,
        adjustments=(),
    )
    return order, tuple(drift)


def dump_shipment(shipment: Shipment) -> dict[str, Any]:
    """Return the body that tells of a shipment, without its reference."""
    return {
        "order": shipment.store_order,
        "lines": {line.reference: line.quantity for line in shipment.lines},
        "tracking": shipment.tracking_number,
    }


def dump_invoices(notice: InvoiceNotice) -> dict[str, Any]:
    """Return the order, and the numbers of all its invoices."""
    return {"order": notice.store_order, "notes": [one.number for one in notice.invoices]}
