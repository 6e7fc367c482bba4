"""Shipments as packing slips, posted by a custom service in the ERP: many in one call.

OData lists no operation that posts a packing slip, so a tenant offers a JSON service of ours; its
contract and a sample of it stand in docs/dynamics365. The shipment id is ours and unique there: a
repeat is answered with the slip that stands. Contract: version 1 of that page.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from syncworkers.connectors.base import Outcome, Verdict
from syncworkers.connectors.dynamics365.answers import (
    REFUSED_CODE,
    Meaning,
    Refusal,
    Result,
    reject,
    settle,
)
from syncworkers.connectors.exact_json import dump_json, load_json
from syncworkers.connectors.http import Call
from syncworkers.connectors.secrets import EVIDENCE_LIMIT, evidence

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from syncworkers.connectors.base import Request
    from syncworkers.connectors.dynamics365.rounds import Rounds
    from syncworkers.connectors.dynamics365.settings import Settings
    from syncworkers.connectors.http import Answer

CREATE = "shipment.create"
TOGETHER = 100
"""Shipments of one call."""
BUSY_WAIT = 30.0
"""Seconds until a shipment is offered again that the service was too busy for."""
CODES: Mapping[str, str] = {
    "OrderMissing": "erp.order_missing",
    "OrderCancelled": "erp.order_cancelled",
    "QuantityExceeds": "erp.quantity_exceeds",
    "ShipmentDiffers": "erp.shipment_differs",
}
"""The service's reasons to refuse; any other is `erp.refused`."""
SERVICE_MISSING = (
    "no service that posts packing slips is configured: name it in the partner file,"
    ' [connection] shipment_service = "<group>/<service>"; see docs/dynamics365/README.md'
)


def company(request: Request) -> str:
    """Return the legal entity a request is for, as the ERP writes it."""
    return str(_shipment(request)["dataAreaId"]).lower()


def evidence_of(request: Request) -> str:
    """Return what we send for a request, for a case."""
    return f"shipment: {dump_json(_shipment(request))}"[:EVIDENCE_LIMIT]


def push(rounds: Rounds, settings: Settings, requests: Sequence[Request]) -> list[Outcome]:
    """Post packing slips, each once."""
    return _run(rounds, Slips(settings, is_read=False), settings, requests)


def find(rounds: Rounds, settings: Settings, requests: Sequence[Request]) -> list[Outcome]:
    """Look for the packing slips of our shipments."""
    return _run(rounds, Slips(settings, is_read=True), settings, requests)


def _run(
    rounds: Rounds, slips: Slips, settings: Settings, requests: Sequence[Request]
) -> list[Outcome]:
    if not settings.shipment_service:
        return [reject("erp.shipment_service_missing", SERVICE_MISSING)] * len(requests)
    return [settle(one, is_read=slips.is_read) for one in rounds.run(slips, requests)]


def service_call(settings: Settings, operation: str, request: Any, name: str = "") -> Call:
    """Return a call of the service; `post` changes something, `find` does not."""
    return Call(
        method="POST",
        url=f"api/services/{settings.shipment_service}/{operation}",
        headers={"Accept": "application/json", "Content-Type": "application/json"},
        body=dump_json({"_request": request}).encode(),
        correlation=name,
        read=operation == "find",
    )


def results_of(body: bytes) -> list[dict[str, Any]] | None:
    """Return the results in an answer of the service; None if it is none of its answers."""
    try:
        fields = load_json(body)
    except ValueError:
        return None
    results = fields.get("results") if isinstance(fields, dict) else None
    if not isinstance(results, list):
        return None
    return [one for one in results if isinstance(one, dict)]


