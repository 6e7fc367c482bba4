"""One Adobe Commerce instance as a store: it sends orders, and is told what became of them."""

from __future__ import annotations

import datetime as dt
import json
from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

from syncworkers.connectors.adobe_commerce import comments, doctor, events, orders, shipments
from syncworkers.connectors.adobe_commerce.calls import Calls
from syncworkers.connectors.adobe_commerce.instance import Instance
from syncworkers.connectors.adobe_commerce.settings import read_settings
from syncworkers.connectors.base import ANSWERS, Outcome, Receipt, Verdict
from syncworkers.connectors.secrets import evidence
from syncworkers.errors import Violation

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from syncworkers.connectors.base import (
        Deadline,
        Header,
        Ports,
        Received,
        Record,
        Request,
    )
    from syncworkers.connectors.cutover import CheckResult, Sighting
    from syncworkers.policy.partners import PartnerPolicy


class Operation(Protocol):
    """How one kind of change is made and looked up: one outcome per request, in order."""

    def push(self, calls: Calls, requests: Sequence[Request]) -> list[Outcome]:
        """Make the changes."""
        ...

    def find(self, calls: Calls, requests: Sequence[Request]) -> list[Outcome]:
        """Look them up."""
        ...


OPERATIONS: Mapping[str, Operation] = {
    shipments.CREATE: shipments,
    shipments.TRACK: shipments,
    "invoice.note": comments,
}


class AdobeCommerce:
    """Offers all protocols of `connectors.base` but `Subscribes`, `Tracks` and `Ships`."""

    # Adobe drops an event at any other 4xx; too large an event has no order in it that a poll
    # would not find.
    answers: Mapping[Receipt, int] = {**ANSWERS, Receipt.TOO_LARGE: 200}
    handled = events.HANDLED
    reread = events.HANDLED
    """All of them: an event carries the shop's inner model."""
    read_topics: Mapping[str, str] = {events.ORDER: "orders/read"}
    shipment_strategy = ""

    def __init__(self, policy: PartnerPolicy, ports: Ports) -> None:
        self._settings = read_settings(policy.name, policy.connection)
        self._keys = events.Keys(self._settings.event_keys)
        self._instance = Instance(
            self._settings, ports.tokens, ports.budget, call_deadline=policy.lane.call_deadline
        )

    def receive(self, headers: Mapping[str, str], body: bytes, path: str = "") -> Received:
        """Prove and describe an event; raises `ProofError` and `RetryableError`."""
        return events.receive(self._settings, self._keys, headers, body)

    def greet(self, query: Mapping[str, str]) -> str | None:
        """Answer the challenge by which Adobe makes sure that events are wanted here."""
        return query.get("challenge")

    def changed(self, kind: str, since: dt.datetime, until: dt.datetime) -> Iterator[list[Header]]:
        """Yield pages of orders that changed in a window, bodies included."""
        _only_orders(kind)
        return orders.changed(self._instance, since, until)

    def fetch(self, kind: str, external_ids: Sequence[str]) -> list[Record]:
        """Read whole orders; what the shop does not have is left out."""
        _only_orders(kind)
        return orders.fetch(self._instance, external_ids)

    def push(self, requests: Sequence[Request], deadline: Deadline) -> list[Outcome]:
        """Make the changes; each is looked for before it is made."""
        calls = Calls(self._instance, deadline)
        return _by_operation(requests, lambda operation, some: operation.push(calls, some))

    def find(self, requests: Sequence[Request], deadline: Deadline) -> list[Outcome]:
        """Look the changes up by our keys and tracking numbers."""
        calls = Calls(self._instance, deadline)
        return _by_operation(requests, lambda operation, some: operation.find(calls, some))

    @property
    def api_version(self) -> str:
        """Return the version of the interface that is spoken."""
        return doctor.VERSION

    def inspect(self) -> list[CheckResult]:
        """Look at reachability, credentials, clock, rights, events and version; changes nothing."""
        return doctor.inspect(self._instance, dt.datetime.now(dt.UTC).date())

    def standing(self, since: dt.datetime, until: dt.datetime) -> Iterator[list[Sighting]]:
        """Yield pages of the shipments that were made there in a window, whoever made them."""
        return doctor.standing(self._instance, since, until)

    def expire_token(self) -> bool:
        """Put a token that is refused in the place of the shared one, to be renewed."""
        return self._instance.expire_token()

    def check(self) -> list[str]:
        """Read what must work before the first order; return what does not, with a remedy."""
        return doctor.check(self._instance)

    def close(self) -> None:
        """Close the connections; the next call opens new ones."""
        self._instance.close()
        self._keys.close()


def _by_operation(
    requests: Sequence[Request], act: Callable[[Operation, list[Request]], list[Outcome]]
) -> list[Outcome]:
    """Let each operation act on its own requests; return the outcomes in the order given."""
    places: dict[str, list[int]] = defaultdict(list)
    for place, request in enumerate(requests):
        places[request.operation].append(place)
    outcomes: dict[int, Outcome] = {}
    for name, some in places.items():
        mine = [requests[place] for place in some]
        operation = OPERATIONS.get(name)
        found = act(operation, mine) if operation else [_unknown(name)] * len(mine)
        outcomes |= zip(some, found, strict=True)
    return [
        replace(outcomes[place], sent=evidence(json.dumps(request.payload, ensure_ascii=False)))
        for place, request in enumerate(requests)
    ]


def _unknown(operation: str) -> Outcome:
    message = f"{operation} is not known here"
    violation = Violation(path="", code="operation.unknown", message=message)
    return Outcome(verdict=Verdict.REJECTED, error=message, violations=(violation,))


def _only_orders(kind: str) -> None:
    if kind != events.ORDER:
        message = f"Adobe Commerce is not read for {kind}"
        raise ValueError(message)
