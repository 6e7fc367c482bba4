from __future__ import annotations

import datetime as dt
from dataclasses import replace
from decimal import Decimal

import pytest

from mappings.dynamics365.addresses import COUNTRIES
from mappings.dynamics365.orders import dump_address_change, dump_booking, dump_cancellation
from syncworkers.canonical.bookings import (
    AddressChange,
    Booking,
    BookingCharge,
    BookingLine,
    Cancellation,
)
from syncworkers.canonical.orders import Address
from syncworkers.errors import RejectedError, Violation

HOME = Address(
    name="Ada Byron",
    company="",
    street="12 St James's Square",
    street2="Flat 3",
    city="London",
    region="",
    postal_code="SW1Y 4JH",
    country="GB",
)
LINE = BookingLine(
    reference="14001",
    item=" T-01",
    description="Tea, loose",
    quantity=3,
    unit_price=Decimal("10.10"),
    unit_discount=Decimal("0.10"),
    amount=Decimal("30.00"),
    warehouse="13",
    delivery_mode="STD",
)
BOOKING = Booking(
    company="USMF",
    number="US5182437124",
    reference="shopify-us/5182437124",
    customer="ONLINE",
    customer_reference="1001",
    name="Ada Byron",
    email="ada@example.com",
    currency="USD",
    language="en-us",
    taxes_included=False,
    warehouse="13",
    delivery_mode="STD",
    payment_method="CARD",
    placed_on=dt.date(2026, 11, 24),
    address=HOME,
    lines=(LINE,),
    charges=(BookingCharge(code="FREIGHT", description="Shipping", amount=Decimal("4.90")),),
    total=Decimal("34.90"),
)


def test_a_booking_becomes_header_lines_and_charges():
    assert dump_booking(BOOKING) == {
        "header": {
            "dataAreaId": "usmf",
            "SalesOrderNumber": "US5182437124",
            "CustomersOrderReference": "shopify-us/5182437124",
            "OrderingCustomerAccountNumber": "ONLINE",
            "InvoiceCustomerAccountNumber": "ONLINE",
            "CurrencyCode": "USD",
            "LanguageId": "en-us",
            "ArePricesIncludingSalesTax": "No",
            "SkipCreateAutoCharges": "Yes",
            "CustomerRequisitionNumber": "1001",
            "SalesOrderName": "Ada Byron",
            "Email": "ada@example.com",
            "DefaultShippingWarehouseId": "13",
            "DeliveryModeCode": "STD",
            "CustomerPaymentMethodName": "CARD",
            "IsDeliveryAddressOrderSpecific": "Yes",
            "DeliveryAddressName": "Ada Byron",
            "DeliveryAddressDescription": "Ada Byron",
            "DeliveryAddressStreet": "12 St James's Square\nFlat 3",
            "DeliveryAddressCity": "London",
            "DeliveryAddressZipCode": "SW1Y 4JH",
            "DeliveryAddressCountryRegionId": "GBR",
        },
        "lines": [
            {
                "dataAreaId": "usmf",
                "SalesOrderNumber": "US5182437124",
                "ExternalItemNumber": "14001",
                "ItemNumber": " T-01",
                "OrderedSalesQuantity": 3,
                "SalesPrice": Decimal("10.10"),
                "LineDiscountAmount": Decimal("0.10"),
                "SkipCreateAutoCharges": "Yes",
                "LineDescription": "Tea, loose",
                "ShippingWarehouseId": "13",
                "DeliveryModeCode": "STD",
            }
        ],
        "charges": [
            {
                "dataAreaId": "usmf",
                "SalesOrderNumber": "US5182437124",
                "ChargeLineNumber": 1,
                "SalesChargeCode": "FREIGHT",
                "ChargeDescription": "Shipping",
                "ChargeCategory": "Fixed",
                "FixedChargeAmount": Decimal("4.90"),
                "ChargeAccountingCurrencyCode": "USD",
            }
        ],
    }


def test_an_order_without_an_address_sends_none():
    header = dump_booking(replace(BOOKING, address=Address()))["header"]

    assert [name for name in header if "Address" in name] == []


def test_an_address_change_replaces_every_part_of_the_address():
    change = AddressChange(
        company="USMF", number="US1", reference="shopify-us/1", address=replace(HOME, street2="")
    )

    assert dump_address_change(change) == {
        "header": {
            "dataAreaId": "usmf",
            "SalesOrderNumber": "US1",
            "CustomersOrderReference": "shopify-us/1",
            "IsDeliveryAddressOrderSpecific": "Yes",
            "DeliveryAddressName": "Ada Byron",
            "DeliveryAddressDescription": "Ada Byron",
            "DeliveryAddressStreet": "12 St James's Square",
            "DeliveryAddressCity": "London",
            "DeliveryAddressStateId": "",
            "DeliveryAddressZipCode": "SW1Y 4JH",
            "DeliveryAddressCountryRegionId": "GBR",
        }
    }


def test_a_cancellation_names_the_order():
    cancellation = Cancellation(
        company="USMF", number="US1", reference="shopify-us/1", reason="customer"
    )

    assert dump_cancellation(cancellation) == {
        "header": {
            "dataAreaId": "usmf",
            "SalesOrderNumber": "US1",
            "CustomersOrderReference": "shopify-us/1",
        }
    }


def test_texts_the_erp_would_cut_are_refused_all_at_once():
    long_line = replace(LINE, reference="1" * 21)
    booking = replace(
        BOOKING, lines=(LINE, long_line), address=replace(HOME, postal_code="12345678901")
    )

    with pytest.raises(RejectedError) as raised:
        dump_booking(booking)

    assert [(one.path, one.code) for one in raised.value.violations] == [
        ("header.DeliveryAddressZipCode", "text.too_long"),
        ("lines[1].ExternalItemNumber", "text.too_long"),
    ]


@pytest.mark.parametrize("country", ["", "ZZ", "USA"])
def test_an_unknown_country_is_refused(country: str):
    with pytest.raises(RejectedError) as raised:
        dump_booking(replace(BOOKING, address=replace(HOME, country=country)))

    assert [one.code for one in raised.value.violations] == ["country.unknown"]


def test_an_amount_the_erp_would_not_compute_is_refused():
    with pytest.raises(RejectedError) as raised:
        dump_booking(replace(BOOKING, lines=(replace(LINE, amount=Decimal("30.01")),)))

    assert raised.value.violations == (
        Violation(
            path="lines[0].amount",
            code="line.amount_differs",
            message="the ERP will compute 30.00, to be booked is 30.01",
        ),
    )


def test_a_booking_without_an_account_is_refused():
    with pytest.raises(RejectedError) as raised:
        dump_booking(replace(BOOKING, customer=""))

    assert [one.path for one in raised.value.violations] == ["header.OrderingCustomerAccountNumber"]


def test_all_countries_have_three_letters():
    assert (len(COUNTRIES), COUNTRIES["US"], COUNTRIES["DE"]) == (250, "USA", "DEU")
    assert {len(code) for code in COUNTRIES.values()} == {3}
