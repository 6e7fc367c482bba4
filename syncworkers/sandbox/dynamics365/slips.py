"""The custom service that posts packing slips, each once per company and shipment id.

Contract: version 1 of docs/dynamics365/README.md.
"""

from __future__ import annotations

import itertools
import time
from collections import defaultdict
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from flask import Flask, Response, request

from syncworkers.sandbox.dynamics365 import entities, numbers, states
from syncworkers.sandbox.dynamics365.books import Slip

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from syncworkers.sandbox.dynamics365.books import Books

Record = dict[str, Any]
Result = dict[str, Any]

SERVICE = "SyncworkersServices/SyncworkersShipmentService"
"""The one that is deployed here; any other is not found."""
TEXTS = (
    "shipmentId dataAreaId salesOrderNumber shippedAt carrier carrierService trackingNumber"
    " trackingUrl"
).split()


class RefusedError(Exception):
    """A shipment is not posted; `args` are code and message."""


class Slips:
    """Posts and finds packing slips; `posted` is told of each new one, under the books' lock."""

    def __init__(self, books: Books, posted: Callable[[Slip], None]) -> None:
        self._books = books
        self._posted = posted
        self._by_id: dict[tuple[str, str], Slip] = {}
        self._numbers = itertools.count(1)
        self.early = 0
        """Shipments that came before their order."""
        self.busy_next = 0
        """Switch: so many of the next shipments find their order locked."""
        self.left_out_next = 0
        """Switch: so many of the next results are left out of the answer."""

    def post(self, shipments: list[Record]) -> list[Result]:
        """Post what can be posted; one result for each shipment."""
        with self._books.lock:
            results = [self._post(one) for one in shipments]
            while results and self.left_out_next:
                self.left_out_next -= 1
                results.pop()
        return results

    def _post(self, shipment: Record) -> Result:
        told = {"shipmentId": shipment["shipmentId"], "packingSlipNumber": "", "code": ""}
        if self.busy_next:
            self.busy_next -= 1
            return told | {"status": "Busy", "message": "The order is locked by another session."}
        try:
            slip, is_new = self._once(shipment)
        except RefusedError as error:
            code, message = error.args
            return told | {"status": "Refused", "code": code, "message": message}
        status = "Posted" if is_new else "AlreadyPosted"
        return told | {"status": status, "packingSlipNumber": slip.number, "message": ""}

    def _once(self, shipment: Record) -> tuple[Slip, bool]:
        wanted = _quantities(shipment)
        key = (shipment["dataAreaId"].lower(), shipment["shipmentId"].lower())
        stands = self._by_id.get(key)
        if stands is not None:
            if (stands.order, stands.lines) != (shipment["salesOrderNumber"], wanted):
                told = f"Shipment {shipment['shipmentId']} was posted with other content."
                raise RefusedError("ShipmentDiffers", told)
            return stands, False
        slip = self._new(shipment, wanted)
        self._by_id[key] = slip
        return slip, True

    def _new(self, shipment: Record, wanted: Mapping[str, Decimal]) -> Slip:
        books = self._books
        key = (shipment["dataAreaId"].lower(), shipment["salesOrderNumber"])
        header = books.sets["SalesOrderHeadersV2"].get(key)
        if header is None:
            self.early += 1
            raise RefusedError("OrderMissing", f"Sales order {key[1]} does not exist.")
        self._check(header, wanted)
        for line in books.lines_of(header):
            books.delivered[line["InventoryLotId"]] += wanted.get(line["ExternalItemNumber"], 0)
        slip = Slip(
            company=key[0],
            shipment_id=shipment["shipmentId"],
            order=key[1],
            number=f"PS-{next(self._numbers):06}",
            posted_at=time.time(),
            tracking_number=shipment["trackingNumber"],
            lines=wanted,
        )
        books.slips[key].append(slip)
        self._track(slip, shipment)
        states.restate(books, header)
        self._posted(slip)
        return slip

    def _check(self, header: Record, wanted: Mapping[str, Decimal]) -> None:
        number = header["SalesOrderNumber"]
        if header["SalesOrderStatus"] == "Canceled":
            raise RefusedError("OrderCancelled", f"Sales order {number} is canceled.")
        lines = {one["ExternalItemNumber"]: one for one in self._books.lines_of(header)}
        for reference, quantity in wanted.items():
            line = lines.get(reference)
            if line is None:
                told = f"Sales order {number} has no line with the external item {reference}."
                raise RefusedError("LineMissing", told)
            left = states.undelivered(self._books, line)
            if quantity > left:
                told = f"Line {reference}: {quantity} cannot be delivered, {left} remain."
                raise RefusedError("QuantityExceeds", told)

    def _track(self, slip: Slip, shipment: Record) -> None:
        if not slip.tracking_number:
            return
        record = entities.TRACKING | {
            "dataAreaId": slip.company,
            "SalesOrderNumber": slip.order,
            "PackingSlipNumber": slip.number,
            "DeliveryDate": entities.noon(shipment["shippedAt"][:10]),
            "TrackingNumber": slip.tracking_number,
            "TrackingURL": shipment["trackingUrl"],
        }
        self._books.stamp(record)
        name = "PackingSlipTrackingInformation"
        self._books.sets[name][entities.key_of(name, record)] = record

    def find(self, ids: list[Record]) -> list[Result]:
        """Say which shipments stand, with their content."""
        with self._books.lock:
            return [self._find(one) for one in ids]

    def _find(self, wanted: Record) -> Result:
        key = (wanted["dataAreaId"].lower(), wanted["shipmentId"].lower())
        slip = self._by_id.get(key)
        if slip is None:
            return {"shipmentId": wanted["shipmentId"], "status": "Absent"}
        lines = [{"externalItemNumber": one, "quantity": n} for one, n in slip.lines.items()]
        return {
            "shipmentId": wanted["shipmentId"],
            "status": "Posted",
            "packingSlipNumber": slip.number,
            "salesOrderNumber": slip.order,
            "lines": lines,
        }


