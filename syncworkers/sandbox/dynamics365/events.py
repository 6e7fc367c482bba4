"""Business events, as F&O sends them: unsigned, in two envelopes, with holes.

No event of a posted sales invoice was ever recorded: its fields are those of the documentation.
"""

from __future__ import annotations

import datetime as dt
import itertools
import random
import time
import uuid
from typing import TYPE_CHECKING, Any

from syncworkers.sandbox.dynamics365 import numbers
from syncworkers.sandbox.notices import Notice, Notifier

if TYPE_CHECKING:
    from collections.abc import Mapping

    from syncworkers.sandbox.faults import FaultPlan

REPEATS = (1.0, 1.0)
"""Three tries, a second apart; then it stands in an error log there, for people."""
PATIENCE = 10.0
HEADERS = {"Content-Type": "application/json; charset=utf-8"}
FIRST_CONTROL = 5637145327


class EventSender:
    """Tells one address of posted invoices; envelopes alternate, the seed says which begins."""

    def __init__(self, url: str, plan: FaultPlan, *, seed: int) -> None:
        self._url = url
        self._chance = random.Random(f"events/{seed}")
        self._turn = itertools.count(seed)
        self._control = FIRST_CONTROL
        self._notifier = Notifier(plan, seed=seed, repeats=REPEATS, patience=PATIENCE)

    @property
    def delivered(self) -> int:
        """Return how many events were answered with 2xx."""
        return self._notifier.delivered

    @property
    def given_up(self) -> int:
        """Return how many events nobody took."""
        return self._notifier.given_up

    def pending(self) -> int:
        """Return how many events are still on their way."""
        return self._notifier.pending()

    def invoice_posted(self, header: Mapping[str, Any]) -> None:
        """Notify of a posted invoice, perhaps badly."""
        body = numbers.dumps(self.event(header)).encode()
        self._notifier.send(Notice(url=self._url, body=body, headers=lambda: HEADERS))

    def event(self, header: Mapping[str, Any]) -> dict[str, Any]:
        """Return the next event, of an invoice."""
        invoiced_on = dt.datetime.fromisoformat(header["InvoiceDate"]).timestamp()
        fields = {
            "InvoiceAccount": header["InvoiceCustomerAccountNumber"],
            "InvoiceId": header["InvoiceNumber"],
            "SalesOrderId": header["SalesOrderNumber"],
            "InvoiceDate": _moment(invoiced_on),
            "InvoiceDueDate": _moment(invoiced_on),
            "InvoiceAmountInAccountingCurrency": header["TotalInvoiceAmount"],
            "InvoiceTaxAmount": header["TotalTaxAmount"],
            "LegalEntity": header["dataAreaId"].upper(),
        }
        envelope = (self._old, self._new, self._oldest)[next(self._turn) % 3]
        return {**fields, **envelope(header["dataAreaId"])}

    def _oldest(self, company: str) -> dict[str, Any]:
        """Name neither the event nor its place in the sequence."""
        return {
            "EventId": f"{{{self._id()}}}",
            "EventTime": _moment(time.time()),
            "LegalEntity": company.upper(),
            "MajorVersion": 0,
            "MinorVersion": 0,
        }

    def _old(self, company: str) -> dict[str, Any]:
        self._control += self._chance.randint(1, 9)  # it rises with gaps
        named = {
            "BusinessEventId": "SalesInvoicePostedBusinessEvent",
            "ControlNumber": self._control,
        }
        return {**named, **self._oldest(company)}

    def _new(self, company: str) -> dict[str, Any]:
        whole = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime())
        return {
            **self._old(company),
            "BusinessEventLegalEntity": company.upper(),
            "EventId": self._id(),
            "EventTimeIso8601": f"{whole}.0000000Z",
            "InitiatingUserAADObjectId": "{00000000-0000-0000-0000-000000000000}",
            "ContextRecordSubject": "",
            "ParentContextRecordSubjects": [],
        }

    def _id(self) -> str:
        return str(uuid.UUID(int=self._chance.getrandbits(128), version=4)).upper()


def _moment(seconds: float) -> str:
    """Write a moment as the serializer of events does: in milliseconds."""
    return f"/Date({round(seconds * 1000)})/"
