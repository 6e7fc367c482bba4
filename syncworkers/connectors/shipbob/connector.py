"""One ShipBob account as a warehouse: it takes order parts, and reports shipments and parcels."""

from __future__ import annotations

import datetime as dt
import time
from typing import TYPE_CHECKING

from syncworkers.connectors.base import ANSWERS
from syncworkers.connectors.shipbob import (
    doctor,
    orders,
    parts,
    standing,
    subscriptions,
    tracking,
    webhooks,
)
from syncworkers.connectors.shipbob.account import Account
from syncworkers.connectors.shipbob.settings import read_settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from syncworkers.connectors.base import (
        Deadline,
        Header,
        Outcome,
        Ports,
        Received,
        Record,
        Request,
    )
    from syncworkers.connectors.cutover import CheckResult, Sighting
    from syncworkers.policy.partners import PartnerPolicy


class ShipBob:
    """Offers all protocols of `connectors.base`.

    An entity of kind shipment is the warehouse's order: its shipments come and go, and are read
    together. The `[budget]` of the partner file is to keep `burst` and a minute of `per_second`
    within the 150 calls that ShipBob allows in any minute.
    """

    answers = ANSWERS
    handled = webhooks.HANDLED
    reread = webhooks.HANDLED
    """All of them: bodies are not in the contract, and topics mean different things over time."""
    read_topics: Mapping[str, str] = {webhooks.SHIPMENT: "orders/read"}
    tracked_topic = "shipments/tracking"
    shipment_strategy = ""

    def __init__(
        self,
        policy: PartnerPolicy,
        ports: Ports,
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._settings = read_settings(policy.name, policy.connection)
        self._clock = clock
        self._account = Account(
            self._settings, ports.budget, policy.budget, call_deadline=policy.lane.call_deadline
        )

    def receive(self, headers: Mapping[str, str], body: bytes, path: str = "") -> Received:
        """Prove and describe a webhook; raises `ProofError`."""
        return webhooks.receive(self._settings.webhook_secrets, headers, body, self._clock())

    def changed(self, kind: str, since: dt.datetime, until: dt.datetime) -> Iterator[list[Header]]:
        """Yield pages of orders that changed in a window, bodies included."""
        _only_shipments(kind)
        return orders.changed(self._account, since, until)

    def fetch(self, kind: str, external_ids: Sequence[str]) -> list[Record]:
        """Read whole orders with their shipments; what ShipBob does not have is left out."""
        _only_shipments(kind)
        return orders.fetch(self._account, external_ids)

    def track(self, external_ids: Sequence[str]) -> list[Record]:
        """Read the way of shipments, 25 a call."""
        return tracking.track(self._account, external_ids)

    def standing(self, since: dt.datetime, until: dt.datetime) -> Iterator[list[Sighting]]:
        """Yield pages of the orders that were made in a window, whoever entered them."""
        return standing.standing(self._account, since, until)

    def missing_subscriptions(self) -> list[str]:
        """Return our topics that no enabled subscription sends us."""
        return subscriptions.missing(self._account) if self._settings.webhook_url else []

    def subscribe(self) -> list[str]:
        """Create the webhook subscription that is missing; return its topics."""
        return subscriptions.subscribe(self._account)

    def push(self, requests: Sequence[Request], deadline: Deadline) -> list[Outcome]:
        """Make the effects, several calls at a time; what a look can settle is looked up."""
        return parts.push(self._account, requests, deadline)

    def find(self, requests: Sequence[Request], deadline: Deadline) -> list[Outcome]:
        """Look the effects up; only ours with our content is adopted."""
        return parts.find(self._account, requests, deadline)

    def shipping_methods(self) -> frozenset[str]:
        """Return the active shipping methods by name; raises the verdicts of a read."""
        return doctor.shipping_methods(self._account)

    @property
    def api_version(self) -> str:
        """The half-year of the interface."""
        return self._settings.api_version

    def inspect(self) -> list[CheckResult]:
        """Look at everything, thing by thing."""
        return doctor.inspect(self._account, dt.datetime.now(dt.UTC).date())

    def check(self) -> list[str]:
        """Read what must work before the first order; return what does not, with a remedy."""
        return doctor.check(self._account)

    def close(self) -> None:
        """Close the connections; the next call opens new ones."""
        self._account.close()


def _only_shipments(kind: str) -> None:
    if kind != webhooks.SHIPMENT:
        message = f"ShipBob is not read for {kind}"
        raise ValueError(message)
