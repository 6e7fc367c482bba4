"""An order read by Admin GraphQL as a canonical order: equal to what its webhook says.

Contract: Admin GraphQL 2026-07, the fields of `connectors/shopify/documents/orders_by_id.graphql`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from marshmallow import fields, post_load

from mappings.schema import (
    Bag,
    Currency,
    Identifier,
    Instant,
    Nodes,
    PartnerSchema,
    Quantity,
    Text,
    load_document,
)
from mappings.shopify.assembly import assemble

if TYPE_CHECKING:
    from syncworkers.canonical.orders import SalesOrder

name = "shopify.order_graphql/1"


def load(body: bytes | str) -> tuple[SalesOrder, tuple[str, ...]]:
    """Return the order and the paths nobody knows; raises `RejectedError` for anything wrong."""
    loaded, drift = load_document(_SCHEMA, body)
    return assemble(loaded), tuple(drift)


class _Amount(PartnerSchema):
    @post_load
    def _only(self, loaded: dict[str, Any], **_: Any) -> Any:
        return loaded["amount"]


class Allocation(_Amount):
    """A part of a discount that falls on one line."""

    amount = Bag("shopMoney", data_key="allocatedAmountSet", required=True)


class TaxLine(_Amount):
    """A tax on one line."""

    amount = Bag("shopMoney", data_key="priceSet", required=True)


class LineNode(PartnerSchema):
    """A node of `lineItems`."""

    id = Identifier(required=True)
    sku = Text()
    title = Text()
    quantity = Quantity(required=True)
    current_quantity = Quantity(data_key="currentQuantity", required=True)
    price = Bag("shopMoney", data_key="originalUnitPriceSet", required=True)
    discounts = fields.List(
        fields.Nested(Allocation), data_key="discountAllocations", required=True
    )
    taxes = fields.List(fields.Nested(TaxLine), data_key="taxLines", required=True)
    requires_shipping = fields.Boolean(data_key="requiresShipping", required=True)
    gift_card = fields.Boolean(data_key="isGiftCard", required=True)

    @post_load
    def _complete(self, loaded: dict[str, Any], **_: Any) -> dict[str, Any]:
        return {**loaded, "total_discount": None, "tip": ""}


class ShippingLineNode(PartnerSchema):
    """A node of `shippingLines`."""

    title = Text()
    discounted_price = Bag("shopMoney", data_key="discountedPriceSet", required=True)
    removed = fields.Boolean(data_key="isRemoved", required=True)


class AddressNode(PartnerSchema):
    """A delivery or billing address."""

    name = Text()
    first_name = Text(data_key="firstName")
    last_name = Text(data_key="lastName")
    company = Text()
    street = Text(data_key="address1")
    street2 = Text(data_key="address2")
    city = Text()
    region = Text(data_key="provinceCode")
    postal_code = Text(data_key="zip")
    country = Text(data_key="countryCodeV2")
    phone = Text()


class CustomerNode(PartnerSchema):
    """Who ordered."""

    id = Identifier(data_key="legacyResourceId", required=True)
    first_name = Text(data_key="firstName")
    last_name = Text(data_key="lastName")


class OrderNode(PartnerSchema):
    """The order."""

    ignored = frozenset({"id"})
    id = Identifier(data_key="legacyResourceId", required=True)
    name = Text()
    created_at = Instant(data_key="createdAt", required=True)
    processed_at = Instant(data_key="processedAt", required=True)
    updated_at = Instant(data_key="updatedAt", required=True)
    cancelled_at = Instant(data_key="cancelledAt", allow_none=True, required=True)
    currency = Currency(data_key="currencyCode", required=True)
    total = Bag("shopMoney", data_key="currentTotalPriceSet", required=True)
    tax_total = Bag("shopMoney", data_key="currentTotalTaxSet", required=True)
    tip = Bag("shopMoney", data_key="totalTipReceivedSet", required=True)
    duties = Bag("shopMoney", data_key="currentTotalDutiesSet", allow_none=True, required=True)
    taxes_included = fields.Boolean(data_key="taxesIncluded", required=True)
    test = fields.Boolean(required=True)
    customer = fields.Nested(CustomerNode, allow_none=True, required=True)
    email = Text()
    po_number = Text(data_key="poNumber")
    note = Text()
    payment_gateways = fields.List(Text(), data_key="paymentGatewayNames", required=True)
    shipping_address = fields.Nested(
        AddressNode, data_key="shippingAddress", allow_none=True, required=True
    )
    billing_address = fields.Nested(
        AddressNode, data_key="billingAddress", allow_none=True, required=True
    )
    lines = Nodes(fields.Nested(LineNode), data_key="lineItems", required=True)
    shipping_lines = Nodes(fields.Nested(ShippingLineNode), data_key="shippingLines", required=True)


_SCHEMA = OrderNode()
