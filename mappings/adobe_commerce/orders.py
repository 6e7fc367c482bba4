"""An order as REST shows it, as a canonical order.

Contract: `sales-data-order-interface` of 2.4.9; null fields are left out there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from marshmallow import EXCLUDE, fields

from mappings.adobe_commerce import contract
from mappings.adobe_commerce.assembly import assemble
from mappings.adobe_commerce.values import Amount, NaiveInstant, Units
from mappings.schema import Currency, Identifier, PartnerSchema, Text, load_document

if TYPE_CHECKING:
    from syncworkers.canonical.orders import SalesOrder

name = "adobe_commerce.order/1"


def load(body: bytes | str) -> tuple[SalesOrder, tuple[str, ...]]:
    """Return the order and the paths nobody knows; raises `RejectedError` for anything wrong."""
    loaded, drift = load_document(_SCHEMA, body)
    return assemble(loaded), tuple(drift)


class AddressBody(PartnerSchema):
    """A delivery or billing address."""

    ignored = contract.ADDRESS
    first_name = Text(data_key="firstname")
    last_name = Text(data_key="lastname")
    company = Text()
    street = fields.List(Text(), load_default=list, allow_none=True)
    city = Text()
    region = Text()
    region_code = Text()
    postal_code = Text(data_key="postcode")
    country = Text(data_key="country_id")
    phone = Text(data_key="telephone")


class Row(PartnerSchema):
    """An entry of `items`: a configurable product has two, a bundle one for each of its parts."""

    ignored = contract.ITEM
    id = Identifier(data_key="item_id", required=True)
    parent = Identifier(data_key="parent_item_id", allow_none=True, load_default=None)
    sku = Text()
    title = Text(data_key="name")
    kind = Text(data_key="product_type")
    quantity = Units(data_key="qty_ordered")
    cancelled = Units(data_key="qty_canceled")
    price = Amount()
    discount = Amount(data_key="discount_amount")
    tax = Amount(data_key="tax_amount")
    row_total = Amount()
    virtual = fields.Boolean(data_key="is_virtual", load_default=False, allow_none=True)


class Payment(PartnerSchema):
    """How it is paid."""

    ignored = contract.PAYMENT
    method = Text()
    po_number = Text()


class Shipping(PartnerSchema):
    """Where it goes, and by which method."""

    ignored = frozenset({"total", "extension_attributes"})
    address = fields.Nested(AddressBody, allow_none=True, load_default=None)
    method = Text()


class Assignment(PartnerSchema):
    """An entry of `shipping_assignments`; its items are the order's again."""

    ignored = frozenset({"items", "stock_id", "extension_attributes"})
    shipping = fields.Nested(Shipping, allow_none=True, load_default=None)


class Extension(PartnerSchema):
    """`extension_attributes`: what installed modules add."""

    ignored = contract.EXTENSION
    assignments = fields.List(
        fields.Nested(Assignment), data_key="shipping_assignments", load_default=list
    )
    gift_cards = Amount(data_key="gift_cards_amount")
    store_credit = Amount(data_key="customer_balance_amount")
    reward_points = Amount(data_key="reward_currency_amount")
    wrapping = Amount(data_key="gw_price")
    items_wrapping = Amount(data_key="gw_items_price")
    gift_message_card = Amount(data_key="gw_card_price")


class OrderBody(PartnerSchema):
    """The order; amounts are in the currency it was placed in."""

    ignored = contract.ORDER
    id = Identifier(data_key="entity_id", required=True)
    number = fields.String(data_key="increment_id", required=True)
    placed_at = NaiveInstant(data_key="created_at", required=True)
    updated_at = NaiveInstant(allow_none=True, load_default=None)
    state = fields.String(required=True)
    currency = Currency(data_key="order_currency_code", required=True)
    grand_total = Amount(required=True)
    tax = Amount(data_key="tax_amount")
    hidden_tax = Amount(data_key="discount_tax_compensation_amount")
    shipping_hidden_tax = Amount(data_key="shipping_discount_tax_compensation_amount")
    shipping = Amount(data_key="shipping_amount")
    shipping_discount = Amount(data_key="shipping_discount_amount")
    customer_id = Identifier(allow_none=True, load_default=None)
    guest = fields.Boolean(data_key="customer_is_guest", load_default=False, allow_none=True)
    first_name = Text(data_key="customer_firstname")
    last_name = Text(data_key="customer_lastname")
    email = Text(data_key="customer_email")
    note = Text(data_key="customer_note")
    store_view = fields.Raw(data_key="store_id", load_default="")
    items = fields.List(fields.Nested(Row), required=True)
    billing_address = fields.Nested(AddressBody, allow_none=True, load_default=None)
    payment = fields.Nested(Payment, allow_none=True, load_default=None)
    extension = fields.Nested(Extension, data_key="extension_attributes", load_default=None)

    class Meta:
        """New keys pass."""

        unknown = EXCLUDE


_SCHEMA = OrderBody()
