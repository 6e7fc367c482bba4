"""All families of tables in one place, for migrations and for checks that need every table."""

from __future__ import annotations

from syncworkers.store import (  # noqa: F401 - imported so that their tables are known
    advices,
    attention,
    certifications,
    charges,
    contracts,
    customers,
    edi_files,
    fleet,
    history,
    identity,
    inbox,
    interchanges,
    invoices,
    orders,
    outbox,
    partner_state,
    parts,
    recovery,
    shipments,
    sightings,
    stock,
)
from syncworkers.store.base import Base

__all__ = ["Base"]
