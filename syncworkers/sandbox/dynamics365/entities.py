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
TOO_LATE = {
    "Picked": "picked",
    "PartiallyDelivered": "partially delivered",
    "Delivered": "delivered",
    "DeliveredPartiallyInvoiced": "delivered",
    "PartiallyInvoiced": "partially invoiced",
    "Invoiced": "invoiced",
}
"""In these states an order's header changes no more; in F&O's words."""
KEYS: dict[str, tuple[str, ...]] = {
    "SalesOrderHeadersV2": ("dataAreaId", "SalesOrderNumber"),
    "SalesOrderLinesV3": ("dataAreaId", "InventoryLotId"),
    "SalesOrderHeaderChargesV2": ("dataAreaId", "SalesOrderNumber", "ChargeLineNumber"),
    "LegalEntities": ("LegalEntityId",),
    "CustomersV3": ("dataAreaId", "CustomerAccount"),
    # The keys of these three are unverified.
    "PackingSlipTrackingInformation": ("dataAreaId", "SalesOrderNumber", "PackingSlipNumber"),
    "SalesInvoiceHeadersV2": ("dataAreaId", "InvoiceNumber", "InvoiceDate", "LedgerVoucher"),
    "SalesInvoiceLinesV2": (
        *("dataAreaId", "InvoiceNumber", "InvoiceDate", "LedgerVoucher"),
        "LineCreationSequenceNumber",
    ),
}

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

CUSTOMER: Record = {
    "dataAreaId": "",
    "CustomerAccount": "",
    "PartyType": "Organization",
    "PartyNumber": "",
    "PersonFirstName": "",
    "PersonMiddleName": "",
    "PersonLastName": "",
    "OrganizationName": "",
    "NameAlias": "",
    "CustomerGroupId": "",
    "SalesCurrencyCode": "",
    "LanguageId": "en-us",
    "OnHoldStatus": "No",
    "CreditLimit": 0,
    "CreditLimitIsMandatory": "No",
    "InvoiceAccount": "",
    "PaymentTerms": "",
    "PaymentMethod": "",
    "DeliveryMode": "",
    "DeliveryTerms": "",
    "PrimaryContactEmail": "",
    "PrimaryContactPhone": "",
}
TRACKING: Record = {
    "dataAreaId": "",
    "SalesOrderNumber": "",
    "PackingSlipNumber": "",
    "DeliveryDate": NO_DATE,
    "TrackingNumber": "",
    "TrackingURL": "",
}
INVOICE_HEADER: Record = {
    "dataAreaId": "",
    "InvoiceNumber": "",
    "InvoiceDate": NO_DATE,
    "LedgerVoucher": "",
    "SalesOrderNumber": "",
    "CustomersOrderReference": "",
    "InvoiceCustomerAccountNumber": "",
    "CurrencyCode": "",
    "TotalInvoiceAmount": 0,
    "TotalTaxAmount": 0,
    "InvoiceHeaderTaxAmount": 0,
    "TotalChargeAmount": 0,
    "TotalDiscountAmount": 0,
    "TotalDiscountCustomerGroupCode": "",
    "ContactPersonId": "",
    "DeliveryModeCode": "",
    "DeliveryTermsCode": "",
    "PaymentTermsName": "",
    "SalesOrderOriginCode": "",
    "SalesOrderResponsiblePersonnelNumber": "",
    "InvoiceAddressCity": "",
    "InvoiceAddressCountryRegionId": "",
    "InvoiceAddressCountryRegionISOCode": "",
    "InvoiceAddressRecId": 0,
    "InvoiceAddressState": "",
    "InvoiceAddressStreet": "",
    "InvoiceAddressStreetNumber": "",
    "InvoiceAddressZipCode": "",
}
INVOICE_LINE: Record = {
    "dataAreaId": "",
    "InvoiceNumber": "",
    "InvoiceDate": NO_DATE,
    "LedgerVoucher": "",
    "LineCreationSequenceNumber": 0,
    "ProductNumber": "",
    "ProductName": "",
    "ProductDescription": "",
    "InvoicedQuantity": 0,
    "SalesUnitSymbol": "ea",
    "SalesPrice": 0,
    "LineAmount": 0,
    "LineTotalDiscountAmount": 0,
    "LineTotalTaxAmount": 0,
    "LineTotalChargeAmount": 0,
    "CurrencyCode": "",
    "ConfirmedShippingDate": NO_DATE,
    "InventorySiteId": "",
    "InventoryWarehouseId": "",
    "OrderedInventoryStatusId": "",
    "ItemBatchNumber": "",
    "DimensionNumber": "",
    "ProductColorId": "",
    "ProductConfigurationId": "",
    "ProductSizeId": "",
    "ProductStyleId": "",
    "ProductVersionId": "",
    "SalesProductCategoryName": "",
    "SalesProductCategoryHierarchyName": "",
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


def noon(day: str) -> str:
    """Write a date-only field: noon UTC of that day."""
    return f"{day}T12:00:00Z"


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
