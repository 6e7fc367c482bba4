"""Every invoice the ERP posted stands once at its store, with number, date and amount."""

from __future__ import annotations

import json
from collections import Counter
from decimal import Decimal
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from syncworkers.sandbox.audit.books import OrderBooks, Wrong

METAFIELD = "erp.invoices"


def check(books: OrderBooks) -> Iterator[Wrong]:
    """Yield what is wrong with what the store knows of invoices."""
    posted = Counter(_told(one) for document in books.booked for one in document["invoices"])
    shown = Counter(
        _told(one) for one in json.loads(books.order["metafields"].get(METAFIELD, "[]"))
    )
    for number, *_ in posted.keys() - shown.keys():
        yield books.lost(f"invoice {number} not at the store")
    for number, *_ in shown.keys() - posted.keys():
        yield books.unexpected(f"invoice {number} at the store")
    for one, times in shown.items():
        if times > 1:
            yield books.duplicated(f"invoice {one[0]} {times} times at the store")


def _told(invoice: Mapping[str, Any]) -> tuple[str, str, Decimal, str]:
    return (
        str(invoice["number"]),
        str(invoice["date"])[:10],
        Decimal(str(invoice["amount"])),
        str(invoice["currency"]),
    )