class Slips:
    """The way of shipments through the service: to be posted, or to be found."""

    def __init__(self, settings: Settings, *, is_read: bool) -> None:
        self._settings = settings
        self.is_read = is_read

    def chunks(self, requests: Sequence[Request]) -> Iterator[list[Request]]:
        """Yield as many shipments as one call carries."""
        for start in range(0, len(requests), TOGETHER):
            yield list(requests[start : start + TOGETHER])

    def call(self, name: str, chunk: Sequence[Request]) -> Call:
        """Return the call of some shipments."""
        shipments = [_shipment(request) for request in chunk]
        if not self.is_read:
            return service_call(self._settings, "post", {"shipments": shipments}, name)
        ids = [{key: one[key] for key in ("dataAreaId", "shipmentId")} for one in shipments]
        return service_call(self._settings, "find", {"shipmentIds": ids}, name)

    def judge(self, chunk: Sequence[Request], answer: Answer) -> list[Result]:
        """Read one result for each shipment, by its id."""
        results = results_of(answer.body)
        if results is None:
            told = evidence(answer.text.strip(), limit=300)
            return [self._open(f"no answer of the service but {told!r}")] * len(chunk)
        named = [_plain(one.get("shipmentId")) for one in results]
        times = Counter(named)
        told_of = dict(zip(named, results, strict=True))
        return [self._judge_one(request, told_of, times) for request in chunk]

    def _judge_one(
        self, request: Request, told_of: Mapping[str, dict[str, Any]], times: Mapping[str, int]
    ) -> Outcome:
        name = _plain(_shipment(request)["shipmentId"])
        if name not in told_of:
            return self._open("the answer leaves this shipment out")
        if times[name] > 1:
            return self._open("the answer names this shipment twice")
        result = told_of[name]
        outcome = _judge_found(request, result) if self.is_read else _judge_posted(request, result)
        if outcome is None:
            outcome = self._open("the service's answer for this shipment cannot be read")
        return replace(outcome, status=200, answer=evidence(dump_json(result)))

    def _open(self, error: str) -> Outcome:
        """Make the outcome of an answer that says nothing of a shipment."""
        return Outcome(verdict=Verdict.RETRY if self.is_read else Verdict.UNKNOWN, error=error)

    def explain(self, refusal: Refusal) -> Refusal:
        """Name the setting, where the service is not there."""
        if refusal.meaning is not Meaning.DRIFT:
            return refusal
        return replace(refusal, text=service_gone(self._settings, refusal.text))


def service_gone(settings: Settings, told: str) -> str:
    """Say that the service is not there, and what to do about it."""
    return (
        f"[connection] shipment_service: the environment does not offer"
        f" {settings.shipment_service}; deploy it as docs/dynamics365/README.md says: {told}"
    )


def _judge_posted(request: Request, result: Mapping[str, Any]) -> Outcome | None:
    """Say what became of a shipment; None where the result says nothing we know."""
    message = _text(result.get("message"))
    match result.get("status"):
        case "Posted" | "AlreadyPosted" as status:
            verdict = Verdict.CONFIRMED if status == "Posted" else Verdict.ADOPTED
            slip = _slip(request, result)
            return Outcome(verdict=verdict, external_id=slip) if slip else None
        case "Refused":
            code = _text(result.get("code"))
            told = f"{message or 'refused without a reason'} ({code or 'no code'})"
            return reject(CODES.get(code, REFUSED_CODE), told, path="shipment")
        case "Busy":
            error = message or "the service is busy with this order"
            return Outcome(verdict=Verdict.RETRY, after=BUSY_WAIT, error=error)
        case _:
            return None


def _judge_found(request: Request, result: Mapping[str, Any]) -> Outcome | None:
    """Say whether the slip stands, with our content where the service tells it."""
    match result.get("status"):
        case "Absent":
            return Outcome(verdict=Verdict.ABSENT)
        case "Posted":
            slip = _slip(request, result)
            differs = _difference(_shipment(request), result)
            if differs:
                told = f"slip {slip} stands for this shipment with other content: {differs}"
                return reject("erp.shipment_differs", told, path="shipment")
            return Outcome(verdict=Verdict.ADOPTED, external_id=slip) if slip else None
        case _:
            return None


def _slip(request: Request, result: Mapping[str, Any]) -> str:
    """Return the slip as `usmf/PS-000001`: each company counts its own; empty if it is not told."""
    number = _text(result.get("packingSlipNumber"))
    return f"{_shipment(request)['dataAreaId']}/{number}" if number else ""


def _difference(ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> str:
    """Name what stands otherwise than sent; what the service does not tell is not compared."""
    order = theirs.get("salesOrderNumber")
    if order and _plain(order) != _plain(ours["salesOrderNumber"]):
        return f"order: sent {ours['salesOrderNumber']}, stands {_text(order)}"
    lines = theirs.get("lines")
    if isinstance(lines, list) and lines and _amounts(lines) != _amounts(ours["lines"]):
        return f"lines: sent {dump_json(ours['lines'])}, stand {evidence(dump_json(lines))}"
    return ""


def _amounts(lines: Sequence[Any]) -> dict[str, Decimal]:
    """Sum quantities by order line."""
    amounts: dict[str, Decimal] = defaultdict(Decimal)
    for line in lines:
        fields = line if isinstance(line, dict) else {}
        quantity = fields.get("quantity")
        if isinstance(quantity, int | Decimal):
            amounts[_plain(fields.get("externalItemNumber"))] += quantity
    return amounts


def _shipment(request: Request) -> Mapping[str, Any]:
    fields: Mapping[str, Any] = request.payload["shipment"]
    return fields


def _plain(value: Any) -> str:
    """Bring an id into the form that F&O compares: its texts ignore case."""
    return value.casefold() if isinstance(value, str) else ""


def _text(value: Any) -> str:
    return evidence(value, limit=500) if isinstance(value, str) else ""
