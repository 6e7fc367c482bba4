"""A shipment as Shopify is told of it: a fulfilment to make, or its tracking to replace.

Contract: Admin GraphQL 2026-07, `FulfillmentInput` and `FulfillmentTrackingInput`; lines are named
by the store's order lines, the connector finds the fulfilment orders that hold them.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from mappings.refusals import refuse
from mappings.shopify.writing import gid, wrong_order
from syncworkers.errors import Violation

if TYPE_CHECKING:
    from collections.abc import Iterator

    from syncworkers.canonical.shipments import Shipment


def dump_shipment(shipment: Shipment) -> dict[str, Any]:
    """Return `order`, `lines`, `tracking` and `notify`; raises `RejectedError`.

    Lines of one order line are added up. A shipment without lines is refused: Shopify would take it
    for all that is left.
    """
    refuse(
        [*wrong_order(shipment.store_order), *_wrong_lines(shipment), *_wrong_address(shipment)],
        who="the store",
    )
    units: Counter[str] = Counter()
    for line in shipment.lines:
        units[line.reference] += line.quantity
    return {
        "order": gid("Order", shipment.store_order),
        "lines": [
            {"line_item": gid("LineItem", reference), "quantity": quantity}
            for reference, quantity in units.items()
        ],
        "tracking": _tracking(shipment),
        "notify": shipment.notify_customer,
    }


def dump_tracking(shipment: Shipment) -> dict[str, Any]:
    """Return `order`, `tracking` and `notify`; raises `RejectedError`.

    Without a number there is nothing to follow, and what Shopify knows would be wiped out.
    """
    refuse(
        [*wrong_order(shipment.store_order), *_wrong_address(shipment), *_no_number(shipment)],
        who="the store",
    )
    return {
        "order": gid("Order", shipment.store_order),
        "tracking": _tracking(shipment),
        "notify": shipment.notify_customer,
    }


def _tracking(shipment: Shipment) -> dict[str, str]:
    """Leave out what is empty; an address without a number is not shown, so it is not sent."""
    number = shipment.tracking_number.strip()
    given = {
        "company": shipment.carrier.strip(),
        "number": number,
        "url": shipment.tracking_url.strip() if number else "",
    }
    return {name: value for name, value in given.items() if value}


def _wrong_lines(shipment: Shipment) -> Iterator[Violation]:
    if not shipment.lines:
        yield Violation(path="lines", code="field.missing", message="a shipment without lines")
    for place, line in enumerate(shipment.lines):
        if gid("LineItem", line.reference) is None:
            message = f"{line.reference!r} is no order line of the store"
            yield Violation(path=f"lines[{place}]", code="field.invalid", message=message)
        if line.quantity < 1:
            message = f"{line.quantity} units cannot be shipped"
            yield Violation(path=f"lines[{place}].quantity", code="field.invalid", message=message)


def _wrong_address(shipment: Shipment) -> Iterator[Violation]:
    address = shipment.tracking_url.strip()
    if address and not _is_web_address(address):
        message = f"{address!r} is no web address"
        yield Violation(path="tracking.url", code="field.invalid", message=message)


def _is_web_address(text: str) -> bool:
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    has_place = parts.scheme in {"http", "https"} and bool(parts.hostname)
    return has_place and not any(letter.isspace() for letter in text)


def _no_number(shipment: Shipment) -> Iterator[Violation]:
    if not shipment.tracking_number.strip():
        message = "there is no tracking number to tell"
        yield Violation(path="tracking.number", code="field.missing", message=message)
