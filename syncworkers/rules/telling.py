"""What follows from a shipment and an invoice: who is told of it, and how."""

from __future__ import annotations

from typing import TYPE_CHECKING

from syncworkers.canonical.invoices import InvoiceNotice, InvoiceSummary
from syncworkers.canonical.kinds import Kind
from syncworkers.rules import effects
from syncworkers.rules.effects import Effect, EffectKey

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from syncworkers.canonical.invoices import Invoice
    from syncworkers.canonical.shipments import Shipment


def shipped(shipment: Shipment, *, store: str | None, erp: str | None) -> Iterator[Effect]:
    """Tell of a new shipment: the ERP posts a packing slip, the store a fulfilment."""
    for partner in (erp, store):
        if partner is not None:
            key = EffectKey(
                partner=partner,
                operation=effects.SHIPMENT_CREATE,
                cause="create",
                kind=Kind.SHIPMENT,
            )
            yield Effect(key=key, body=shipment)


def tracked(shipment: Shipment, *, store: str, version: int) -> Effect:
    """Tell the store that a parcel has another carrier or tracking number."""
    key = EffectKey(
        partner=store, operation=effects.SHIPMENT_TRACK, cause=f"v{version}", kind=Kind.SHIPMENT
    )
    return Effect(key=key, body=shipment)


def invoiced(
    store: str, store_order: str, invoices: Iterable[Invoice], *, newest: str, url: str
) -> Effect:
    """Show all invoices of an order at its store, oldest first; `newest` names the one that is new.

    `url` is a link with `{company}` and `{number}`, or empty.
    """
    ordered = sorted(invoices, key=lambda one: (one.date, one.number))
    notice = InvoiceNotice(
        reference=f"{store}/{store_order}",
        store_order=store_order,
        invoices=tuple(
            InvoiceSummary(
                number=one.number,
                date=one.date,
                amount=one.total,
                currency=one.currency,
                url=url.format(company=one.company, number=one.number),
            )
            for one in ordered
        ),
    )
    key = EffectKey(partner=store, operation=effects.INVOICE_NOTE, cause=newest)
    return Effect(key=key, body=notice)
