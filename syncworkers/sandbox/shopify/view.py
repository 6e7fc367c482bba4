"""An order as GraphQL shows it: the same order its webhooks tell of."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

Fields = dict[str, Any]


def order_node(order: Fields) -> Fields:
    """Turn a REST-shaped order into the values GraphQL resolves."""
    currency = order["currency"]
    shipping = [_shipping_line(line, currency) for line in order.get("shipping_lines") or ()]
    duties = (order.get("current_total_duties_set") or {}).get("shop_money")
    tax = order.get("current_total_tax", order.get("total_tax"))
    return {
        "__typename": "Order",
        "id": f"gid://shopify/Order/{order['id']}",
        "legacyResourceId": str(order["id"]),
        "name": order["name"],
        "createdAt": order["created_at"],
        "processedAt": order.get("processed_at") or order["created_at"],
        "updatedAt": order["updated_at"],
        "cancelledAt": order.get("cancelled_at"),
        "currencyCode": currency,
        "taxesIncluded": bool(order.get("taxes_included")),
        "test": bool(order.get("test")),
        "poNumber": order.get("po_number"),
        "note": order.get("note"),
        "email": order.get("email"),
        "paymentGatewayNames": order.get("payment_gateway_names") or [],
        "customer": _customer(order.get("customer")),
        "shippingAddress": _address(order.get("shipping_address")),
        "billingAddress": _address(order.get("billing_address")),
        "currentTotalPriceSet": _bag(
            order.get("current_total_price", order["total_price"]), currency
        ),
        "totalPriceSet": _bag(order["total_price"], currency),
        "currentTotalTaxSet": _bag(tax, currency),
        "totalTipReceivedSet": _bag(order.get("total_tip_received"), currency),
        "currentTotalDutiesSet": duties and _bag(duties["amount"], currency),
        "shippingLines": shipping,
        "lineItems": [_line(line, currency) for line in order["line_items"]],
    }


def _bag(amount: Any, currency: str) -> Fields:
    money = {"amount": str(amount or "0.0"), "currencyCode": currency}
    return {"shopMoney": money, "presentmentMoney": money}


def _customer(customer: Fields | None) -> Fields | None:
    if not customer or not customer.get("id"):
        return None
    return {
        "legacyResourceId": str(customer["id"]),
        "firstName": customer.get("first_name"),
        "lastName": customer.get("last_name"),
    }


def _address(address: Fields | None) -> Fields | None:
    if not address:
        return None
    return {
        "name": address.get("name"),
        "firstName": address.get("first_name"),
        "lastName": address.get("last_name"),
        "company": address.get("company"),
        "address1": address.get("address1"),
        "address2": address.get("address2"),
        "city": address.get("city"),
        "provinceCode": address.get("province_code"),
        "zip": address.get("zip"),
        "countryCodeV2": address.get("country_code"),
        "phone": address.get("phone"),
    }


def _shipping_line(line: Fields, currency: str) -> Fields:
    freed = sum(
        (Decimal(one["amount"]) for one in line.get("discount_allocations") or ()), Decimal()
    )
    price = line.get("discounted_price")
    return {
        "title": line["title"],
        "code": line.get("code"),
        "isRemoved": bool(line.get("is_removed")),
        "discountedPriceSet": _bag(
            Decimal(line["price"]) - freed if price is None else price, currency
        ),
    }


def _line(line: Fields, currency: str) -> Fields:
    quantity = line["quantity"]
    return {
        "__typename": "LineItem",
        "id": f"gid://shopify/LineItem/{line['id']}",
        "sku": line.get("sku"),
        "title": line["title"],
        "quantity": quantity,
        "currentQuantity": line.get("current_quantity", quantity),
        "requiresShipping": bool(line.get("requires_shipping", True)),
        "isGiftCard": bool(line.get("gift_card")),
        "originalUnitPriceSet": _bag(line["price"], currency),
        "discountAllocations": [
            {"allocatedAmountSet": _bag(one["amount"], currency)}
            for one in line.get("discount_allocations") or ()
        ],
        "taxLines": [
            {"title": one.get("title") or "Tax", "priceSet": _bag(one["price"], currency)}
            for one in line.get("tax_lines") or ()
        ],
    }
