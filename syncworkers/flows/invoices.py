"""Decide about messages on invoices: matched to what was shipped, and shown at the store."""

from __future__ import annotations

from typing import TYPE_CHECKING

from syncworkers.canonical.kinds import Kind
from syncworkers.engine.keys import line_key
from syncworkers.errors import RejectedError, Violation
from syncworkers.flows.parents import await_parent
from syncworkers.flows.roots import Root, load_roots, match_invoices
from syncworkers.flows.writes import Cause
from syncworkers.rules import changes, expectations, telling
from syncworkers.store import base
from syncworkers.store import fleet as fleet_state
from syncworkers.store import invoices as invoice_store
from syncworkers.store import orders as order_store

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.orm import Session

    from syncworkers.canonical.invoices import Invoice
    from syncworkers.errors import SyncError
    from syncworkers.flows.fleet import Fleet
    from syncworkers.flows.reading import Reading
    from syncworkers.flows.writes import Writes

RULES_VERSION = "invoices/1"


class Invoices:
    """Decides about the invoices of one batch; see `applying.Decider`."""

    def __init__(self, fleet: Fleet, session: Session, writes: Writes) -> None:
        self._fleet = fleet
        self._session = session
        self._writes = writes
        self._orders: dict[tuple[str, str, str], int] = {}
        """By ERP, company and number there."""
        self._roots: dict[int, Root] = {}
        self._ids: list[int] = []
        self._new: list[invoice_store.StoredInvoice] = []
        self._now = fleet_state.now(session)

    def load(self, readings: Sequence[Reading]) -> None:
        """Lock the orders that were invoiced, and read what came of them."""
        for erp in {one.partner for one in readings}:
            numbers = {one.subject.order_number for one in readings if one.partner == erp}
            for one in order_store.by_erp_number(self._session, erp, numbers):
                company = one.company or self._fleet.policy.bookings[one.partner].company
                self._orders[erp, company, one.number] = one.id
        self._roots = load_roots(self._session, set(self._orders.values()))
        self._ids = base.draw_ids(self._session, invoice_store.InvoiceRow, len(readings))

    def called(self, reading: Reading) -> str:
        """Return the invoice's number."""
        number: str = reading.subject.number if reading.subject else reading.row["entity"]
        return number

    def decide(self, reading: Reading) -> SyncError | None:
        """Take an invoice in, or say what is in its way."""
        invoice: Invoice = reading.subject
        order = self._orders.get((reading.partner, invoice.company, invoice.order_number))
        if order is None:
            return self._unknown(reading, invoice)
        root = self._roots[order]
        correlation = root.stored.correlation_id
        known = next(
            (
                one.invoice
                for one in root.invoices
                if one.partner == reading.partner and one.invoice.external_id == invoice.external_id
            ),
            None,
        )
        if known == invoice:
            self._writes.end(reading, "superseded", "says nothing new", correlation)
            return None
        wrong = list(_violations(root, invoice, known))
        if wrong:
            return RejectedError("an invoice that cannot be right", violations=wrong)
        self._accept(reading, root, invoice)
        return None

    def _unknown(self, reading: Reading, invoice: Invoice) -> SyncError | None:
        prefixes = [
            policy.order_prefix
            for booking in self._fleet.policy.bookings.values()
            if (policy := booking.of(invoice.company)) and policy.erp == reading.partner
        ]
        if not any(invoice.order_number.startswith(prefix) for prefix in prefixes):
            number = invoice.order_number or "none"
            reason = f"it is for no order of a store (sales order {number})"
            self._writes.end(reading, "superseded", reason)
            return None
        return await_parent(
            reading,
            key=f"order:{reading.partner}:{invoice.order_number}",
            code="invoice.unknown_order",
            what=f"sales order {invoice.order_number}",
            now=self._now,
            patience=self._fleet.policy.expectations[expectations.PARENT_KNOWN],
        )

    def _accept(self, reading: Reading, root: Root, invoice: Invoice) -> None:
        stored = invoice_store.StoredInvoice(
            id=self._ids.pop(0),
            scope=root.stored.scope,
            order_id=root.stored.id,
            partner=reading.partner,
            correlation_id=root.stored.correlation_id,
            invoice=invoice,
        )
        root.invoices.append(stored)
        root.rematch = True
        self._new.append(stored)
        self._writes.keep_version(
            reading,
            kind=Kind.INVOICE,
            entity=stored.id,
            version=1,
            rules=RULES_VERSION,
            accepted=invoice,
        )
        self._tell(reading, root)
        reason = f"invoice {invoice.number} over {invoice.total} {invoice.currency}"
        self._writes.end(reading, "applied", reason, root.stored.correlation_id)

    def _tell(self, reading: Reading, root: Root) -> None:
        store, order = root.stored.partner, root.stored.order
        effect = telling.invoiced(
            store,
            order.external_id,
            [one.invoice for one in root.invoices],
            newest=reading.subject.external_id,
            url=self._fleet.policy.fulfilment.stores[store].invoice_url,
        )
        cause = Cause(
            reading=reading,
            correlation_id=root.stored.correlation_id,
            line=root.stored.id,
            version=len(root.invoices),
            entities={(Kind.ORDER, 0): root.stored.id},
        )
        # A line of its own: a refused fulfilment must not keep the invoice from the store.
        self._writes.owe(cause, effect, line=line_key(store, Kind.INVOICE, order.external_id))

    def write(self) -> None:
        """Write invoices and what they match."""
        invoice_store.add(self._session, self._new)
        match_invoices(self._session, self._roots.values(), self._writes)


def _violations(root: Root, invoice: Invoice, known: Invoice | None) -> list[Violation]:
    """Say why an invoice cannot be taken as it is."""
    found = []
    if known is not None:
        changed = ", ".join(changes.diff(known, invoice))
        message = f"a posted invoice never changes, and this one did ({changed}): ask finance"
        found.append(Violation(path="", code="invoice.changed", message=message))
    if invoice.currency != root.stored.order.currency:
        message = (
            f"is in {invoice.currency}, order {root.stored.order.number} in "
            f"{root.stored.order.currency}: correct it in the ERP, or ask finance"
        )
        found.append(Violation(path="currency", code="invoice.currency_differs", message=message))
    return found
