"""An order at ShipBob, with its shipments, as a warehouse's report. Contract: Orders 2026-01.

No payloads were recorded; where the contract is silent (whether a list may be null, whether a time
has its zone), both are taken.
"""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from marshmallow import fields

from mappings.schema import Identifier, PartnerSchema, Quantity, Text, load_document
from mappings.shipbob import milestones
from mappings.shipbob.moments import moment
from mappings.shipbob.states import ORDER_STATES, SHIPMENT_STATES
from syncworkers.canonical.shipments import (
    Milestone,
    MilestoneEvent,
    PackedGoods,
    ReportedShipment,
    WarehouseReport,
    WarehouseState,
)
from syncworkers.errors import RejectedError, Violation

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterator, Mapping, Sequence

    Fields = Mapping[str, Any]

name = "shipbob.order/1"
_TIMES = ("last_update_at", "last_tracking_update_at", "created_date")


def load(body: bytes | str) -> tuple[WarehouseReport, tuple[str, ...]]:
    """Return the report and the paths nobody knows; raises `RejectedError` for anything wrong."""
    order, drift = load_document(_SCHEMA, body)
    shipments = order["shipments"] or []
    report = WarehouseReport(
        external_id=order["id"],
        reference=order["reference_id"],
        state=ORDER_STATES.get(order["status"], WarehouseState.UNKNOWN),
        code=order["status"],
        updated_at=_updated_at(order, shipments),
        shipments=tuple(_shipment(one) for one in shipments),
    )
    return report, tuple(drift)


class InventoryItem(PartnerSchema):
    """Units of one kind of goods, in the warehouse's own units."""

    ignored = frozenset(
        "expiration_date is_dangerous_goods lot name quantity_committed serial_numbers".split()
    )
    id = Identifier(required=True)
    quantity = Quantity(required=True)


class Product(PartnerSchema):
    """An entry of a shipment's `products`: no quantity of its own, and no order line."""

    ignored = frozenset({"id", "name"})
    reference_id = Text()
    sku = Text()
    inventory_items = fields.List(fields.Nested(InventoryItem), allow_none=True, load_default=None)


class Extra(PartnerSchema):
    """What was found when a shipment was checked."""

    validation_messages = fields.List(Text(), allow_none=True, load_default=None)


class StatusDetail(PartnerSchema):
    """An entry of `status_details`."""

    ignored = frozenset({"id", "inventory_id", "exception_fulfillment_center_id"})
    name = Text()
    description = Text()
    extra = fields.Nested(Extra, data_key="extra_information", allow_none=True, load_default=None)


class Tracking(PartnerSchema):
    """How a parcel is carried."""

    ignored = frozenset({"bol", "pro_number", "scac"})
    carrier = Text()
    carrier_service = Text()
    tracking_number = Text()
    tracking_url = Text()
    shipping_date = moment()


class ShipmentBody(PartnerSchema):
    """An entry of `shipments`."""

    ignored = frozenset(
        "estimated_fulfillment_date estimated_fulfillment_date_status gift_message insurance_value"
        " invoice_amount invoice_currency_code is_tracking_uploaded location measurements order_id"
        " package_material_type parent_cartons recipient reference_id require_signature ship_option"
        "".split()
    )
    id = Identifier(required=True)
    status = Text()
    status_details = fields.List(fields.Nested(StatusDetail), allow_none=True, load_default=None)
    products = fields.List(fields.Nested(Product), allow_none=True, load_default=None)
    tracking = fields.Nested(Tracking, allow_none=True, load_default=None)
    created_date = moment()
    last_update_at = moment()
    last_tracking_update_at = moment()
    actual_fulfillment_date = moment()
    delivery_date = moment()


class OrderBody(PartnerSchema):
    """The order. What we have sent ourselves is not read back here."""

    ignored = frozenset(
        "channel financials gift_message order_number products purchase_date recipient"
        " retailer_program_data shipping_method shipping_terms tags type".split()
    )
    id = Identifier(required=True)
    reference_id = Text()
    status = Text()
    created_date = moment()
    shipments = fields.List(fields.Nested(ShipmentBody), allow_none=True, load_default=None)


_SCHEMA = OrderBody()


def _updated_at(order: Fields, shipments: Sequence[Fields]) -> dt.datetime:
    """Return the newest time in the report, the same that a poll goes by."""
    times = [order["created_date"], *(one[name] for one in shipments for name in _TIMES)]
    newest: dt.datetime | None = max((time for time in times if time is not None), default=None)
    if newest is None:
        message = "says nowhere when it was made or changed"
        violation = Violation(path="created_date", code="payload.invalid", message=message)
        raise RejectedError(f"the payload is wrong: it {message}", violations=[violation])
    return newest


def _shipment(loaded: Fields) -> ReportedShipment:
    tracking = loaded["tracking"] or {}
    state = SHIPMENT_STATES.get(loaded["status"], WarehouseState.UNKNOWN)
    return ReportedShipment(
        external_id=loaded["id"],
        state=state,
        code=loaded["status"],
        detail="; ".join(_details(loaded["status_details"] or ())),
        carrier=tracking.get("carrier", ""),
        service=tracking.get("carrier_service", ""),
        tracking_number=tracking.get("tracking_number", ""),
        tracking_url=tracking.get("tracking_url", ""),
        shipped_at=_shipped_at(loaded) if state is WarehouseState.SHIPPED else None,
        goods=_goods(loaded["products"] or ()),
        milestones=tuple(_milestones(loaded, state)),
    )


def _details(details: Sequence[Fields]) -> Iterator[str]:
    for detail in details:
        told = ": ".join(one for one in (detail["name"], detail["description"]) if one)
        found = (detail["extra"] or {}).get("validation_messages") or ()
        yield from filter(None, (told, *found))


def _shipped_at(shipment: Fields) -> dt.datetime | None:
    """Return when it left, as far as ShipBob says so: the last change is the latest it can be."""
    shipping_date = (shipment["tracking"] or {}).get("shipping_date")
    found = shipping_date or shipment["actual_fulfillment_date"] or shipment["last_update_at"]
    time: dt.datetime | None = found or shipment["created_date"]
    return time


def _goods(products: Sequence[Fields]) -> tuple[PackedGoods, ...]:
    """Sum the units by inventory id: lots of one kind of goods are listed apart."""
    units: dict[str, int] = defaultdict(int)
    skus: dict[str, str] = {}
    for product in products:
        for item in product["inventory_items"] or ():
            units[item["id"]] += item["quantity"]
            skus.setdefault(item["id"], product["sku"] or product["reference_id"])
    return tuple(
        PackedGoods(item=item, sku=skus[item], quantity=Decimal(quantity))
        for item, quantity in units.items()
        if quantity
    )


def _milestones(shipment: Fields, state: WarehouseState) -> Iterator[MilestoneEvent]:
    """Tell what the warehouse knows of the parcel; everything else its carrier says."""
    if state in {WarehouseState.LABEL_CREATED, WarehouseState.SHIPPED}:
        # By the contract this is when the label was printed, and unlike the last change it stays.
        printed = shipment["actual_fulfillment_date"] or _shipped_at(shipment)
        if printed is not None:
            yield MilestoneEvent(
                milestone=Milestone.LABEL_CREATED,
                occurred_at=printed,
                code=milestones.LABELED,
            )
    if shipment["delivery_date"] is not None:
        yield MilestoneEvent(
            milestone=Milestone.DELIVERED,
            occurred_at=shipment["delivery_date"],
            code=milestones.DELIVERED,
        )
