"""How long a text may be in F&O, which would cut it without a word.

Lengths of the standard data types; a customisation may only lengthen them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from syncworkers.errors import Violation

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

LENGTHS: Mapping[str, int] = {
    "dataAreaId": 4,
    "SalesOrderNumber": 20,
    "CustomersOrderReference": 60,
    "CustomerRequisitionNumber": 20,
    "OrderingCustomerAccountNumber": 20,
    "InvoiceCustomerAccountNumber": 20,
    "SalesOrderName": 60,
    "Email": 80,
    "CurrencyCode": 3,
    "LanguageId": 7,
    "DefaultShippingWarehouseId": 10,
    "DeliveryModeCode": 10,
    "CustomerPaymentMethodName": 10,
    "DeliveryAddressName": 60,
    "DeliveryAddressDescription": 60,
    "DeliveryAddressStreet": 250,
    "DeliveryAddressCity": 60,
    "DeliveryAddressStateId": 10,
    "DeliveryAddressZipCode": 10,
    "DeliveryAddressCountryRegionId": 10,
    "ExternalItemNumber": 20,
    "ItemNumber": 20,
    "LineDescription": 1000,
    "SalesUnitSymbol": 10,
    "ShippingWarehouseId": 10,
    "SalesChargeCode": 10,
    "ChargeDescription": 60,
    "ChargeAccountingCurrencyCode": 3,
    "CustomerAccount": 20,
    "PersonFirstName": 25,
    "PersonLastName": 25,
    "OrganizationName": 100,
    "CustomerGroupId": 10,
    "SalesCurrencyCode": 3,
    # Those of our own service, see docs/dynamics365: its tables are as wide.
    "shipmentId": 60,
    "salesOrderNumber": 20,
    "carrier": 60,
    "carrierService": 60,
    "trackingNumber": 100,
    "trackingUrl": 1000,
    "externalItemNumber": 20,
}


def too_long(path: str, fields: Mapping[str, Any]) -> Iterator[Violation]:
    """Name the texts that F&O would cut; `path` says which part of the document they stand in."""
    for name, value in fields.items():
        if isinstance(value, str) and len(value) > LENGTHS.get(name, len(value)):
            limit = LENGTHS[name]
            yield Violation(
                path=f"{path}.{name}",
                code="text.too_long",
                message=f"has {len(value)} characters, the ERP keeps {limit}; shorten it",
            )
