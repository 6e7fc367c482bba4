"""Post invoices: some time after each packing slip, for exactly what it names, or by hand."""

from __future__ import annotations

import itertools
import threading
import time
from collections import defaultdict, deque
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from syncworkers.sandbox.dynamics365 import entities, states
from syncworkers.sandbox.dynamics365.books import Posted

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from syncworkers.sandbox.dynamics365.books import Books, Slip
    from syncworkers.sandbox.dynamics365.events import EventSender

Record = dict[str, Any]
CENT = Decimal("0.01")


class QuantityError(ValueError):
    """More is to be invoiced than was ordered, or nothing."""


class Invoicing:
    """Posts invoices and tells of them; `after` is in seconds.

    An order's charges all stand on its first invoice. Taxes are charges here, so tax is zero.
    """

    def __init__(self, books: Books, sender: EventSender, *, after: float, automatic: bool) -> None:
        self._books = books
        self._sender = sender
        self._after = after
        self.automatic = automatic
        """Switch: whether a packing slip is followed by an invoice."""
        self._numbers = itertools.count(1)
        self._amounts: dict[str, Decimal] = defaultdict(Decimal)
        """Invoiced so far, by lot."""
        self._due: deque[tuple[float, Slip]] = deque()
        self._ready = threading.Condition()
        self._under_way = 0
        self._worker: threading.Thread | None = None

    def follow(self, slip: Slip) -> None:
        """Invoice a slip in a while."""
        if not self.automatic:
            return
        with self._ready:
            self._due.append((time.monotonic() + self._after, slip))
            if self._worker is None:
                self._worker = threading.Thread(target=self._work, daemon=True)
                self._worker.start()
            self._ready.notify()

    def pending(self) -> int:
        """Return how many slips still wait for their invoice."""
        with self._ready:
            return len(self._due) + self._under_way

    def _work(self) -> None:
        while True:
            slip = self._take()
            try:
                self._invoice(slip)
            finally:
                with self._ready:
                    self._under_way -= 1

    def _take(self) -> Slip:
        with self._ready:
            while True:
                wait = self._due[0][0] - time.monotonic() if self._due else None
                if wait is not None and wait <= 0:
                    self._under_way += 1
                    return self._due.popleft()[1]
                self._ready.wait(wait)

    def _invoice(self, slip: Slip) -> None:
        """Invoice what a slip names, as far as nobody has done so by hand."""
        books = self._books
        with books.lock:
            header = books.sets["SalesOrderHeadersV2"][slip.company, slip.order]
            left = {
                line["ExternalItemNumber"]: states.uninvoiced(books, line)
                for line in books.lines_of(header)
            }
            wanted = {name: min(units, left[name]) for name, units in slip.lines.items()}
            wanted = {name: units for name, units in wanted.items() if units > 0}
            posted = self._post(header, wanted) if wanted else None
        if posted is not None:
            self._sender.invoice_posted(posted.header)

    def post(self, header: Record, wanted: Mapping[str, Decimal] | None = None) -> Posted:
        """Post an invoice by hand, also before any slip; without `wanted` for all that is left.

        Raises `QuantityError`.
        """
        books = self._books
        with books.lock:
            lines = {line["ExternalItemNumber"]: line for line in books.lines_of(header)}
            left = {name: states.uninvoiced(books, line) for name, line in lines.items()}
            chosen = {name: units for name, units in (wanted or left).items() if units}
            if not chosen or any(not 0 < n <= left.get(name, 0) for name, n in chosen.items()):
                told = ", ".join(f"{name}: {units}" for name, units in left.items())
                raise QuantityError(f"there is left to invoice: {told}")
            posted = self._post(header, chosen)
        self._sender.invoice_posted(posted.header)
        return posted

    def _post(self, order: Record, wanted: Mapping[str, Decimal]) -> Posted:
        """Write the invoice into the books, whose lock is held."""
        books = self._books
        key = entities.order_key(order)
        number = next(self._numbers)
        shared = {
            "dataAreaId": order["dataAreaId"],
            "InvoiceNumber": f"CIV-{number:06}",
            "InvoiceDate": entities.noon(time.strftime("%Y-%m-%d", time.gmtime())),
            "LedgerVoucher": f"ARIV-{number:06}",
            "CurrencyCode": order["CurrencyCode"],
        }
        lines = tuple(self._lines(order, wanted, shared))
        charges = [] if books.invoices[key] else books.charges_of(order)
        charged = sum((one["FixedChargeAmount"] for one in charges), Decimal(0))
        header = entities.INVOICE_HEADER | {
            **shared,
            "SalesOrderNumber": order["SalesOrderNumber"],
            "CustomersOrderReference": order["CustomersOrderReference"],
            "InvoiceCustomerAccountNumber": order["InvoiceCustomerAccountNumber"],
            "DeliveryModeCode": order["DeliveryModeCode"],
            "TotalChargeAmount": charged,
            "TotalInvoiceAmount": charged + sum(one["LineAmount"] for one in lines),
        }
        posted = Posted(header=header, lines=lines, posted_at=time.time())
        books.invoices[key].append(posted)
        for name, records in (("SalesInvoiceHeadersV2", [header]), ("SalesInvoiceLinesV2", lines)):
            for record in records:
                books.stamp(record)
                books.sets[name][entities.key_of(name, record)] = record
        states.restate(books, order)
        return posted

    def _lines(
        self, order: Record, wanted: Mapping[str, Decimal], shared: Record
    ) -> Iterator[Record]:
        chosen = [
            line for line in self._books.lines_of(order) if line["ExternalItemNumber"] in wanted
        ]
        for place, line in enumerate(chosen, start=1):
            units = wanted[line["ExternalItemNumber"]]
            yield entities.INVOICE_LINE | {
                **shared,
                "LineCreationSequenceNumber": place,
                "ProductNumber": line["ItemNumber"],
                "ProductName": line["LineDescription"],
                "ProductDescription": line["LineDescription"],
                "InvoicedQuantity": units,
                "SalesUnitSymbol": line["SalesUnitSymbol"],
                "SalesPrice": line["SalesPrice"],
                "LineAmount": self._amount(line, units),
                "LineTotalDiscountAmount": line["LineDiscountAmount"] * units,
                "InventorySiteId": line["ShippingSiteId"],
                "InventoryWarehouseId": line["ShippingWarehouseId"],
            }

    def _amount(self, line: Record, units: Decimal) -> Decimal:
        """Take the part of a line's amount; the last part is what is left, to the cent."""
        lot = line["InventoryLotId"]
        each = Decimal(line["SalesPrice"]) - Decimal(line["LineDiscountAmount"])
        is_last = units == states.uninvoiced(self._books, line)
        rest = Decimal(line["LineAmount"]) - self._amounts[lot]
        amount = rest if is_last else (each * units).quantize(CENT)
        self._amounts[lot] += amount
        self._books.invoiced[lot] += units
        return amount
