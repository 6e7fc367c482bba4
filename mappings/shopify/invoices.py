"""All invoices of an order as metafields that people at the store see.

Contract: Admin GraphQL 2026-07, `MetafieldsSetInput`; limits of shopify.dev (metafield limits): a
`json` value of 128 KB since 2026-04, a list of 128 texts of one line and 64 KB each.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from mappings.refusals import refuse
from mappings.shopify.writing import gid, wrong_order
from syncworkers.errors import Violation

if TYPE_CHECKING:
    from collections.abc import Iterator

    from syncworkers.canonical.invoices import InvoiceNotice, InvoiceSummary

NAMESPACE = "erp"
WHOLE = "invoices"
NUMBERS = "invoice_numbers"
JSON_BYTES = 128 * 1024
LIST_ITEMS = 128
TEXT_BYTES = 64 * 1024


def dump_invoices(notice: InvoiceNotice) -> dict[str, Any]:
    """Return `metafields`: the invoices as JSON, and their numbers as a list to search by.

    Both in the order given; amounts are decimal texts, dates ISO 8601. Raises `RejectedError`.
    """
    whole = _json([_invoice(one) for one in notice.invoices])
    refuse([*_wrong(notice), *_too_long(whole)], who="the store")
    owner = gid("Order", notice.store_order)
    values = {
        WHOLE: ("json", whole),
        NUMBERS: (
            "list.single_line_text_field",
            _json([one.number for one in notice.invoices]),
        ),
    }
    return {
        "metafields": [
            {"ownerId": owner, "namespace": NAMESPACE, "key": key, "type": kind, "value": value}
            for key, (kind, value) in values.items()
        ]
    }


def _invoice(one: InvoiceSummary) -> dict[str, str]:
    return {
        "number": one.number,
        "date": one.date.isoformat(),
        "amount": format(one.amount, "f"),
        "currency": one.currency,
        "url": one.url,
    }


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _wrong(notice: InvoiceNotice) -> Iterator[Violation]:
    yield from wrong_order(notice.store_order)
    count = len(notice.invoices)
    if not count:
        yield Violation(path="invoices", code="field.missing", message="there is none to note")
    if count > LIST_ITEMS:
        message = f"there are {count}, the store keeps {LIST_ITEMS} in a list"
        yield Violation(path="invoices", code="list.too_long", message=message)
    for place, one in enumerate(notice.invoices):
        is_line = one.number.strip() and len(one.number.splitlines()) == 1
        if not is_line or len(one.number.encode()) > TEXT_BYTES:
            message = f"{one.number[:50]!r} is no text of one line that the store keeps"
            yield Violation(path=f"invoices[{place}].number", code="field.invalid", message=message)


def _too_long(whole: str) -> Iterator[Violation]:
    size = len(whole.encode())
    if size > JSON_BYTES:
        message = f"has {size} bytes, the store keeps {JSON_BYTES}"
        yield Violation(path="invoices", code="text.too_long", message=message)
