"""Keys of an order that the contract names and we do not use: every other key is drift.

Contract: admin schema 2.4.9 and the ACCS schema of July 2026, `sales-data-order-*-interface`.
"""

from __future__ import annotations

ORDER = frozenset(
    "discount_amount is_virtual status subtotal "
    "adjustment_negative adjustment_positive applied_rule_ids base_adjustment_negative "
    "base_adjustment_positive base_currency_code base_discount_amount base_discount_canceled "
    "base_discount_invoiced base_discount_refunded base_discount_tax_compensation_amount "
    "base_discount_tax_compensation_invoiced base_discount_tax_compensation_refunded "
    "base_grand_total base_shipping_amount base_shipping_canceled "
    "base_shipping_discount_amount base_shipping_discount_tax_compensation_amnt "
    "base_shipping_incl_tax base_shipping_invoiced base_shipping_refunded "
    "base_shipping_tax_amount base_shipping_tax_refunded base_subtotal base_subtotal_canceled "
    "base_subtotal_incl_tax base_subtotal_invoiced base_subtotal_refunded base_tax_amount "
    "base_tax_canceled base_tax_invoiced base_tax_refunded base_to_global_rate "
    "base_to_order_rate base_total_canceled base_total_due base_total_invoiced "
    "base_total_invoiced_cost base_total_offline_refunded base_total_online_refunded "
    "base_total_paid base_total_qty_ordered base_total_refunded billing_address_id "
    "can_ship_partially can_ship_partially_item coupon_code custom_attributes customer_dob "
    "customer_gender customer_group_id customer_middlename customer_note_notify "
    "customer_prefix customer_suffix customer_taxvat discount_canceled discount_description "
    "discount_invoiced discount_refunded discount_tax_compensation_invoiced "
    "discount_tax_compensation_refunded edit_increment email_sent ext_customer_id "
    "ext_order_id forced_shipment_with_invoice global_currency_code hold_before_state "
    "hold_before_status original_increment_id payment_auth_expiration "
    "payment_authorization_amount protect_code quote_address_id quote_id relation_child_id "
    "relation_child_real_id relation_parent_id relation_parent_real_id remote_ip "
    "shipping_canceled shipping_description shipping_incl_tax shipping_invoiced "
    "shipping_refunded shipping_tax_amount shipping_tax_refunded status_histories "
    "store_currency_code store_name store_to_base_rate store_to_order_rate subtotal_canceled "
    "subtotal_incl_tax subtotal_invoiced subtotal_refunded tax_canceled tax_invoiced "
    "tax_refunded total_canceled total_due total_invoiced total_item_count "
    "total_offline_refunded total_online_refunded total_paid total_qty_ordered total_refunded "
    "weight x_forwarded_for".split()
)

ITEM = frozenset(
    "additional_data amount_refunded applied_rule_ids base_amount_refunded base_cost "
    "base_discount_amount base_discount_invoiced base_discount_refunded "
    "base_discount_tax_compensation_amount base_discount_tax_compensation_invoiced "
    "base_discount_tax_compensation_refunded base_original_price base_price "
    "base_price_incl_tax base_row_invoiced base_row_total base_row_total_incl_tax "
    "base_tax_amount base_tax_before_discount base_tax_invoiced base_tax_refunded "
    "base_weee_tax_applied_amount base_weee_tax_applied_row_amnt base_weee_tax_disposition "
    "base_weee_tax_row_disposition created_at custom_attributes description discount_invoiced "
    "discount_percent discount_refunded discount_tax_compensation_amount "
    "discount_tax_compensation_canceled discount_tax_compensation_invoiced "
    "discount_tax_compensation_refunded event_id ext_order_item_id extension_attributes "
    "free_shipping gw_base_price gw_base_price_invoiced gw_base_price_refunded "
    "gw_base_tax_amount gw_base_tax_amount_invoiced gw_base_tax_amount_refunded gw_id "
    "gw_price gw_price_invoiced gw_price_refunded gw_tax_amount gw_tax_amount_invoiced "
    "gw_tax_amount_refunded is_qty_decimal locked_do_invoice locked_do_ship no_discount "
    "order_id original_price parent_item price_incl_tax product_id product_option "
    "qty_backordered qty_invoiced qty_refunded qty_returned qty_shipped quote_item_id "
    "row_invoiced row_total_incl_tax row_weight store_id tax_before_discount tax_canceled "
    "tax_invoiced tax_percent tax_refunded updated_at weee_tax_applied "
    "weee_tax_applied_amount weee_tax_applied_row_amount weee_tax_disposition "
    "weee_tax_row_disposition weight".split()
)

