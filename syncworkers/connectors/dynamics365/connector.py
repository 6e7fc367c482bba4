"""Dynamics 365 Finance and Supply Chain Management: many orders in one call, each created once.

Contract: OData v4 JSON of 10.0.x; sets by configuration (SalesOrderHeadersV2, SalesOrderLinesV3).
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from syncworkers.connectors.base import Outcome, Verdict
from syncworkers.connectors.dynamics365 import doctor, orders
from syncworkers.connectors.dynamics365.answers import Meaning, Refusal
from syncworkers.connectors.dynamics365.environment import Environment
from syncworkers.connectors.dynamics365.rounds import NOT_STARTED, VERSION_UNKNOWN, Rounds, settle
from syncworkers.connectors.dynamics365.settings import read_settings
from syncworkers.errors import Violation

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from syncworkers.connectors.base import Budget, Deadline, Request, TokenCache
    from syncworkers.connectors.dynamics365.rounds import Result
    from syncworkers.policy.partners import PartnerPolicy


class Dynamics365:
    """One environment of Dynamics 365 F&O as a partner that takes orders."""

    def __init__(self, policy: PartnerPolicy, tokens: TokenCache, budget: Budget) -> None:
        self._settings = read_settings(policy.name, policy.connection)
        self._orders_limit = policy.lane.batch
        self._environment = Environment(
            self._settings, tokens, budget, call_deadline=policy.lane.call_deadline
        )

    def push(self, requests: Sequence[Request], deadline: Deadline) -> list[Outcome]:
        """Make the effects in one call; what a look can settle is looked up and repeated once."""
        return self._answer(requests, deadline, _push)

    def find(self, requests: Sequence[Request], deadline: Deadline) -> list[Outcome]:
        """Look the effects up by our number; only ours with our content is adopted."""
        return self._answer(requests, deadline, Rounds.find)

    def check(self) -> list[str]:
        """Read what must work before the first order; return what does not, with a remedy."""
        return doctor.check(self._environment, self._settings)

    def close(self) -> None:
        """Close the connections; the next call opens new ones."""
        self._environment.close()

    def _answer(
        self,
        requests: Sequence[Request],
        deadline: Deadline,
        act: Callable[[Rounds, Sequence[Request]], list[Outcome]],
    ) -> list[Outcome]:
        refused = {
            position: outcome
            for position, request in enumerate(requests)
            if (outcome := self._refuse(request)) is not None
        }
        good = [one for position, one in enumerate(requests) if position not in refused]
        rounds = Rounds(
            self._environment, self._settings, deadline, orders_limit=self._orders_limit
        )
        outcomes = iter(act(rounds, good))
        return [
            _evident(rounds, request, refused.get(position) or next(outcomes))
            for position, request in enumerate(requests)
        ]

    def _refuse(self, request: Request) -> Outcome | None:
        """Refuse what must not leave us."""
        known = self._settings.companies
        if request.operation not in orders.OPERATIONS:
            code, message = "operation.unknown", f"{request.operation} is not known here"
        elif orders.company(request) not in known:
            code = "company.unknown"
            message = f"{orders.company(request)} is none of our companies: {sorted(known)}"
        else:
            return None
        violation = Violation(path="header.dataAreaId", code=code, message=message)
        return Outcome(verdict=Verdict.REJECTED, error=message, violations=(violation,))


def _evident(rounds: Rounds, request: Request, outcome: Outcome) -> Outcome:
    """Add which call it was, how long it took and what was sent."""
    call, milliseconds = rounds.calls.get(request.reference, ("", 0))
    return replace(outcome, call=call, duration_ms=milliseconds, sent=orders.evidence_of(request))


def _push(rounds: Rounds, requests: Sequence[Request]) -> list[Outcome]:
    results = rounds.push(requests)
    unsettled = [
        position
        for position, result in enumerate(results)
        if isinstance(result, Refusal) and result.meaning in orders.LOOK_FIRST
    ]
    if unsettled:
        _settle_by_look(rounds, requests, results, unsettled)
    return [settle(result) for result in results]


def _settle_by_look(
    rounds: Rounds, requests: Sequence[Request], results: list[Result], unsettled: Sequence[int]
) -> None:
    """Look the refused ones up; repeat once what is not there as wanted, with a fresh version."""
    looks = rounds.find([requests[position] for position in unsettled])
    again: list[tuple[int, Request]] = []
    for position, look in zip(unsettled, looks, strict=True):
        if look.verdict in {Verdict.ADOPTED, Verdict.REJECTED}:
            results[position] = look
        elif look.verdict is Verdict.ABSENT and not _exists(results[position]):
            fresh = replace(requests[position], external_version=look.external_version)
            again.append((position, fresh))
        elif _unchanged(results[position], look):
            results[position] = look
    repeated = rounds.push([request for _, request in again])
    for (position, _), result in zip(again, repeated, strict=True):
        if isinstance(result, Refusal) and result.meaning is Meaning.FAILED:
            # Looked up, repeated, refused again: a business refusal.
            results[position] = replace(result, meaning=Meaning.REFUSED)
        elif result is not NOT_STARTED or results[position] is VERSION_UNKNOWN:
            results[position] = result


def _unchanged(result: Result, look: Outcome) -> bool:
    """Say whether the failed look may speak for the request: surely nothing happened to it.

    A create that was refused by a failure stays unknown instead.
    """
    moved = isinstance(result, Refusal) and result.meaning is Meaning.MOVED
    return moved and (look is not NOT_STARTED or result is VERSION_UNKNOWN)


def _exists(result: Result) -> bool:
    return isinstance(result, Refusal) and result.meaning is Meaning.EXISTS
