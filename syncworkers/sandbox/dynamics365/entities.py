"""The entity sets: keys, default values, and F&O's own sentences.

Field names are those of F&O 10.0.x, misspellings included.
"""

from __future__ import annotations

from typing import Any

Record = dict[str, Any]

NO_DATE = "1900-01-01T12:00:00Z"
EXISTS = "The record already exists."
SITE = (
    "Warning: Inventory dimension Site is mandatory and must consequently be specified.; "
    "Error: Update has been canceled.."
)
KEYS: dict[str, tuple[str, ...]] = {
    "SalesOrderHeadersV2": ("dataAreaId", "SalesOrderNumber"),
    "SalesOrderLinesV3": ("dataAreaId", "InventoryLotId"),
    "SalesOrderHeaderChargesV2": ("dataAreaId", "SalesOrderNumber", "ChargeLineNumber"),
    "LegalEntities": ("LegalEntityId",),
}
NO_COMPANY = frozenset({"LegalEntities"})
"""Sets that belong to no company."""

_ADDRESS = {
    f"DeliveryAddress{part}": ""
    for part in (
        "City CountryRegionId CountryRegionISOCode CountyId Description DistrictName DunsNumber"
        " LocationId Name PostBox StateId Street StreetNumber ZipCode"
    ).split()
}
HEADER: Record = {
    "dataAreaId": "",
    "SalesOrderNumber": "",
    "CustomersOrderReference": "",
    "CustomerRequisitionNumber": "",
    "OrderingCustomerAccountNumber": "",
    "InvoiceCustomerAccountNumber": "",
    "SalesOrderName": "",
    "Email": "",
    "CurrencyCode": "USD",
    "LanguageId": "en-us",
    "ArePricesIncludingSalesTax": "No",
    "SkipCreateAutoCharges": "No",
    "IsDeliveryAddressOrderSpecific": "No",
    "IsDeliveryAddressPrivate": "No",
    "IsOneTimeCustomer": "No",
    "IsSalesProcessingStopped": "No",
    "SalesOrderStatus": "None",
    "SalesOrderProcessingStatus": "Active",
    "DefaultShippingSiteId": "",
    "DefaultShippingWarehouseId": "",
    "DeliveryModeCode": "",
    "DeliveryTermsCode": "",
    "CustomerPaymentMethodName": "",
    "PaymentTermsName": "",
    "SalesOrderOriginCode": "",
    "SalesOrderPoolId": "",
    "OrderTotalAmount": 0,
    "OrderTotalTaxAmount": 0,
    "AreTotalsCalculated": "No",
    "FormattedDelveryAddress": "",
    "OrderCreationDateTime": NO_DATE,
    "RequestedReceiptDate": NO_DATE,
    "RequestedShippingDate": NO_DATE,
    "ConfirmedShippingDate": NO_DATE,
    **_ADDRESS,
}
LINE: Record = {
    "dataAreaId": "",
    "InventoryLotId": "",
    "SalesOrderNumber": "",
    "ExternalItemNumber": "",
    "OrderLineReference": "",
    "ItemNumber": "",
    "LineDescription": "",
    "LineNumber": 0,
    "OrderedSalesQuantity": 0,
    "SalesUnitSymbol": "ea",
    "SalesPrice": 0,
    "SalesPriceQuantity": 1,
    "LineDiscountAmount": 0,
    "LineDiscountPercentage": 0,
    "LineAmount": 0,
    "CurrencyCode": "",
    "ShippingSiteId": "",
    "ShippingWarehouseId": "",
    "DeliveryModeCode": "",
    "SalesOrderLineStatus": "None",
    "SkipCreateAutoCharges": "No",
    "SalesTaxGroupCode": "",
    "RequestedReceiptDate": NO_DATE,
    "RequestedShippingDate": NO_DATE,
    **_ADDRESS,
    "FormattedDelveryAddress": "",
}
CHARGE: Record = {
    "dataAreaId": "",
    "SalesOrderNumber": "",
    "ChargeLineNumber": 0,
    "SalesChargeCode": "",
    "ChargeCategory": "Fixed",
    "ChargeDescription": "",
    "ChargePercentage": 0,
    "FixedChargeAmount": 0,
    "ChargeAccountingCurrencyCode": "",
    "SalesTaxGroupCode": "",
    "SalesTaxItemGroupCode": "",
}


def key_of(set_name: str, record: Record) -> tuple[str, ...]:
    """Return a record's key; companies compare without case, nothing is trimmed."""
    return tuple(_plain(name, record[name]) for name in KEYS[set_name])


def order_key(record: Record) -> tuple[str, ...]:
    """Return the key of the order a record belongs to."""
    return (
        str(record.get("dataAreaId", "")).lower(),
        str(record.get("SalesOrderNumber", "")),
    )


def _plain(name: str, value: Any) -> str:
    return str(value).lower() if name in {"dataAreaId", "LegalEntityId"} else str(value)


def not_found(value: str, field: str, table: str) -> str:
    """Say that a value stands in no related table, as F&O says it."""
    return (
        f"Warning: The value '{value}' in field '{field}' is not found in the related table "
        f"'{table}'."
    )


def formatted(record: Record) -> str:
    """Format the delivery address."""
    state = f"{record['DeliveryAddressStateId']} {record['DeliveryAddressZipCode']}"
    parts = [record["DeliveryAddressStreet"], f"{record['DeliveryAddressCity']}, {state}"]
    return "\n".join(part for part in parts if part.strip(", "))
