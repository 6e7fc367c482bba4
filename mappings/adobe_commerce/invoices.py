"""The invoices of an order, as comments that its customer sees.

Contract: `POST /V1/orders/{id}/comments` of 2.4.9. The document is posted in the ERP; the shop is
told its number, date and amount, in a form that people and scripts can read.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mappings.refusals import refuse
from syncworkers.errors import Violation

if TYPE_CHECKING:
    from syncworkers.canonical.invoices import InvoiceNotice, InvoiceSummary


def dump_invoices(notice: InvoiceNotice) -> dict[str, Any]:
    """Return `order` and `comments`, each with the `key` that it is known by."""
    if not notice.store_order.isdecimal():
        message = f"{notice.store_order!r} is no order of the store"
        refuse([Violation(path="order", code="field.invalid", message=message)], who="the store")
    return {
        "order": notice.store_order,
        "comments": [
            {"key": f"invoice {one.number}", "text": _text(one)} for one in notice.invoices
        ],
    }


def _text(invoice: InvoiceSummary) -> str:
    link = f" {invoice.url}" if invoice.url else ""
    return (
        f"Invoice {invoice.number} of {invoice.date.isoformat()} over "
        f"{invoice.amount} {invoice.currency}{link}"
    )
