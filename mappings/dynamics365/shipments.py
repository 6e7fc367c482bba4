"""Shipments as our packing slip service in F&O takes them.

Contract: version 1 of docs/dynamics365/README.md; the order's lines are named by the reference we
gave them (ExternalItemNumber).
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from typing import TYPE_CHECKING, Any

from mappings.dynamics365.lengths import too_long
from mappings.refusals import refuse
from syncworkers.errors import Violation

if TYPE_CHECKING:
    from collections.abc import Iterator

    from syncworkers.canonical.shipments import Shipment

Fields = dict[str, Any]

_MANDATORY = ("shipmentId", "dataAreaId", "salesOrderNumber")


def dump_shipment(shipment: Shipment) -> dict[str, Any]:
    """Return `shipment`; quantities in sales units, one line per order line.

    Raises `RejectedError`.
    """
    quantities: Counter[str] = Counter()
    for line in shipment.lines:
        quantities[line.reference] += line.quantity
    fields = {
        "shipmentId": shipment.reference,
        "dataAreaId": shipment.company.lower(),
        "salesOrderNumber": shipment.erp_number,
        "shippedAt": _utc(shipment.shipped_at),
        "carrier": shipment.carrier,
        "carrierService": shipment.service,
        "trackingNumber": shipment.tracking_number,
        "trackingUrl": shipment.tracking_url,
        "lines": [
            {"externalItemNumber": reference, "quantity": quantity}
            for reference, quantity in quantities.items()
        ],
    }
    refuse(_violations(fields), who="the ERP")
    return {"shipment": fields}


def _utc(time: dt.datetime) -> str:
    """Write whole seconds in UTC."""
    return time.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _violations(fields: Fields) -> Iterator[Violation]:
    for name in _MANDATORY:
        if fields[name] == "":
            yield Violation(path=f"shipment.{name}", code="field.missing", message="must be given")
    if not fields["lines"]:
        message = "nothing of the order is in it"
        yield Violation(path="shipment.lines", code="shipment.empty", message=message)
    yield from too_long("shipment", fields)
    for position, line in enumerate(fields["lines"]):
        path = f"shipment.lines[{position}]"
        if line["quantity"] <= 0:
            message = f"is {line['quantity']}; only what was shipped may be told"
            yield Violation(path=f"{path}.quantity", code="quantity.wrong", message=message)
        yield from too_long(path, line)
