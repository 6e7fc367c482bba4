"""Bookings as F&O sales orders: raw fields by part; amounts stay Decimal.

Contract: SalesOrderHeadersV2, SalesOrderLinesV3, SalesOrderHeaderChargesV2 of F&O 10.0.x.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from mappings.dynamics365.addresses import dump_address
from mappings.dynamics365.lengths import too_long
from mappings.refusals import refuse
from syncworkers.canonical.orders import Address
from syncworkers.errors import Violation

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from syncworkers.canonical.bookings import (
        AddressChange,
        Booking,
        BookingCharge,
        BookingLine,
        Cancellation,
    )

Fields = dict[str, Any]

_HALF_CENT = Decimal("0.005")
_MANDATORY = ("SalesOrderNumber", "CustomersOrderReference", "OrderingCustomerAccountNumber")
_ORDER_SPECIFIC = {"IsDeliveryAddressOrderSpecific": "Yes"}


def dump_booking(booking: Booking) -> dict[str, Any]:
    """Return `header`, `lines` and `charges` of a new order; raises `RejectedError`.

    The day it was placed and the telephone have no writable field in these sets and are not sent.
    """
    key = _key(booking.company, booking.number)
    header = _header(key, booking)
    lines = [_line(key, line) for line in booking.lines]
    charges = [
        _charge(key, position, charge, booking.currency)
        for position, charge in enumerate(booking.charges, start=1)
    ]
    refuse([*_violations(header, lines, charges), *_wrong_amounts(booking.lines)], who="the ERP")
    return {"header": header, "lines": lines, "charges": charges}


def dump_address_change(change: AddressChange) -> dict[str, Any]:
    """Return `header`: the order's key, our reference, and the whole new delivery address."""
    header = {
        **_key(change.company, change.number),
        "CustomersOrderReference": change.reference,
        **_ORDER_SPECIFIC,
        **dump_address(change.address),
    }
    refuse(_violations(header, [], []), who="the ERP")
    return {"header": header}


def dump_cancellation(cancellation: Cancellation) -> dict[str, Any]:
    """Return `header`: the order's key and our reference; how to cancel is the connector's."""
    header = {
        **_key(cancellation.company, cancellation.number),
        "CustomersOrderReference": cancellation.reference,
    }
    refuse(_violations(header, [], []), who="the ERP")
    return {"header": header}


def _key(company: str, number: str) -> Fields:
    return {"dataAreaId": company.lower(), "SalesOrderNumber": number}


def _header(key: Fields, booking: Booking) -> Fields:
    optional = {
        "CustomerRequisitionNumber": booking.customer_reference,
        "SalesOrderName": booking.name,
        "Email": booking.email,
        "DefaultShippingWarehouseId": booking.warehouse,
        "DeliveryModeCode": booking.delivery_mode,
        "CustomerPaymentMethodName": booking.payment_method,
    }
    address: Fields = {}
    if booking.address != Address():
        address = {**_ORDER_SPECIFIC, **dump_address(booking.address, booking.name)}
    return {
        **key,
        "CustomersOrderReference": booking.reference,
        "OrderingCustomerAccountNumber": booking.customer,
        "InvoiceCustomerAccountNumber": booking.customer,
        "CurrencyCode": booking.currency,
        "LanguageId": booking.language,
        "ArePricesIncludingSalesTax": "Yes" if booking.taxes_included else "No",
        # The ERP must not add charges of its own to what the store has sold.
        "SkipCreateAutoCharges": "Yes",
        **_given(optional),
        **_given(address),
    }


def _line(key: Fields, line: BookingLine) -> Fields:
    optional = {
        "LineDescription": line.description,
        "ShippingWarehouseId": line.warehouse,
        "DeliveryModeCode": line.delivery_mode,
    }
    return {
        **key,
        "ExternalItemNumber": line.reference,
        "ItemNumber": line.item,
        "OrderedSalesQuantity": line.quantity,
        **_given({"SalesUnitSymbol": line.unit}),
        "SalesPrice": line.unit_price,
        "LineDiscountAmount": line.unit_discount,
        "SkipCreateAutoCharges": "Yes",
        **_given(optional),
    }


def _charge(key: Fields, position: int, charge: BookingCharge, currency: str) -> Fields:
    return {
        **key,
        "ChargeLineNumber": position,
        "SalesChargeCode": charge.code,
        "ChargeDescription": charge.description,
        "ChargeCategory": "Fixed",
        "FixedChargeAmount": charge.amount,
        "ChargeAccountingCurrencyCode": currency,
    }


def _given(fields: Fields) -> Fields:
    """Leave out what is empty: F&O then fills its own default."""
    return {name: value for name, value in fields.items() if value != ""}


def _violations(
    header: Fields, lines: Sequence[Fields], charges: Sequence[Fields]
) -> Iterator[Violation]:
    for name in _MANDATORY:
        if header.get(name) == "":
            yield Violation(path=f"header.{name}", code="field.missing", message="must be given")
    yield from too_long("header", header)
    for part, rows in (("lines", lines), ("charges", charges)):
        for position, fields in enumerate(rows):
            yield from too_long(f"{part}[{position}]", fields)


def _wrong_amounts(lines: Sequence[BookingLine]) -> Iterator[Violation]:
    """The ERP computes a line's amount itself: what it will compute must be what is booked."""
    for position, line in enumerate(lines):
        computed = (line.unit_price - line.unit_discount) * line.quantity
        if abs(computed - line.amount) > _HALF_CENT:
            yield Violation(
                path=f"lines[{position}].amount",
                code="line.amount_differs",
                message=f"the ERP will compute {computed}, to be booked is {line.amount}",
            )
