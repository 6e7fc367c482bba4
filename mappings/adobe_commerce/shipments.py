"""A shipment as Adobe Commerce is told of it: what left, from which source, with which track.

Contract: `POST /V1/order/{id}/ship` and `POST /V1/shipment/track` of 2.4.9.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from mappings.refusals import refuse
from syncworkers.errors import Violation

if TYPE_CHECKING:
    from collections.abc import Iterator

    from syncworkers.canonical.shipments import Shipment

CARRIERS = {"ups": "ups", "usps": "usps", "fedex": "fedex", "dhl": "dhl"}
"""The carriers that the shop knows by itself, by the first word of their name."""
OTHER_CARRIER = "custom"


def dump_shipment(shipment: Shipment) -> dict[str, Any]:
    """Return `order`, `items`, `tracks`, `notify` and `warehouse`; raises `RejectedError`.

    A shipment without items is refused: the shop would take it for all that is left.
    """
    refuse([*_wrong_order(shipment), *_wrong_lines(shipment)], who="the store")
    units: Counter[int] = Counter()
    for line in shipment.lines:
        units[int(line.reference)] += line.quantity
    return {
        "order": shipment.store_order,
        "items": [{"order_item_id": item, "qty": quantity} for item, quantity in units.items()],
        "tracks": [_track(shipment)] if shipment.tracking_number.strip() else [],
        "notify": shipment.notify_customer,
        "warehouse": shipment.reference.partition("/")[0],
    }


def dump_tracking(shipment: Shipment) -> dict[str, Any]:
    """Return `order`, `track` and the `qty` that travels; raises `RejectedError`."""
    refuse([*_wrong_order(shipment), *_no_number(shipment)], who="the store")
    return {
        "order": shipment.store_order,
        "track": _track(shipment),
        "qty": sum(line.quantity for line in shipment.lines),
    }


def _track(shipment: Shipment) -> dict[str, str]:
    carrier = shipment.carrier.strip()
    word = carrier.partition(" ")[0].lower()
    return {
        "track_number": shipment.tracking_number.strip(),
        "title": carrier or "Carrier",
        "carrier_code": CARRIERS.get(word, OTHER_CARRIER),
    }


def _wrong_order(shipment: Shipment) -> Iterator[Violation]:
    if not _is_number(shipment.store_order):
        message = f"{shipment.store_order!r} is no order of the store"
        yield Violation(path="order", code="field.invalid", message=message)


def _wrong_lines(shipment: Shipment) -> Iterator[Violation]:
    if not shipment.lines:
        yield Violation(path="lines", code="field.missing", message="a shipment without lines")
    for place, line in enumerate(shipment.lines):
        if not _is_number(line.reference):
            message = f"{line.reference!r} is no order line of the store"
            yield Violation(path=f"lines[{place}]", code="field.invalid", message=message)
        if line.quantity < 1:
            message = f"{line.quantity} units cannot be shipped"
            yield Violation(path=f"lines[{place}].quantity", code="field.invalid", message=message)


def _no_number(shipment: Shipment) -> Iterator[Violation]:
    if not shipment.tracking_number.strip():
        message = "there is no tracking number to tell"
        yield Violation(path="tracking.number", code="field.missing", message=message)


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal()
