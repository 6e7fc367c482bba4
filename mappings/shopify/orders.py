"""The body of an order webhook as a canonical order.

Contract: the REST-shaped order of webhooks, API 2026-07.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from marshmallow import fields, post_load

from mappings.schema import (
    Bag,
    Currency,
    Identifier,
    Instant,
    Money,
    PartnerSchema,
    Quantity,
    Text,
    load_document,
)
from mappings.shopify.assembly import assemble

if TYPE_CHECKING:
    from syncworkers.canonical.orders import SalesOrder

name = "shopify.order/1"


def load(body: bytes | str) -> tuple[SalesOrder, tuple[str, ...]]:
    """Return the order and the paths nobody knows; raises `RejectedError` for anything wrong."""
    loaded, drift = load_document(_SCHEMA, body)
    return assemble(loaded), tuple(drift)


class _Amount(PartnerSchema):
    """An entry of `discount_allocations` or `tax_lines`: only its amount counts."""

    @post_load
    def _only(self, loaded: dict[str, Any], **_: Any) -> Any:
        return loaded["amount"]


class Allocation(_Amount):
    """A part of a discount that falls on one line."""

    ignored = frozenset("amount_set discount_application_index".split())
    amount = Money(required=True)


class TaxLine(_Amount):
    """A tax on one line."""

    ignored = frozenset("channel_liable price_set rate title".split())
    amount = Money(data_key="price", required=True)


class Line(PartnerSchema):
    """An entry of `line_items`."""

    ignored = frozenset(
        "admin_graphql_api_id attributed_staffs destination_location duties fulfillable_quantity"
        " fulfillment_service fulfillment_status grams name origin_location pre_tax_price"
        " price_set product_exists product_id properties taxable total_discount_set variant_id"
        " sales_line_item_group_id tip_payment_method variant_inventory_management variant_title"
        " vendor".split()
    )
    id = Identifier(required=True)
    sku = Text()
    title = Text()
    quantity = Quantity(required=True)
    current_quantity = Quantity(allow_none=True, load_default=None)
    price = Money(required=True)
    total_discount = Money(allow_none=True, load_default=None)
    discounts = fields.List(
        fields.Nested(Allocation), data_key="discount_allocations", load_default=list
    )
    taxes = fields.List(fields.Nested(TaxLine), data_key="tax_lines", load_default=list)
    requires_shipping = fields.Boolean(load_default=True)
    gift_card = fields.Boolean(load_default=False)
    tip = Text(data_key="tip_payment_gateway")


class ShippingLine(PartnerSchema):
    """An entry of `shipping_lines`."""

    ignored = frozenset(
        "carrier_identifier code current_discounted_price_set delivery_category"
        " discounted_price_set id phone price_set requested_fulfillment_service_id source tax_lines"
        "".split()
    )
    title = Text()
    price = Money(required=True)
    discounted_price = Money(allow_none=True, load_default=None)
    discounts = fields.List(
        fields.Nested(Allocation), data_key="discount_allocations", load_default=list
    )
    removed = fields.Boolean(data_key="is_removed", load_default=False)


class AddressBody(PartnerSchema):
    """A delivery or billing address."""

    ignored = frozenset("country latitude longitude province".split())
    name = Text()
    first_name = Text()
    last_name = Text()
    company = Text()
    street = Text(data_key="address1")
    street2 = Text(data_key="address2")
    city = Text()
    region = Text(data_key="province_code")
    postal_code = Text(data_key="zip")
    country = Text(data_key="country_code")
    phone = Text()


class Customer(PartnerSchema):
    """Who ordered."""

    ignored = frozenset(
        "accepts_marketing accepts_marketing_updated_at admin_graphql_api_id created_at currency"
        " default_address email email_marketing_consent last_order_id last_order_name"
        " marketing_opt_in_level multipass_identifier note orders_count phone"
        " sms_marketing_consent state tags tax_exempt tax_exemptions total_spent updated_at"
        " verified_email".split()
    )
    id = Identifier(allow_none=True, load_default=None)
    first_name = Text()
    last_name = Text()


class OrderBody(PartnerSchema):
    """The order. `current_*` is what is left after edits and removals, and preferred."""

    ignored = frozenset(
        "admin_graphql_api_id app_id browser_ip buyer_accepts_marketing cancel_reason cart_token"
        " checkout_id checkout_token client_details closed_at company confirmation_number confirmed"
        " contact_email current_shipping_price_set current_subtotal_price"
        " current_subtotal_price_set current_total_additional_fees_set current_total_discounts"
        " current_total_discounts_set current_total_price_set current_total_tax_set"
        " customer_locale device_id discount_applications discount_codes duties_included"
        " estimated_taxes financial_status fulfillment_status fulfillments gateway landing_site"
        " landing_site_ref location_id merchant_business_entity_id merchant_of_record_app_id"
        " note_attributes number order_number order_status_url original_total_additional_fees_set"
        " original_total_duties_set payment_details payment_terms phone presentment_currency"
        " processing_method reference referring_site refunds returns source source_identifier"
        " source_name source_url subtotal_price subtotal_price_set tags tax_exempt tax_lines token"
        " total_cash_rounding_payment_adjustment_set total_cash_rounding_refund_adjustment_set"
        " total_discounts total_discounts_set total_line_items_price total_line_items_price_set"
        " total_outstanding total_price_set total_price_usd total_shipping_price_set total_tax_set"
        " total_weight transactions user_id".split()
    )
    id = Identifier(required=True)
    name = Text()
    created_at = Instant(required=True)
    processed_at = Instant(allow_none=True, load_default=None)
    updated_at = Instant(allow_none=True, load_default=None)
    cancelled_at = Instant(allow_none=True, load_default=None)
    currency = Currency(required=True)
    total_price = Money(required=True)
    current_total_price = Money(allow_none=True, load_default=None)
    total_tax = Money(allow_none=True, load_default=None)
    current_total_tax = Money(allow_none=True, load_default=None)
    taxes_included = fields.Boolean(load_default=False)
    test = fields.Boolean(load_default=False)
    tip = Money(data_key="total_tip_received", allow_none=True, load_default=None)
    duties = Bag(
        "shop_money", data_key="current_total_duties_set", allow_none=True, load_default=None
    )
    customer = fields.Nested(Customer, allow_none=True, load_default=None)
    email = Text()
    po_number = Text()
    note = Text()
    payment_gateways = fields.List(Text(), data_key="payment_gateway_names", load_default=list)
    shipping_address = fields.Nested(AddressBody, allow_none=True, load_default=None)
    billing_address = fields.Nested(AddressBody, allow_none=True, load_default=None)
    lines = fields.List(fields.Nested(Line), data_key="line_items", required=True)
    shipping_lines = fields.List(fields.Nested(ShippingLine), load_default=list)

    @post_load
    def _current(self, loaded: dict[str, Any], **_: Any) -> dict[str, Any]:
        for ours, now, then in (
            ("total", "current_total_price", "total_price"),
            ("tax_total", "current_total_tax", "total_tax"),
        ):
            current, original = loaded.pop(now), loaded.pop(then)
            loaded[ours] = original if current is None else current
        return loaded


_SCHEMA = OrderBody()