ADDRESS = frozenset(
    "address_type custom_attributes customer_address_id customer_id email entity_id "
    "extension_attributes fax middlename parent_id prefix region_id suffix vat_id "
    "vat_is_valid vat_request_date vat_request_id vat_request_success".split()
)

PAYMENT = frozenset(
    "account_status additional_data additional_information address_status amount_authorized "
    "amount_canceled amount_ordered amount_paid amount_refunded anet_trans_method "
    "base_amount_authorized base_amount_canceled base_amount_ordered base_amount_paid "
    "base_amount_paid_online base_amount_refunded base_amount_refunded_online "
    "base_shipping_amount base_shipping_captured base_shipping_refunded cc_approval "
    "cc_avs_status cc_cid_status cc_debug_request_body cc_debug_response_body "
    "cc_debug_response_serialized cc_exp_month cc_exp_year cc_last4 cc_number_enc cc_owner "
    "cc_secure_verify cc_ss_issue cc_ss_start_month cc_ss_start_year cc_status "
    "cc_status_description cc_trans_id cc_type echeck_account_name echeck_account_type "
    "echeck_bank_name echeck_routing_number echeck_type entity_id extension_attributes "
    "last_trans_id parent_id protection_eligibility quote_payment_id shipping_amount "
    "shipping_captured shipping_refunded".split()
)

EXTENSION = frozenset(
    "additional_itemized_taxes admin_assisted_order applied_taxes "
    "base_customer_balance_amount base_customer_balance_invoiced "
    "base_customer_balance_refunded base_customer_balance_total_refunded "
    "base_gift_cards_amount base_gift_cards_invoiced base_gift_cards_refunded "
    "base_reward_currency_amount company_order_attributes converting_from_quote coupon_codes "
    "coupon_discounts custom_fees customer_balance_invoiced customer_balance_refunded "
    "customer_balance_total_refunded gift_cards gift_cards_invoiced gift_cards_refunded "
    "gift_message gw_add_card gw_allow_gift_receipt gw_base_price gw_base_price_incl_tax "
    "gw_base_price_invoiced gw_base_price_refunded gw_base_tax_amount "
    "gw_base_tax_amount_invoiced gw_base_tax_amount_refunded gw_card_base_price "
    "gw_card_base_price_incl_tax gw_card_base_price_invoiced gw_card_base_price_refunded "
    "gw_card_base_tax_amount gw_card_base_tax_invoiced gw_card_base_tax_refunded "
    "gw_card_price_incl_tax gw_card_price_invoiced gw_card_price_refunded gw_card_tax_amount "
    "gw_card_tax_invoiced gw_card_tax_refunded gw_id gw_items_base_price "
    "gw_items_base_price_incl_tax gw_items_base_price_invoiced gw_items_base_price_refunded "
    "gw_items_base_tax_amount gw_items_base_tax_invoiced gw_items_base_tax_refunded "
    "gw_items_price_incl_tax gw_items_price_invoiced gw_items_price_refunded "
    "gw_items_tax_amount gw_items_tax_invoiced gw_items_tax_refunded gw_price_incl_tax "
    "gw_price_invoiced gw_price_refunded gw_tax_amount gw_tax_amount_invoiced "
    "gw_tax_amount_refunded item_applied_taxes notification_sent payment_additional_info "
    "pickup_location_code reward_points_balance send_notification taxes".split()
)
