"""How far an order is: delivered and invoiced quantities, and the states F&O shows for them."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from syncworkers.sandbox.dynamics365.books import Books

Record = dict[str, Any]


def undelivered(books: Books, line: Record) -> Decimal:
    """Return how much of a line no packing slip names."""
    return Decimal(line["OrderedSalesQuantity"]) - books.delivered[line["InventoryLotId"]]


def uninvoiced(books: Books, line: Record) -> Decimal:
    """Return how much of a line no invoice names."""
    return Decimal(line["OrderedSalesQuantity"]) - books.invoiced[line["InventoryLotId"]]


def restate(books: Books, header: Record) -> None:
    """Set the states of an order and its lines, which moves their ETags."""
    lines = books.lines_of(header)
    for line in lines:
        line["SalesOrderLineStatus"] = _line_state(books, line)
        books.stamp(line)
    delivered = [not undelivered(books, line) for line in lines]
    invoiced = [not uninvoiced(books, line) for line in lines]
    some_invoiced = any(books.invoiced[line["InventoryLotId"]] for line in lines)
    if all(delivered) and all(invoiced):
        states = ("Invoiced", "Invoiced")
    elif all(delivered):
        states = ("Delivered", "DeliveredPartiallyInvoiced" if some_invoiced else "Delivered")
    else:
        states = ("Backorder", "PartiallyInvoiced" if some_invoiced else "PartiallyDelivered")
    header["SalesOrderStatus"], header["SalesOrderProcessingStatus"] = states
    books.stamp(header)


def _line_state(books: Books, line: Record) -> str:
    if undelivered(books, line):
        return "Backorder"
    return "Delivered" if uninvoiced(books, line) else "Invoiced"
