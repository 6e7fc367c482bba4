"""A posted F&O invoice, its header and lines as read together.

Contract: SalesInvoiceHeadersV2 and SalesInvoiceLinesV2 of F&O 10.0.x. No answer of either was ever
recorded: the names are those of the published model, their types unverified. Lines name neither
order line nor lot; what they belong to follows from order, item, quantity and price.
"""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from marshmallow import ValidationError, fields, validate

from mappings.schema import Currency, Money, PartnerSchema, Text, load_document
from syncworkers.canonical.invoices import Invoice, InvoiceLine

if TYPE_CHECKING:
    from collections.abc import Sequence

name = "dynamics365.invoice/1"

NO_YEAR = 1900
"""F&O has no empty date: this year says that there is none."""
_QUANTITY_LIMIT = Decimal(10) ** 9


def load(body: bytes | str) -> tuple[Invoice, tuple[str, ...]]:
    """Return the invoice and the paths nobody knows; raises `RejectedError` for anything wrong."""
    loaded, drift = load_document(_SCHEMA, body)
    header = loaded["header"]
    company = header.pop("company").lower()
    invoice = Invoice(
        external_id=f"{company}/{header['number']}",
        company=company,
        lines=_lines(loaded["lines"]),
        **header,
    )
    return invoice, tuple(drift)


class Day(fields.Date):
    """A company's day: written as noon UTC, and never shifted by a zone."""

    def _deserialize(self, value: Any, *args: Any, **others: Any) -> dt.date:
        day = super()._deserialize(value[:10] if isinstance(value, str) else value, *args, **others)
        if day.year == NO_YEAR:
            raise ValidationError("No date is given.")
        return day


class Units(fields.Decimal):
    """A number of sales units; it may have a fraction, and is negative where goods came back."""

    def __init__(self, **options: Any) -> None:
        limits = validate.Range(min=-_QUANTITY_LIMIT, max=_QUANTITY_LIMIT)
        super().__init__(allow_nan=False, validate=limits, **options)


class Header(PartnerSchema):
    """A row of SalesInvoiceHeadersV2."""

    ignored = frozenset(
        "@odata.etag ContactPersonId DeliveryModeCode DeliveryTermsCode InvoiceAddressCity"
        " InvoiceAddressCountryRegionId InvoiceAddressCountryRegionISOCode InvoiceAddressRecId"
        " InvoiceAddressState InvoiceAddressStreet InvoiceAddressStreetNumber"
        " InvoiceAddressZipCode InvoiceCustomerAccountNumber InvoiceHeaderTaxAmount LedgerVoucher"
        " PaymentTermsName SalesOrderOriginCode SalesOrderResponsiblePersonnelNumber"
        " TotalDiscountAmount TotalDiscountCustomerGroupCode".split()
    )
    company = fields.String(data_key="dataAreaId", required=True, validate=validate.Length(min=1))
    number = fields.String(data_key="InvoiceNumber", required=True, validate=validate.Length(min=1))
    date = Day(data_key="InvoiceDate", required=True)
    order_number = Text(data_key="SalesOrderNumber")
    customer_reference = Text(data_key="CustomersOrderReference")
    currency = Currency(data_key="CurrencyCode", required=True)
    total = Money(data_key="TotalInvoiceAmount", required=True)
    tax_total = Money(data_key="TotalTaxAmount", required=True)
    charge_total = Money(data_key="TotalChargeAmount", required=True)


class Line(PartnerSchema):
    """A row of SalesInvoiceLinesV2."""

    ignored = frozenset(
        "@odata.etag dataAreaId ConfirmedShippingDate CurrencyCode DimensionNumber"
        " InventorySiteId InventoryWarehouseId InvoiceDate InvoiceNumber ItemBatchNumber"
        " LedgerVoucher LineTotalChargeAmount LineTotalDiscountAmount OrderedInventoryStatusId"
        " ProductColorId ProductConfigurationId ProductSizeId ProductStyleId ProductVersionId"
        " SalesProductCategoryHierarchyName SalesProductCategoryName SalesUnitSymbol".split()
    )
    number = Units(data_key="LineCreationSequenceNumber", allow_none=True, load_default=None)
    item = Text(data_key="ProductNumber")
    description = Text(data_key="ProductDescription")
    product = Text(data_key="ProductName")
    quantity = Units(data_key="InvoicedQuantity", required=True)
    unit_price = Money(data_key="SalesPrice", required=True)
    amount = Money(data_key="LineAmount", required=True)
    tax = Money(data_key="LineTotalTaxAmount", load_default=Decimal(0))


class InvoiceBody(PartnerSchema):
    """Header and lines, as the connector puts them together."""

    header = fields.Nested(Header, required=True)
    lines = fields.List(fields.Nested(Line), required=True)


_SCHEMA = InvoiceBody()


def _lines(rows: Sequence[dict[str, Any]]) -> tuple[InvoiceLine, ...]:
    """Order the lines by their own numbers; where those tell none apart, as they came."""
    told = [_whole(row.pop("number")) for row in rows]
    numbers = [one for one in told if one is not None]
    if len(set(numbers)) < len(rows):
        numbers = list(range(1, len(rows) + 1))
    lines = [_line(number, row) for number, row in zip(numbers, rows, strict=True)]
    return tuple(sorted(lines, key=lambda line: line.number))


def _whole(number: Decimal | None) -> int | None:
    return int(number) if number is not None and number == int(number) else None


def _line(number: int, row: dict[str, Any]) -> InvoiceLine:
    product = row.pop("product")
    return InvoiceLine(number=number, **{**row, "description": row["description"] or product})
