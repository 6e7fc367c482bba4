"""An invoice as the ERP posted it, and what its store is told of it."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoiceLine:
    """One line; `item` is the ERP's item number, `amount` its net, tax and charges beside it."""

    number: int
    item: str
    description: str
    quantity: Decimal
    unit_price: Decimal
    amount: Decimal
    tax: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Invoice:
    """A posted invoice; it never changes.

    `external_id` is `<company>/<number>`. `order_number` is the ERP's sales order. `total` is what
    the customer owes, tax and charges included. Dates have no zone: they are the company's days.
    """

    external_id: str
    number: str
    company: str
    order_number: str
    customer_reference: str
    date: dt.date
    currency: str
    total: Decimal
    tax_total: Decimal
    charge_total: Decimal
    lines: tuple[InvoiceLine, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoiceSummary:
    """What people at the store need of one invoice; `url` is empty where no link is configured."""

    number: str
    date: dt.date
    amount: Decimal
    currency: str
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoiceNotice:
    """All invoices of one order, to be shown at its store: the whole list, so a repeat is harmless.

    `reference` is the order's; `store_order` the store's id of it.
    """

    reference: str
    store_order: str
    invoices: tuple[InvoiceSummary, ...]
