"""Dynamics 365 Finance and Supply Chain Management: many effects in one call, each made once.

Contract: OData v4 JSON of 10.0.x, sets by configuration; packing slips by a custom service of ours;
business events as hints. See docs/dynamics365.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import TYPE_CHECKING

from syncworkers.connectors.base import ANSWERS
from syncworkers.connectors.dynamics365 import (
    batches,
    doctor,
    events,
    invoices,
    shipments,
    standing,
)
from syncworkers.connectors.dynamics365.answers import reject
from syncworkers.connectors.dynamics365.batches import Batches
from syncworkers.connectors.dynamics365.environment import Environment
from syncworkers.connectors.dynamics365.operations import BATCHED, FAMILIES
from syncworkers.connectors.dynamics365.rounds import Rounds
from syncworkers.connectors.dynamics365.settings import read_settings

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

    Act = Callable[[Rounds, Sequence[Request]], list[Outcome]]


class Dynamics365:
    """One environment of Dynamics 365 F&O: takes orders, customers and shipments, tells invoices.

    Offers `Checks`, `Inspects`, `Pushes`, `Pulls`, `Receives` and `Observes`.
    """

    answers = ANSWERS
    handled = frozenset({events.INVOICE_POSTED})
    reread = handled
    read_topics: Mapping[str, str] = {invoices.KIND: "invoices/read"}

    def __init__(self, policy: PartnerPolicy, ports: Ports) -> None:
        self._settings = read_settings(policy.name, policy.connection)
        self._changes = Batches(self._settings, limit=policy.lane.batch, is_read=False)
        self._looks = Batches(self._settings, limit=policy.lane.batch, is_read=True)
        self._environment = Environment(
            self._settings, ports.tokens, ports.budget, call_deadline=policy.lane.call_deadline
        )

    @property
    def shipment_strategy(self) -> str:
        """Say in plain words how shipments reach the ERP."""
        service = self._settings.shipment_service
        if not service:
            return "none: shipments wait as cases"
        return f"packing slips by service {service}"

    def push(self, requests: Sequence[Request], deadline: Deadline) -> list[Outcome]:
        """Make the effects; what a look can settle is looked up and repeated once."""
        return self._answer(
            requests,
            deadline,
            lambda rounds, some: batches.push(rounds, self._changes, self._looks, some),
            lambda rounds, some: shipments.push(rounds, self._settings, some),
        )

    def find(self, requests: Sequence[Request], deadline: Deadline) -> list[Outcome]:
        """Look the effects up by our reference; only ours with our content is adopted."""
        return self._answer(
            requests,
            deadline,
            lambda rounds, some: batches.find(rounds, self._looks, some),
            lambda rounds, some: shipments.find(rounds, self._settings, some),
        )

    def receive(self, headers: Mapping[str, str], body: bytes, path: str = "") -> Received:
        """Prove a business event by its secret address, and describe it; raises `ProofError`."""
        return events.receive(self._settings, body, path)

    def changed(self, kind: str, since: dt.datetime, until: dt.datetime) -> Iterator[list[Header]]:
        """Yield pages of invoices of the days around a window; raises the verdicts of a read."""
        _only_invoices(kind)
        return invoices.changed(self._environment, self._settings, since, until)

    def fetch(self, kind: str, external_ids: Sequence[str]) -> list[Record]:
        """Read whole invoices by `<company>/<number>`; what the ERP does not have is left out."""
        _only_invoices(kind)
        return invoices.fetch(self._environment, self._settings, external_ids)

    def standing(self, since: dt.datetime, until: dt.datetime) -> Iterator[list[Sighting]]:
        """Yield pages of the orders and packing slips of a window, whoever made them."""
        return standing.standing(self._environment, self._settings, since, until)

    @property
    def api_version(self) -> str:
        """The protocol: the product itself is evergreen."""
        return doctor.VERSION

    def inspect(self) -> list[CheckResult]:
        """Look at everything, thing by thing."""
        today = dt.datetime.now(dt.UTC).date()
        return doctor.inspect(self._environment, self._settings, today)

    def expire_token(self) -> bool:
        """Put a token that is refused in the place of the shared one."""
        return self._environment.expire_token()

    def check(self) -> list[str]:
        """Read what must work before the first order; return what does not, with a remedy."""
        return doctor.check(self._environment, self._settings)

    def close(self) -> None:
        """Close the connections; the next call opens new ones."""
        self._environment.close()

    def _answer(
        self, requests: Sequence[Request], deadline: Deadline, batched: Act, posted: Act
    ) -> list[Outcome]:
        """Let each request go its way; orders first, which shipments may depend on."""
        outcomes: dict[int, Outcome] = {}
        ways: dict[Act, list[int]] = {batched: [], posted: []}
        for position, request in enumerate(requests):
            refused = self._refuse(request)
            if refused is not None:
                outcomes[position] = refused
            else:
                ways[batched if request.operation in BATCHED else posted].append(position)
        rounds = Rounds(self._environment, deadline)
        for act, positions in ways.items():
            if positions:
                found = act(rounds, [requests[position] for position in positions])
                outcomes.update(zip(positions, found, strict=True))
        return [_evident(request, outcomes[position]) for position, request in enumerate(requests)]

    def _refuse(self, request: Request) -> Outcome | None:
        """Refuse what must not leave us."""
        family = FAMILIES.get(request.operation)
        if family is None:
            return reject("operation.unknown", f"{request.operation} is not known here")
        company, known = family.company(request), self._settings.companies
        if company not in known:
            told = f"{company} is none of our companies: {sorted(known)}"
            return reject("company.unknown", told, path="dataAreaId")
        return None


def _evident(request: Request, outcome: Outcome) -> Outcome:
    """Add what was sent."""
    family = FAMILIES.get(request.operation)
    return replace(outcome, sent=family.evidence_of(request)) if family else outcome


def _only_invoices(kind: str) -> None:
    if kind != invoices.KIND:
        message = f"Dynamics 365 is not read for {kind}"
        raise ValueError(message)
