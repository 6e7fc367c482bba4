"""Partner payloads ↔ canonical objects; the registries are written out, for grep."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mappings.adobe_commerce import invoices as adobe_commerce_invoices
from mappings.adobe_commerce import orders as adobe_commerce_orders
from mappings.adobe_commerce import shipments as adobe_commerce_shipments
from mappings.dynamics365 import customers as dynamics365_customers
from mappings.dynamics365 import invoices as dynamics365_invoices
from mappings.dynamics365 import orders as dynamics365_orders
from mappings.dynamics365 import shipments as dynamics365_shipments
from mappings.edi_sftp import acknowledgements as edi_sftp_acknowledgements
from mappings.edi_sftp import adjustments as edi_sftp_adjustments
from mappings.edi_sftp import advices as edi_sftp_advices
from mappings.edi_sftp import charges as edi_sftp_charges
from mappings.edi_sftp import files as edi_sftp_files
from mappings.edi_sftp import inventory as edi_sftp_inventory
from mappings.edi_sftp import parts as edi_sftp_parts
from mappings.edi_sftp import receipts as edi_sftp_receipts
from mappings.edi_sftp import snapshots as edi_sftp_snapshots
from mappings.edi_sftp import tracking as edi_sftp_tracking
from mappings.shipbob import orders as shipbob_orders
from mappings.shipbob import parts as shipbob_parts
from mappings.shipbob import tracking as shipbob_tracking
from mappings.shopify import invoices as shopify_invoices
from mappings.shopify import orders as shopify_orders
from mappings.shopify import orders_graphql as shopify_orders_graphql
from mappings.shopify import shipments as shopify_shipments

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

READS: Mapping[tuple[str, str], Any] = {
    ("adobe_commerce", "orders/read"): adobe_commerce_orders,
    ("dynamics365", "invoices/read"): dynamics365_invoices,
    ("edi_sftp", "edi/210"): edi_sftp_charges.FREIGHT_BILL,
    ("edi_sftp", "edi/214"): edi_sftp_tracking.TRACKING,
    ("edi_sftp", "edi/810"): edi_sftp_charges.INVOICE,
    ("edi_sftp", "edi/846"): edi_sftp_inventory.INVENTORY,
    ("edi_sftp", "edi/944"): edi_sftp_receipts.RECEIPT,
    ("edi_sftp", "edi/945"): edi_sftp_advices.ADVICES,
    ("edi_sftp", "edi/947"): edi_sftp_adjustments.ADJUSTMENT,
    ("edi_sftp", "edi/file"): edi_sftp_files.FILES,
    ("edi_sftp", "stock/csv"): edi_sftp_snapshots.SNAPSHOT,
    ("shipbob", "orders/read"): shipbob_orders,
    ("shipbob", "shipments/tracking"): shipbob_tracking,
    ("shopify", "orders/create"): shopify_orders,
    ("shopify", "orders/updated"): shopify_orders,
    ("shopify", "orders/cancelled"): shopify_orders,
    ("shopify", "orders/polled"): shopify_orders_graphql,
}
"""By connector and topic: what has `name` and `load`; `fit`, where it depends on the partner."""

WRITES: Mapping[tuple[str, str], Callable[[Any], dict[str, Any]]] = {
    ("adobe_commerce", "invoice.note"): adobe_commerce_invoices.dump_invoices,
    ("adobe_commerce", "shipment.create"): adobe_commerce_shipments.dump_shipment,
    ("adobe_commerce", "shipment.track"): adobe_commerce_shipments.dump_tracking,
    ("dynamics365", "order.create"): dynamics365_orders.dump_booking,
    ("dynamics365", "order.readdress"): dynamics365_orders.dump_address_change,
    ("dynamics365", "order.cancel"): dynamics365_orders.dump_cancellation,
    ("dynamics365", "customer.create"): dynamics365_customers.dump_account,
    ("dynamics365", "shipment.create"): dynamics365_shipments.dump_shipment,
    ("edi_sftp", "group.acknowledge"): edi_sftp_acknowledgements.dump,
    ("edi_sftp", "part.create"): edi_sftp_parts.PART,
    ("edi_sftp", "part.readdress"): edi_sftp_parts.dump_address_change,
    ("edi_sftp", "part.cancel"): edi_sftp_parts.CANCELLATION,
    ("shipbob", "part.create"): shipbob_parts.dump_part,
    ("shipbob", "part.readdress"): shipbob_parts.dump_address_change,
    ("shipbob", "part.cancel"): shipbob_parts.dump_cancellation,
    ("shopify", "shipment.create"): shopify_shipments.dump_shipment,
    ("shopify", "shipment.track"): shopify_shipments.dump_tracking,
    ("shopify", "invoice.note"): shopify_invoices.dump_invoices,
}
"""By connector and operation: what writes the partner's payload; `fit` as above."""
