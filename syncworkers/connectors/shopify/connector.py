"""One shop as a partner: it sends orders, and tells its customers what became of them."""

from __future__ import annotations

import datetime as dt
import json
from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

from syncworkers.connectors.base import ANSWERS, Deadline, Outcome, Verdict
from syncworkers.connectors.secrets import evidence
from syncworkers.connectors.shopify import (
    doctor,
    fulfilments,
    metafields,
    orders,
    sightings,
    subscriptions,
    tracking,
    webhooks,
)
from syncworkers.connectors.shopify.calls import Calls
from syncworkers.connectors.shopify.settings import read_settings
from syncworkers.connectors.shopify.shop import Shop
from syncworkers.errors import Violation

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from syncworkers.connectors.base import (
        Header,
        Ports,
        Received,
        Record,
        Request,
    )
    from syncworkers.connectors.cutover import CheckResult, Sighting
    from syncworkers.policy.partners import PartnerPolicy

STANDING_LIMIT = 3600.0
"""Seconds in which all fulfilments of a window must be read."""
CANCELLED = "orders/cancelled"
POLLED = "orders/polled"
READ_TOPICS: Mapping[str, str] = {webhooks.ORDER: POLLED}


class Operation(Protocol):
    """How one kind of change is made and looked up: one outcome per request, in order."""

    def push(self, calls: Calls, requests: Sequence[Request]) -> list[Outcome]:
        """Make the changes."""
        ...

    def find(self, calls: Calls, requests: Sequence[Request]) -> list[Outcome]:
        """Look them up."""
        ...


OPERATIONS: Mapping[str, Operation] = {
    "shipment.create": fulfilments,
    "shipment.track": tracking,
    "invoice.note": metafields,
}


class Shopify:
    """Offers `Checks`, `Inspects`, `Receives`, `Subscribes`, `Pulls`, `Pushes`, `Observes`."""

    answers = ANSWERS
    handled = frozenset({"orders/create", "orders/updated", CANCELLED})
    reread = frozenset({CANCELLED})
    read_topics = READ_TOPICS
    shipment_strategy = ""

    def __init__(self, policy: PartnerPolicy, ports: Ports) -> None:
        self._settings = read_settings(policy.name, policy.connection)
        self._shop = Shop(
            self._settings, ports.tokens, ports.budget, call_deadline=policy.lane.call_deadline
        )

    def receive(self, headers: Mapping[str, str], body: bytes, path: str = "") -> Received:
        """Prove and describe a webhook; raises `ProofError`. The address holds no secret here."""
        return webhooks.receive(self._settings, headers, body)

    def changed(self, kind: str, since: dt.datetime, until: dt.datetime) -> Iterator[list[Header]]:
        """Yield pages of orders that changed in a window; raises the verdicts of a read."""
        _only_orders(kind)
        return orders.changed(self._shop, since, until)

    def fetch(self, kind: str, external_ids: Sequence[str]) -> list[Record]:
        """Read whole orders; what the shop does not have is left out."""
        _only_orders(kind)
        return orders.fetch(self._shop, external_ids)

    def push(self, requests: Sequence[Request], deadline: Deadline) -> list[Outcome]:
        """Make the changes; what may have happened without an answer stays unknown."""
        calls = Calls(self._shop, deadline, finds=False)
        return _by_operation(requests, lambda operation, some: operation.push(calls, some))

    def find(self, requests: Sequence[Request], deadline: Deadline) -> list[Outcome]:
        """Look the changes up: by tracking number and lines, or by the values set."""
        calls = Calls(self._shop, deadline, finds=True)
        return _by_operation(requests, lambda operation, some: operation.find(calls, some))

    def standing(self, since: dt.datetime, until: dt.datetime) -> Iterator[list[Sighting]]:
        """Yield the fulfilments of orders that changed in a window, whoever made them."""
        calls = Calls(self._shop, Deadline(STANDING_LIMIT), finds=True)
        return sightings.standing(self._shop, calls, since, until)

    def missing_subscriptions(self) -> list[str]:
        """Return our topics that nobody sends us."""
        return subscriptions.missing(self._shop, self._settings)

    def subscribe(self) -> list[str]:
        """Create the webhook subscriptions that are missing; return their topics."""
        return subscriptions.subscribe(self._shop, self._settings)

    @property
    def api_version(self) -> str:
        """The Admin API's version."""
        return self._settings.api_version

    def inspect(self) -> list[CheckResult]:
        """Look at everything, thing by thing."""
        today = dt.datetime.now(dt.UTC).date()
        return doctor.inspect(self._shop, self._settings, today)

    def expire_token(self) -> bool:
        """Put a token that is refused in the place of the shared one."""
        return self._shop.expire_token()

    def check(self) -> list[str]:
        """Read what must work before the first order; return what does not, with a remedy."""
        return doctor.check(self._shop, self._settings)

    def close(self) -> None:
        """Close the connections; the next call opens new ones."""
        self._shop.close()


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
    if kind != webhooks.ORDER:
        message = f"Shopify is not read for {kind}"
        raise ValueError(message)