def _quantities(shipment: Record) -> dict[str, Decimal]:
    quantities: dict[str, Decimal] = defaultdict(Decimal)
    for line in shipment["lines"]:
        quantities[line["externalItemNumber"]] += Decimal(line["quantity"])
    if not quantities or min(quantities.values()) <= 0:
        raise RefusedError("QuantityWrong", "Each line needs a quantity above zero.")
    return dict(quantities)


def serve_slips(app: Flask, slips: Slips) -> None:
    """Offer the service at its JSON endpoint."""
    operations: dict[str, tuple[str, Callable[[Any], list[Result]]]] = {
        "post": ("shipments", slips.post),
        "find": ("shipmentIds", slips.find),
    }

    @app.post(f"/api/services/{SERVICE}/<operation>")
    def call(operation: str) -> Response:
        if operation not in operations:
            return _answer(404, {"Message": f"The operation {operation} is not found."})
        part, act = operations[operation]
        try:
            asked = _read(request.get_data(), part)
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
            return _answer(400, {"Message": f"The request cannot be read: {error!r}"})
        # F&O numbers the objects of its JSON answers.
        return _answer(200, {"$id": "1", "results": act(asked)})


def _read(body: bytes, part: str) -> list[Record]:
    """Read a request as a data contract would: every text a text, every quantity a number."""
    asked: list[Record] = numbers.loads(body)["_request"][part]
    texts = TEXTS if part == "shipments" else TEXTS[:2]
    for one in asked:
        if not all(isinstance(one[name], str) for name in texts):
            raise ValueError("a text is expected")
        for line in one["lines"] if part == "shipments" else ():
            if not isinstance(line["externalItemNumber"], str):
                raise ValueError("externalItemNumber is no text")  # noqa: TRY004 - all one answer
            Decimal(line["quantity"])
    return list(asked)


def _answer(status: int, body: Record) -> Response:
    return Response(numbers.dumps(body), status, content_type="application/json; charset=utf-8")
